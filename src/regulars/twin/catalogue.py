"""What the twin's shops sell, what they offer, and through which channels they may speak."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.twin.households import DEPARTMENTS, Households

Floats = NDArray[np.float64]

CHANNELS = ("sms", "app", "letter")
"""Channels by their part in the figures; a skin names the third one."""
OFFERS = ("news", "percent", "money", "brand")
"""Offers by their part in the figures; the order of every array over offers."""


@dataclass(frozen=True)
class Offer:
    """One offer of the twin's catalogue; money in the skin's currency.

    Attributes:
        offer_id: Id in offers.csv.
        name: How marketers call it.
        family: Offers that work alike.
        share: Share taken off one order, or off its own brands.
        amount: Money taken off one order.
        least: Smallest order it is good for.
        own_brands: True when the share is taken off own brands only.
        planned_cost: What finance sets aside per contact.
        margin_floor: Least share of an order left as margin.
    """

    offer_id: str
    name: str
    family: str
    share: float
    amount: float
    least: float
    own_brands: bool
    planned_cost: float
    margin_floor: float


@dataclass(frozen=True)
class Catalogue:
    """Offers, channels and products of one twin.

    Attributes:
        offers: In the order of `OFFERS`.
        channels: Names of the channels, in the order of `CHANNELS`.
        channel_costs: Cost of one contact, shape (channels,).
        margin: Margin over sales by department, shape (departments,).
        categories: Cumulative sales of a department's categories, shape
            (departments, CATEGORIES_EACH).
        unit_price: Price of one unit.
        usual_order: Money of a middling order; larger ones have more lines.
    """

    offers: tuple[Offer, ...]
    channels: tuple[str, ...]
    channel_costs: Floats
    margin: Floats
    categories: Floats
    unit_price: float
    usual_order: float

    @property
    def costs(self) -> Floats:
        """What a contact takes from the budget, shape (offers, channels)."""
        planned = np.array([offer.planned_cost for offer in self.offers])
        return np.asarray(planned[:, None] + self.channel_costs[None, :])


def catalogue(
    values: Mapping[str, float],
    *,
    scale: float,
    channels: tuple[str, ...],
    offer_names: tuple[str, ...],
    households: Households,
) -> Catalogue:
    """Put the catalogue together.

    Args:
        values: Figures of the world.
        scale: Money of the skin per dollar of the figures.
        channels: Names of the channels.
        offer_names: Names of the offers as formats, in the order of `OFFERS`.
        households: Habits, for the categories.

    Returns:
        The catalogue, its money in the skin's currency.
    """
    floor = values["plan.floor"]
    money, least = values["offer.money"] * scale, values["offer.money.least"] * scale
    percent, brand = values["offer.percent"], values["offer.brand"]
    said = {
        "money": money, "least": least, "percent": percent, "brand": brand,
        "percent_left": 10 * (1 - percent), "brand_left": 10 * (1 - brand),
    }  # fmt: skip
    named = [form.format(**said) for form in offer_names]
    planned = {offer: round(values[f"plan.{offer}"] * scale, 2) for offer in OFFERS}
    return Catalogue(
        offers=(
            Offer("news", named[0], "news", 0, 0, 0, False, planned["news"], floor),
            Offer(
                f"percent_{percent * 100:.0f}", named[1], "percent_off",
                percent, 0, 0, False, planned["percent"], floor,
            ),
            Offer(
                f"money_{money:.0f}", named[2], "money_off",
                0, money, least, False, planned["money"], floor,
            ),
            Offer(
                f"own_brand_{brand * 100:.0f}", named[3], "own_brand",
                brand, 0, 0, True, planned["brand"], floor,
            ),
        ),
        channels=channels,
        channel_costs=np.array([round(values[f"cost.{name}"] * scale, 2) for name in CHANNELS]),
        margin=np.array([values[f"margin.{name.replace(' ', '_')}"] for name in DEPARTMENTS]),
        categories=np.cumsum(households.category_shares, axis=1),
        unit_price=values["margin.unit_price"] * scale,
        usual_order=float(np.median(households.basket)) * scale,
    )  # fmt: skip


def products(book: Catalogue, households: Households) -> dict[str, list[object]]:
    """List the products: a national and an own brand in each real category.

    Args:
        book: The catalogue.
        households: Habits, for the names of the categories.

    Returns:
        Columns of the fact `products`; row (department x CATEGORIES_EACH + category) x 2 + own
        brand, which is how lines name a product.
    """
    rows = [
        (department, category, place, kind)
        for department in range(len(DEPARTMENTS))
        for place, category in enumerate(households.categories[department])
        for kind in (False, True)
    ]
    return {
        "product_id": [f"P{index:04d}" for index in range(len(rows))],
        "name": [
            f"{'Our own ' if own else ''}{category.capitalize()}" for _, category, _, own in rows
        ],
        "brand": ["Private" if own else "National" for *_, own in rows],
        "is_private_label": [own for *_, own in rows],
        "department": [DEPARTMENTS[department] for department, *_ in rows],
        "category": [category for _, category, *_ in rows],
        "product_type": [f"{category} {place + 1}" for _, category, place, _ in rows],
        "unit_cost": [
            round(book.unit_price * (1 - book.margin[department]), 2) for department, *_ in rows
        ],
    }
