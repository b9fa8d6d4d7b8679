"""Conditions as rows: what an event said, and whom a branch or an entry is about."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from regulars.errors import InputError
from regulars.serve.console.pages.journeys.rows.tree import Row
from regulars.serve.console.pages.tags.tag_draft import number_of, typed, value_of
from regulars.unify.tags.rules import FIELDS, ORDERED, SIGNS, UNARY

NAMED = ("tag", "segment", "audience")
HAPPENED, SAID, WRITTEN = "happened", "said", "text"
"""What a row may ask besides a field: a count of events, what the event said, a rule as text."""


def said_rows(given: Any) -> list[Row]:
    """Give conditions on the properties of an event as rows.

    Returns:
        One row per condition.

    Example:
        >>> said_rows({"shop": "a"})
        [{'property': 'shop', 'sign': '=', 'value': 'a'}]
    """
    if isinstance(given, Mapping) and not set(given) & {"property", "is"}:
        given = [{"property": name, "value": value} for name, value in given.items()]
    listed = [given] if isinstance(given, Mapping) else given or []
    return [
        {
            "property": one.get("property", ""),
            "sign": one.get("is", "="),
            "value": _shown(one.get("value", ""), one.get("is", "=")),
        }
        for one in listed
    ]


def said_of(rows: Sequence[Row]) -> Any:
    """Read conditions on the properties of an event; rows without a property are left out.

    Returns:
        What the file says; property by value where all are to be equal.

    Example:
        >>> said_of([{"property": "total", "sign": ">=", "value": "100"}, {"property": ""}])
        [{'property': 'total', 'is': '>=', 'value': 100}]
        >>> said_of([{"property": "shop", "sign": "=", "value": "a"}])
        {'shop': 'a'}
    """
    told = [_said(row) for row in rows if str(row.get("property", "")).strip()]
    names = {one["property"] for one in told}
    if all(one["is"] == "=" for one in told) and len(names) == len(told):
        plain = {one["property"]: one["value"] for one in told}
        return plain if not set(plain) & {"property", "is"} else told
    return told


def asked_rows(given: Mapping[str, Any]) -> list[Row]:
    """Give whom a branch or an entry is about as rows.

    Args:
        given: A `when` of a branch, or an audience; a rule stands under profile or rule.

    Returns:
        One row per condition; a rule that rows cannot say is one row of text.

    Example:
        >>> asked_rows({"profile": {"field": "orders", "is": ">=", "value": 1}})
        [{'what': 'field:orders', 'sign': '>=', 'value': '1'}]
    """
    rows: list[Row] = [{"what": kind, "name": given[kind]} for kind in NAMED if kind in given]
    inner = given.get("audience")
    if isinstance(inner, Mapping):
        rows = [row for row in rows if row["what"] != "audience"] + asked_rows(inner)
    rule = given.get("profile", given.get("rule"))
    if rule:
        rows += _rule_rows(rule)
    return rows + [row | {"what": SAID} for row in said_rows(given.get("event"))]


def asked_of(rows: Sequence[Row], where: str, *, rule: str) -> dict[str, Any]:
    """Read whom a branch or an entry is about.

    Args:
        rows: The rows; those that ask nothing yet are left out.
        where: What it is, for messages.
        rule: Name under which conditions on profiles stand: profile or rule.

    Returns:
        What the file says; empty for nothing.

    Raises:
        InputError: Two rows name a group of one kind, or a rule is not readable.

    Example:
        >>> asked_of([{"what": "tag", "name": "vip"}], "case 1", rule="profile")
        {'tag': 'vip'}
    """
    told: dict[str, Any] = {}
    conditions: list[Any] = []
    for row in rows:
        kind, _, field = str(row.get("what", "")).partition(":")
        if kind in NAMED and row.get("name"):
            if kind in told:
                raise InputError(f"{where} names two of kind {kind}; save an audience of both")
            told[kind] = row["name"]
        elif kind == "field":
            conditions.append({"field": field} | _compared(row, is_number=FIELDS.get(field, True)))
        elif kind == HAPPENED and str(row.get("event", "")).strip():
            days = number_of(str(row.get("days", "30")))
            counted = {"event": row["event"].strip(), "days": days}
            conditions.append(counted | _compared(row, is_number=True))
        elif kind == WRITTEN:
            conditions.append(_written(row.get("value", ""), where))
    said = said_of([row for row in rows if row.get("what") == SAID])
    if conditions:
        told[rule] = conditions[0] if len(conditions) == 1 else {"all": conditions}
    return told | ({"event": said} if said else {})


def signs_of(row: Row) -> tuple[str, ...]:
    """Give the comparisons a row allows."""
    kind, _, field = str(row.get("what", "")).partition(":")
    if kind == HAPPENED:
        return tuple(sign for sign in SIGNS if sign not in UNARY)
    if kind == "field" and not FIELDS.get(field, True):
        return tuple(sign for sign in SIGNS if sign not in ORDERED)
    return SIGNS


def _rule_rows(rule: Any) -> list[Row]:
    listed = rule.get("all") if isinstance(rule, Mapping) else None
    found = [_rule_row(one) for one in (listed if isinstance(listed, list) else [rule])]
    if all(found):
        return [row for row in found if row]
    return [{"what": WRITTEN, "value": json.dumps(rule, ensure_ascii=False)}]


def _rule_row(one: Any) -> Row | None:
    if not isinstance(one, Mapping):
        return None
    sign = one.get("is", ">=" if "event" in one else "=")
    compared = {"sign": sign, "value": _shown(one.get("value", ""), sign)}
    if "field" in one:
        return {"what": f"field:{one['field']}"} | compared
    if "event" in one and "days" in one:
        told = {"what": HAPPENED, "event": one["event"], "days": str(one["days"])}
        return told | compared
    return None


def _said(row: Row) -> dict[str, Any]:
    sign = row.get("sign", "=")
    told: dict[str, Any] = {"property": row["property"].strip(), "is": sign}
    if sign in UNARY:
        return told
    text = str(row.get("value", ""))
    if sign in {"in", "between"}:
        parts = value_of(text, sign, is_number=False)
        return told | {"value": [_plain(part, sign) for part in parts]}
    return told | {"value": _plain(text, sign)}


def _plain(text: str, sign: str) -> Any:
    """A text, or a number or truth value where it is written as one; quotes keep it a text."""
    text = text.strip()
    if sign not in ORDERED and len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    is_number = text.lstrip("-").replace(".", "", 1).isdecimal()
    return number_of(text) if is_number and (text[0] != "0" or text == "0" or "." in text) else text


def _shown(value: Any, sign: str) -> str:
    """Write a value so that it is read back as what it is."""
    if isinstance(value, list):
        return ", ".join(_shown(one, sign) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = typed(value)
    return f'"{text}"' if isinstance(value, str) and _plain(text, sign) != value else text


def _compared(row: Row, *, is_number: bool) -> dict[str, Any]:
    allowed = signs_of(row)
    sign = row.get("sign", "") if row.get("sign", "") in allowed else allowed[0]
    if sign in UNARY:
        return {"is": sign}
    return {"is": sign, "value": value_of(str(row.get("value", "")), sign, is_number=is_number)}


def _written(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{where}: the rule is not readable as JSON: {error}") from error
