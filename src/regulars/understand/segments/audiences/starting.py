"""Where audiences begin: five consumer types told from choices, and the value x activity grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from regulars.errors import NotReady, UnknownName

OFTEN, SELDOM = 0.75, 0.25
VALUES = ("high", "middle", "low")
ACTIVITIES = ("active", "cooling", "sleeping")


@dataclass(frozen=True)
class Edge:
    """One condition whose number is a quantile of the customers there are.

    Attributes:
        field: A share or count of choices in profiles.
        sign: ">=" or "<=".
        share: Which quantile, 0 to 1.
    """

    field: str
    sign: str
    share: float


@dataclass(frozen=True)
class BuyingType:
    """One psychographic type: what customers of it choose, never what they are said to be like.

    Attributes:
        key: Its name in commands and addresses.
        edges: Conditions that hold together.
        says: How it is told from choices.
    """

    key: str
    edges: tuple[Edge, ...]
    says: str


BUYING_TYPES = {
    one.key: one
    for one in (
        BuyingType(
            "deal_seeker",
            (Edge("deal_seeking", ">=", OFTEN),),
            "The quarter who buy the largest share of their sales at a discount.",
        ),
        BuyingType(
            "novelty_seeker",
            (Edge("novelty_seeking", ">=", OFTEN),),
            "The quarter whose purchases are most often of a product they never bought before.",
        ),
        BuyingType(
            "brand_loyal",
            (Edge("brand_loyalty", ">=", OFTEN),),
            "The quarter whose spend is concentrated most on few brands.",
        ),
        BuyingType(
            "deliberate",
            (Edge("deliberation", ">=", OFTEN),),
            "The quarter who look at most products for each order they make online.",
        ),
        BuyingType(
            "habitual",
            (Edge("novelty_seeking", "<=", SELDOM), Edge("store_loyalty", ">=", 0.5)),
            "The quarter who least often buy a new product, where they keep to one store more than "
            "most.",
        ),
    )
}
"""Types may overlap; whoever made fewer than five choices of a kind is in none told from it."""

STARTS = (
    *BUYING_TYPES,
    *(f"grid:{value}-{activity}" for value in VALUES for activity in ACTIVITIES),
)
"""Every starting point there is."""


def start(key: str, quantile: Callable[[str, float], float | None]) -> Mapping[str, Any]:
    """Give the rule a starting point begins with.

    Args:
        key: One of `STARTS`.
        quantile: Gives the value of a field that a share of the customers there are lie below;
            None when none has one.

    Returns:
        The rule as JSON; numbers are rounded to two decimals and stand in it to be changed.

    Raises:
        UnknownName: There is no such starting point.
        NotReady: No customer has made choices enough yet.

    Source:
        Ours: shares of choices made (`unify/profiles/declared/leanings.py`), with the quarters of
        the retailer's own customers as borders, because no border of a share means the same in a
        grocery and in a fashion shop.

    Example:
        >>> start("grid:high-cooling", lambda field, share: None)["value"]
        'high-cooling'
        >>> start("deal_seeker", lambda field, share: 0.4189)
        {'field': 'deal_seeking', 'is': '>=', 'value': 0.42}
    """
    if key not in STARTS:
        raise UnknownName("starting point", key, STARTS)
    kind, _, cell = key.partition(":")
    if kind == "grid":
        return {"score": "customer_values.grid_cell", "is": "=", "value": cell}
    parts = [_condition(edge, quantile) for edge in BUYING_TYPES[key].edges]
    return parts[0] if len(parts) == 1 else {"all": parts}


def _condition(edge: Edge, quantile: Callable[[str, float], float | None]) -> dict[str, Any]:
    value = quantile(edge.field, edge.share)
    if value is None:
        raise NotReady(
            f"no customer has {edge.field} yet; import orders and run a turn: regulars run"
        )
    return {"field": edge.field, "is": edge.sign, "value": round(value, 2)}
