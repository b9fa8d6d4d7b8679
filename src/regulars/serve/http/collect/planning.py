"""The tracking plan as the console shows it: families, strangers, faults, conflicts, versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import structs

from regulars.collect.quality.plan import (
    Coverage,
    Difference,
    EventRule,
    Observed,
    Plan,
    coverage,
    differences,
    starting_plan,
    suggested_plan,
)
from regulars.collect.quality.plan.coverage import BEHAVIOURS, EventCoverage
from regulars.collect.quality.plan.service import (
    Adopted,
    FaultCount,
    KeptViolation,
    adopt,
    adopted_plan,
    fault_counts,
    kept_violations,
    observed_events,
    plan_versions,
)
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import anchor
from regulars.ports.state import State
from regulars.serve.http.door.guard import Caller

MOST_FAULTS, MOST_ROWS = 50, 30


@dataclass(frozen=True)
class Family:
    """One family of behaviour.

    Attributes:
        name: Its name.
        events: Declared events of it, those that came most first.
        seen: Events stored of them.
    """

    name: str
    events: list[EventCoverage]
    seen: int


@dataclass(frozen=True)
class Stranger:
    """An event that came and is not declared, with what would be declared of it.

    Attributes:
        event: Its name.
        seen: Events stored.
        sources: Where it came from.
        rule: The suggestion.
    """

    event: str
    seen: int
    sources: tuple[str, ...]
    rule: EventRule


@dataclass(frozen=True)
class Conflict:
    """A property whose values came in more than one type; all were stored.

    Attributes:
        source: The source.
        event: The event.
        path: The property.
        first: Type that came first.
        kinds: Values by type.
    """

    source: str
    event: str
    path: str
    first: str
    kinds: Mapping[str, int]


@dataclass(frozen=True)
class Fault:
    """One fault with the moment it came last."""

    count: FaultCount
    last_at: datetime


@dataclass(frozen=True)
class Planned:
    """How plan and events agree.

    Attributes:
        held: The version in force.
        coverage: How far plan and events agree.
        families: Families declared, by events seen.
        strangers: Events that came and are not declared, most frequent first.
        faults: What breaks the plan, most frequent first.
        rows: Single violations, newest first.
        conflicts: Properties of several types.
        versions: Every version adopted, newest first.
    """

    held: Adopted
    coverage: Coverage
    families: list[Family]
    strangers: list[Stranger]
    faults: list[Fault]
    rows: list[KeptViolation]
    conflicts: list[Conflict]
    versions: list[Adopted]


def planned(state: State) -> Planned:
    """Tell how plan and events agree.

    Returns:
        The packaged plan and empty lists in a new workspace.
    """
    held, observed = adopted_plan(state), observed_events(state)
    covered = coverage(held.plan, observed)
    suggested = suggested_plan(observed, held.plan)
    strangers = [
        Stranger(one.event, one.seen, one.sources, suggested.event[one.event])
        for one in covered.events
        if not one.is_declared and one.event in suggested.event
    ]
    faults = fault_counts(state)[:MOST_FAULTS]
    return Planned(
        held,
        covered,
        _families(covered),
        sorted(strangers, key=lambda one: (-one.seen, one.event)),
        [Fault(one, datetime.fromtimestamp(one.last_at / 1e6, UTC)) for one in faults],
        kept_violations(state, most=MOST_ROWS),
        _conflicts(observed),
        plan_versions(state)[::-1],
    )


def adopt_event(caller: Caller, event: str, *, means: str, family: str) -> Adopted:
    """Declare an event as it was observed, and adopt the plan with it.

    Args:
        caller: Who adopts it.
        event: Name of an event that came and is not declared.
        means: What happened, in words.
        family: The behaviour it tells of, one of `BEHAVIOURS`.

    Returns:
        The new version.

    Raises:
        UnknownName: No such event came.
        InputError: Meaning or family is missing.
    """
    state = caller.workspace.state
    held = adopted_plan(state).plan
    suggested = suggested_plan(observed_events(state), held)
    if event in held.event or event not in suggested.event:
        raise UnknownName("undeclared event", event, [])
    if not means.strip() or family not in BEHAVIOURS:
        raise InputError(f"family is {family!r}; say what happened, and choose a family")
    rule = structs.replace(suggested.event[event], means=means.strip()[:500], family=family)
    made = adopt(
        state, Plan(held.event | {event: rule}, held.source), actor=caller.actor, at=caller.now
    )
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return made


def changes_between(state: State, old: int, new: int) -> tuple[Difference, ...]:
    """Tell what changed from one version to another; version 0 is the packaged plan.

    Returns:
        The changes, by event and property; empty for equal plans.

    Raises:
        UnknownName: There is no such version.
    """
    plans = {one.version: one.plan for one in plan_versions(state)} | {0: starting_plan()}
    for version in (old, new):
        if version not in plans:
            raise UnknownName("version of the plan", str(version), map(str, plans))
    return differences(plans[old], plans[new])


def _families(covered: Coverage) -> list[Family]:
    by_name: dict[str, list[EventCoverage]] = {}
    for one in covered.events:
        if one.is_declared:
            by_name.setdefault(one.family, []).append(one)
    found = [
        Family(
            name,
            sorted(events, key=lambda one: (-one.seen, one.event)),
            sum(one.seen for one in events),
        )
        for name, events in by_name.items()
    ]
    return sorted(found, key=lambda one: (-one.seen, one.name))


def _conflicts(observed: Observed) -> list[Conflict]:
    found = [
        Conflict(source, event, path, one.first_kind, one.kinds)
        for (source, event), seen in observed.events.items()
        for path, one in seen.properties.items()
        if one.conflicts
    ]
    return sorted(found, key=lambda one: (-sum(one.kinds.values()), one.source, one.event))
