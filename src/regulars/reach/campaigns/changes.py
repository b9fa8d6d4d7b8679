"""What changed from one version of a campaign to another, field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is not what it was.

    Attributes:
        field: Name with its place: "stop.bounce", "phases[0].share".
        before: What it was; None when it is new.
        after: What it is; None when it is gone.
    """

    field: str
    before: Any
    after: Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Compare two versions.

    Args:
        before: The earlier one, as plain values; empty for none.
        after: The later one, as plain values.

    Returns:
        One record per field that differs, by place; empty when they say the same.

    Example:
        >>> changes({"stop": {"bounce": 0.05}}, {"stop": {"bounce": 0.1}})
        [Change(field='stop.bounce', before=0.05, after=0.1)]
    """
    old, new = _leaves(before), _leaves(after)
    return [
        Change(place, old.get(place), new.get(place))
        for place in sorted(old.keys() | new.keys())
        if old.get(place) != new.get(place)
    ]


def _leaves(value: Any, place: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping) and value:
        inner = {f"{place}.{name}" if place else str(name): part for name, part in value.items()}
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        inner = {f"{place}[{number}]": part for number, part in enumerate(value)}
    else:
        return {place: value} if place else {}
    return {name: leaf for key, part in inner.items() for name, leaf in _leaves(part, key).items()}
