"""Single values of a journey's definition, read and checked, each fault named at its place."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.reach.journeys.definition.nodes import Condition
from regulars.unify.tags.rules import ORDERED, SIGNS, UNARY

MOST_DAYS = 3660
DAY_SECONDS = 86_400
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHORT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_UNITS = {"days": DAY_SECONDS, "hours": 3600, "minutes": 60}


def only(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse what nobody would read.

    Raises:
        InputError: A name is not among the known ones.
    """
    odd = sorted(set(given) - set(known))
    if odd:
        raise InputError(f"{where} has {odd[0]!r}; known: {', '.join(sorted(known))}")


def table(value: Any, where: str) -> Mapping[str, Any]:
    """Read a table of settings.

    Returns:
        The same mapping.

    Raises:
        InputError: It is none.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r}, must be a table of settings")
    return value


def tables(value: Any, where: str) -> list[Mapping[str, Any]]:
    """Read a list of tables; one alone is a list of one.

    Returns:
        The tables.

    Raises:
        InputError: It is no list of tables.
    """
    listed = [value] if isinstance(value, Mapping) else value
    if not isinstance(listed, list):
        raise InputError(f"{where} is {value!r}, must be a list of tables")
    return [table(one, f"{where}[{number}]") for number, one in enumerate(listed)]


def short_name(value: Any, where: str) -> str:
    """Read a short name.

    Returns:
        The name.

    Raises:
        InputError: It is none.

    Example:
        >>> short_name("day-3", "start")
        'day-3'
    """
    if not isinstance(value, str) or not _SHORT.fullmatch(value):
        raise InputError(
            f"{where} is {value!r}, must be 1 to 64 lower-case letters, digits and ._-, "
            "starting with a letter or digit"
        )
    return value


def line(value: Any, where: str, most: int = 120, *, is_needed: bool = True) -> str:
    """Read one line of text.

    Returns:
        The text without blanks around it.

    Raises:
        InputError: It is no text, too long, of several lines, or empty where it is needed.
    """
    if not isinstance(value, str) or len(value) > most or "\n" in value.strip():
        raise InputError(f"{where} is {value!r}, must be one line of at most {most} characters")
    if is_needed and not value.strip():
        raise InputError(f"{where} is empty, must be one line of at most {most} characters")
    return value.strip()


def names(
    value: Any, where: str, known: Collection[str] | None = None, kind: str = ""
) -> list[str]:
    """Read a list of names, each once; one name alone is a list of one.

    Args:
        value: What was given.
        where: Place, for messages.
        known: Names there are; None where any will do.
        kind: What the names name.

    Returns:
        The names, one or more.

    Raises:
        InputError: It is no list of names, empty, or names one twice.
        UnknownName: One is not known.
    """
    listed = [value] if isinstance(value, str) else value
    if (
        not isinstance(listed, list)
        or not listed
        or not all(isinstance(one, str) and one for one in listed)
    ):
        raise InputError(f"{where} is {value!r}, must be one name or more")
    if len(set(listed)) < len(listed):
        raise InputError(f"{where} names one twice: {', '.join(listed)}")
    for one in listed:
        if known is not None and one not in known:
            raise UnknownName(kind, one, known)
    return listed


def whole(value: Any, where: str, least: int, most: int) -> int:
    """Read a whole number.

    Returns:
        The number.

    Raises:
        InputError: It is none, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{where} is {value!r}, must be a whole number from {least} to {most}")
    return value


def share(value: Any, where: str, most: float) -> float:
    """Read a share.

    Returns:
        A number from 0 to `most`.

    Raises:
        InputError: It is none, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InputError(f"{where} is {value!r}, must be a share from 0 to {most}, such as 0.1")
    return float(value)


def minute_of_day(value: Any, where: str) -> int:
    """Read a time of day.

    Returns:
        Minutes after midnight.

    Raises:
        InputError: It is no time such as 09:30.

    Example:
        >>> minute_of_day("09:30", "at")
        570
    """
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise InputError(f"{where} is {value!r}, must be a time of day such as '09:30'")
    return int(found[1]) * 60 + int(found[2])


def weekdays(value: Any, where: str) -> tuple[int, ...]:
    """Read days of the week.

    Returns:
        Numbers in order, 0 for Monday.

    Raises:
        InputError: A day is named twice, or there is none.
        UnknownName: There is no such day.

    Example:
        >>> weekdays(["sat", "sun"], "weekdays")
        (5, 6)
    """
    named = names(value, where, WEEKDAYS, "day of the week")
    return tuple(sorted(WEEKDAYS.index(one) for one in named))


def duration(given: Mapping[str, Any], where: str, prefix: str = "") -> int:
    """Read a duration of days, hours and minutes, whichever are given.

    Args:
        given: What may have `days`, `hours` and `minutes`.
        where: Place, for messages.
        prefix: What stands before each name, such as timeout_.

    Returns:
        Seconds; 0 when none is given.

    Raises:
        InputError: One is no whole number, or the whole is longer than ten years.

    Example:
        >>> duration({"days": 1, "hours": 12}, "wait")
        129600
    """
    seconds = sum(
        whole(given[prefix + unit], f"{where}.{prefix}{unit}", 0, MOST_DAYS * 1440) * length
        for unit, length in _UNITS.items()
        if prefix + unit in given
    )
    if seconds > MOST_DAYS * DAY_SECONDS:
        raise InputError(f"{where} lasts {seconds} seconds, must last at most {MOST_DAYS} days")
    return seconds


def conditions(value: Any, where: str) -> tuple[Condition, ...]:
    """Read conditions on the properties of an event.

    Args:
        value: A table of property = value, or a list of {property, is, value}.
        where: Place, for messages.

    Returns:
        The conditions; all must hold.

    Raises:
        InputError: One cannot be read.

    Example:
        >>> conditions({"city": "Wuhan"}, "where")
        (Condition(name='city', sign='=', value='Wuhan'),)
    """
    if isinstance(value, Mapping) and not set(value) & {"property", "is"}:
        value = [{"property": name, "is": "=", "value": wanted} for name, wanted in value.items()]
    return tuple(
        _condition(one, f"{where}[{number}]") for number, one in enumerate(tables(value, where))
    )


def _condition(given: Mapping[str, Any], where: str) -> Condition:
    only(given, {"property", "is", "value"}, where)
    name, sign = line(given.get("property", ""), f"{where}.property"), given.get("is", "=")
    if sign not in SIGNS:
        raise InputError(f"{where}.is is {sign!r}, must be one of: {' '.join(SIGNS)}")
    if (sign in UNARY) == ("value" in given):
        raise InputError(
            f"{where} has {'a value' if 'value' in given else 'no value'}; "
            f"{sign!r} {'takes none' if sign in UNARY else 'needs one'}"
        )
    value = given.get("value")
    many = sign in {"in", "between"}
    listed = value if many and isinstance(value, list) else [value]
    if many and (not isinstance(value, list) or not value):
        raise InputError(f"{where}.value is {value!r}, must be a list for {sign!r}")
    if sign == "between" and len(listed) != 2:
        raise InputError(f"{where}.value has {len(listed)} values, must have two: low and high")
    for one in listed if sign not in UNARY else []:
        wanted = (int, float) if sign in ORDERED else (str, int, float, bool)
        if not isinstance(one, wanted) or (sign in ORDERED and isinstance(one, bool)):
            kind = "a number" if sign in ORDERED else "a text, a number, true or false"
            raise InputError(f"{where}.value is {one!r}, must be {kind}")
    return Condition(name, sign, tuple(listed) if many else value)
