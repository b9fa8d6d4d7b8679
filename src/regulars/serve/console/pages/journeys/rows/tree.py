"""Rows within rows as fields of a form, such as "e.0.w.1.sign": a sign in the first entry."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

MOST_ROWS, MOST_DEPTH, _MOST_LETTERS = 20, 8, 2000
Row = dict[str, Any]


def nested(form: Mapping[str, str], name: str) -> list[Row]:
    """Read the rows of one list from the fields of a form.

    Args:
        form: The form.
        name: Name of the list; its fields begin with it and a dot.

    Returns:
        Rows in the order of their numbers; what is a number within a name is a list.

    Example:
        >>> nested({"e.0.kind": "event", "e.0.w.1.sign": "=", "e.2.kind": "date"}, "e")
        [{'kind': 'event', 'w': [{'sign': '='}]}, {'kind': 'date'}]
    """
    tree: dict[str, Any] = {}
    for key, text in form.items():
        first, *path = key.split(".")
        if first == name and 2 <= len(path) <= MOST_DEPTH:
            _put(tree, path, text[:_MOST_LETTERS])
    found = _listed(tree)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def grown(rows: list[Row], path: str, row: Mapping[str, Any]) -> list[Row]:
    """Add a row to the list at a path; "" names the list itself.

    Returns:
        The rows; unchanged where there is no such list, or it is full.

    Example:
        >>> grown([{"kind": "event"}], "0.w", {"sign": "="})
        [{'kind': 'event', 'w': [{'sign': '='}]}]
    """
    told = deepcopy(rows)
    *steps, last = path.split(".") if path else [""]
    inside = _at(told, steps)
    if path and not isinstance(inside, dict):
        return told
    held = told if not path else inside.setdefault(last, [])
    if isinstance(held, list) and len(held) < MOST_ROWS:
        held.append(dict(row))
    return told


def dropped(rows: list[Row], path: str) -> list[Row]:
    """Take the row at a path away.

    Returns:
        The rows; unchanged where there is none.

    Example:
        >>> dropped([{"kind": "event"}, {"kind": "date"}], "0")
        [{'kind': 'date'}]
    """
    told = deepcopy(rows)
    *steps, last = path.split(".")
    held = _at(told, steps)
    if isinstance(held, list) and last.isdecimal() and int(last) < len(held):
        del held[int(last)]
    return told


def _put(tree: dict[str, Any], path: list[str], text: str) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.setdefault(path[-1], text)


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        return [_listed(tree[key]) for key in sorted(tree, key=int)][:MOST_ROWS]
    return {key: _listed(value) for key, value in tree.items()}


def _at(rows: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(rows, list) and step.isdecimal() and int(step) < len(rows):
            rows = rows[int(step)]
        elif isinstance(rows, dict):
            rows = rows.get(step)
        else:
            return None
    return rows


def flat(rows: list[Row], name: str) -> dict[str, str]:
    """Write rows as fields of a form again.

    Returns:
        Text by the name of its field.

    Example:
        >>> flat([{"kind": "event", "w": [{"sign": "="}]}], "e")
        {'e.0.kind': 'event', 'e.0.w.0.sign': '='}
    """
    found: dict[str, str] = {}
    for number, row in enumerate(rows):
        _flatten(row, f"{name}.{number}", found)
    return found


def _flatten(value: Any, name: str, found: dict[str, str]) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            _flatten(part, f"{name}.{key}", found)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            _flatten(part, f"{name}.{number}", found)
    else:
        found[name] = str(value)
