"""What changed from one plan to another, and whether old events still keep the new one."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from regulars.collect.quality.plan.model import EventRule, Plan, PropertyRule


class Change(StrEnum):
    """How a rule changed."""

    ADDED = "added"
    REMOVED = "removed"
    TYPE = "type changed"
    LOOSER = "looser"
    STRICTER = "stricter"
    REWORDED = "reworded"


@dataclass(frozen=True)
class Difference:
    """One change.

    Attributes:
        change: What kind of change.
        event: Name of the event.
        path: Property; "" for the event itself.
        what: Part of the rule: required, enum, range...
        before: As it was, in words.
        after: As it is.
    """

    change: Change
    event: str
    path: str
    what: str
    before: str
    after: str


def differences(old: Plan, new: Plan) -> tuple[Difference, ...]:
    """Compare two plans; with a suggested plan as the second: the plan with what came.

    Args:
        old: The plan before.
        new: The plan after.

    Returns:
        The changes, by event and property; empty for equal plans. A change that old events may
        break is STRICTER, one that breaks none is LOOSER; a change that does both gives both.

    Example:
        >>> old = Plan({"Paid": EventRule("paid", "order", property={"total": PropertyRule()})})
        >>> strict = {"total": PropertyRule("number", required=True)}
        >>> new = Plan({"Paid": EventRule("paid", "order", property=strict)})
        >>> [(str(d.change), d.path, d.what) for d in differences(old, new)]
        [('type changed', 'total', 'type'), ('stricter', 'total', 'required')]
    """
    found: list[Difference] = []
    for name in sorted({*old.event, *new.event}):
        before, after = old.event.get(name), new.event.get(name)
        if before is None:
            found.append(Difference(Change.ADDED, name, "", "event", "", "declared"))
        elif after is None:
            found.append(Difference(Change.REMOVED, name, "", "event", "declared", ""))
        else:
            found += _of_event(name, before, after)
    return tuple(found)


def _of_event(name: str, old: EventRule, new: EventRule) -> Iterator[Difference]:
    if old.type != new.type:
        yield Difference(Change.TYPE, name, "", "type", old.type, new.type)
    yield from _of_sets(name, "", "sources", set(old.sources), set(new.sources))
    for what in ("means", "family", "owner", "also", "version"):
        a, b = getattr(old, what), getattr(new, what)
        if a != b:
            yield Difference(Change.REWORDED, name, "", what, _words(a), _words(b))
    for path in sorted({*old.property, *new.property}):
        before, after = old.property.get(path), new.property.get(path)
        if before is None and after is not None:
            yield Difference(Change.ADDED, name, path, "property", "", after.type)
            if after.required:
                yield Difference(Change.STRICTER, name, path, "required", "no", "yes")
        elif before is not None and after is None:
            yield Difference(Change.REMOVED, name, path, "property", before.type, "")
        elif before is not None and after is not None and before != after:
            yield from _of_property(name, path, before, after)


def _of_property(
    name: str, path: str, old: PropertyRule, new: PropertyRule
) -> Iterator[Difference]:
    if old.type != new.type:
        widened = new.type == "any" or (old.type, new.type) in _WIDER
        change = Change.LOOSER if widened else Change.TYPE
        yield Difference(change, name, path, "type", old.type, new.type)
    if old.required != new.required:
        change = Change.STRICTER if new.required else Change.LOOSER
        yield Difference(change, name, path, "required", _yes(old.required), _yes(new.required))
    yield from _of_sets(name, path, "enum", set(old.enum), set(new.enum))
    for what, sign in (("least", -1), ("most", 1), ("longest", 1)):
        a, b = getattr(old, what), getattr(new, what)
        if a != b:
            is_looser = b is None or (a is not None and sign * b > sign * a)
            change = Change.LOOSER if is_looser else Change.STRICTER
            yield Difference(change, name, path, what, _words(a), _words(b))
    if old.pattern != new.pattern:
        change = Change.STRICTER if new.pattern else Change.LOOSER
        yield Difference(change, name, path, "pattern", old.pattern, new.pattern)
    for what in ("means", "unit", "grade", "examples"):
        a, b = getattr(old, what), getattr(new, what)
        if a != b:
            yield Difference(Change.REWORDED, name, path, what, _words(a), _words(b))


_WIDER = {("integer", "number"), ("datetime", "string"), ("date", "string")}


def _of_sets(
    name: str, path: str, what: str, old: set[str | int] | set[str], new: set[str | int] | set[str]
) -> Iterator[Difference]:
    """Sets of allowed values, of which an empty one allows everything."""
    if old == new:
        return
    before, after = _words(tuple(sorted(map(str, old)))), _words(tuple(sorted(map(str, new))))
    if not new or (old and new - old):
        yield Difference(Change.LOOSER, name, path, what, before, after)
    if new and (not old or old - new):
        yield Difference(Change.STRICTER, name, path, what, before, after)


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
