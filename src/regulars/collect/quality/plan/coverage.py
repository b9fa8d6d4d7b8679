"""How much of what customers do the plan declares, and how much of the plan really comes."""

from dataclasses import dataclass

from regulars.collect.quality.plan.model import EventRule, Plan
from regulars.collect.quality.plan.observed import EventSeen, Observed

BEHAVIOURS = (
    "account", "browse", "campaign", "cart", "checkout", "consultation", "coupon", "loyalty",
    "mini-program", "live stream", "order", "payment", "promotion", "return", "review", "search",
    "service", "share", "store visit", "survey", "trial", "wishlist",
)  # fmt: skip
"""Families of behaviour customers show, online, in the store and in private domains."""


@dataclass(frozen=True)
class EventCoverage:
    """One event, as far as it came.

    Attributes:
        event: Its declared name, or the label it came under.
        family: Its family; "" when it is not declared.
        is_declared: Whether the plan knows it.
        seen: Events stored.
        sources: Sources it came from.
        properties: Declared properties.
        properties_seen: Declared properties that came at least once.
        undeclared: Properties that came and are not declared.
        overflow: Values under further paths that are only added up.
    """

    event: str
    family: str
    is_declared: bool
    seen: int
    sources: tuple[str, ...]
    properties: int
    properties_seen: int
    undeclared: tuple[str, ...]
    overflow: int


@dataclass(frozen=True)
class Coverage:
    """How far plan and events agree.

    Attributes:
        behaviours: Families with at least one declared event.
        behaviours_missing: Known families (`BEHAVIOURS`) without one.
        behaviours_seen: Declared families of which an event came.
        declared: Events declared.
        declared_seen: Of these, how many came.
        undeclared: Labels of events that came and are not declared, most frequent first.
        share_of_behaviours: Known families declared, 0 to 1.
        share_of_declared_seen: Declared events that came, 0 to 1; 0 for an empty plan.
        share_of_events: Stored events that are declared, 0 to 1; 1 when none came.
        events: By name.
    """

    behaviours: tuple[str, ...]
    behaviours_missing: tuple[str, ...]
    behaviours_seen: tuple[str, ...]
    declared: int
    declared_seen: int
    undeclared: tuple[str, ...]
    share_of_behaviours: float
    share_of_declared_seen: float
    share_of_events: float
    events: tuple[EventCoverage, ...]


def coverage(plan: Plan, observed: Observed, source: str = "") -> Coverage:
    """Compare what the plan declares with what came.

    Args:
        plan: The plan.
        observed: What came.
        source: Look at this source alone; the events declared for others only are left out.

    Returns:
        The comparison.

    Source:
        Ours, because two questions are asked under one name: does the plan know what customers
        do (families declared), and does what it knows arrive (declared events seen).
    """
    came = observed.only(source) if source else observed
    rules = {
        name: rule
        for name, rule in plan.event.items()
        if not source or not rule.sources or source in rule.sources
    }
    names = plan.names()
    found: dict[str, EventSeen] = {}
    origins: dict[str, set[str]] = {}
    for (origin, label), seen in sorted(came.events.items()):
        name = names.get(label, label)
        found.setdefault(name, EventSeen()).join(seen)
        origins.setdefault(name, set()).add(origin)
    rows = [
        _row(name, plan.event.get(name), found.get(name, EventSeen()), origins.get(name, set()))
        for name in sorted({*rules, *found})
    ]
    return _summed(rows, {rule.family for rule in rules.values()})


def _row(name: str, rule: EventRule | None, seen: EventSeen, origins: set[str]) -> EventCoverage:
    declared = set(rule.property) if rule else set()
    inner = {path.rpartition("[]")[0] if path.endswith("[]") else path for path in declared}
    above = {".".join(path.split(".")[:n]).removesuffix("[]") for path in declared
             for n in range(1, path.count(".") + 1)}  # fmt: skip
    return EventCoverage(
        event=name,
        family=rule.family if rule else "",
        is_declared=rule is not None,
        seen=seen.seen,
        sources=tuple(sorted(origins)),
        properties=len(declared),
        properties_seen=sum(path in seen.properties for path in declared),
        undeclared=tuple(sorted(set(seen.properties) - declared - inner - above)),
        overflow=seen.overflow,
    )


def _summed(rows: list[EventCoverage], families: set[str]) -> Coverage:
    declared = [row for row in rows if row.is_declared]
    strangers = sorted((r for r in rows if not r.is_declared), key=lambda r: (-r.seen, r.event))
    stored = sum(row.seen for row in rows)
    known = sum(row.seen for row in declared)
    came = sum(row.seen > 0 for row in declared)
    missing = tuple(sorted(set(BEHAVIOURS) - families))
    return Coverage(
        behaviours=tuple(sorted(families)),
        behaviours_missing=missing,
        behaviours_seen=tuple(sorted({row.family for row in declared if row.seen})),
        declared=len(declared),
        declared_seen=came,
        undeclared=tuple(row.event for row in strangers),
        share_of_behaviours=1 - len(missing) / len(BEHAVIOURS),
        share_of_declared_seen=came / len(declared) if declared else 0.0,
        share_of_events=known / stored if stored else 1.0,
        events=tuple(rows),
    )
