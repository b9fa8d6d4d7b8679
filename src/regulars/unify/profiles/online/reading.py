"""What the store holds of one customer's nodes, as the daily aggregates that folds grow from."""

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.unify.profiles.declared.visits import COUNTED, visits_of

Rows = Sequence[Mapping[str, Any]]


def daily_rows(found: Mapping[str, Rows]) -> dict[str, list[dict[str, Any]]]:
    """Join the days of all nodes of one customer, and derive what follows from a whole day.

    Args:
        found: Rows in order of day: activity (one per node and day), events, orders, stores,
            hours, lines, contacts (one per day and key, nodes added up).

    Returns:
        Rows by daily table, in order of day, as `state_of_days` takes them.
    """
    lines = [dict(row) for row in found["lines"]]
    return {
        "event_days": _event_days(found["activity"], found["events"]),
        "order_days": [_order_day(row) for row in found["orders"]],
        "store_days": [dict(row) for row in found["stores"]],
        "hour_days": [dict(row) for row in found["hours"]],
        "line_days": lines,
        "product_days": [row | {"purchases": 1} for row in lines],
        "brand_days": [row | {"key": row["brand"]} for row in lines if row["brand"] is not None],
        "contact_days": [dict(row) for row in found["contacts"]],
    }


def survivors(rows: Rows) -> dict[str, str]:
    """Give what survives of what all nodes were told, by static tag.

    Args:
        rows: tag, said, rank, version.

    Returns:
        Text of the greatest rank, then version, by tag.
    """
    best: dict[str, tuple[int, str, str]] = {}
    for row in rows:
        new = row["rank"], row["version"], row["said"]
        best[row["tag"]] = max(best.get(row["tag"], new), new)
    return {tag: said for tag, (_rank, _version, said) in best.items()}


def _event_days(activity: Rows, events: Rows) -> list[dict[str, Any]]:
    hours: dict[int, int] = {}
    for row in activity:
        hours[row["day"]] = hours.get(row["day"], 0) | row["hours"]
    nothing = dict.fromkeys(COUNTED.values(), 0)
    days = {
        day: {"day": day, "active": 1, "visits": visits_of(bits), **nothing}
        for day, bits in sorted(hours.items())
    }
    for row in events:
        column = COUNTED.get(row["name"])
        if column and row["day"] in days:
            days[row["day"]][column] += row["events"]
    for found in days.values():
        found["abandoned"] = int(found["cart_adds"] > 0 and found["online_orders"] == 0)
    return list(days.values())


def _order_day(row: Mapping[str, Any]) -> dict[str, Any]:
    is_weekend = (row["day"] + 3) % 7 >= 5
    return {**row, "order_day": 1, "weekend_orders": row["orders"] if is_weekend else 0}
