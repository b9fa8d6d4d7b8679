"""The picture of a journey: what each box and way says, in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.reach.journeys.definition.journey import Entry, EntryKind, Journey
from regulars.serve.console.pages.journeys.canvas.layers import Way
from regulars.serve.console.pages.journeys.canvas.layout import Box, Line, lay_out
from regulars.serve.console.words import CHANNELS, N_, word
from regulars.serve.console.words.journeys import DATES, ENTRIES, NODES, UNITS, WAYS

ENTRY = "entry "
"""What names of boxes of entries begin with; no node has a blank in its name."""
WIDE = 25
"""Letters a line of a box holds; a Chinese one counts for two."""
Say = Callable[[str], str]


@dataclass(frozen=True)
class Shown:
    """A box with its words.

    Attributes:
        box: Where it stands.
        kind: Kind of the node, or entry.
        title: First line.
        detail: Second line.
        count: Third line; "" for none.
        told: Everything it says, for those who do not see it.
        node: Name of the node; "" for an entry.
    """

    box: Box
    kind: str
    title: str
    detail: str
    count: str
    told: str
    node: str


@dataclass(frozen=True)
class Drawn:
    """A way with its words.

    Attributes:
        line: The line.
        label: What it says; "" for a way that needs no words.
        weight: Width of the line, 1 to 6.
    """

    line: Line
    label: str
    weight: float


@dataclass(frozen=True)
class Picture:
    """A whole canvas.

    Attributes:
        width: Width.
        height: Height.
        boxes: Boxes in reading order.
        ways: Ways.
    """

    width: int
    height: int
    boxes: Sequence[Shown]
    ways: Sequence[Drawn]


def graph_of(journey: Journey) -> tuple[list[str], list[Way]]:
    """Give entries and nodes as one graph.

    Returns:
        Names and ways; an entry leads to where it starts.
    """
    entries = [f"{ENTRY}{number}" for number in range(len(journey.entries))]
    ways = [Way(name, one.start) for name, one in zip(entries, journey.entries, strict=True)]
    ways += [
        Way(name, edge.target, number)
        for name, node in journey.nodes.items()
        for number, edge in enumerate(node.edges)
    ]
    return [*entries, *journey.nodes], ways


def picture_of(
    journey: Journey,
    given: Mapping[str, Any],
    say: Say,
    *,
    counts: Mapping[str, str] | None = None,
    taken: Mapping[tuple[str, str], int] | None = None,
    form: Callable[[int], str] = str,
) -> Picture:
    """Draw a journey.

    Args:
        journey: The journey.
        given: The same as its file says it.
        say: Translates a text.
        counts: Third line by node.
        taken: How often each way was gone, by node and label; None to show none.
        form: Writes a number.

    Returns:
        The picture.
    """
    names, ways = graph_of(journey)
    layout = lay_out(names, ways)
    boxes = [_box(box, journey, given, say, counts or {}) for box in layout.boxes]
    most = max((taken or {}).values(), default=0)
    lines = []
    for line in layout.lines:
        label, weight = "", 1.6
        if not line.way.source.startswith(ENTRY):
            edge = journey.nodes[line.way.source].edges[line.way.number]
            label = "" if edge.label == "next" else word_of_edge(edge.label, say)
            if taken is not None:
                number = taken.get((line.way.source, edge.label), 0)
                label = f"{label} {form(number)}".strip()
                weight = 1.2 + 4.8 * number / most if most else 1.2
        lines.append(Drawn(line, cut(label, 13), round(weight, 2)))
    return Picture(layout.width, layout.height, boxes, lines)


def cut(text: str, most: int) -> str:
    """Shorten a text to what a line holds; a Chinese letter is as wide as two.

    Returns:
        The text, or its beginning and an ellipsis.

    Example:
        >>> cut("abcdefgh", 5), cut("四个汉字", 5)
        ('abcd…', '四个…')
    """
    room, kept = most, ""
    if sum(_wide(one) for one in text) <= most:
        return text
    for letter in text:
        room -= _wide(letter)
        if room < 1:
            break
        kept += letter
    return f"{kept}…"


def _wide(letter: str) -> int:
    return 2 if ord(letter) > 0x2E80 else 1


def word_of_edge(label: str, say: Say) -> str:
    """Give the words of a way; names people chose stay as they are."""
    return say(WAYS[label]) if label in WAYS else label


def _box(
    box: Box, journey: Journey, given: Mapping[str, Any], say: Say, counts: Mapping[str, str]
) -> Shown:
    if box.name.startswith(ENTRY):
        entry = journey.entries[int(box.name.removeprefix(ENTRY))]
        detail = entry_words(entry, say)
        title = say(ENTRIES[entry.kind.value])
        return Shown(box, "entry", title, cut(detail, WIDE), "", f"{title}: {detail}", "")
    node = journey.nodes[box.name]
    title, detail = say(NODES[node.kind.value]), node_words(given["nodes"][box.name], say)
    count = counts.get(box.name, "")
    told = ". ".join(filter(None, (f"{title} {box.name}", detail, node.note, count)))
    head = f"{title} · {box.name}"
    return Shown(box, node.kind.value, cut(head, WIDE), cut(detail, WIDE), count, told, box.name)


def entry_words(entry: Entry, say: Say) -> str:
    """Say in a line what lets customers in."""
    if entry.kind is EntryKind.EVENT:
        return entry.event
    if entry.kind is EntryKind.DATE:
        if entry.days < 0:
            return say(N_("%(days)s days before %(field)s")) % {
                "days": -entry.days, "field": _field(entry.field, say),
            }  # fmt: skip
        return (
            f"{_field(entry.field, say)} +{entry.days}" if entry.days else _field(entry.field, say)
        )
    name = entry.audience.name if entry.audience else ""
    return name or say(N_("whoever meets a rule"))


def _field(name: str, say: Say) -> str:
    return say(DATES[name]) if name in DATES else name


def node_words(given: Mapping[str, Any], say: Say) -> str:
    """Say in a line what a node does, from the words of its file."""
    if given["kind"] in _WORDS:
        return _WORDS[given["kind"]](given, say)
    named = next((given[name] for name in ("tag", "offer", "hook", "goal") if name in given), "")
    return str(named or given.get("points", "") or given.get("reason", ""))


def _message(given: Mapping[str, Any], say: Say) -> str:
    channels = given.get("channels", [given.get("channel", "")])
    named = "→".join(say(word(CHANNELS, one)) for one in channels)
    return " · ".join(filter(None, (named, str(given.get("offer", "")))))


def _decide(given: Mapping[str, Any], _say: Say) -> str:
    offers = given["offers"]
    return offers if isinstance(offers, str) else ", ".join(offers)


def lasting(given: Mapping[str, Any], prefix: str, say: Say) -> str:
    """Say how long something lasts, from days, hours and minutes as a file gives them."""
    return " ".join(
        say(UNITS[unit]) % {"number": given[prefix + unit]}
        for unit in UNITS
        if given.get(prefix + unit)
    )


_WORDS: dict[str, Callable[[Mapping[str, Any], Say], str]] = {
    "wait": lambda given, say: " ".join(
        filter(None, (lasting(given, "", say), str(given.get("at", ""))))
    ),
    "wait_for_event": lambda given, say: f"{given['event']} ≤ {lasting(given, 'timeout_', say)}",
    "window": lambda given, _say: f"{given['from']}-{given['to']}",
    "message": _message,
    "split": lambda given, _say: " / ".join(
        f"{one['name']} {one.get('weight', 1)}" for one in given["arms"]
    ),
    "branch": lambda given, _say: ", ".join(str(one.get("name", "")) for one in given["cases"]),
    "decide": _decide,
}
