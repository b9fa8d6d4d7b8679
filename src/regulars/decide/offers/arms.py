"""Arms: what may be put before a customer, through which channel, at what cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError


@dataclass(frozen=True)
class Arm:
    """One offer through one channel: an action a decision may take.

    Attributes:
        offer_id: The offer.
        channel: The channel.
        contact_cost: Cost of one contact.
        planned_cost: What finance sets aside for the offer per contact.
        discount_share: Share taken off an order, 0 to 1.
        discount_amount: Money taken off an order.
        min_order: Smallest order it is good for.
        margin_floor: Least share of an order's value that must stay as margin.
        stock: Contacts the offer may still be given; None for unlimited.
    """

    offer_id: str
    channel: str
    contact_cost: Decimal
    planned_cost: Decimal
    discount_share: float = 0.0
    discount_amount: float = 0.0
    min_order: float = 0.0
    margin_floor: float = 0.0
    stock: int | None = None

    @property
    def name(self) -> str:
        """Offer and channel in one word."""
        return f"{self.offer_id}:{self.channel}"

    @property
    def cost(self) -> Decimal:
        """What a contact takes from the budget: contact cost and planned offer cost."""
        return self.contact_cost + self.planned_cost


def arms_on(
    offers: Sequence[Mapping[str, Any]], channel_costs: Mapping[str, Decimal], *, day: date | None
) -> list[Arm]:
    """List the actions there are on a day.

    Args:
        offers: Rows of the table `offers`.
        channel_costs: Cost of one contact by channel the workspace has.
        day: The day contacts would go out; None for every offer there ever was.

    Returns:
        One arm per offer and channel, ordered by offer, then channel; empty when no offer
        runs on the day.

    Raises:
        InputError: An offer names a channel the workspace does not have, or costs nothing
            and the channel costs nothing either.
    """
    arms = []
    for offer in sorted(offers, key=lambda row: str(row["offer_id"])):
        begins, ends = offer.get("starts_on"), offer.get("ends_on")
        if day and ((begins and day < begins) or (ends and day > ends)):
            continue
        named = (offer.get("channels") or "").split()
        unknown = sorted(set(named) - set(channel_costs))
        if unknown:
            raise InputError(
                f"offer {offer['offer_id']} uses channel {unknown[0]!r}, which regulars.toml does "
                f"not have; known: {', '.join(sorted(channel_costs))}; add [channels.{unknown[0]}]"
            )
        arms += [
            _arm(offer, channel, channel_costs[channel])
            for channel in sorted(named or channel_costs)
        ]
    return arms


def _arm(offer: Mapping[str, Any], channel: str, contact_cost: Decimal) -> Arm:
    arm = Arm(
        offer_id=str(offer["offer_id"]),
        channel=channel,
        contact_cost=contact_cost,
        planned_cost=offer["planned_cost"],
        discount_share=float(offer.get("discount_share") or 0),
        discount_amount=float(offer.get("discount_amount") or 0),
        min_order=float(offer.get("min_order") or 0),
        margin_floor=float(offer["margin_floor"]),
        stock=offer.get("stock"),
    )
    if arm.cost <= 0:
        raise InputError(
            f"offer {arm.offer_id} by {channel} costs {arm.cost}, must cost something; set "
            f"planned_cost in offers.csv or channels.{channel}.cost in regulars.toml"
        )
    return arm


def keeps_margin_floor(
    arms: Sequence[Arm], basket: NDArray[np.float64], margin_rate: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say which offers leave enough margin on a customer's usual order.

    Args:
        arms: The actions, in order.
        basket: Money the customer usually pays per order, > 0; shape (customers,).
        margin_rate: Margin over sales of the customer's purchases; shape (customers,).

    Returns:
        True where margin after the discount, over the order's value, is at least the
        floor; shape (customers, arms).

    Example:
        >>> arm = Arm("ten", "sms", Decimal("0.05"), Decimal("1"), 0.1, margin_floor=0.05)
        >>> keeps_margin_floor([arm], np.array([50.0, 50.0]), np.array([0.25, 0.12])).tolist()
        [[True], [False]]
    """
    kept = np.empty((len(basket), len(arms)), dtype=bool)
    for index, arm in enumerate(arms):
        order = np.maximum(basket, arm.min_order)
        discount = arm.discount_share * order + arm.discount_amount
        kept[:, index] = (margin_rate * order - discount) / order >= arm.margin_floor - 1e-9
    return kept
