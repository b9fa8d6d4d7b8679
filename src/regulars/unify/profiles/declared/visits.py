"""What customers do between orders: visits, views, searches and carts, from events."""

import numpy as np

from regulars.unify.profiles.declared.folds import Fold, last_day, total, window
from regulars.unify.profiles.declared.parts import Indicator, Numbers, Parts, ratio

COUNTED = {
    "$page": "pages",
    "$screen": "screens",
    "Product Viewed": "product_views",
    "Products Searched": "searches",
    "Product Added": "cart_adds",
    "Checkout Started": "checkouts",
    "Product Added to Wishlist": "wishes",
    "Order Completed": "online_orders",
}
"""Column of `event_days` by event name (Segment e-commerce spec); `$` marks a type."""
ACTIVE_TYPES = ("track", "page", "screen")
"""Types of events that show somebody was there; the others are told about people."""

VISIT_FOLDS: tuple[Fold, ...] = (
    last_day("last_visit", "event_days"),
    total("active_days", "event_days", "active"),
    window("active_days_28d", "event_days", "active", 0, 28),
    window("visits_7d", "event_days", "visits", 0, 7),
    window("visits_30d", "event_days", "visits", 0, 30),
    window("pages_30d", "event_days", "pages", 0, 30),
    window("screens_30d", "event_days", "screens", 0, 30),
    window("product_views_30d", "event_days", "product_views", 0, 30),
    window("searches_30d", "event_days", "searches", 0, 30),
    window("cart_adds_30d", "event_days", "cart_adds", 0, 30),
    window("abandoned_30d", "event_days", "abandoned", 0, 30),
    window("checkouts_30d", "event_days", "checkouts", 0, 30),
    window("wishes_90d", "event_days", "wishes", 0, 90),
    total("pages", "event_days", "pages"),
    total("screens", "event_days", "screens"),
)


def visits_of(hours: int) -> int:
    """Count the visits of one day.

    Args:
        hours: The local hours in which something was done, as bits: 1 for hour 0, 2 for 1...

    Returns:
        Stretches of hours with something done and none left out between.

    Source:
        Ours, because sessions of clients end where their time-outs say; hours of several
        devices join by a bitwise or, in any order, and give the same visits.

    Example:
        >>> visits_of(0b1), visits_of(0b110), visits_of(1 << 9 | 1 << 10 | 1 << 20)
        (1, 1, 2)
    """
    return (hours & ~(hours << 1)).bit_count()


def last_visit_days(parts: Parts) -> Numbers:
    """Days since something was last done, online or at a till that sends events."""
    return np.where(parts["active_days"] > 0, parts.as_of - parts["last_visit"], np.nan)


VISITS: tuple[Indicator, ...] = (
    Indicator("visits_7d", lambda p: p["visits_7d"]),
    Indicator("visits_30d", lambda p: p["visits_30d"]),
    Indicator("active_days_28d", lambda p: p["active_days_28d"]),
    Indicator("last_visit_days", last_visit_days),
    Indicator("page_views_30d", lambda p: p["pages_30d"] + p["screens_30d"]),
    Indicator("product_views_30d", lambda p: p["product_views_30d"]),
    Indicator("searches_30d", lambda p: p["searches_30d"]),
    Indicator("cart_adds_30d", lambda p: p["cart_adds_30d"]),
    Indicator("carts_abandoned_30d", lambda p: p["abandoned_30d"]),
    Indicator("checkouts_30d", lambda p: p["checkouts_30d"]),
    Indicator("wishes_90d", lambda p: p["wishes_90d"]),
    Indicator("app_share", lambda p: ratio(p["screens"], p["pages"] + p["screens"])),
)
