"""Layers of a graph: every way leads down, long ways pass through places of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Way:
    """A way from one node to another.

    Attributes:
        source: Where it begins.
        target: Where it leads.
        number: Which of the ways of its source it is.
    """

    source: str
    target: str
    number: int = 0


@dataclass
class Layers:
    """A graph in layers.

    Attributes:
        layer_of: Layer by node, 0 for the first; places that long ways pass through included.
        order: Names by layer, from left to right.
        paths: Names every way passes, its ends included; ways that lead up have their ends only.
        up: Ways that lead up or stay: what closes a circle.
    """

    layer_of: dict[str, int]
    order: list[list[str]]
    paths: dict[Way, list[str]] = field(default_factory=dict)
    up: set[Way] = field(default_factory=set)


def in_layers(nodes: Sequence[str], ways: Sequence[Way]) -> Layers:
    """Put a graph into layers with few crossings.

    Args:
        nodes: Names, in the order they were written.
        ways: Ways between them.

    Returns:
        The layers; the same graph always the same.

    Source:
        Sugiyama, Tagawa & Toda (1981), "Methods for visual understanding of hierarchical system
        structures": longest-path layers, barycentre sweeps.

    Example:
        >>> found = in_layers(["a", "b", "c"], [Way("a", "b"), Way("b", "c"), Way("a", "c", 1)])
        >>> found.order
        [['a'], ['b', 'a>1>c:1'], ['c']]
    """
    up = _closing(nodes, ways)
    down = [way for way in ways if way not in up]
    layer_of = _longest(nodes, down)
    order: list[list[str]] = [[] for _ in range(max(layer_of.values(), default=0) + 1)]
    for name in nodes:
        order[layer_of[name]].append(name)
    paths = {way: [way.source, way.target] for way in up}
    for way in down:
        path = [way.source]
        for layer in range(layer_of[way.source] + 1, layer_of[way.target]):
            name = f"{way.source}>{way.number}>{way.target}:{layer}"
            layer_of[name] = layer
            order[layer].append(name)
            path.append(name)
        paths[way] = [*path, way.target]
    _sweep(order, [path for way, path in paths.items() if way not in up])
    return Layers(layer_of, order, paths, up)


def _closing(nodes: Sequence[str], ways: Sequence[Way]) -> set[Way]:
    """Find the ways that close a circle, walking from the first node on."""
    ahead: dict[str, list[Way]] = {name: [] for name in nodes}
    for way in ways:
        ahead[way.source].append(way)
    done: set[str] = set()
    open_: set[str] = set()
    found: set[Way] = set()

    def walk(name: str) -> None:
        open_.add(name)
        for way in ahead[name]:
            if way.target in open_:
                found.add(way)
            elif way.target not in done:
                walk(way.target)
        open_.discard(name)
        done.add(name)

    for name in nodes:
        if name not in done:
            walk(name)
    return found


def _longest(nodes: Sequence[str], down: Sequence[Way]) -> dict[str, int]:
    """Give each node the length of the longest way to it."""
    layer = dict.fromkeys(nodes, 0)
    for _ in nodes:
        moved = False
        for way in down:
            if layer[way.target] <= layer[way.source]:
                layer[way.target] = layer[way.source] + 1
                moved = True
        if not moved:
            break
    return layer


def _sweep(order: list[list[str]], paths: Sequence[Sequence[str]]) -> None:
    """Order each layer by where its neighbours stand, down and up in turns; keep the best."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for path in paths:
        for first, second in zip(path, path[1:], strict=False):
            after.setdefault(first, []).append(second)
            before.setdefault(second, []).append(first)
    best, least = [list(row) for row in order], _crossings(order, after)
    for sweep in range(SWEEPS):
        rows = range(1, len(order)) if sweep % 2 == 0 else range(len(order) - 2, -1, -1)
        neighbours, step = (before, -1) if sweep % 2 == 0 else (after, 1)
        for row in rows:
            place = {name: n for n, name in enumerate(order[row + step])}
            order[row].sort(key=_barycentre(order[row], neighbours, place))
        crossings = _crossings(order, after)
        if crossings < least:
            best, least = [list(row) for row in order], crossings
    order[:] = best


def _barycentre(
    row: Sequence[str], neighbours: Mapping[str, Sequence[str]], place: Mapping[str, int]
) -> Callable[[str], float]:
    own = {name: float(n) for n, name in enumerate(row)}
    for name in row:
        known = [place[one] for one in neighbours.get(name, ()) if one in place]
        if known:
            own[name] = sum(known) / len(known)
    return own.__getitem__


def _crossings(order: Sequence[Sequence[str]], after: Mapping[str, Sequence[str]]) -> int:
    total = 0
    for upper, lower in zip(order, order[1:], strict=False):
        place = {name: n for n, name in enumerate(lower)}
        ends = [
            (n, place[target])
            for n, name in enumerate(upper)
            for target in after.get(name, ())
            if target in place
        ]
        total += sum(a < c and b > d for a, b in ends for c, d in ends)
    return total
