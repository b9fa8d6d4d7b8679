"""Turn decided rows and their outcomes into the arrays that learning takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.adjust.autotune.learning import Evidence
from regulars.decide.offers import Arm
from regulars.decide.policies.economics import customer_basket
from regulars.decide.uplift.features import features_of
from regulars.numerics.arrays import numbers, words

_CANDIDATES = msgspec.json.Decoder(dict[str, tuple[float, float]])


@dataclass(frozen=True)
class Decided:
    """The open decisions of one turn as arrays.

    Attributes:
        customer_ids: Who, in order.
        customers: Features, shape (customers, features).
        baseline: Orders expected in the window, shape (customers,).
        worth: Margin per order, shape (customers,).
        taken: 1 for the action sent, shape (customers, arms).
        contrast: Action taken minus its probability, shape (customers, arms).
    """

    customer_ids: NDArray[np.str_]
    customers: NDArray[np.float64]
    baseline: NDArray[np.float64]
    worth: NDArray[np.float64]
    taken: NDArray[np.float64]
    contrast: NDArray[np.float64]


def decided_arrays(
    rows: pa.Table, arms: Sequence[Arm], *, window_days: int, campaign_holdout: float
) -> Decided:
    """Read the decision log of one turn.

    Args:
        rows: Rows of `tables.decided`.
        arms: Actions of the turn; candidates that name another are left out.
        window_days: Days of outcome.
        campaign_holdout: Share of chosen customers held out.

    Returns:
        The arrays, customers in the order of the rows.
    """
    place = {arm.name: index for index, arm in enumerate(arms)}
    probability = np.zeros((rows.num_rows, len(arms)))
    for row, text in enumerate(rows.column("candidates").to_pylist()):
        for name, (_value, chance) in _CANDIDATES.decode(text).items():
            if name in place:
                probability[row, place[name]] = chance
    taken = np.zeros_like(probability)
    sent = zip(words(rows, "verdict"), words(rows, "offer_id"), words(rows, "channel"), strict=True)
    for row, (verdict, offer_id, channel) in enumerate(sent):
        if verdict == "send" and f"{offer_id}:{channel}" in place:
            taken[row, place[f"{offer_id}:{channel}"]] = 1.0
    worth = customer_basket(numbers(rows, "basket_size"), numbers(rows, "margin_rate"))[1]
    return Decided(
        words(rows, "customer_id"),
        features_of(rows),
        numbers(rows, "weekly_orders") * window_days / 7,
        worth,
        taken,
        taken - probability * (1 - campaign_holdout),
    )


def evidence(decided: Decided, outcomes: pa.Table) -> Evidence:
    """Put the outcomes of a window beside the decisions.

    Args:
        decided: Decisions of a turn.
        outcomes: Rows of `tables.outcomes`; customers without a row did not order.

    Returns:
        The evidence, outcomes in orders net of the discounts given.
    """
    place = {name: row for row, name in enumerate(decided.customer_ids)}
    orders, discount = np.zeros(len(place)), np.zeros(len(place))
    found = [place.get(name, -1) for name in outcomes.column("customer_id").to_pylist()]
    rows = np.array(found, dtype=int)
    inside = rows >= 0
    orders[rows[inside]] = numbers(outcomes, "orders")[inside]
    discount[rows[inside]] = numbers(outcomes, "discount")[inside]
    net = orders - discount / np.maximum(decided.worth, 0.01)
    return Evidence(decided.customers, decided.baseline, net, decided.contrast)


def without_contacts(
    past: Decided, happened: Evidence, later: Decided, per_arm: NDArray[np.float64]
) -> Evidence:
    """Take what later contacts caused out of the outcomes that follow an earlier turn.

    Whoever was contacted earlier is contacted less afterwards, because of the cap. Without
    this, contacts not made would look like harm done by those that were.

    Args:
        past: Decisions of the earlier turn.
        happened: Those decisions beside the outcomes of the later window.
        later: Decisions of the later turn.
        per_arm: Believed coefficients per arm, shape (arms, features).

    Returns:
        The evidence, outcomes as they would have been without the later turn's contacts.
    """
    caused = (later.taken * (later.customers @ per_arm.T)).sum(axis=1)
    found = np.searchsorted(later.customer_ids, past.customer_ids)
    found = np.minimum(found, len(later.customer_ids) - 1)
    same = later.customer_ids[found] == past.customer_ids
    return replace(happened, outcome=happened.outcome - np.where(same, caused[found], 0.0))
