"""A journey's way through approval: exactly this version with exactly this content."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from regulars.errors import NotAllowed
from regulars.govern.approvals.service import Subject, approved, request
from regulars.reach.campaigns.definition import hash_of
from regulars.reach.campaigns.reviewing.dossier import BLOCKING
from regulars.reach.journeys.definition.journey import Journey, as_plain
from regulars.reach.journeys.keeping.service import (
    KIND,
    JourneyRow,
    Version,
    compared,
    find_journey,
)
from regulars.serve.sending.proofreading import findings_as_written

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.settings import Settings


@dataclass(frozen=True)
class Shown:
    """What an approver of a journey is shown.

    Attributes:
        subject: The version, with the hash of all that may not change.
        findings: What the copy review says of its contents.
        makers: Who wrote version and contents.
        changes: What differs from the version customers come in by.
    """

    subject: Subject
    findings: tuple[Mapping[str, Any], ...]
    makers: frozenset[str]
    changes: tuple[Any, ...]


def needs_approval(journey: Journey, settings: "Settings") -> bool:
    """Tell whether a journey may only be published once somebody else has approved it."""
    if journey.is_marketing:
        return settings.policy.approval_required
    return bool(journey.sends) and settings.policy.transactional_approval_required


def shown_now(app: "App", row: JourneyRow, version: Version, *, now: datetime) -> Shown:
    """Put together what an approver of one version is shown, as it stands now.

    Args:
        app: The open workspace.
        row: The journey.
        version: The version.
        now: The moment, aware.

    Returns:
        What is shown.

    Raises:
        UnknownName: It names a content there is none of.
    """
    from regulars.reach.content.service import kept  # noqa: PLC0415 - slow to import

    journey = version.journey
    found = {name: kept(app.state, name) for name in journey.contents}
    contents = {name: one.content for name, one in found.items()}
    findings = findings_as_written(app, contents, today=_day(app, now)) if contents else []
    everything = {
        "journey": as_plain(journey),
        "content": {name: one.hash for name, one in sorted(found.items())},
        "findings": [dict(one) for one in findings],
    }
    subject = Subject(KIND, row.id, version.version, hash_of(everything))
    makers = {one.kept_by for one in row.versions} | {one.actor for one in found.values()}
    before = row.current.journey if row.version is not None else None
    return Shown(subject, tuple(findings), frozenset(makers), tuple(compared(before, journey)))


def subject_of_journey(app: "App", subject: Subject, *, now: datetime) -> Subject:
    """Give what a request is about as it stands now.

    Args:
        app: The open workspace.
        subject: What was shown when it was asked for.
        now: The moment, aware.

    Returns:
        The same version of the journey with its contents of now; what is about no journey is
        given back as it is.
    """
    if subject.kind != KIND:
        return subject
    row = find_journey(app.state, subject.id)
    return shown_now(app, row, row.at(subject.version), now=now).subject


def submit(app: "App", row: JourneyRow, *, actor: str, now: datetime, note: str = "") -> int:
    """Ask for approval of the newest version of a journey as it stands now.

    Args:
        app: The open workspace.
        row: The journey.
        actor: Who asks.
        now: The moment, aware.
        note: What they say.

    Returns:
        The number of the request.

    Raises:
        NotAllowed: The copy review found something that may not go out.
    """
    shown = shown_now(app, row, row.newest, now=now)
    _refuse_blocked(row.id, shown)
    evidence = {
        "name": row.newest.journey.name,
        "changes": [
            {"field": one.field, "before": one.before, "after": one.after} for one in shown.changes
        ],
        "findings": [dict(one) for one in shown.findings],
        "content": list(row.newest.journey.contents),
    }
    with app.state.transaction() as opened:
        return request(
            opened,
            shown.subject,
            hands=set(shown.makers),
            evidence=evidence,
            actor=actor,
            at=now,
            note=note,
        )


def checked(app: "App", row: JourneyRow, version: Version, *, now: datetime) -> None:
    """Refuse to publish what nobody approved as it stands now, or the copy review refuses.

    Raises:
        NotAllowed: There is no approval for exactly this, or a passage may not go out.
    """
    journey = version.journey
    if not journey.sends:
        return
    shown = shown_now(app, row, version, now=now)
    _refuse_blocked(row.id, shown)
    if not needs_approval(journey, app.settings):
        return
    with app.state.reading() as opened:
        if approved(opened, shown.subject):
            return
    raise NotAllowed(
        "approval",
        f"version {version.version} of journey {row.id} sends messages and nobody has approved it "
        f"as it stands; ask for approval: regulars reach journey submit {row.id}",
    )


def _refuse_blocked(journey_id: str, shown: Shown) -> None:
    refused = sorted({
        f"{one.get('text')} (rule {one.get('rule')})"
        for one in shown.findings
        if one.get("severity") in BLOCKING
    })
    if refused:
        raise NotAllowed(
            "copy-review",
            f"the copy review refuses {len(refused)} passages of journey {journey_id}: "
            f"{', '.join(refused)}; change the content, keep it, and name its new version",
        )


def _day(app: "App", now: datetime) -> date:
    return now.astimezone(ZoneInfo(app.settings.retailer.zone)).date()
