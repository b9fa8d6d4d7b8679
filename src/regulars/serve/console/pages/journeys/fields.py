"""The fields of a node's form: written from what its file says, and read back."""

import json
from collections.abc import Mapping
from typing import Any

from regulars.errors import InputError

BY_KIND: dict[str, tuple[str, ...]] = {
    "wait": ("days", "hours", "minutes", "at", "weekdays"),
    "wait_for_event": ("event", "timeout_days", "timeout_hours", "timeout_minutes"),
    "window": ("from", "to", "weekdays"),
    "branch": (),
    "split": ("arms",),
    "decide": ("offers", "channels"),
    "message": ("channels", "content", "offer", "topic", "message_class", "priority"),
    "tag": ("tag", "do"),
    "points": ("points", "reason"),
    "coupon": ("offer",),
    "webhook": ("hook", "body"),
    "goal": ("goal",),
    "exit": ("reason",),
}
"""Fields of each kind of node, in the order of the form; all of them take a note too."""
NUMBERS = {
    "days", "hours", "minutes", "timeout_days", "timeout_hours", "timeout_minutes", "points",
    "priority",
}  # fmt: skip
LISTS = {"offers", "channels", "weekdays"}
PAIRS = {"content", "body"}
LONG = LISTS | PAIRS | {"arms"}
"""Fields that take several lines."""


def shown(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Write the fields of a node as text.

    Args:
        kind: Kind of the node.
        given: What its file says.

    Returns:
        Text by field, in the order of the form.

    Example:
        >>> shown("wait", {"kind": "wait", "days": 2, "at": "10:30", "next": "x"})["days"]
        '2'
    """
    return {name: _text(name, given) for name in (*BY_KIND[kind], "note")}


def typed(kind: str, form: Mapping[str, str]) -> dict[str, str]:
    """Give the fields of a node as they were typed, where they were."""
    return {name: form[f"f.{name}"] for name in (*BY_KIND[kind], "note") if f"f.{name}" in form}


def read(kind: str, before: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """Read the fields of a node; where its ways lead stays as it was.

    Args:
        kind: Kind of the node.
        before: What its file said.
        form: The form.

    Returns:
        What its file says now.

    Raises:
        InputError: A field cannot be read.

    Example:
        >>> read("wait", {"kind": "wait", "days": 2, "next": "x"}, {"days": "3", "at": ""})
        {'kind': 'wait', 'next': 'x', 'days': 3}
    """
    fields = {*BY_KIND[kind], "note"} | ({"channel"} if kind == "message" else set())
    told = {name: value for name, value in before.items() if name not in fields}
    for name in (*BY_KIND[kind], "note"):
        text = form.get(name, "").strip()
        if text:
            told[name] = _value(name, text, before)
    return told


def _text(name: str, given: Mapping[str, Any]) -> str:
    value = given.get(name, given.get("channel", "") if name == "channels" else "")
    if name in LISTS:
        return "\n".join([value] if isinstance(value, str) else value)
    if name == "arms":
        return "\n".join(f"{one['name']} {one.get('weight', 1)}" for one in value or ())
    if name in PAIRS and isinstance(value, Mapping):
        if all(isinstance(part, str) and "\n" not in part for part in value.values()):
            return "\n".join(f"{key} = {part}" for key, part in value.items())
        return json.dumps(value, ensure_ascii=False, indent=1)
    return str(value)


def _value(name: str, text: str, before: Mapping[str, Any]) -> Any:
    if name in NUMBERS:
        return _number(name, text)
    if name in LISTS:
        return text.split()
    if name == "arms":
        return _arms(text, before)
    if name in PAIRS and text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise InputError(f"{name} is not readable as JSON: {error}") from error
    if name in PAIRS and "=" in text:
        return dict(_pair(name, line) for line in text.splitlines() if line.strip())
    return text


def _pair(name: str, line: str) -> tuple[str, Any]:
    key, sign, value = (part.strip() for part in line.partition("="))
    if not (key and sign and value):
        raise InputError(f"{name} has the line {line!r}, must be: name = value")
    return key, value


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}, must be a whole number") from error


def _arms(text: str, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read arms; one of a name there was leads where it led, a new one where the first leads."""
    known = {one["name"]: one["next"] for one in before.get("arms", ())}
    first = next(iter(known.values()), "")
    found = []
    for line in text.splitlines():
        if line.strip():
            name, _, weight = line.strip().partition(" ")
            arm = {"name": name, "weight": _number("weight", weight.strip() or "1")}
            found.append(arm | {"next": known.get(name, first)})
    return found
