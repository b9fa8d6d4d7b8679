"""Keep journeys version by version, look at them, and take them from state to state."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from regulars.errors import InputError, NotAllowed, NotReady, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.changes import Change, changes
from regulars.reach.delivery.runs import stamp
from regulars.reach.journeys.definition.journey import Journey, as_plain, hash_of_journey
from regulars.reach.journeys.definition.reading import Ground, read_journey

KIND = "journey"
_SQL = Queries(__package__)


class JourneyState(StrEnum):
    """Where a journey stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Version:
    """One version of a journey.

    Attributes:
        version: Its number.
        given: What the file said.
        content_hash: Hash of what it says.
        kept_by: Who made it.
        kept_at: When, ISO 8601.
        published_at: When customers last began to come in by it; None for a draft.
        replaces: Version it took the place of; None for the first one published, and for drafts.
        moves: What became of those inside by name of node: stay, exit, or another node.
    """

    version: int
    given: Mapping[str, Any]
    content_hash: str
    kept_by: str
    kept_at: str
    published_at: str | None
    replaces: int | None
    moves: Mapping[str, str]

    @property
    def journey(self) -> Journey:
        """What it says, read again."""
        return read_journey(self.given)


@dataclass(frozen=True)
class JourneyRow:
    """A journey as it stands.

    Attributes:
        id: Its id.
        number: Number it is kept by.
        state: draft, running, paused or stopped.
        reason: Why it was paused or stopped; "" otherwise.
        version: Version customers come in by; None before the first was published.
        created_by: Who kept the first version.
        changed_at: When it last changed, ISO 8601.
        versions: Every version, the oldest first.
    """

    id: str
    number: int
    state: JourneyState
    reason: str
    version: int | None
    created_by: str
    changed_at: str
    versions: tuple[Version, ...]

    @property
    def newest(self) -> Version:
        """The version kept last, published or not."""
        return self.versions[-1]

    @property
    def current(self) -> Version:
        """The version customers come in by; the newest one before any was published."""
        return self.at(self.version) if self.version is not None else self.newest

    def at(self, version: int) -> Version:
        """Give one version.

        Returns:
            The version.

        Raises:
            UnknownName: There is no such version.
        """
        for one in self.versions:
            if one.version == version:
                return one
        raise UnknownName("version", str(version), [str(one.version) for one in self.versions])


@dataclass(frozen=True)
class Standing:
    """How many customers stand at one node.

    Attributes:
        version: Version they walk by.
        node: Name of the node.
        customers: How many.
        next_at: When the first of them goes on, milliseconds since 1970 UTC.
    """

    version: int
    node: str
    customers: int
    next_at: int


def run_of(journey_id: str) -> str:
    """Name the run of everything a journey sends.

    Returns:
        The run id, which is the campaign id of its contacts too.

    Example:
        >>> run_of("welcome")
        'journey/welcome'
    """
    return f"journey/{journey_id}"


def put_journey(
    state: State, given: Mapping[str, Any], *, ground: Ground, actor: str, now: datetime
) -> JourneyRow:
    """Keep a journey: a new one, or the next version of one there is; nobody walks by it yet.

    Args:
        state: The transactional store.
        given: What a file or a form says.
        ground: What it is read against.
        actor: Who keeps it, for the audit log.
        now: The moment, aware.

    Returns:
        The journey as it stands now; the same words as the newest version make no new one.

    Raises:
        InputError: A part of it cannot be used.
        NotAllowed: It was stopped.
    """
    journey = read_journey(given, ground)
    with state.transaction() as opened:
        rows = opened.all(_SQL["journey"], journey_id=journey.id)
        if rows and rows[0]["state"] == JourneyState.STOPPED:
            raise NotAllowed(
                "journey-state", f"journey {journey.id} was stopped; keep it under another id"
            )
        number = rows[0]["journey_no"] if rows else _made(opened, journey.id, actor, now)
        _keep(opened, number, journey, given, actor=actor, now=now)
        return journey_within(opened, journey.id)


def list_journeys(state: State) -> list[JourneyRow]:
    """Give every journey, the one changed last first."""
    with state.reading() as opened:
        return [_row(opened, row) for row in opened.all(_SQL["journeys"])]


def find_journey(state: State, journey_id: str) -> JourneyRow:
    """Give one journey as it stands.

    Returns:
        The journey with its versions.

    Raises:
        UnknownName: There is no such journey.
    """
    with state.reading() as opened:
        return journey_within(opened, journey_id)


def journey_within(opened: Transaction, journey_id: str) -> JourneyRow:
    """Give one journey as it stands within a transaction.

    Returns:
        The journey with its versions.

    Raises:
        UnknownName: There is no such journey.
    """
    rows = opened.all(_SQL["journey"], journey_id=journey_id)
    if not rows:
        known = [row["journey_id"] for row in opened.all(_SQL["ids"])]
        raise UnknownName("journey", journey_id, known)
    return _row(opened, rows[0])


def standing_at(state: State, journey_id: str) -> list[Standing]:
    """Count who of a journey stands where.

    Returns:
        One record per version and node with anybody at it.

    Raises:
        UnknownName: There is no such journey.
    """
    with state.reading() as opened:
        row = journey_within(opened, journey_id)
        return standing_within(opened, row.number)


def standing_within(opened: Transaction, number: int) -> list[Standing]:
    """Count who stands where within a transaction, by number of the journey."""
    names = {one["node_no"]: one["name"] for one in opened.all(_SQL["nodes"], journey_no=number)}
    return [
        Standing(row["version"], names[row["node_no"]], row["customers"], row["next_at"])
        for row in opened.all(_SQL["inside"], journey_no=number)
    ]


def compare(
    state: State, journey_id: str, *, before: int | None = None, after: int | None = None
) -> list[Change]:
    """Tell what changed between two versions of a journey.

    Args:
        state: The transactional store.
        journey_id: The journey.
        before: The earlier version; the current one when left out.
        after: The later version; the newest when left out.

    Returns:
        One record per field that differs.

    Raises:
        UnknownName: There is no such journey or version.
    """
    row = find_journey(state, journey_id)
    old = row.at(before) if before is not None else row.current
    new = row.at(after) if after is not None else row.newest
    return compared(old.journey, new.journey)


def compared(before: Journey | None, after: Journey) -> list[Change]:
    """Tell what changed from one journey to another; everything when there was none."""
    return changes(as_plain(before) if before else {}, as_plain(after))


def pause(state: State, journey_id: str, *, reason: str, actor: str, now: datetime) -> JourneyRow:
    """Let nobody of a journey go on, and hold its contacts; what happens meanwhile still counts.

    Returns:
        The journey, paused.

    Raises:
        InputError: No reason was given.
        NotAllowed: It is not running.
    """
    if not reason.strip():
        raise InputError("reason is empty, must say why the journey pauses; give a few words")
    with state.transaction() as opened:
        row = _moved(opened, journey_id, JourneyState.PAUSED, reason, actor, now)
        opened.run(_SQL["hold"], run_id=run_of(journey_id), at=stamp(now))
        return row


def resume(state: State, journey_id: str, *, actor: str, now: datetime) -> JourneyRow:
    """Let a paused journey go on where it stood.

    Returns:
        The journey, running.

    Raises:
        NotAllowed: It is not paused.
    """
    with state.transaction() as opened:
        row = _moved(opened, journey_id, JourneyState.RUNNING, "", actor, now)
        opened.run(_SQL["release"], run_id=run_of(journey_id), at=stamp(now))
        return row


def stop_journey(
    state: State, journey_id: str, *, reason: str, actor: str, now: datetime
) -> JourneyRow:
    """End a journey for good: nobody comes in or goes on, no contact or call of it goes out.

    Returns:
        The journey, stopped; who stood where stays on record.

    Raises:
        InputError: No reason was given.
        NotAllowed: It was stopped before.
    """
    if not reason.strip():
        raise InputError("reason is empty, must say why the journey ends; give a few words")
    with state.transaction() as opened:
        row = _moved(opened, journey_id, JourneyState.STOPPED, reason, actor, now)
        opened.run(_SQL["drop"], run_id=run_of(journey_id), at=stamp(now))
        opened.run(_SQL["drop_calls"], journey_id=journey_id)
        return row


_BEFORE = {
    JourneyState.PAUSED: (JourneyState.RUNNING,),
    JourneyState.RUNNING: (JourneyState.PAUSED,),
    JourneyState.STOPPED: (JourneyState.DRAFT, JourneyState.RUNNING, JourneyState.PAUSED),
}


def _moved(
    opened: Transaction,
    journey_id: str,
    after: JourneyState,
    reason: str,
    actor: str,
    now: datetime,
) -> JourneyRow:
    row = journey_within(opened, journey_id)
    if row.state not in _BEFORE[after]:
        wanted = " or ".join(_BEFORE[after])
        raise NotAllowed(
            "journey-state", f"journey {journey_id} is {row.state}, must be {wanted} for that"
        )
    opened.run(
        _SQL["set_state"],
        journey_no=row.number,
        before=row.state.value,
        after=after.value,
        reason=reason.strip(),
        at=stamp(now),
    )
    note(opened, journey_id, after.value, {"reason": reason.strip()}, actor=actor, now=now)
    return journey_within(opened, journey_id)


def note(
    opened: Transaction,
    journey_id: str,
    what: str,
    detail: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Write what was done with a journey to the audit log."""
    record(
        opened,
        actor=actor,
        action=f"journey.{what}",
        subject=f"{KIND}/{journey_id}",
        detail=dict(detail),
        at=now,
    )


def is_walkable(row: JourneyRow) -> None:
    """Refuse a journey nobody can come into.

    Raises:
        NotReady: It was never published, or was stopped.
    """
    if row.state in {JourneyState.DRAFT, JourneyState.STOPPED}:
        raise NotReady(
            f"journey {row.id} is {row.state}; publish it: regulars reach journey publish FILE"
        )


def _made(opened: Transaction, journey_id: str, actor: str, now: datetime) -> int:
    [row] = opened.all(_SQL["next_number"])
    opened.run(
        _SQL["add_journey"],
        journey_no=row["number"],
        journey_id=journey_id,
        actor=actor,
        at=stamp(now),
    )
    return int(row["number"])


def _keep(
    opened: Transaction,
    number: int,
    journey: Journey,
    given: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> None:
    content_hash = hash_of_journey(journey)
    known = opened.all(_SQL["versions"], journey_no=number)
    if known and known[-1]["content_hash"] == content_hash:
        return
    version = known[-1]["version"] + 1 if known else 1
    opened.run(
        _SQL["add_version"],
        journey_no=number,
        version=version,
        definition=json.dumps(given, ensure_ascii=False, default=str),
        content_hash=content_hash,
        actor=actor,
        at=stamp(now),
    )
    opened.run(_SQL["touch"], journey_no=number, at=stamp(now))
    detail = {"version": version, "hash": content_hash}
    note(opened, journey.id, "put", detail, actor=actor, now=now)


def _row(opened: Transaction, row: Mapping[str, Any]) -> JourneyRow:
    found = opened.all(_SQL["versions"], journey_no=row["journey_no"])
    return JourneyRow(
        row["journey_id"],
        row["journey_no"],
        JourneyState(row["state"]),
        row["reason"],
        row["version"],
        row["created_by"],
        row["changed_at"],
        tuple(_version(one) for one in found),
    )


def _version(row: Mapping[str, Any]) -> Version:
    moved = json.loads(row["moves"])
    return Version(
        row["version"],
        json.loads(row["definition"]),
        row["content_hash"],
        row["kept_by"],
        row["kept_at"],
        row["published_at"],
        moved.get("replaces"),
        moved.get("moves", {}),
    )
