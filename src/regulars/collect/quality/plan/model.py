"""A tracking plan as data: events, their properties, and what each value must be."""

import re
from collections.abc import Iterator

from msgspec import Struct, field

from regulars.errors import InputError
from regulars.records.tables import DataClass

TYPES = ("string", "integer", "number", "boolean", "datetime", "date", "object", "array", "any")
CALLS = ("track", "page", "screen", "identify", "group", "alias")
MODES = ("observe", "quarantine")
GRADES = tuple(grade.value for grade in DataClass)

Scalar = str | int | float | bool


class PropertyRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one property of an event must be.

    Attributes:
        type: One of `TYPES`; an integer is a number too.
        means: What a value says.
        required: True when there must be a value wherever the object it belongs to is there;
            null is no value.
        enum: The texts or whole numbers allowed; empty when any value is.
        least: Smallest number allowed.
        most: Largest number allowed.
        pattern: Regular expression a text must contain a match of.
        longest: Most characters of a text.
        unit: Unit of a number: "CNY", "seconds".
        grade: How sensitive a value is, one of `GRADES`.
        examples: Values as they come.
    """

    type: str = "string"
    means: str = ""
    required: bool = False
    enum: tuple[str | int, ...] = ()
    least: float | None = None
    most: float | None = None
    pattern: str = ""
    longest: int | None = None
    unit: str = ""
    grade: str = DataClass.INTERNAL.value
    examples: tuple[Scalar, ...] = ()


class EventRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one kind of event must be.

    Attributes:
        means: What happened.
        family: The behaviour it tells of: "cart", "store visit". Coverage is counted by it.
        type: The call, one of `CALLS`. The plan holds one rule for all pages, one for all
            screens and so on: only track events are told apart by name.
        also: Names the same event has in other tools.
        sources: Sources that send it; empty when any may.
        owner: Who answers for it.
        version: Raised by its owner when its meaning changes.
        property: Rules by path: "total", "address.city", "products[].price".
    """

    means: str
    family: str
    type: str = "track"
    also: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    owner: str = ""
    version: int = 1
    property: dict[str, PropertyRule] = field(default_factory=dict)


class SourceRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How strictly one source is held to the plan.

    Attributes:
        mode: "observe" counts breaches and stores the event; "quarantine" holds it back.
        expected_every: Seconds within which something should come from it; None to learn it.
    """

    mode: str = "observe"
    expected_every: float | None = None


class Plan(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole tracking plan.

    Attributes:
        event: Rules by name of the event.
        source: Rules by source, for those with rules of their own.
    """

    event: dict[str, EventRule] = field(default_factory=dict)
    source: dict[str, SourceRule] = field(default_factory=dict)

    def names(self) -> dict[str, str]:
        """Give the declared name of every label an event may have.

        Returns:
            Declared name by `label`, other names included.
        """
        found: dict[str, str] = {}
        for name, rule in self.event.items():
            for known in (name, *rule.also):
                found[label(rule.type, known)] = name
        return found


def label(type_: str, name: str | None) -> str:
    """Name a kind of event: a track event by its name, any other by its call.

    Returns:
        The name, or the call in brackets.

    Example:
        >>> label("track", "Order Completed"), label("page", "Home")
        ('Order Completed', '(page)')
    """
    return (name or "(track)") if type_ == "track" else f"({type_})"


def check_plan(plan: Plan, where: str) -> Plan:
    """Refuse a plan that contradicts itself.

    Returns:
        The same plan.

    Raises:
        InputError: A value is not among those allowed, a pattern cannot be read, or two events
            claim one name.
    """
    for fault in _faults(plan):
        raise InputError(f"{where}: {fault}")
    return plan


def _faults(plan: Plan) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, rule in plan.event.items():
        at = f"event {name!r}"
        if rule.type not in CALLS:
            yield f"{at}: type is {rule.type!r}, must be one of {', '.join(CALLS)}"
        for known in {label(rule.type, n): n for n in (name, *rule.also)}:
            if known in owners:
                yield f"{at} and event {owners[known]!r} both claim {known!r}; keep one of them"
            owners[known] = name
        for path, one in rule.property.items():
            for fault in _property_faults(path, one):
                yield f"{at}, property {path!r}: {fault}"
    for source, held in plan.source.items():
        if held.mode not in MODES:
            yield f"source {source!r}: mode is {held.mode!r}, must be one of {', '.join(MODES)}"


def _property_faults(path: str, rule: PropertyRule) -> Iterator[str]:
    if not all(part.removesuffix("[]") for part in path.split(".")) or "[]" in path[:2]:
        yield 'the path has an empty part; write it like "products[].price"'
    for what, value, known in (("type", rule.type, TYPES), ("grade", rule.grade, GRADES)):
        if value not in known:
            yield f"{what} is {value!r}, must be one of {', '.join(known)}"
    if (rule.least is not None or rule.most is not None) and rule.type not in {"number", "integer"}:
        yield f"least and most are for numbers, type is {rule.type!r}"
    if (rule.pattern or rule.longest is not None) and rule.type != "string":
        yield f"pattern and longest are for texts, type is {rule.type!r}"
    if rule.least is not None and rule.most is not None and rule.least > rule.most:
        yield f"least is {rule.least}, above most, {rule.most}"
    try:
        re.compile(rule.pattern)
    except re.error as error:
        yield f"pattern {rule.pattern!r} cannot be read: {error}"
