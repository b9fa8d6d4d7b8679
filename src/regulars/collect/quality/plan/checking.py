"""Events held against the plan: compiled once, judged in one call, faults named one by one."""

import datetime
import keyword
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from regulars.collect.quality.plan.model import EventRule, Plan, PropertyRule, label
from regulars.collect.quality.plan.shapes import kind_of, masked

MOST_VIOLATIONS = 20
"""Faults named per event; an event with more is broken anyhow."""

_ITEMS = 200
_TOKENS = ("tok_phone_", "tok_email_")
_FORMS: dict[str, Any] = {
    "datetime": datetime.datetime,
    "date": datetime.date,
    "boolean": bool,
    "object": dict,
    "array": list,
    "any": Any,
}
_FITS = {
    "string": {"string", "datetime"},
    "datetime": {"string", "datetime"},
    "date": {"string", "datetime"},
    "integer": {"integer"},
    "number": {"integer", "number"},
}


@dataclass(frozen=True)
class Violation:
    """One value that is not what the plan says.

    Attributes:
        path: Where in the event: "properties.products[].price"; "" for the event itself.
        rule: required, type, form, enum, range, pattern, length or source.
        wanted: What the plan says, in words.
        found: Kind of the value: string, number...; missing where there is none.
        sample: The value with letters and digits covered, 40 characters at most.
    """

    path: str
    rule: str
    wanted: str
    found: str
    sample: str


@dataclass
class _Node:
    """What is known of one place in the tree of properties."""

    rule: PropertyRule | None = None
    children: dict[str, "_Node"] = field(default_factory=dict)
    items: "_Node | None" = None
    form: Any = Any

    @property
    def is_required(self) -> bool:
        return self.rule is not None and self.rule.required


class PlanChecks:
    """A plan, ready to judge many events.

    Args:
        plan: The plan.

    Example:
        >>> from regulars.collect.quality.plan.model import EventRule, Plan, PropertyRule
        >>> total = PropertyRule("number", required=True, least=0)
        >>> paid = EventRule("paid", "order", property={"total": total})
        >>> checks = PlanChecks(Plan({"Paid": paid}))
        >>> event = {"type": "track", "event": "Paid", "properties": {"total": "12.50"}}
        >>> [v] = checks.check(event)
        >>> v.path, v.rule, v.wanted, v.found, v.sample
        ('properties.total', 'type', 'number from 0', 'string', '99.99')
    """

    def __init__(self, plan: Plan) -> None:
        """Compile every rule of the plan."""
        self.plan = plan
        self._names = plan.names()
        self._trees = {name: _tree(rule) for name, rule in plan.event.items()}
        self._required = {
            name: sum(one.required for one in rule.property.values())
            for name, rule in plan.event.items()
        }

    def name_of(self, event: Mapping[str, Any]) -> str | None:
        """Give the declared name of an event, or None when the plan does not know it."""
        found = event.get("event") or event.get("name")
        text = found if isinstance(found, str) else None
        return self._names.get(label(str(event.get("type") or "track"), text))

    def required_of(self, event: Mapping[str, Any]) -> int:
        """Count the values the plan requires of an event; 0 when it does not know it."""
        name = self.name_of(event)
        return 0 if name is None else self._required[name]

    def is_strict(self, source: str) -> bool:
        """Whether events of a source that break the plan are to be held back."""
        held = self.plan.source.get(source)
        return held is not None and held.mode == "quarantine"

    def check(self, event: Mapping[str, Any], source: str = "") -> tuple[Violation, ...]:
        """Hold one event against the plan.

        Args:
            event: The event in Segment form.
            source: The source it came from; "" leaves out the rule about sources.

        Returns:
            What is wrong, at most `MOST_VIOLATIONS`; empty for an event that keeps the plan and
            for one the plan does not know, which is a matter of coverage.
        """
        name = self.name_of(event)
        if name is None:
            return ()
        rule, tree = self.plan.event[name], self._trees[name]
        stranger = _wrong_source(rule, source)
        held = "traits" if rule.type in {"identify", "group"} else "properties"
        given = event.get(held)
        try:
            msgspec.convert({} if given is None else given, tree.form)
        except msgspec.ValidationError:
            found = [*stranger, *_faults(tree, given, held)]
            return tuple(found[:MOST_VIOLATIONS])
        return tuple(stranger)


def _wrong_source(rule: EventRule, source: str) -> list[Violation]:
    if not source or not rule.sources or source in rule.sources:
        return []
    return [Violation("", "source", f"one of {', '.join(rule.sources)}", "source", source)]


def _tree(rule: EventRule) -> _Node:
    root = _Node(PropertyRule("object"))
    for path, one in rule.property.items():
        node = root
        for part in path.split("."):
            node = node.children.setdefault(part.removesuffix("[]"), _Node())
            if part.endswith("[]"):
                node.items = node.items or _Node()
                node = node.items
        node.rule = one
    return _compiled(root)


def _compiled(node: _Node) -> _Node:
    """Give every place the type msgspec judges it by; the root's judges all at once."""
    for child in (*node.children.values(), *([node.items] if node.items else [])):
        _compiled(child)
    if node.children:
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        names = {}
        for position, (key, child) in enumerate(sorted(node.children.items(), key=_required_first)):
            own = f"f{position}" if not key.isidentifier() or keyword.iskeyword(key) else f"_{key}"
            names[own] = key
            needed = (own, child.form)
            fields.append(needed if child.is_required else (own, child.form | None, None))
        node.form = msgspec.defstruct("Held", fields, rename=names)
    elif node.items:
        node.form = list[node.items.form | None]  # type: ignore[name-defined]
    elif node.rule:
        node.form = _leaf(node.rule)
    return node


def _required_first(item: tuple[str, _Node]) -> tuple[bool, str]:
    return not item[1].is_required, item[0]


def _leaf(rule: PropertyRule) -> Any:
    if rule.enum:
        return Literal[rule.enum]
    if rule.type == "string":
        limits = {"pattern": rule.pattern or None, "max_length": rule.longest}
        return Annotated[str, msgspec.Meta(**limits)]  # type: ignore[arg-type]
    if rule.type == "integer":
        least = None if rule.least is None else math.ceil(rule.least)
        most = None if rule.most is None else math.floor(rule.most)
        return Annotated[int, msgspec.Meta(ge=least, le=most)]
    if rule.type == "number":
        return Annotated[float, msgspec.Meta(ge=rule.least, le=rule.most)]
    return _FORMS[rule.type]


def _faults(node: _Node, value: Any, path: str) -> Iterator[Violation]:
    if value is None:
        if node.is_required:
            yield Violation(path, "required", _wanted(node), "missing", "")
        elif path in {"properties", "traits"}:
            yield from _faults(node, {}, path)
        return
    if node.children:
        if not isinstance(value, Mapping):
            yield Violation(path, "type", "object", kind_of(value), masked(value))
            return
        for key, child in node.children.items():
            yield from _faults(child, value.get(key), f"{path}.{key}")
    elif node.items:
        if not isinstance(value, list):
            yield Violation(path, "type", "array", kind_of(value), masked(value))
            return
        for item in value[:_ITEMS]:
            yield from _faults(node.items, item, f"{path}[]")
    else:
        yield from _leaf_faults(node, value, path)


def _leaf_faults(node: _Node, value: Any, path: str) -> Iterator[Violation]:
    if isinstance(value, str) and value.startswith(_TOKENS):
        # The value itself stands in the vault; its form cannot be judged any more.
        return
    try:
        msgspec.convert(value, node.form)
    except msgspec.ValidationError:
        kind = kind_of(value)
        yield Violation(path, _broken(node, kind), _wanted(node), kind, masked(value))


def _broken(node: _Node, kind: str) -> str:
    rule = node.rule
    if rule is None or kind not in _FITS.get(rule.type, {rule.type}):
        return "type"
    if rule.enum:
        return "enum"
    if rule.type in {"datetime", "date"}:
        return "form"
    if rule.type in {"number", "integer"}:
        return "range"
    return "pattern" if rule.pattern else "length"


def _wanted(node: _Node) -> str:
    rule = node.rule
    if rule is None:
        return "object" if node.children else "array"
    if rule.enum:
        return f"one of {', '.join(str(value) for value in rule.enum)}"
    words = [rule.type]
    if rule.least is not None:
        words.append(f"from {rule.least:g}")
    if rule.most is not None:
        words.append(f"to {rule.most:g}")
    if rule.pattern:
        words.append(f"matching {rule.pattern}")
    if rule.longest is not None:
        words.append(f"of at most {rule.longest} characters")
    return " ".join(words)
