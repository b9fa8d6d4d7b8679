"""Filters a template may use: none can grow without bound; and words for money and days."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from liquid import Markup, RenderContext
from liquid.builtin.filters import array, math, misc, string
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import is_undefined

MOST_LETTERS = 65_536
"""Most letters a filter may make of its text."""

MOST_BITS = 256

FORMATS = re.compile(r"(?:[^%]|%[-]?[aAbBdHIjmMpSuUVwWyY%])*")
"""Formats of `date`: one letter each, no widths."""


class Refused(FilterArgumentError):
    """A filter of ours says no; its message holds nothing of the customer."""


AS_THEY_ARE = {
    "abs": math.abs_,
    "at_most": math.at_most,
    "at_least": math.at_least,
    "ceil": math.ceil,
    "divided_by": math.divided_by,
    "floor": math.floor,
    "minus": math.minus,
    "plus": math.plus,
    "round": math.round_,
    "modulo": math.modulo,
    "capitalize": string.capitalize,
    "downcase": string.downcase,
    "upcase": string.upcase,
    "strip": string.strip,
    "lstrip": string.lstrip,
    "rstrip": string.rstrip,
    "strip_html": string.strip_html,
    "strip_newlines": string.strip_newlines,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "slice": string.slice_,
    "split": string.split,
    "remove": string.remove,
    "remove_first": string.remove_first,
    "remove_last": string.remove_last,
    "escape": string.escape,
    "url_encode": string.url_encode,
    "newline_to_br": string.newline_to_br,
    "squish": string.squish,
    "first": array.first,
    "last": array.last,
    "map": array.map_,
    "where": array.where,
    "reject": array.reject,
    "sort": array.sort,
    "reverse": array.reverse,
    "uniq": array.uniq,
    "compact": array.compact,
    "has": array.has,
    "sum": array.sum_,
    "size": misc.size,
    "default": misc.default,
}


def bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a filter be used only while what it makes stays small.

    Args:
        name: The filter, for the message.
        function: The filter.

    Returns:
        A filter that refuses before it makes a long text, not after.
    """

    def limited(value: Any, *arguments: Any) -> Any:
        texts = [str(part) for part in (value, *arguments)]
        most = len(texts[0])
        if name.startswith("replace") and len(texts) > 1:
            times = texts[0].count(texts[1]) if texts[1] else most + 1
            most += times * len(texts[2] if len(texts) > 2 else "")
        elif name == "join" and isinstance(value, list | tuple):
            apart = len(texts[1]) if len(texts) > 1 else 1
            most = sum(len(str(part)) + apart for part in value)
        else:
            most = sum(map(len, texts))
        if most > MOST_LETTERS:
            raise Refused(
                f"{name} would make {most} letters, must make at most {MOST_LETTERS}", token=None
            )
        return function(value, *arguments)

    return limited


def times(value: Any, other: Any) -> Any:
    """Multiply; refuse numbers that grow without bound."""
    parts = [part for part in (value, other) if isinstance(part, int)]
    if sum(part.bit_length() for part in parts) > MOST_BITS:
        raise Refused("times makes too large a number", token=None)
    return math.times(value, other)


BOUNDED = {
    name: bounded(name, function)
    for name, function in {
        "append": string.append,
        "prepend": string.prepend,
        "replace": string.replace,
        "replace_first": string.replace_first,
        "replace_last": string.replace_last,
        "join": array.join,
    }.items()
}


@with_context
def day(value: Any, form: Any = "medium", *, context: RenderContext) -> str:
    """Write a day as people of the message's language write it; "" for what is no day."""
    moment = _moment(value)
    if moment is None or str(form) not in {"short", "medium", "long", "full"}:
        return _hole(value, "day")
    return format_date(moment, str(form), locale=_locale(context))


@with_context
def date_in(value: Any, form: Any = "%Y-%m-%d", *, context: RenderContext) -> str:
    """Write a day by a format such as %m月%d日; without widths, which could fill the memory."""
    moment = _moment(value)
    if moment is None:
        return _hole(value, "date")
    if len(str(form)) > 60 or not FORMATS.fullmatch(str(form)):
        raise Refused(
            f"date has the format {str(form)[:60]!r}; use signs such as %Y %m %d", token=None
        )
    return moment.strftime(str(form))


@with_context
def money(value: Any, *, context: RenderContext) -> str:
    """Write an amount in the workspace's currency, as people of the language write it."""
    amount = _number(value)
    if amount is None:
        return _hole(value, "money")
    return _money(amount, str(context.globals.get("_currency", "CNY")), _locale(context))


@with_context
def number(value: Any, *, context: RenderContext) -> str:
    """Write a number with the marks of the language."""
    found = _number(value)
    return _hole(value, "number") if found is None else _decimal(found, _locale(context))


@with_context
def share(value: Any, *, context: RenderContext) -> str:
    """Write a share of 0 to 1 in percent."""
    found = _number(value)
    return _hole(value, "share") if found is None else _percent(found, _locale(context))


OURS = {
    "times": times,
    "day": day,
    "date": date_in,
    "money": money,
    "number": number,
    "share": share,
}
FILTERS: dict[str, Callable[..., Any]] = AS_THEY_ARE | BOUNDED | OURS


@lru_cache(8192)
def _money(amount: Decimal, currency: str, locale: str) -> str:
    return format_currency(amount, currency, locale=locale)


@lru_cache(8192)
def _decimal(value: Decimal, locale: str) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(8192)
def _percent(value: Decimal, locale: str) -> str:
    return format_percent(value, locale=locale)


def _locale(context: RenderContext) -> str:
    return str(context.globals.get("_locale", "en")).replace("-", "_")


def _number(value: Any) -> Decimal | None:
    if is_undefined(value) or value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 10**15 else None


def _moment(value: Any) -> date | datetime | None:
    if is_undefined(value):
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _hole(value: Any, name: str) -> str:
    """Nothing, which an output refuses; what is there and cannot be read is an author's error."""
    if is_undefined(value) or value in {None, ""}:
        return Markup("")
    raise Refused(f"{name} cannot read what it was given", token=None)
