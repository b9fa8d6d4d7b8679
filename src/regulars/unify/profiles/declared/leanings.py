"""Leanings: what a customer's choices say of how they choose; the third layer of a profile.

A leaning is a share of choices made, never a guess at character, and says nothing before there
are choices enough.
"""

import numpy as np

from regulars.unify.profiles.declared.folds import Fold, distinct, total
from regulars.unify.profiles.declared.parts import Indicator, Numbers, Parts, per_customer, ratio

LEAST_CHOICES = 5

LEANING_FOLDS: tuple[Fold, ...] = (
    total("lines", "line_days", "lines"),
    total("discounted_sales", "line_days", "discounted_sales"),
    distinct("products_bought", "product_days", "product"),
    total("product_purchases", "product_days", "purchases"),
    total("product_views", "event_days", "product_views"),
    total("online_orders", "event_days", "online_orders"),
)
KEYED_LEANING_FOLDS: tuple[Fold, ...] = (total("brands", "brand_days", "sales"),)


def said(parts: Parts, values: Numbers, choices: str) -> Numbers:
    """Keep a leaning only where there are choices enough to read it from."""
    return np.where(parts[choices] >= LEAST_CHOICES, values, np.nan)


def brand_loyalty(parts: Parts) -> Numbers:
    """Concentration of spend on brands: 1 when all goes to one.

    Args:
        parts: What the folds gave.

    Returns:
        Sum of squared shares, above 0 to 1; nan before enough is bought.

    Source:
        Herfindahl's index of concentration (Rhoades 1993), over the brands of one customer.
    """
    keyed = parts.keyed["brands"]
    spend = keyed.amount.astype(np.float64)
    whole = per_customer(keyed, spend, len(parts.joined_day))
    squares = per_customer(keyed, spend * spend, len(parts.joined_day))
    return said(parts, ratio(squares, whole * whole), "lines")


LEANINGS: tuple[Indicator, ...] = (
    Indicator(
        "deal_seeking",
        lambda p: said(p, ratio(p["discounted_sales"], p["sales"]), "lines"),
    ),
    Indicator(
        "novelty_seeking",
        lambda p: said(p, ratio(p["products_bought"], p["product_purchases"]), "product_purchases"),
    ),
    Indicator("brand_loyalty", brand_loyalty),
    Indicator(
        "deliberation",
        lambda p: said(p, ratio(p["product_views"], p["online_orders"]), "product_views"),
    ),
)
FORMULAS = {
    "deal_seeking": "sales of discounted lines / sales",
    "novelty_seeking": "products bought for the first time / products bought, day by day",
    "brand_loyalty": "sum over brands of (sales of the brand / sales) squared",
    "deliberation": "products looked at / orders made, online",
}
