"""What people do with campaigns, the same from the command line, the API and the console."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regulars.adjust.rollout.service import go_on
from regulars.errors import NotReady
from regulars.govern.approvals.service import Request, ask_changes, find_request
from regulars.govern.approvals.service import approve as approve_other
from regulars.govern.approvals.service import comment as say
from regulars.govern.approvals.service import withdraw as withdraw_other
from regulars.govern.audit.service import anchor
from regulars.reach.campaigns.definition import AudienceKind
from regulars.reach.campaigns.reviewing import service as reviewing
from regulars.reach.campaigns.reviewing.dossier import KIND
from regulars.reach.campaigns.running import service as running
from regulars.reach.campaigns.service import CampaignRow, find_campaign, put_campaign
from regulars.serve.sending.adopting import adopt
from regulars.serve.sending.journeys.reviewing import subject_of_journey
from regulars.serve.sending.sources import dossier_of, found_now, ground_of, subject_now

if TYPE_CHECKING:
    from regulars.app import App


def put(app: "App", given: Mapping[str, Any], *, actor: str, now: datetime) -> CampaignRow:
    """Keep a campaign as somebody wrote it.

    Returns:
        The campaign as it stands now.
    """
    kept = put_campaign(app.state, given, ground=ground_of(app), actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return kept


def submit(app: "App", campaign_id: str, *, actor: str, now: datetime, note: str = "") -> int:
    """Ask for approval of a campaign as it stands now.

    Returns:
        The number of the request.
    """
    dossier = dossier_of(app, campaign_id, now=now)
    number = reviewing.submit(app.state, dossier, actor=actor, now=now, note=note)
    anchor(app.state, folder=app.folder, at=now)
    return number


def approve(app: "App", number: int, *, actor: str, now: datetime, note: str = "") -> Request:
    """Approve a request, if what it is about is still what was shown.

    Returns:
        The request, decided.
    """
    found = request_of(app, number)
    if found.subject.kind == KIND:
        reviewing.approve_campaign(
            app.state,
            number,
            current=lambda name: subject_now(app, find_campaign(app.state, name), now=now),
            actor=actor,
            now=now,
            note=note,
        )
    else:
        current = subject_of_journey(app, found.subject, now=now)
        with app.state.transaction() as opened:
            approve_other(opened, number, current=current, actor=actor, at=now, note=note)
    return _anchored(app, number, now)


def send_back(app: "App", number: int, note: str, *, actor: str, now: datetime) -> Request:
    """Ask for changes.

    Returns:
        The request, decided.
    """
    if request_of(app, number).subject.kind == KIND:
        reviewing.send_back(app.state, number, note, actor=actor, now=now)
    else:
        with app.state.transaction() as opened:
            ask_changes(opened, number, note, actor=actor, at=now)
    return _anchored(app, number, now)


def take_back(app: "App", number: int, *, actor: str, now: datetime, note: str = "") -> Request:
    """Withdraw a request.

    Returns:
        The request, decided.
    """
    if request_of(app, number).subject.kind == KIND:
        reviewing.take_back(app.state, number, actor=actor, now=now, note=note)
    else:
        with app.state.transaction() as opened:
            withdraw_other(opened, number, actor=actor, at=now, note=note)
    return _anchored(app, number, now)


def comment(app: "App", number: int, note: str, *, actor: str, now: datetime) -> Request:
    """Say something about a request.

    Returns:
        The request with the comment.
    """
    with app.state.transaction() as opened:
        say(opened, number, note, actor=actor, at=now)
    return _anchored(app, number, now)


def begin(app: "App", campaign_id: str, *, actor: str, now: datetime) -> CampaignRow:
    """Start a campaign that was not started yet; a running one is left as it is.

    Args:
        app: The open workspace.
        campaign_id: The campaign.
        actor: Who starts it.
        now: The moment, aware.

    Returns:
        The campaign, running or finished.

    Raises:
        NotAllowed: It needs an approval it has not got.
        NotReady: It is paused or was ended.
    """
    row = find_campaign(app.state, campaign_id)
    if row.state in {"paused", "stopped"}:
        advice = (
            f"run: regulars reach resume {campaign_id}"
            if row.state == "paused"
            else "make a new campaign under another id"
        )
        raise NotReady(f"campaign {campaign_id} is {row.state}: {row.reason}; {advice}")
    if row.started_at:
        return row
    adopt(app, now=now)
    subject = subject_now(app, row, now=now)
    with app.state.reading() as opened:
        running.checked_approval(opened, row, subject, app.settings)
    started = running.start(
        app.state,
        campaign_id,
        found=found_now(app, row.campaign, now=now),
        subject=subject,
        settings=app.settings,
        actor=actor,
        now=now,
    )
    anchor(app.state, folder=app.folder, at=now)
    return started


def pause(app: "App", campaign_id: str, *, reason: str, actor: str, now: datetime) -> CampaignRow:
    """Hold everything of a campaign; gives the campaign, paused."""
    row = running.pause(app.state, campaign_id, reason=reason, actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return row


def resume(app: "App", campaign_id: str, *, actor: str, now: datetime) -> CampaignRow:
    """Let a paused campaign go on; gives the campaign, running."""
    row = running.resume(app.state, campaign_id, actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return row


def end(app: "App", campaign_id: str, *, reason: str, actor: str, now: datetime) -> int:
    """End a campaign for good; gives how many contacts will not go out."""
    left = running.stop_campaign(app.state, campaign_id, reason=reason, actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return left


def let_pass(app: "App", campaign_id: str, *, actor: str, now: datetime, note: str = "") -> str:
    """Let the next phase begin by a person's word; gives the phase that passed."""
    phase = go_on(app.state, campaign_id, actor=actor, now=now, note=note)
    anchor(app.state, folder=app.folder, at=now)
    return phase


def request_of(app: "App", number: int) -> Request:
    """Give one request with everything done about it."""
    with app.state.reading() as opened:
        return find_request(opened, number)


def is_triggered(row: CampaignRow) -> bool:
    """Tell whether customers of a campaign come one by one."""
    return row.campaign.audience.kind is AudienceKind.TRIGGER


def _anchored(app: "App", number: int, now: datetime) -> Request:
    anchor(app.state, folder=app.folder, at=now)
    return request_of(app, number)
