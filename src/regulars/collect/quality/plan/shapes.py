"""What kind of value something is, and what of it may be shown to anybody."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

CONFLICTS = {"datetime": "string", "integer": "number"}
"""Kinds that count as the same as a wider one when types are compared."""

DEEPEST = 3
MOST_PATHS = 300
_FIRST_ITEMS = 2
_LONGEST = 40
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,15}(?:[_-][A-Za-z0-9]{1,15}){0,3}")
_TELLING = re.compile(
    r"name|phone|mobile|tel|mail|addr|ident|passw|token|secret|birth|_ip|^ip|openid|unionid|card"
    r"|(?:^|_|\.)id$|[a-z]Id$|_no$|number|url|lat|lon",
    re.IGNORECASE,
)


def kind_of(value: Any) -> str:
    """Name the kind of a JSON value.

    Returns:
        string, datetime (a text that begins like one), integer, number, boolean, array, object
        or null.

    Example:
        >>> [kind_of(v) for v in ("a", "2026-01-02T03:04:05Z", 1, 1.5, True, None)]
        ['string', 'datetime', 'integer', 'number', 'boolean', 'null']
    """
    if isinstance(value, str):
        is_moment = len(value) >= 10 and value[4] == "-" == value[7] and value[:4].isdigit()
        return "datetime" if is_moment else "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "null" if value is None else "object"


def wide(kind: str) -> str:
    """Give the kind that conflicts are counted by: an integer is a number, a moment a text."""
    return CONFLICTS.get(kind, kind)


def masked(value: Any) -> str:
    """Show the shape of a value and nothing of whom it is about.

    Returns:
        Letters as x, digits as 9, other signs as they are, 40 characters at most; for lists and
        objects only how many parts they have.

    Example:
        >>> masked("王小明 13800138000"), masked(12.5), masked([1, 2])
        ('xxx 99999999999', '99.9', '[2]')
    """
    if isinstance(value, list):
        return f"[{len(value)}]"
    if isinstance(value, dict):
        return f"{{{len(value)}}}"
    text = str(value)[:_LONGEST]
    return "".join("9" if c.isdigit() else "x" if c.isalpha() else c for c in text)


def shown(path: str, value: Any) -> str | None:
    """Give a value that may be one of a few codes, when it cannot name a person.

    Args:
        path: Where it stands; properties that sound like names, numbers or addresses are out.
        value: The value.

    Returns:
        The value as text, or None when it is no code or may tell who somebody is.

    Example:
        >>> shown("reason", "too_dear"), shown("reason", "Ann Lee"), shown("phone", "none")
        ('too_dear', None, None)
    """
    if not isinstance(value, str) or _may_tell(path):
        return None
    is_code = _CODE.fullmatch(value) and sum(c.isdigit() for c in value) < 5
    return value if is_code else None


@lru_cache(4096)
def _may_tell(path: str) -> bool:
    return _TELLING.search(path) is not None


def flattened(given: Any) -> Iterator[tuple[str, Any]]:
    """List the values of an event with their paths, as far as the limits go.

    Yields:
        Pairs of path and value: three levels deep, the first two items of a list, at most
        `MOST_PATHS`; a value of null is none. A pair ("", None) stands at the end when
        something was left out.

    Example:
        >>> list(flattened({"total": 3, "products": [{"sku": "a"}]}))
        [('total', 3), ('products', [{'sku': 'a'}]), ('products[].sku', 'a')]
    """
    left = MOST_PATHS
    waiting: list[tuple[str, Any, int]] = [("", given, 0)]
    while waiting:
        prefix, value, depth = waiting.pop()
        if isinstance(value, list):
            path = f"{prefix}[]"
            waiting += [(path, item, depth) for item in reversed(value[:_FIRST_ITEMS])]
            continue
        if not isinstance(value, dict):
            if prefix.endswith("[]"):
                yield prefix, value
            continue
        for key, part in value.items():
            if part is None:
                continue
            if left == 0:
                yield "", None
                return
            left -= 1
            path = f"{prefix}.{key}" if prefix else str(key)
            yield path, part
            if depth < DEEPEST - 1 and isinstance(part, dict | list):
                waiting.append((path, part, depth + 1))
