"""What can be done to a draft: every change keeps a graph that can be walked, or is refused."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from regulars.errors import InputError
from regulars.reach.journeys.definition.reading import read_journey

MOST_UNDONE = 20
_MOST_BYTES = 2 << 20
Given = dict[str, Any]


def inserted(
    given: Mapping[str, Any], source: str, number: int, kind: str, usual: Mapping[str, Any]
) -> tuple[Given, str]:
    """Put a new node on a way.

    Args:
        given: The draft.
        source: Node the way leaves, or "" for the way in of an entry.
        number: Which of its ways, or which entry.
        kind: Kind of the new node.
        usual: Settings to begin with.

    Returns:
        The draft and the name of the new node.

    Example:
        >>> given = {"nodes": {"a": {"kind": "wait", "days": 1, "next": "end"}}}
        >>> told, name = inserted(given, "a", 0, "goal", {"goal": "seen"})
        >>> name, told["nodes"]["a"]["next"], told["nodes"][name]["next"]
        ('goal', 'goal', 'end')
    """
    told = deepcopy(dict(given))
    base, tail = kind.replace("_", "-"), 2
    name = base
    while name in told["nodes"]:
        name, tail = f"{base}-{tail}", tail + 1
    target = _start_of(told, number) if not source else targets(told["nodes"][source])[number][1]
    node = {"kind": kind, **deepcopy(dict(usual))}
    told["nodes"][name] = node if kind == "exit" else _leading(node, target)
    if source:
        _point(told["nodes"][source], number, name)
    else:
        _start_at(told, number, name)
    return told, name


def removed(given: Mapping[str, Any], name: str) -> Given:
    """Take a node away; whoever came to it comes to where its first way led.

    Returns:
        The draft.

    Raises:
        InputError: It leads nowhere.

    Example:
        >>> given = {"nodes": {"a": {"kind": "wait", "days": 1, "next": "b"},
        ...     "b": {"kind": "goal", "goal": "x", "next": "end"}, "end": {"kind": "exit"}}}
        >>> removed(given, "b")["nodes"]["a"]["next"]
        'end'
    """
    told = deepcopy(dict(given))
    ways = targets(told["nodes"].get(name, {"kind": "exit"}))
    if not ways or ways[0][1] == name:
        raise InputError(
            f"{name} is an end: lead the ways to it elsewhere first; "
            "an end nobody comes to is taken away by itself"
        )
    target = ways[0][1]
    del told["nodes"][name]
    for node in told["nodes"].values():
        for number, (_label, heads_to) in enumerate(targets(node)):
            if heads_to == name:
                _point(node, number, target)
    for number, entry in enumerate(_entries(told)):
        if entry.get("start") == name:
            _start_at(told, number, target)
    if told.get("start") == name:
        told["start"] = target
    return told


def led(given: Mapping[str, Any], name: str, heads_to: Sequence[str]) -> Given:
    """Lead the ways of a node elsewhere, and drop ends nobody comes to any more.

    Args:
        given: The draft.
        name: The node.
        heads_to: Target of each of its ways.

    Returns:
        The draft.
    """
    told = deepcopy(dict(given))
    for number, target in enumerate(heads_to):
        _point(told["nodes"][name], number, target)
    reached = {target for node in told["nodes"].values() for _, target in targets(node)}
    reached |= {told.get("start", ""), *(entry.get("start", "") for entry in _entries(told))}
    for end in [n for n, node in told["nodes"].items() if node["kind"] == "exit"]:
        if end not in reached and len(told["nodes"]) > 1:
            del told["nodes"][end]
    return told


def targets(node: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the ways of a node as its file says them: label and target, in their order."""
    kind = node["kind"]
    if kind == "exit":
        return []
    if kind == "branch":
        cases = [(c.get("name", f"case-{n + 1}"), c["next"]) for n, c in enumerate(node["cases"])]
        return [*cases, ("otherwise", node["otherwise"])]
    if kind == "split":
        return [(one["name"], one["next"]) for one in node["arms"]]
    first, second, field = _SECOND.get(kind, ("next", "", ""))
    ways = [(first, node["next"])]
    return [*ways, (second, node.get(field, node["next"]))] if second else ways


_SECOND = {
    "wait_for_event": ("event", "timeout", "on_timeout"),
    "decide": ("chosen", "none", "otherwise"),
    "coupon": ("next", "none", "otherwise"),
}
"""Labels of the two ways of some nodes, and the field that says where the second leads."""


def _point(node: Given, number: int, target: str) -> None:
    """Lead one way of a node to a target."""
    kind = node["kind"]
    if kind == "split":
        node["arms"][number]["next"] = target
    elif kind == "branch" and number < len(node["cases"]):
        node["cases"][number]["next"] = target
    elif kind == "branch":
        node["otherwise"] = target
    elif number == 0:
        node["next"] = target
    else:
        node["on_timeout" if kind == "wait_for_event" else "otherwise"] = target


def _leading(node: Given, target: str) -> Given:
    """Let every way of a new node lead to a target."""
    kind = node["kind"]
    for part in (*node.get("cases", ()), *node.get("arms", ())):
        part["next"] = target
    if kind not in {"branch", "split"}:
        node["next"] = target
    if kind in {"branch", "decide"}:
        node["otherwise"] = target
    if kind == "wait_for_event":
        node["on_timeout"] = target
    return node


def _entries(told: Mapping[str, Any]) -> list[Given]:
    entry = told.get("entry", [])
    return [entry] if isinstance(entry, dict) else list(entry)


def _start_of(told: Mapping[str, Any], number: int) -> str:
    start = told.get("start", next(iter(told["nodes"])))
    return str(_entries(told)[number].get("start", start))


def _start_at(told: Given, number: int, target: str) -> None:
    """Let an entry begin at a node; the others begin where they began."""
    starts = [_start_of(told, n) for n in range(len(_entries(told)))]
    starts[number] = target
    told["entry"] = [
        {key: value for key, value in entry.items() if key != "start"} | {"start": start}
        for entry, start in zip(_entries(told), starts, strict=True)
    ]
    told["start"] = starts[0]


def settled(given: Mapping[str, Any]) -> Given:
    """Check a draft as far as it can be checked without its workspace.

    Returns:
        The draft.

    Raises:
        InputError: It cannot be walked.
    """
    read_journey(given)
    return dict(given)


def packed(drafts: Sequence[Mapping[str, Any]]) -> str:
    """Pack earlier drafts for a field of the form.

    Returns:
        Letters a form takes; the same drafts give the same.

    Example:
        >>> unpacked(packed([{"id": "a"}]))
        [{'id': 'a'}]
    """
    text = json.dumps(list(drafts)[-MOST_UNDONE:], ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str) -> list[Given]:
    """Unpack earlier drafts.

    Returns:
        The drafts, the earliest first; none where the field holds anything else.
    """
    try:
        opener = zlib.decompressobj()
        raw = opener.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
        found = json.loads(raw)
    except (ValueError, zlib.error):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
