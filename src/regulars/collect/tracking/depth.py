"""How deep JSON is nested: what is too deep for one reader after the next is set aside alone."""

import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec

MOST_DEPTH = 256
"""Levels of nesting of the deepest event that is stored."""

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_SPARE = 50


def depth_of(text: bytes) -> int:
    """Count the levels of nesting of a JSON text, without reading it.

    Args:
        text: JSON, or what claims to be.

    Returns:
        Objects and lists inside each other at the deepest place.

    Example:
        >>> depth_of(b'{"a":[{}],"b":"[[[["}')
        3
    """
    depth = deepest = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def without_deep(text: bytes, *, members: bool = False) -> bytes:
    """Write the elements of a list that are nested too deep as text, in JSON's quotes.

    Of lists in lists the outermost counts: in a batch that is the event.

    Args:
        text: JSON.
        members: True writes members of an object so where there is no list around them.

    Returns:
        JSON that can be read; the same text where nothing is too deep, or there is no list.

    Example:
        >>> deep = b"[" * 300 + b"]" * 300
        >>> without_deep(b'[{"a":1},{"b":' + deep + b'}]')[:11]
        b'[{"a":1},"{'
    """
    parts: list[bytes] = []
    done = 0
    for start, end in _deep_spans(text, members):
        parts += [text[done:start], msgspec.json.encode(text[start:end].decode())]
        done = end
    return b"".join([*parts, text[done:]])


def _deep_spans(text: bytes, members: bool) -> list[tuple[int, int]]:
    open_: list[int] = []
    found: list[tuple[int, int]] = []
    level = 0
    for token in _TOKEN.finditer(text):
        place = token.start()
        first = text[place]
        if first in b"[{":
            open_.append(place)
            if len(open_) > MOST_DEPTH and not level:
                level = next((n for n, at in enumerate(open_) if text[at] in b"["), -1) + 1
                level = level or int(members)
        elif first in b"]}" and open_:
            start = open_.pop()
            if level and len(open_) == level:
                found.append((start, token.end()))
                level = 0
    return found


def shallowly(call: Callable[[], Any]) -> Any:
    """Call a reader in C that gives up where something is nested about `MOST_DEPTH` deep.

    Such readers stop where the interpreter's room for calls within calls ends. So the call is
    made with little room left. Where an interpreter keeps no count of calls in C, a reader goes
    deeper.

    Args:
        call: What to call.

    Returns:
        What it gives.

    Raises:
        RecursionError: Something is nested nearly or more than `MOST_DEPTH` deep.
    """
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    return _deeper(sys.getrecursionlimit() - depth - MOST_DEPTH + _SPARE, call)


def _deeper(frames: int, call: Callable[[], Any]) -> Any:
    return call() if frames <= 0 else _deeper(frames - 1, call)
