"""The order that counts among the versions messages told of it."""

from collections.abc import Mapping, Sequence
from typing import Any

_RANK = {"placed": 0, "updated": 1, "cancelled": 2}


def counting(versions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give the versions that say what was bought, but for those declared an error."""
    return [v for v in versions if not v["is_voided"] and v["status"] in _RANK]


def standing_order(versions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Choose what counts of one order; the rule of `current_orders` of collect/commerce.

    A version declared an error does not count. The newest by its own moment counts, whatever
    order messages arrived in; at the same moment a cancellation wins over an update over the
    placing. It was placed at the earliest moment any counting version says, and belongs to the
    customer with a login id any of them names.

    Args:
        versions: Bodies of one order's versions, each with version_id and is_voided.

    Returns:
        node, day, hour, store, paid, coupon (0 or 1) and lines; None when no version counts or
        the newest cancels it.

    Example:
        >>> body = {"node": "u1", "day": 9, "hour": 8, "store": None, "paid": 500, "lines": [],
        ...     "ordered_at": 1, "has_coupon": False, "is_voided": False}
        >>> placed = body | {"version_id": "a", "status": "placed", "changed_at": 1}
        >>> standing_order([placed])["paid"]
        500
        >>> cancelled = body | {"version_id": "b", "status": "cancelled", "changed_at": 2}
        >>> standing_order([placed, cancelled]) is None
        True
    """
    told = counting(versions)
    bought = [v for v in told if v["status"] != "cancelled"]
    if not bought:
        return None
    newest = max(told, key=lambda v: (v["changed_at"], _RANK[v["status"]], v["version_id"]))
    if newest["status"] == "cancelled":
        return None
    logins = [v["node"] for v in bought if not v["node"].startswith("c_")]
    first = min(bought, key=lambda v: v["ordered_at"])
    lines = newest["lines"]
    return {
        "node": min(logins) if logins else newest["node"],
        "day": min(v["day"] for v in bought),
        "hour": first["hour"],
        "store": newest["store"],
        "paid": newest["paid"] or 0,
        "coupon": int(newest["has_coupon"] or any(line["coupon"] > 0 for line in lines)),
        "lines": lines,
    }
