"""What came, counted by source, event and property within fixed bounds."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from regulars.collect.quality.plan.shapes import flattened, kind_of, masked, shown, wide

MOST_PROPERTIES = 300
"""Properties counted one by one per source and event; further ones are only added up."""

MOST_EVENTS = 1000
"""Names of events counted one by one per source; further ones are counted under `OTHER`."""

MOST_VALUES = 12
"""Different values kept of a property; with more it is no enumeration."""

LEAST_PER_KIND = 20
"""Events of each kind that are looked into however many come."""

OTHER = "(other)"


@dataclass
class PropertySeen:
    """What came under one path of one event of one source.

    Attributes:
        seen: Checked events that had a value there.
        kinds: Values by kind; kinds are those of `kind_of`.
        first_kind: Kind that came first, as `wide` names it.
        first_at: When that was, microseconds since 1970.
        values: Codes by how often they came; None once there were too many or one was no code.
        example: One value with letters and digits covered.
    """

    seen: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    first_kind: str = ""
    first_at: int = 0
    values: dict[str, int] | None = field(default_factory=dict)
    example: str = ""

    @property
    def conflicts(self) -> int:
        """Values of another kind than the first, a narrower kind not counted."""
        return sum(n for kind, n in self.kinds.items() if wide(kind) != self.first_kind)

    def add(self, kind: str, at: int) -> None:
        """Count one value; the earliest one settles the kind, whatever order they come in."""
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if not self.first_kind or (at, wide(kind)) < (self.first_at, self.first_kind):
            self.first_kind, self.first_at = wide(kind), at

    def add_value(self, code: str | None) -> None:
        """Keep a code while they are few."""
        if self.values is None:
            return
        if code is None or (code not in self.values and len(self.values) >= MOST_VALUES):
            self.values = None
        else:
            self.values[code] = self.values.get(code, 0) + 1

    def join(self, other: "PropertySeen") -> None:
        """Add what another stretch of time saw."""
        self.seen += other.seen
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count
        own = (self.first_at, self.first_kind)
        if not self.first_kind or (other.first_at, other.first_kind) < own:
            self.first_kind, self.first_at = other.first_kind, other.first_at
            self.example = other.example
        if self.values is not None and other.values is not None:
            joined = dict(self.values)
            for code, count in other.values.items():
                joined[code] = joined.get(code, 0) + count
            self.values = joined if len(joined) <= MOST_VALUES else None
        else:
            self.values = None


@dataclass
class EventSeen:
    """What came of one event of one source.

    Attributes:
        seen: Events stored.
        checked: Events looked into; fewer than seen where they came too fast.
        breaching: Checked events with a violation.
        identified: Checked events that name a customer or device.
        wanted: Required values the checked events should have had.
        filled: Required values they had.
        first_at: First arrival, microseconds since 1970.
        last_at: Last arrival.
        overflow: Values under paths beyond those counted one by one.
        properties: By path.
    """

    seen: int = 0
    checked: int = 0
    breaching: int = 0
    identified: int = 0
    wanted: int = 0
    filled: int = 0
    first_at: int = 0
    last_at: int = 0
    overflow: int = 0
    properties: dict[str, PropertySeen] = field(default_factory=dict)

    def add(self, given: Mapping[str, Any], at: int, most: int = MOST_PROPERTIES) -> None:
        """Count the values of one event.

        Args:
            given: Its properties or traits.
            at: When it arrived, microseconds since 1970.
            most: Paths counted one by one.
        """
        counted: set[str] = set()
        for path, value in flattened(given):
            held = self.properties.get(path)
            if held is None:
                if not path or len(self.properties) >= most:
                    self.overflow += 1
                    continue
                held = self.properties[path] = PropertySeen(example=masked(value))
            if path not in counted:
                counted.add(path)
                held.seen += 1
            held.add(kind_of(value), at)
            if held.values is not None:
                held.add_value(value if _is_known(held.values, value) else shown(path, value))

    def arrived(self, count: int, first: int, last: int) -> None:
        """Count stored events and when they came."""
        self.first_at = min(self.first_at, first) if self.seen else first
        self.last_at = max(self.last_at, last)
        self.seen += count

    def join(self, other: "EventSeen", *, most: int | None = None) -> None:
        """Add what another source or stretch of time saw.

        Args:
            other: What it saw.
            most: Paths counted one by one; values of further ones are only added up.
        """
        self.arrived(other.seen, other.first_at, other.last_at)
        for name in ("checked", "breaching", "identified", "wanted", "filled", "overflow"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for path, seen in other.properties.items():
            if path in self.properties or most is None or len(self.properties) < most:
                self.properties.setdefault(path, PropertySeen()).join(seen)
            else:
                self.overflow += sum(seen.kinds.values())


@dataclass
class Observed:
    """Everything that came.

    Attributes:
        events: By (source, label); labels are those of `model.label`.
    """

    events: dict[tuple[str, str], EventSeen] = field(default_factory=dict)

    def of(self, source: str, label: str) -> EventSeen:
        """Find or begin the count of one event of one source."""
        return self.events.setdefault((source, label), EventSeen())

    def by_label(self) -> dict[str, EventSeen]:
        """Add up the sources.

        Returns:
            What came by label, sorted by label.
        """
        return _joined((label, seen) for (_, label), seen in sorted(self.events.items()))

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources seen, sorted."""
        return tuple(sorted({source for source, _ in self.events}))

    def only(self, source: str) -> "Observed":
        """Give what came of one source."""
        return Observed({key: seen for key, seen in self.events.items() if key[0] == source})


def _is_known(values: dict[str, int], value: Any) -> bool:
    return isinstance(value, str) and value in values


def _joined(parts: Iterable[tuple[str, EventSeen]]) -> dict[str, EventSeen]:
    found: dict[str, EventSeen] = {}
    for key, seen in parts:
        if key not in found:
            found[key] = EventSeen()
        found[key].join(seen)
    return dict(sorted(found.items()))


def rows_to_check(kinds: Sequence[Hashable], most: int) -> list[int]:
    """Choose rows: all while they are few, else every so many-th of each kind.

    Rare kinds are looked into whole: the first `LEAST_PER_KIND` of each are always chosen, so
    that a flood of one event does not hide a fault of another.

    Args:
        kinds: Kind of each row.
        most: Rows to choose, about; the first ones of each kind come on top.

    Returns:
        Places of the chosen rows, ascending; the same for the same kinds.

    Example:
        >>> rows_to_check(["a", "b", "a"], 3)
        [0, 1, 2]
        >>> len(rows_to_check(["a"] * 1000 + ["b"], 100))
        110
    """
    if len(kinds) <= most:
        return list(range(len(kinds)))
    stride = -(-len(kinds) // max(1, most))
    seen: Counter[Hashable] = Counter()
    chosen = []
    for place, kind in enumerate(kinds):
        count = seen[kind]
        seen[kind] += 1
        if count < LEAST_PER_KIND or count % stride == 0:
            chosen.append(place)
    return chosen
