"""Patterns of rules stay linear: nothing unbounded, nothing repeated within a repeat."""

import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from regulars.errors import InputError
from regulars.govern.copycheck.text.normalise import normalise

MOST_STEPS = 60
"""The most one repeat may run; a pattern looks no further than this around its trigger."""

MOST_NESTED = 12
"""The most a repeat within a repeat may come to; beyond it a pattern must be written flat."""

_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}


def compiled(pattern: str, where: str) -> re.Pattern[str]:
    """Compile a pattern of a rule after checking that it can be matched in linear time.

    Args:
        pattern: The pattern.
        where: What it belongs to, for the message.

    Returns:
        The pattern, compiled.

    Raises:
        InputError: It repeats without bound or within a repeat, is not a pattern, or holds a
            character no normal text has.

    Source: ours, after the advice of RE2's authors; RE2 itself is no dependency here.

    Example:
        >>> compiled("第[一1]品牌", "A05").pattern
        '第[一1]品牌'
        >>> compiled("(最+)+", "A05")
        Traceback (most recent call last):
        ...
        regulars.errors.InputError: A05: pattern '(最+)+' repeats without bound; write {0,N}
    """
    try:
        tree = parser.parse(pattern)
    except re.error as error:
        raise InputError(f"{where}: pattern {pattern!r} is no pattern: {error}") from error
    _walk(tree, pattern, where, outer=1)
    odd = [c for c in pattern if not c.isascii() and normalise(c).text != c]
    if odd:
        raise InputError(
            f"{where}: pattern {pattern!r} holds {odd[0]!r}, which no normal text has; "
            f"write {normalise(odd[0]).text or 'nothing'!r}"
        )
    return re.compile(pattern)


def _walk(tree: Any, pattern: str, where: str, *, outer: int) -> None:
    for code, argument in tree:
        inside = outer
        if code in _REPEATS:
            _low, high, _ = argument
            if high is codes.MAXREPEAT:
                raise InputError(
                    f"{where}: pattern {pattern!r} repeats without bound; write {{0,N}}"
                )
            inside = outer * max(1, high)
            most = MOST_STEPS if outer == 1 or high <= 1 else MOST_NESTED
            if inside > most:
                raise InputError(
                    f"{where}: pattern {pattern!r} repeats {inside} times where {most} are "
                    "allowed; write it shorter or flat"
                )
        for part in _parts(argument):
            _walk(part, pattern, where, outer=inside)


def _parts(argument: Any) -> list[Any]:
    """Patterns within a pattern, however the parser nests them."""
    if isinstance(argument, parser.SubPattern):
        return [argument]
    if isinstance(argument, tuple | list):
        return [part for one in argument for part in _parts(one)]
    return []
