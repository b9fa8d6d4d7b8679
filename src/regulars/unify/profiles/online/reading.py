"""What the store holds of one customer's nodes, as the daily aggregates that folds grow from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regulars.unify.profiles.declared.visits import COUNTED, visits_of

Rows = Sequence[tuple[Any, ...]]


def daily_rows(found: Mapping[str, Rows]) -> dict[str, list[dict[str, Any]]]:
    """Join the days of all nodes of one customer, and derive what follows from a whole day.

    Args:
        found: Rows of all nodes, in any order: activity (day, hours), events (day, name,
            events), orders (day, hour, store, paid, coupon), contacts (day, contacts, engaged),
            lines (day, product, category, brand, is_private_label, sales, discounts, cost).

    Returns:
        Rows by daily table, in order of day, as `state_of_days` takes them.
    """
    orders = sorted(found["orders"], key=lambda row: row[0])
    lines = _lines(found["lines"])
    return {
        "event_days": _event_days(found["activity"], found["events"]),
        "order_days": _order_days(orders),
        "store_days": _keys((day, store) for day, _, store, _, _ in orders if store is not None),
        "hour_days": _keys((day, hour) for day, hour, _, _, _ in orders if hour is not None),
        "line_days": lines,
        "product_days": [row | {"purchases": 1} for row in _first_of_day(lines)],
        "brand_days": [row | {"key": row["brand"]} for row in lines if row["brand"] is not None],
        "contact_days": [
            {"day": day, "contacts": contacts, "engaged": engaged}
            for day, contacts, engaged in sorted(found["contacts"])
        ],
    }


def survivors(rows: Rows) -> dict[str, str]:
    """Give what survives of what all nodes were told, by static tag.

    Args:
        rows: tag, said, rank, version.

    Returns:
        Text of the greatest rank, then version, by tag.
    """
    best: dict[str, tuple[int, str, str]] = {}
    for tag, said, rank, version in rows:
        new = rank, version, said
        best[tag] = max(best.get(tag, new), new)
    return {tag: said for tag, (_rank, _version, said) in best.items()}


def _event_days(activity: Rows, events: Rows) -> list[dict[str, Any]]:
    hours: dict[int, int] = {}
    for day, bits in activity:
        hours[day] = hours.get(day, 0) | bits
    nothing = dict.fromkeys(COUNTED.values(), 0)
    days = {
        day: {"day": day, "active": 1, "visits": visits_of(bits), **nothing}
        for day, bits in sorted(hours.items())
    }
    for day, name, count in events:
        column = COUNTED.get(name)
        if column and day in days:
            days[day][column] += count
    for found in days.values():
        found["abandoned"] = int(found["cart_adds"] > 0 and found["online_orders"] == 0)
    return list(days.values())


def _order_days(orders: Rows) -> list[dict[str, Any]]:
    days: dict[int, dict[str, Any]] = {}
    for day, _hour, _store, paid, coupon in orders:
        found = days.setdefault(
            day, {"day": day, "order_day": 1, "orders": 0, "paid": 0, "coupon_orders": 0}
        )
        found["orders"] += 1
        found["paid"] += paid
        found["coupon_orders"] += coupon
    for day, found in days.items():
        found["weekend_orders"] = found["orders"] if (day + 3) % 7 >= 5 else 0
    return list(days.values())


def _keys(pairs: Iterable[tuple[int, Any]]) -> list[dict[str, Any]]:
    counted = Counter(pairs)
    return [{"day": day, "key": key, "orders": count} for (day, key), count in counted.items()]


def _lines(rows: Rows) -> list[dict[str, Any]]:
    return [
        {
            "day": day,
            "product": product,
            "key": category,
            "brand": brand,
            "lines": 1,
            "sales": sales,
            "discounts": discounts,
            "discounted_sales": sales if discounts > 0 else 0,
            "labelled_sales": 0 if is_private is None else sales,
            "private_sales": sales if is_private else 0,
            "costed_sales": 0 if cost is None else sales,
            "cost": cost or 0,
        }
        for day, product, category, brand, is_private, sales, discounts, cost in sorted(
            rows, key=lambda row: row[:2]
        )
    ]


def _first_of_day(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each product once a day, however many lines it had."""
    return list({(line["day"], line["product"]): line for line in lines}.values())
