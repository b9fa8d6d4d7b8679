"""A plan written after what came: something to correct instead of an empty page."""

from regulars.collect.quality.plan.model import EventRule, Plan, PropertyRule
from regulars.collect.quality.plan.observed import EventSeen, Observed, PropertySeen
from regulars.collect.quality.plan.shapes import wide

REQUIRED_SHARE = 0.99
"""A property more than this share of events have is taken for required."""

LEAST_EVENTS = 20
"""Fewer events than these say nothing about what is always there."""

_LEAST_PER_VALUE = 5


def suggested_plan(observed: Observed, known: Plan | None = None) -> Plan:
    """Suggest a plan from what came.

    Types are those most values had, required is what nearly all events have, an enumeration is
    a handful of codes that keep coming back. No value that may tell who somebody is is shown.

    Args:
        observed: What came.
        known: A plan whose words are kept: names, meanings, families, owners, units, grades.

    Returns:
        One event per label that came, by name.

    Source:
        Ours, because a plan nobody writes is a plan nobody keeps.
    """
    known = known or Plan()
    names = known.names()
    rules: dict[str, EventRule] = {}
    joined: dict[str, EventSeen] = {}
    labels: dict[str, str] = {}
    for label, seen in observed.by_label().items():
        name = names.get(label, label)
        joined.setdefault(name, EventSeen()).join(seen)
        labels[name] = label
    for name, seen in sorted(joined.items()):
        rules[name] = _event(name, labels[name], seen, known.event.get(name))
    return Plan(rules, known.source)


def _event(name: str, label: str, seen: EventSeen, known: EventRule | None) -> EventRule:
    call = label[1:-1] if label.startswith("(") and label.endswith(")") else "track"
    told = known or EventRule(f"to be described: came {seen.seen} times", "to be sorted")
    rules = {
        path: _property(one, path, seen, told.property.get(path))
        for path, one in sorted(seen.properties.items())
        if path
    }
    return EventRule(
        means=told.means,
        family=told.family,
        type=known.type if known else call if call in _CALLS else "track",
        also=told.also,
        sources=told.sources,
        owner=told.owner,
        version=told.version,
        property=rules,
    )


_CALLS = ("page", "screen", "identify", "group", "alias")


def _property(
    one: PropertySeen, path: str, event: EventSeen, known: PropertyRule | None
) -> PropertyRule:
    told = known or PropertyRule()
    kind = _usual_kind(one)
    is_top = "[]" not in path and "." not in path
    checked = event.checked if is_top else 0
    is_always = checked >= LEAST_EVENTS and one.seen > REQUIRED_SHARE * checked
    return PropertyRule(
        type=kind,
        means=told.means,
        required=is_always,
        enum=_enumeration(one, kind),
        unit=told.unit,
        grade=told.grade,
        examples=told.examples or ((one.example,) if one.example else ()),
    )


def _usual_kind(one: PropertySeen) -> str:
    wides: dict[str, int] = {}
    for kind, count in one.kinds.items():
        wides[wide(kind)] = wides.get(wide(kind), 0) + count
    most = max(sorted(wides), key=lambda kind: wides[kind])
    kinds = [kind for kind in one.kinds if wide(kind) == most]
    return kinds[0] if len(kinds) == 1 else most


def _enumeration(one: PropertySeen, kind: str) -> tuple[str | int, ...]:
    if kind != "string" or not one.values:
        return ()
    often = sum(one.values.values()) >= _LEAST_PER_VALUE * len(one.values)
    return tuple(sorted(one.values)) if often and len(one.values) > 1 else ()
