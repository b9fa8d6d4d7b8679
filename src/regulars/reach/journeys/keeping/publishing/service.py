"""Put a version in the place of another in one transaction, with everybody inside."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from regulars.errors import NotAllowed, NotReady
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.delivery.runs import stamp
from regulars.reach.journeys.definition.nodes import WaitForEvent
from regulars.reach.journeys.keeping.publishing.moving import Plan, back, plan_moves
from regulars.reach.journeys.keeping.service import (
    JourneyRow,
    JourneyState,
    journey_within,
    note,
    standing_within,
)
from regulars.reach.journeys.keeping.versions.service import (
    Numbered,
    give_numbers,
    listen,
    numbered,
)
from regulars.reach.journeys.walking.cohort import MOVED, TAKEN_OUT
from regulars.reach.journeys.walking.moments import ms_of

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Published:
    """What a publication did.

    Attributes:
        journey: The journey as it stands now.
        version: Version customers come in by now.
        replaces: Version it took the place of; None for the first one.
        inside: Customers inside, of all versions.
        moved: Customers who arrive at another node, or at one that is another kind now.
        taken_out: Customers who left.
        stayed: Customers who walk on by the version before.
    """

    journey: str
    version: int
    replaces: int | None
    inside: int
    moved: int
    taken_out: int
    stayed: int


def publish(
    state: State,
    journey_id: str,
    *,
    version: int,
    moves: Mapping[str, str],
    actor: str,
    now: datetime,
) -> Published:
    """Let customers come in by a version, and say what becomes of those inside.

    Args:
        state: The transactional store.
        journey_id: The journey.
        version: The version; nobody asks here whether it is approved.
        moves: What becomes of those who stand at a node: stay, exit, or a node of the version.
        actor: Who publishes.
        now: The moment, aware.

    Returns:
        What was done; publishing the current version again changes nothing.

    Raises:
        NotAllowed: The journey was stopped.
        InputError: Somebody stands at a node the version has not, and the map is silent.
        UnknownName: The map names a node there is none of.
    """
    with state.transaction() as opened:
        row = journey_within(opened, journey_id)
        if row.state is JourneyState.STOPPED:
            raise NotAllowed("journey-state", f"journey {journey_id} was stopped; take another id")
        kept = {"replaces": row.version, "moves": dict(moves)}
        new = give_numbers(opened, row.number, row.at(version).version)
        done = _replace(opened, row, new, moves, now=now)
        if row.version != version:
            opened.run(
                _SQL["published"],
                journey_no=row.number,
                version=version,
                moves=json.dumps(kept, ensure_ascii=False),
                actor=actor,
                at=stamp(now),
            )
            detail = {"version": version} | kept
            note(opened, journey_id, "publish", detail, actor=actor, now=now)
        return done


def roll_back(
    state: State,
    journey_id: str,
    *,
    moves: Mapping[str, str],
    actor: str,
    now: datetime,
    to: int | None = None,
) -> Published:
    """Put a version customers came in by before in the place of the current one.

    Those who were moved when the current version was published go back where they came from,
    as far as that can be told.

    Args:
        state: The transactional store.
        journey_id: The journey.
        moves: What becomes of those who stand at a node, where that cannot be told.
        actor: Who takes it back.
        now: The moment, aware.
        to: The version; the one the current one took the place of when left out.

    Returns:
        What was done.

    Raises:
        NotReady: There is no version to go back to.
        NotAllowed: The journey was stopped.
        InputError: Somebody stands at a node the version has not, and nothing says what for.
    """
    with state.transaction() as opened:
        row = journey_within(opened, journey_id)
        target = row.current.replaces if to is None else to
        if row.version is None or target is None or row.at(target).published_at is None:
            raise NotReady(
                f"journey {journey_id} has no version to go back to; publish another one: "
                "regulars reach journey publish FILE"
            )
        if row.state is JourneyState.STOPPED:
            raise NotAllowed("journey-state", f"journey {journey_id} was stopped; take another id")
        old = numbered(opened, row.number, target)
        way = back(row.current.journey, old.journey, row.current.moves) | dict(moves)
        done = _replace(opened, row, old, way, now=now)
        detail = {"version": target, "replaces": row.version, "moves": way}
        note(opened, journey_id, "rollback", detail, actor=actor, now=now)
        return done


def _replace(
    opened: Transaction,
    row: JourneyRow,
    new: Numbered,
    moves: Mapping[str, str],
    *,
    now: datetime,
) -> Published:
    standing = standing_within(opened, row.number)
    inside = {one.node: one.customers for one in standing if one.version == row.version}
    moved = taken_out = stayed = 0
    if row.version is not None and row.version != new.version:
        old = numbered(opened, row.number, row.version)
        undecided = _undecided(opened, old, new)
        plan = plan_moves(old.journey, new.journey, moves, inside, undecided)
        moved, taken_out = _apply(opened, old, new, plan, ms_of(now))
        stayed = sum(inside.get(node, 0) for node in plan.stay)
    state = row.state if row.state is JourneyState.PAUSED else JourneyState.RUNNING
    opened.run(
        _SQL["become"],
        journey_no=row.number,
        version=new.version,
        state=state.value,
        reason=row.reason if state is JourneyState.PAUSED else "",
        at=stamp(now),
    )
    listen(opened, row.number, new)
    everybody = sum(one.customers for one in standing) - taken_out
    replaces = None if row.version == new.version else row.version
    return Published(row.id, new.version, replaces, everybody, moved, taken_out, stayed)


def _undecided(opened: Transaction, old: Numbered, new: Numbered) -> dict[str, int]:
    """Count those nothing was decided for by node, where the new version asks for it."""
    if not any(send.follows_decision for send in new.journey.sends):
        return {}
    rows = opened.all(_SQL["undecided"], journey_no=old.journey_no, version=old.version)
    return {old.node_by_number[row["node_no"]]: row["customers"] for row in rows}


def _apply(
    opened: Transaction, old: Numbered, new: Numbered, plan: Plan, now: int
) -> tuple[int, int]:
    """Carry a plan out; gives customers moved and taken out."""
    where = {"journey_no": old.journey_no, "version": old.version}
    opened.run(
        _SQL["go_by"],
        **where,
        after=new.version,
        nodes=json.dumps([old.number_by_node[name] for name in plan.unchanged]),
    )
    for name, shift in plan.shifted.items():
        does = new.journey.nodes[name].does
        event = new.number_by_event[does.event] if isinstance(does, WaitForEvent) else 0
        opened.run(
            _SQL["wait_otherwise"],
            **where,
            node_no=old.number_by_node[name],
            after=new.version,
            shift=shift,
            event_no=event,
        )
    moved = 0
    for name, target in plan.moved.items():
        number = old.number_by_node[name]
        opened.run(_SQL["note_moved"], **where, node_no=number, edge=MOVED, at=now)
        moved += opened.run(
            _SQL["move_to"],
            **where,
            node_no=number,
            after=new.version,
            target=new.number_by_node[target],
            at=now,
        )
    taken_out = 0
    for name in plan.taken_out:
        number = old.number_by_node[name]
        opened.run(_SQL["note_moved"], **where, node_no=number, edge=TAKEN_OUT, at=now)
        taken_out += opened.run(_SQL["take_out"], **where, node_no=number, at=now)
    return moved, taken_out
