"""A campaign's way through approval: submitted, sent back, approved, taken back."""

from collections.abc import Callable
from datetime import datetime

from regulars.errors import NotAllowed
from regulars.govern.approvals.service import (
    Request,
    Status,
    Subject,
    approve,
    approved,
    ask_changes,
    find_request,
    request,
    requests_of,
    withdraw,
)
from regulars.ports.state import State, Transaction
from regulars.reach.campaigns.changes import Change, changes
from regulars.reach.campaigns.definition import Campaign, as_plain
from regulars.reach.campaigns.lifecycle import CampaignState
from regulars.reach.campaigns.reviewing.dossier import KIND, Dossier, as_evidence
from regulars.reach.campaigns.service import (
    add_task,
    campaign_within,
    end_tasks,
    move,
    versions_within,
)

TASK = "approval"


def submit(state: State, dossier: Dossier, *, actor: str, now: datetime, note: str = "") -> int:
    """Ask for approval of the newest version of a campaign.

    Args:
        state: The transactional store.
        dossier: What the approver is shown.
        actor: Who asks.
        now: The moment, aware.
        note: What they say.

    Returns:
        The number of the request.

    Raises:
        NotAllowed: The copy review found something that may not go out, the dossier is of
            another version, or the campaign stands elsewhere.
    """
    campaign_id = dossier.subject.id
    if dossier.blocking:
        raise NotAllowed(
            "copy-review",
            f"the copy review refuses {dossier.blocking} passages of {campaign_id}: "
            f"{dossier.refused}; change the content, keep it, and name its new version",
        )
    with state.transaction() as opened:
        row = campaign_within(opened, campaign_id)
        if row.version != dossier.subject.version:
            raise NotAllowed("approval", f"campaign {campaign_id} was edited meanwhile; look again")
        if row.state is CampaignState.IN_REVIEW:
            move(opened, campaign_id, CampaignState.DRAFT, actor=actor, now=now)
        move(opened, campaign_id, CampaignState.IN_REVIEW, actor=actor, now=now)
        hands = {one.edited_by for one in versions_within(opened, campaign_id)}
        number = request(
            opened,
            dossier.subject,
            hands=hands | set(dossier.shown.makers),
            evidence=as_evidence(dossier),
            actor=actor,
            at=now,
            note=note,
        )
        end_tasks(opened, TASK, f"{KIND}/{campaign_id}", actor=actor, now=now)
        message = f"request {number}: approve campaign {campaign_id}, version {row.version}"
        add_task(opened, TASK, f"{KIND}/{campaign_id}", message, now=now)
    return number


def approve_campaign(
    state: State,
    number: int,
    *,
    current: Callable[[str], Subject],
    actor: str,
    now: datetime,
    note: str = "",
) -> None:
    """Approve a request about a campaign, if the campaign is still what was shown.

    Args:
        state: The transactional store.
        number: The request.
        current: Gives the subject of a campaign as it stands now.
        actor: Who approves.
        now: The moment, aware.
        note: What they say.

    Raises:
        NotAllowed: The two-person rule refuses them, or anything has changed since.
    """
    with state.reading() as opened:
        campaign_id = find_request(opened, number).subject.id
    subject = current(campaign_id)
    with state.transaction() as opened:
        approve(opened, number, current=subject, actor=actor, at=now, note=note)
        row = campaign_within(opened, campaign_id)
        if row.version != subject.version:
            raise NotAllowed("approval", f"campaign {campaign_id} was edited meanwhile; look again")
        move(opened, campaign_id, CampaignState.APPROVED, actor=actor, now=now)
        end_tasks(opened, TASK, f"{KIND}/{campaign_id}", actor=actor, now=now)


def send_back(state: State, number: int, note: str, *, actor: str, now: datetime) -> None:
    """Ask for changes; the campaign is a draft again."""
    with state.transaction() as opened:
        ask_changes(opened, number, note, actor=actor, at=now)
        _again_a_draft(opened, number, actor=actor, now=now)


def take_back(state: State, number: int, *, actor: str, now: datetime, note: str = "") -> None:
    """Withdraw a request; the campaign is a draft again."""
    with state.transaction() as opened:
        withdraw(opened, number, actor=actor, at=now, note=note)
        _again_a_draft(opened, number, actor=actor, now=now)


def approved_by(opened: Transaction, subject: Subject) -> int | None:
    """Tell which request approved exactly this; None when none did."""
    return approved(opened, subject)


def changes_since_approval(state: State, campaign: Campaign) -> tuple[Change, ...]:
    """Tell what a campaign changes of the version approved last.

    Args:
        state: The transactional store.
        campaign: The newest version.

    Returns:
        Field by field; everything it says when no version was ever approved.
    """
    with state.reading() as opened:
        found = [
            one.subject.version
            for one in requests_of(opened, KIND, campaign.id)
            if one.status is Status.APPROVED
        ]
        versions = {one.version: one.campaign for one in versions_within(opened, campaign.id)}
    before = as_plain(versions[max(found)]) if found else {}
    return tuple(changes(before, as_plain(campaign)))


def _again_a_draft(opened: Transaction, number: int, *, actor: str, now: datetime) -> None:
    found: Request = find_request(opened, number)
    campaign_id = found.subject.id
    if campaign_within(opened, campaign_id).state is CampaignState.IN_REVIEW:
        move(opened, campaign_id, CampaignState.DRAFT, actor=actor, now=now)
    end_tasks(opened, TASK, f"{KIND}/{campaign_id}", actor=actor, now=now)
