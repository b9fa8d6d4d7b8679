"""Rules: conditions on profiles as a small tree, held against one customer or against all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, Value

from regulars.errors import InputError
from regulars.records import TABLES

MOST_CONDITIONS = 100
MOST_DAYS = 3660
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
ORDERED = frozenset({"<", "<=", ">", ">=", "between"})
UNARY = frozenset({"exists", "missing"})
SIGNS = (*COMPARISONS, "in", "between", *sorted(UNARY))
_NUMBERS = frozenset({"int64", "float64", "money"})
FIELDS: dict[str, bool] = {
    column.name: column.type in _NUMBERS
    for column in TABLES["profiles"].columns
    if column.name not in {"turn", "customer_id", "as_of"}
}
"""Columns of `profiles` a rule may ask about, and whether they are numbers."""


@dataclass(frozen=True)
class Asks:
    """One condition on one value.

    Attributes:
        field: A column of `profiles`; "" when events are counted.
        event: Name of the events counted; "" when a field is asked for.
        days: Days back that events are counted over, the last one included.
        sign: One of `SIGNS`.
        value: What is compared with: a number, a text, or several; None for `UNARY`.
    """

    field: str
    event: str
    days: int
    sign: str
    value: Any

    @property
    def column(self) -> str:
        """The column its value stands in."""
        return self.field or f"{self.event} ({self.days}d)"


@dataclass(frozen=True)
class Joined:
    """Conditions joined by a word.

    Attributes:
        word: "all", "any" or "not".
        parts: The conditions; one for "not".
    """

    word: str
    parts: tuple["Joined | Asks", ...]


Rule = Joined | Asks


def read_rule(given: Any, where: str = "rule") -> Rule:
    """Read a rule from JSON.

    Args:
        given: {"all": [...]}, {"any": [...]}, {"not": ...},
            {"field": "orders_30d", "is": ">=", "value": 3} or
            {"event": "Product Viewed", "days": 30, "is": ">=", "value": 5}.
        where: Place within the definition, for messages.

    Returns:
        The rule.

    Raises:
        InputError: It cannot be read; the message says where and what is wanted.

    Example:
        >>> read_rule({"field": "city", "is": "in", "value": ["Wuhan", "上海"]}).sign
        'in'
    """
    rule = _read(given, where)
    count = sum(1 for _ in asked(rule))
    if count > MOST_CONDITIONS:
        raise InputError(
            f"{where} has {count} conditions, must have at most {MOST_CONDITIONS}; "
            "split it into several tags"
        )
    return rule


def asked(rule: Rule) -> Iterator[Asks]:
    """Walk the conditions of a rule, from left to right."""
    if isinstance(rule, Asks):
        yield rule
    else:
        for part in rule.parts:
            yield from asked(part)


def holds(rule: Rule, values: Mapping[str, Any]) -> bool:
    """Tell whether a rule holds for one customer.

    Args:
        rule: The rule.
        values: Value by column (`Asks.column`); what is not known is None or left out.

    Returns:
        What is not known meets no condition but `missing`.

    Example:
        >>> rule = read_rule({"not": {"field": "orders", "is": ">", "value": 2}})
        >>> holds(rule, {"orders": 3.0}), holds(rule, {})
        (False, True)
    """
    if isinstance(rule, Joined):
        if rule.word == "not":
            return not holds(rule.parts[0], values)
        return (all if rule.word == "all" else any)(holds(part, values) for part in rule.parts)
    value = values.get(rule.column)
    if rule.sign in UNARY:
        return (value is None) == (rule.sign == "missing")
    if value is None:
        return False
    return _meets(value, rule.sign, rule.value)


def predicate(rule: Rule, columns: Mapping[str, Value]) -> BooleanValue:
    """Give a rule as one Ibis predicate: `holds`, for a whole table.

    Args:
        rule: The rule.
        columns: Column expression by `Asks.column`; numbers as float64.

    Returns:
        A predicate that is never empty.
    """
    if isinstance(rule, Joined):
        parts = [predicate(part, columns) for part in rule.parts]
        if rule.word == "not":
            return ~parts[0]
        return ibis.and_(*parts) if rule.word == "all" else ibis.or_(*parts)
    value, wanted = columns[rule.column], rule.value
    if rule.sign in UNARY:
        return value.isnull() if rule.sign == "missing" else value.notnull()
    if rule.sign == "in":
        found = value.isin(list(wanted))
    elif rule.sign == "between":
        found = (value >= _literal(wanted[0])) & (value <= _literal(wanted[1]))
    else:
        found = COMPARISONS[rule.sign](value, _literal(wanted))
    return ibis.coalesce(found, False)


def _meets(value: Any, sign: str, wanted: Any) -> bool:
    if sign == "in":
        return value in wanted
    if sign == "between":
        return bool(wanted[0] <= value <= wanted[1])
    return bool(COMPARISONS[sign](value, wanted))


def _literal(wanted: Any) -> Value:
    return ibis.literal(wanted, type="string" if isinstance(wanted, str) else "float64")


def _read(given: Any, where: str) -> Rule:
    if not isinstance(given, Mapping):
        raise InputError(f"{where} is {given!r}, must be an object such as {{'field': ...}}")
    words = [word for word in ("all", "any", "not", "field", "event") if word in given]
    if len(words) != 1:
        raise InputError(
            f"{where} has {' and '.join(words) or 'none'} of all, any, not, field and event; "
            "give exactly one"
        )
    [word] = words
    if word in {"field", "event"}:
        return _asks(given, where)
    if set(given) != {word}:
        raise InputError(f"{where} has more than {word}; put the conditions inside it")
    listed = [given[word]] if word == "not" else given[word]
    if not isinstance(listed, list) or not listed:
        raise InputError(f"{where}.{word} is {listed!r}, must be a list of conditions")
    if where.count(".") > 10:
        raise InputError(f"{where} is too deep; say it with fewer levels")
    return Joined(word, tuple(_read(p, f"{where}.{word}[{n}]") for n, p in enumerate(listed)))


def _asks(given: Mapping[str, Any], where: str) -> Asks:
    sign = given.get("is")
    if sign not in SIGNS:
        raise InputError(f"{where}.is is {sign!r}, must be one of: {' '.join(SIGNS)}")
    allowed = {"is", "field"} if "field" in given else {"is", "event", "days"}
    allowed |= set() if sign in UNARY else {"value"}
    odd = sorted(set(given) ^ allowed)
    if odd:
        raise InputError(f"{where} must have exactly {', '.join(sorted(allowed))}; mind {odd[0]}")
    if "event" in given:
        name, days = given["event"], given["days"]
        if not isinstance(name, str) or not name:
            raise InputError(f"{where}.event is {name!r}, must be the name of an event")
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
            raise InputError(f"{where}.days is {days!r}, must be from 1 to {MOST_DAYS}")
        if sign in UNARY:
            raise InputError(f"{where}.is is {sign!r}; compare a count with a number")
        return Asks("", name, days, sign, _wanted(given["value"], sign, True, where))
    name = given["field"]
    if name not in FIELDS:
        raise InputError(f"{where}.field is {name!r}; known: {', '.join(sorted(FIELDS))}")
    is_number = FIELDS[name]
    if not is_number and sign in ORDERED:
        raise InputError(f"{where}.is is {sign!r}, but {name} is a text; use =, != or in")
    value = None if sign in UNARY else _wanted(given["value"], sign, is_number, where)
    return Asks(name, "", 0, sign, value)


def _wanted(value: Any, sign: str, is_number: bool, where: str) -> Any:
    many = sign in {"in", "between"}
    listed: Sequence[Any] = value if many and isinstance(value, list) else [value]
    if many and (not isinstance(value, list) or not value):
        raise InputError(f"{where}.value is {value!r}, must be a list for {sign!r}")
    if sign == "between" and len(listed) != 2:
        raise InputError(f"{where}.value has {len(listed)} values, must have two: low and high")
    for one in listed:
        is_right = isinstance(one, int | float) and not isinstance(one, bool)
        is_right = is_right and abs(one) < 1e15 if is_number else isinstance(one, str)
        if not is_right:
            kind = "a number" if is_number else "a text"
            raise InputError(f"{where}.value is {one!r}, must be {kind}")
    found = tuple(float(one) if is_number else one for one in listed)
    return found if many else found[0]
