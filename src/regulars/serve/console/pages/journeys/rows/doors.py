"""What lets customers in, what takes them out, and the cases of a branch, as rows of the form."""

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.errors import InputError
from regulars.reach.journeys.definition.values import WEEKDAYS
from regulars.serve.console.pages.journeys.rows.conditions import (
    NAMED,
    asked_of,
    asked_rows,
    said_of,
    said_rows,
)
from regulars.serve.console.pages.journeys.rows.tree import Row

KINDS = ("event", "date", "audience", "schedule")
SIDES = ("before", "on", "after")
EVERY = ("day", "week", "month")


def entry_rows(given: Any) -> list[Row]:
    """Give what lets customers in as rows.

    Returns:
        One row per entry.

    Example:
        >>> entry_rows({"date": "birthday", "days_before": 7})[0]["side"]
        'before'
    """
    return [_entry_row(one) for one in _listed(given)]


def entries_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Read what lets customers in.

    Returns:
        What the file says.

    Raises:
        InputError: A row cannot be read.

    Example:
        >>> entries_of([{"kind": "event", "event": "Signed Up"}])
        [{'event': 'Signed Up'}]
    """
    return [_entry(row, f"way in {number}") for number, row in enumerate(rows, 1)]


def exit_rows(given: Any) -> list[Row]:
    """Give what takes customers out as rows."""
    return [
        {
            "event": one.get("event", ""),
            "w": said_rows(one.get("where")),
            "is_goal": "yes" if one.get("is_goal") else "",
        }
        for one in _listed(given)
    ]


def exits_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Read what takes customers out; rows without an event are left out.

    Returns:
        What the file says.

    Example:
        >>> exits_of([{"event": "Order Completed", "is_goal": "yes"}, {"event": ""}])
        [{'event': 'Order Completed', 'is_goal': True}]
    """
    found = []
    for row in rows:
        if row.get("event", "").strip():
            told = {"event": row["event"].strip()} | _where(row)
            found.append(told | ({"is_goal": True} if row.get("is_goal") == "yes" else {}))
    return found


def case_rows(given: Any) -> list[Row]:
    """Give the cases of a branch as rows."""
    return [
        {"name": one.get("name", f"case-{number}"), "q": asked_rows(one.get("when", {}))}
        for number, one in enumerate(_listed(given), 1)
    ]


def cases_of(rows: Sequence[Row], before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read the cases of a branch; one of a name there was leads where it led.

    Args:
        rows: The rows.
        before: The cases as they were.

    Returns:
        What the file says; a new case leads where the first one leads.

    Raises:
        InputError: A case asks nothing, or cannot be read.
    """
    known = {one.get("name", f"case-{n}"): one["next"] for n, one in enumerate(before, 1)}
    first = next(iter(known.values()), "")
    found = []
    for number, row in enumerate(rows, 1):
        name = row.get("name", "").strip() or f"case-{number}"
        when = asked_of(row.get("q", []), f"case {name}", rule="profile")
        if not when:
            raise InputError(f"case {name} asks nothing; choose what it is about, or drop it")
        found.append({"name": name, "when": when, "next": known.get(name, first)})
    return found


def _entry_row(given: Mapping[str, Any]) -> Row:
    kind = next((one for one in ("event", "date", "schedule") if one in given), "audience")
    schedule, audience = given.get("schedule", {}), given.get("audience", {})
    before, after = given.get("days_before", 0), given.get("days_after", 0)
    days = schedule.get("weekdays", [])
    row: Row = {
        "kind": kind,
        "event": given.get("event", ""),
        "w": said_rows(given.get("where")),
        "q": asked_rows(audience) if isinstance(audience, Mapping) else [],
        "field": given.get("date", ""),
        "side": "before" if before else "after" if after else "on",
        "days": str(before or after or ""),
        "at": given.get("at", schedule.get("at", "09:00")),
        "every": schedule.get("every", "day"),
        "on": {one: "yes" for one in ([days] if isinstance(days, str) else days)},
        "day": str(schedule.get("day", "1")),
    }
    return row | ({"start": given["start"]} if "start" in given else {})


def _entry(row: Row, where: str) -> dict[str, Any]:
    kind = row.get("kind", "event")
    begin = {"start": row["start"]} if row.get("start") else {}
    if kind == "event":
        return {"event": row.get("event", "").strip()} | _where(row) | begin
    audience = _audience(row, where)
    if kind == "audience":
        if not audience:
            raise InputError(f"{where} is by audience and names none; choose a group or conditions")
        return {"audience": audience} | begin
    at = row.get("at", "").strip() or "09:00"
    if kind == "date":
        told: dict[str, Any] = {"date": row.get("field", ""), "at": at}
        if row.get("side", "on") != "on":
            told[f"days_{row['side']}"] = _whole(row.get("days", ""), f"{where}: days")
        return told | ({"audience": audience} if audience else {}) | begin
    every = row.get("every", "day")
    when: dict[str, Any] = {"every": every, "at": at}
    if every == "week":
        on = row.get("on", {})
        when["weekdays"] = [day for day in WEEKDAYS if isinstance(on, dict) and on.get(day)]
    if every == "month":
        when["day"] = _whole(row.get("day", ""), f"{where}: day of the month")
    return {"schedule": when, "audience": audience or "everybody"} | begin


def _audience(row: Row, where: str) -> dict[str, Any]:
    told = asked_of(row.get("q", []), where, rule="rule")
    if len(told) > 1:
        raise InputError(
            f"{where} asks {' and '.join(sorted(told))}; give one of {', '.join(NAMED)}, or "
            "conditions on profiles alone, or save an audience that says all of it"
        )
    return told


def _where(row: Row) -> dict[str, Any]:
    said = said_of(row.get("w", []))
    return {"where": said} if said else {}


def _whole(text: str, where: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"{where} is {text!r}, must be a whole number") from error


def _listed(given: Any) -> list[Mapping[str, Any]]:
    return [given] if isinstance(given, Mapping) else list(given or [])
