"""Where everything stands on the canvas, and the right-angled line of every way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regulars.serve.console.pages.journeys.canvas.layers import Layers, Way, in_layers

WIDTH, HEIGHT = 208, 66
PER_WAY = 84
"""Room for each way that leaves a node: it holds the label of the way."""
APART, LANE = 28, 40
HEAD, TRACK, FOOT = 26, 12, 22
"""Room below a node for labels, between two level stretches, above the next node."""
MARGIN = 14
Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node stands.

    Attributes:
        name: Its name.
        x: Left edge.
        y: Upper edge.
        width: Width.
        height: Height.
    """

    name: str
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """The middle between left and right."""
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class Line:
    """The drawn line of a way.

    Attributes:
        way: The way.
        points: Corners, the first at the node it leaves, the last at the one it leads to.
    """

    way: Way
    points: tuple[Point, ...]

    @property
    def label_at(self) -> Point:
        """Where its label begins: beside the first stretch."""
        x, y = self.points[0]
        return x + 5, y + 15

    @property
    def path(self) -> str:
        """The line as SVG has it."""
        first, *others = self.points
        return f"M{first[0]} {first[1]}" + "".join(f"L{x} {y}" for x, y in others)


@dataclass(frozen=True)
class Layout:
    """A canvas.

    Attributes:
        width: Width of all.
        height: Height of all.
        boxes: Nodes, from the first layer to the last, from left to right.
        lines: Ways.
    """

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def lay_out(nodes: Sequence[str], ways: Sequence[Way]) -> Layout:
    """Lay a graph out: no two nodes overlap, no two lines run along each other.

    Args:
        nodes: Names, in the order they were written.
        ways: Ways between them.

    Returns:
        The layout; the same graph always the same.

    Source:
        Layers as in Sugiyama et al. (1981); level stretches between two layers get tracks of
        their own, as in Eades & Sugiyama (1990), by the left-edge rule of Hashimoto & Stevens.

    Example:
        >>> found = lay_out(["a", "b"], [Way("a", "b")])
        >>> found.boxes[1].y > found.boxes[0].y, len(found.lines[0].points)
        (True, 2)
    """
    layers = in_layers(nodes, ways)
    return _Drawing(nodes, ways, layers).layout()


class _Drawing:
    """One layout in the making."""

    def __init__(self, nodes: Sequence[str], ways: Sequence[Way], layers: Layers) -> None:
        self._nodes, self._ways, self._layers = set(nodes), ways, layers
        self._out = {name: [w for w in ways if w.source == name] for name in nodes}
        self._in = {name: [w for w in ways if w.target == name] for name in nodes}
        self._width = {
            name: max(WIDTH, PER_WAY * len(self._out[name])) if name in self._nodes else LANE
            for row in layers.order
            for name in row
        }
        self._x = self._columns()

    def layout(self) -> Layout:
        stretches, ends = self._stretches()
        tracks = [_tracks(gap) for gap in stretches]
        tops = self._tops(tracks)
        lines = tuple(self._line(way, ends[way], tracks, tops) for way in self._ways)
        boxes = tuple(
            Box(name, self._x[name], tops[layer], self._width[name], HEIGHT)
            for layer, row in enumerate(self._layers.order)
            for name in row
            if name in self._nodes
        )
        right = [box.x + box.width for box in boxes]
        right += [x for line in lines for x, _ in line.points]
        low = [box.y + box.height for box in boxes] + [y for line in lines for _, y in line.points]
        return Layout(max(right, default=0) + MARGIN, max(low, default=0) + MARGIN, boxes, lines)

    def _columns(self) -> dict[str, int]:
        """Put every name of a layer beside the others, as near to its neighbours as may be."""
        paths = [p for way, p in self._layers.paths.items() if way not in self._layers.up]
        near: dict[str, list[str]] = {}
        for path in paths:
            for one, other in zip(path, path[1:], strict=False):
                near.setdefault(one, []).append(other)
                near.setdefault(other, []).append(one)
        x: dict[str, float] = {}
        for row in self._layers.order:
            left = 0.0
            for name in row:
                x[name] = left + self._width[name] / 2
                left += self._width[name] + APART
        for _ in range(12):
            for row in (*self._layers.order, *reversed(self._layers.order)):
                wanted = [
                    sum(x[one] for one in near[name]) / len(near[name])
                    if near.get(name)
                    else x[name]
                    for name in row
                ]
                _settle(row, wanted, self._width, x)
        least = min((x[name] - self._width[name] / 2 for name in x), default=0.0)
        return {n: round(x[n] - self._width[n] / 2 - least) + MARGIN for n in x}

    def _port(self, name: str, way: Way, *, leaves: bool) -> int:
        """Where on a node's edge a way begins or ends."""
        middle = self._x[name] + self._width[name] // 2
        if name not in self._nodes:
            return middle
        ways = self._out[name] if leaves else self._in[name]
        at = sorted(ways, key=lambda one: (self._beyond(one, leaves=leaves), one.number))
        step = PER_WAY if leaves else 20
        if not leaves:
            step = min(20, (self._width[name] - 24) // max(len(at), 1))
        return middle + round((at.index(way) - (len(at) - 1) / 2) * step)

    def _beyond(self, way: Way, *, leaves: bool) -> float:
        """Where the next place of a way stands, to order ports so that few lines cross."""
        path = self._layers.paths[way]
        if way in self._layers.up:
            return float("inf")
        next_ = path[1] if leaves else path[-2]
        return self._x[next_] + self._width[next_] / 2

    def _stretches(self) -> tuple[list[list["_Stretch"]], dict[Way, list["_Stretch"]]]:
        """Give the level stretch of every way between two layers, gap by gap and way by way."""
        gaps: list[list[_Stretch]] = [[] for _ in range(len(self._layers.order) + 1)]
        ends: dict[Way, list[_Stretch]] = {}
        lane = max((self._x[n] + self._width[n] for n in self._x), default=0)
        for way in self._ways:
            if way in self._layers.up:
                lane += APART
                ends[way] = self._up(way, lane)
            else:
                path = self._layers.paths[way]
                ends[way] = [
                    _Stretch(
                        self._layers.layer_of[one] + 1,
                        self._port(one, way, leaves=True),
                        self._port(other, way, leaves=False),
                    )
                    for one, other in zip(path, path[1:], strict=False)
                ]
            for stretch in ends[way]:
                gaps[stretch.gap].append(stretch)
        for gap in gaps:
            _part(gap)
        return gaps, ends

    def _up(self, way: Way, lane: int) -> list["_Stretch"]:
        layer_of = self._layers.layer_of
        return [
            _Stretch(layer_of[way.source] + 1, self._port(way.source, way, leaves=True), lane),
            _Stretch(layer_of[way.target], lane, self._port(way.target, way, leaves=False)),
        ]

    def _tops(self, tracks: Sequence[Mapping["_Stretch", int]]) -> list[int]:
        """Give the upper edge of every layer: a gap is as high as its tracks need."""
        tops, y = [], MARGIN
        for layer in range(len(self._layers.order)):
            if layer or tracks[0]:
                y += HEAD + FOOT + TRACK * max(1, _count(tracks[layer]))
            tops.append(y)
            y += HEIGHT
        return [*tops, y + HEAD + FOOT + TRACK * max(1, _count(tracks[-1]))]

    def _line(
        self,
        way: Way,
        ends: Sequence["_Stretch"],
        tracks: Sequence[Mapping["_Stretch", int]],
        tops: Sequence[int],
    ) -> Line:
        start = tops[self._layers.layer_of[way.source]] + HEIGHT
        points: list[Point] = [(ends[0].begin, start)]
        for stretch in ends:
            above = tops[stretch.gap - 1] + HEIGHT if stretch.gap else MARGIN - HEAD
            y = above + HEAD + tracks[stretch.gap][stretch] * TRACK
            if stretch.begin != stretch.end:
                points += [(stretch.begin, y), (stretch.end, y)]
        points.append((ends[-1].end, tops[self._layers.layer_of[way.target]]))
        return Line(way, tuple(points))


class _Stretch:
    """A level stretch within the gap above a layer, from one port to another."""

    def __init__(self, gap: int, begin: int, end: int) -> None:
        self.gap, self.begin, self.end = gap, begin, end

    @property
    def span(self) -> tuple[int, int]:
        return min(self.begin, self.end), max(self.begin, self.end)


def _part(gap: Sequence[_Stretch]) -> None:
    """Move ports apart where one line would come down on another's way."""
    begins = {one.begin for one in gap}
    for one in gap:
        while one.end != one.begin and one.end in begins:
            one.end += 6 if one.end < one.begin else -6


def _settle(
    row: Sequence[str], wanted: Sequence[float], width: Mapping[str, int], x: dict[str, float]
) -> None:
    """Put a row as near to what is wanted as its widths allow, keeping its order."""
    groups: list[list[float]] = []  # sum of offsets wanted, count, offset of the first
    places: list[tuple[int, float]] = []
    offset = 0.0
    for n, name in enumerate(row):
        if n:
            offset += (width[row[n - 1]] + width[name]) / 2 + APART
        groups.append([wanted[n] - offset, 1.0])
        places.append((n, offset))
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += count
    at = 0
    for total, count in groups:
        for _ in range(int(count)):
            n, offset = places[at]
            x[row[n]] = total / count + offset
            at += 1


def _tracks(gap: Sequence[_Stretch]) -> dict[_Stretch, int]:
    """Give each level stretch of a gap a track, so that none runs along another.

    Stretches that would cut the stub of another one below them go above it where they can.

    Returns:
        Track by stretch, 0 for the highest.
    """
    found: dict[_Stretch, int] = {}
    level = [one for one in gap if one.begin != one.end]
    ends: list[list[tuple[int, int]]] = []
    for one in sorted(
        level, key=lambda s: (s.end > s.begin, s.begin if s.end < s.begin else -s.begin)
    ):
        low, high = one.span
        track = 0
        while track < len(ends) and any(a <= high + 4 and low <= b + 4 for a, b in ends[track]):
            track += 1
        if track == len(ends):
            ends.append([])
        ends[track].append((low, high))
        found[one] = track
    return found | {one: 0 for one in gap if one.begin == one.end}


def _count(tracks: Mapping[_Stretch, int]) -> int:
    return max(tracks.values(), default=0) + 1
