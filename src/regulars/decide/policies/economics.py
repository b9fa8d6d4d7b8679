"""What an effect is worth to the retailer, with the parameters that adjust tunes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.decide.offers import Arm
from regulars.decide.policies.sampling import Economics

Floats = NDArray[np.float64]

OPT_OUT_BUCKETS = 3
_OPT_OUT_START = 0.002
_FUTURE_TURNS = 20.0


@dataclass(frozen=True)
class Tuned:
    """Parameters the loop has tuned so far.

    Attributes:
        spend_share: Share of the weekly budget that may be spent, 0 to 1.
        after_contact: Orders a contact causes after the window.
        after_effect: Later orders per order caused within the window.
        calibration: Factor from predicted to measured effects.
        opt_out: Opt-outs per contact by channel and contacts of the last 28 days, such as
            "sms.0"; a bucket never measured has 0.002.
    """

    spend_share: float = 1.0
    after_contact: float = 0.0
    after_effect: float = 0.0
    calibration: float = 1.0
    opt_out: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> "Tuned":
        """Read the rows of table `parameters`; what is missing has its default."""
        value = {row["name"]: float(row["value"]) for row in rows}
        known = {
            name: value[name]
            for name in ("spend_share", "after_contact", "after_effect", "calibration")
            if name in value
        }
        opt_out = {
            n.removeprefix("opt_out."): v for n, v in value.items() if n.startswith("opt_out.")
        }
        return cls(**known, opt_out=opt_out)


def customer_basket(basket: Floats, margin_rate: Floats) -> tuple[Floats, Floats]:
    """Give what a customer's order is usually worth.

    Args:
        basket: Money paid per order; nan for customers without orders; shape (customers,).
        margin_rate: Margin over sales; shape (customers,).

    Returns:
        Basket with the median in place of nan, and margin per order; both above 0 where
        the margin rate is.
    """
    middle = float(np.nanmedian(basket)) if np.isfinite(basket).any() else 1.0
    filled = np.maximum(np.where(np.isnan(basket), middle, basket), 0.01)
    return filled, filled * margin_rate


def economics(
    arms: Sequence[Arm],
    tuned: Tuned,
    *,
    worth: Floats,
    residual_value: Floats,
    contacts: Floats,
    effects: Floats,
) -> Economics:
    """Price contacts and effects.

    The fatigue price is the chance that the contact makes the customer opt out, times what
    the next 20 turns of contacts with an average customer are believed to bring, times the
    customer's expected residual value over the average: losing touch with a customer of whom
    much is still expected costs more.

    Args:
        arms: The actions, in order.
        tuned: Parameters tuned by adjust.
        worth: Margin per order, shape (customers,).
        residual_value: Margin expected of the customer, nan where unknown; (customers,).
        contacts: Contacts of the last 28 days, shape (customers,).
        effects: Believed effects in orders, shape (customers, arms).

    Returns:
        The economics that `sampling_policy` takes.
    """
    contact_cost = np.array([float(arm.contact_cost) for arm in arms])
    free = Economics(
        worth,
        contact_cost,
        np.array([float(arm.cost) for arm in arms]),
        np.zeros((len(worth), len(arms))),
        tuned.after_contact,
        tuned.after_effect,
        tuned.calibration,
    )
    if not arms:
        return free
    gain = float(np.maximum(free.values(effects).max(axis=1), 0.0).mean())
    bucket = np.clip(np.nan_to_num(contacts), 0, OPT_OUT_BUCKETS - 1).astype(int)
    rate = opt_out_rates(arms, tuned)
    return Economics(
        worth,
        contact_cost,
        free.budget_cost,
        rate[bucket] * (gain * _FUTURE_TURNS) * over_average(residual_value)[:, None],
        tuned.after_contact,
        tuned.after_effect,
        tuned.calibration,
    )


def opt_out_rates(arms: Sequence[Arm], tuned: Tuned) -> Floats:
    """Give opt-outs per contact by bucket of earlier contacts, shape (buckets, arms)."""
    return np.array([
        [tuned.opt_out.get(f"{arm.channel}.{b}", _OPT_OUT_START) for arm in arms]
        for b in range(OPT_OUT_BUCKETS)
    ])


def over_average(value: Floats) -> Floats:
    """Give each value over the mean of the known ones, from 0 to 5; 1 where unknown."""
    known = value[np.isfinite(value)]
    middle = float(known.mean()) if known.size else 0.0
    if middle <= 0:
        return np.ones_like(value)
    return np.asarray(np.clip(np.where(np.isfinite(value), value, middle) / middle, 0.0, 5.0))
