"""Rules: conditions on profiles as a small tree, held against one customer or against all."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Generic, Protocol, TypeVar

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
_JOINS = ("all", "any", "not")
SIGNS = (*COMPARISONS, "in", "between", *sorted(UNARY))
_NUMBERS = frozenset({"int64", "float64", "money"})
FIELDS: dict[str, bool] = {
    column.name: column.type in _NUMBERS
    for column in TABLES["profiles"].columns
    if column.name not in {"turn", "customer_id", "as_of"}
}
"""Columns of `profiles` a rule may ask about, and whether they are numbers."""


class Condition(Protocol):
    """One condition on one value per customer: what every kind of it has."""

    @property
    def sign(self) -> str:
        """One of `SIGNS`."""

    @property
    def value(self) -> Any:
        """What is compared with: a number, a text, or several; None for `UNARY`."""

    @property
    def column(self) -> str:
        """The column its value stands in."""


C = TypeVar("C", bound=Condition)


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
class Joined(Generic[C]):
    """Conditions joined by a word.

    Attributes:
        word: "all", "any" or "not".
        parts: The conditions; one for "not".
    """

    word: str
    parts: tuple["Joined[C] | C", ...]


Rule = Joined[Asks] | Asks


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
    return read_tree(given, {"field": read_asks, "event": read_asks}, where)


def read_tree(
    given: Any, readers: Mapping[str, Callable[[Mapping[str, Any], str], C]], where: str = "rule"
) -> Joined[C] | C:
    """Read a rule whose conditions are of several kinds.

    Args:
        given: The tree: all, any and not, and conditions.
        readers: What reads a condition, by the key that tells its kind.
        where: Place within the definition, for messages.

    Returns:
        The rule.

    Raises:
        InputError: It cannot be read; the message says where and what is wanted.
    """
    rule = _read(given, readers, where)
    count = sum(1 for _ in asked(rule))
    if count > MOST_CONDITIONS:
        raise InputError(
            f"{where} has {count} conditions, must have at most {MOST_CONDITIONS}; "
            "split it into several"
        )
    return rule


def asked(rule: Joined[C] | C) -> Iterator[C]:
    """Walk the conditions of a rule, from left to right."""
    if isinstance(rule, Joined):
        for part in rule.parts:
            yield from asked(part)
    else:
        yield rule


def holds(rule: Joined[C] | C, values: Mapping[str, Any]) -> bool:
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


def predicate(rule: Joined[C] | C, columns: Mapping[str, Value]) -> BooleanValue:
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


def _read(
    given: Any, readers: Mapping[str, Callable[[Mapping[str, Any], str], C]], where: str
) -> Joined[C] | C:
    if not isinstance(given, Mapping):
        raise InputError(f"{where} is {given!r}, must be an object such as {{'field': ...}}")
    known = (*_JOINS, *readers)
    words = [word for word in known if word in given]
    if len(words) != 1:
        found = " and ".join(words) or "none"
        raise InputError(
            f"{where} has {found} of {', '.join(known[:-1])} and {known[-1]}; "
            f"give exactly one{'' if words else near(next(iter(given), ''), known)}"
        )
    [word] = words
    if word in readers:
        return readers[word](given, where)
    if set(given) != {word}:
        raise InputError(f"{where} has more than {word}; put the conditions inside it")
    listed = [given[word]] if word == "not" else given[word]
    if not isinstance(listed, list) or not listed:
        raise InputError(f"{where}.{word} is {listed!r}, must be a list of conditions")
    if where.count(".") > 10:
        raise InputError(f"{where} is too deep; say it with fewer levels")
    parts = [_read(part, readers, f"{where}.{word}[{n}]") for n, part in enumerate(listed)]
    return Joined(word, tuple(parts))


def near(name: Any, known: Collection[str]) -> str:
    """Say which known names are spelt nearly like one that is not known.

    Returns:
        Words to end a message with; "" when none is near.

    Example:
        >>> near("oders", ["orders", "city"])
        '; did you mean orders?'
    """
    found = get_close_matches(str(name), sorted(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def read_sign(given: Mapping[str, Any], *, is_number: bool, where: str) -> tuple[str, Any]:
    """Read how a condition compares, and with what.

    Args:
        given: The condition: `is` and, but for exists and missing, `value`.
        is_number: True when its value is a number, not a text.
        where: Place within the definition, for messages.

    Returns:
        The sign and the value; the value is None for exists and missing.

    Raises:
        InputError: The comparison does not go with the kind of value.
    """
    sign = given.get("is")
    if sign not in SIGNS:
        raise InputError(f"{where}.is is {sign!r}, must be one of: {' '.join(SIGNS)}")
    if not is_number and sign in ORDERED:
        raise InputError(f"{where}.is is {sign!r}, but the value is a text; use =, != or in")
    return sign, None if sign in UNARY else _wanted(given.get("value"), sign, is_number, where)


def read_asks(given: Mapping[str, Any], where: str) -> Asks:
    """Read a condition on a field of profiles, or on the number of events of a name.

    Returns:
        The condition.

    Raises:
        InputError: It cannot be used; the message says where and what is wanted.
    """
    sign = given.get("is")
    if sign not in SIGNS:
        raise InputError(f"{where}.is is {sign!r}, must be one of: {' '.join(SIGNS)}")
    allowed = {"is", "field"} if "field" in given else {"is", "event", "days"}
    allowed |= set() if sign in UNARY else {"value"}
    odd = sorted(set(given) ^ allowed)
    if odd:
        raise InputError(f"{where} must have exactly {', '.join(sorted(allowed))}; mind {odd[0]}")
    if "event" in given:
        name, days = read_name(given["event"], f"{where}.event"), given["days"]
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
            raise InputError(f"{where}.days is {days!r}, must be from 1 to {MOST_DAYS}")
        if sign in UNARY:
            raise InputError(f"{where}.is is {sign!r}; compare a count with a number")
        return Asks("", name, days, sign, _wanted(given["value"], sign, True, where))
    name = given["field"]
    if name not in FIELDS:
        raise InputError(
            f"{where}.field is {name!r}{near(name, FIELDS)}; known: {', '.join(sorted(FIELDS))}"
        )
    is_number = FIELDS[name]
    if not is_number and sign in ORDERED:
        raise InputError(f"{where}.is is {sign!r}, but {name} is a text; use =, != or in")
    value = None if sign in UNARY else _wanted(given["value"], sign, is_number, where)
    return Asks(name, "", 0, sign, value)


def read_name(given: Any, where: str) -> str:
    """Read the name of an event, a tag...

    Returns:
        The name.

    Raises:
        InputError: It is no text, or an empty one.
    """
    if not isinstance(given, str) or not given.strip():
        raise InputError(f"{where} is {given!r}, must be a name")
    return given


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
