"""Eligibility: which actions are open to a customer, and why the others are not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from regulars.decide.offers import Arm, keeps_margin_floor

Flags = NDArray[np.bool_]

HELD = "channel_held"
"""Reason code of a channel left alone because it broke, or because a person said so."""


class Standing(Protocol):
    """What the rules of contact say of the customers asked about, in their order.

    Attributes:
        channels: The channels asked about.
        reasons: Reason code per customer and channel, "" where a contact may go out.
        remaining: Contacts an offer may still be given, by offer with limited stock.
    """

    @property
    def channels(self) -> Sequence[str]:
        """The channels asked about."""

    @property
    def reasons(self) -> NDArray[np.str_]:
        """Reason codes, shape (customers, channels)."""

    @property
    def remaining(self) -> Mapping[str, int]:
        """Stock left by offer."""


def refusals(rules: Standing, held: Collection[str]) -> dict[str, NDArray[np.str_]]:
    """Say why each customer may not be contacted by each channel; one that is held, by nobody.

    Args:
        rules: What the rules of contact say.
        held: Channels left alone.

    Returns:
        Reason codes by channel, "" where a contact may go out; each of shape (customers,).
    """
    found = {}
    for column, name in enumerate(rules.channels):
        reasons = rules.reasons[:, column]
        found[name] = np.where(reasons == "", HELD, reasons) if name in held else reasons
    return found


@dataclass(frozen=True)
class Eligibility:
    """What is open to whom.

    Attributes:
        allowed: True where the action may be taken; shape (customers, arms).
        reason: Why nothing is open, "" where something is; shape (customers,).
        ruled_out: Actions ruled out by reason, each of shape (customers, arms).
    """

    allowed: Flags
    reason: NDArray[np.str_]
    ruled_out: Mapping[str, Flags]


def eligibility(
    arms: Sequence[Arm],
    refusals_by_channel: Mapping[str, NDArray[np.str_]],
    *,
    basket: NDArray[np.float64],
    margin_rate: NDArray[np.float64],
    global_holdout: Flags,
) -> Eligibility:
    """Judge every action for every customer, before any value is looked at.

    Args:
        arms: The actions, in order.
        refusals_by_channel: Reason code the rules of contact give per customer, "" where
            they allow it; each of shape (customers,).
        basket: Money usually paid per order; shape (customers,).
        margin_rate: Margin over sales; shape (customers,).
        global_holdout: Who belongs to the programme's control group; shape (customers,).

    Returns:
        The verdicts. The reason of a customer with nothing open is the global holdout
        first, then the refusal that rules out most actions; no_offer when no offer runs.

    Example:
        >>> from decimal import Decimal
        >>> arm = Arm("news", "sms", Decimal("0.05"), Decimal("0"))
        >>> one = np.ones(2)
        >>> eligibility([arm], {"sms": np.array(["", "no_consent"])}, basket=one,
        ...     margin_rate=one, global_holdout=np.zeros(2, bool)).reason.tolist()
        ['', 'no_consent']
    """
    if not arms:
        return _nothing_to_offer(len(basket), global_holdout)
    refused = np.stack([refusals_by_channel[arm.channel] for arm in arms], axis=1)
    ruled_out = {str(code): refused == code for code in np.unique(refused) if code}
    floor = ~keeps_margin_floor(arms, basket, margin_rate)
    ruled_out["margin_floor"] = floor & (refused == "")
    sold_out = np.array([arm.stock is not None and arm.stock <= 0 for arm in arms], bool)
    if sold_out.any():
        ruled_out["stock"] = np.broadcast_to(sold_out, refused.shape) & (refused == "")
    shut = np.logical_or.reduce(list(ruled_out.values()))
    allowed = ~shut & ~global_holdout[:, None]
    return Eligibility(allowed, _reasons(allowed, ruled_out, global_holdout), ruled_out)


def _nothing_to_offer(customers: int, global_holdout: Flags) -> Eligibility:
    reason = np.where(global_holdout, "global_holdout", "no_offer").astype("U24")
    return Eligibility(np.zeros((customers, 0), bool), reason, {})


def _reasons(
    allowed: Flags, ruled_out: Mapping[str, Flags], global_holdout: Flags
) -> NDArray[np.str_]:
    codes = list(ruled_out)
    votes = np.stack([ruled_out[code].sum(axis=1) for code in codes], axis=1)
    reason = np.array(codes, dtype="U24")[votes.argmax(axis=1)]
    reason[allowed.any(axis=1)] = ""
    reason[global_holdout] = "global_holdout"
    return np.asarray(reason)
