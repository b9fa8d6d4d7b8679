"""The uplift model: effects by offer and channel that share strength.

The effect of offer o through channel c on a customer with features x is
x · (all + offer_o + channel_c) + pair_oc. The parts of an offer or channel that is not
unlike the others are shrunk to the common part (hierarchical shrinkage).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.decide.offers import Arm
from regulars.decide.uplift.features import FEATURES
from regulars.numerics.linear_belief import LinearBelief

Floats = NDArray[np.float64]

LEARNED_BLOCKS = (
    "all.slope",
    "offer.intercept",
    "offer.slope",
    "channel.intercept",
    "channel.slope",
    "pair",
)
_START_SD = {
    "all.intercept": 0.10,
    "all.slope": 0.05,
    "offer.intercept": 0.05,
    "offer.slope": 0.03,
    "channel.intercept": 0.05,
    "channel.slope": 0.03,
    "pair": 0.02,
}
_START_EFFECT = 0.03


def starting_belief(arms: Sequence[Arm]) -> LinearBelief:
    """Begin to believe: every contact causes 0.03 orders, give or take 0.1.

    Args:
        arms: The actions there are.

    Returns:
        A belief over the terms of all offers and channels among the arms, in orders of the
        outcome window, net of the discount given.

    Source:
        Ours, because no figure for a new retailer exists: the spread is wide enough that one
        turn of data outweighs it.
    """
    terms: dict[str, str] = {}
    groups = [("all", "")]
    groups += [("offer", name) for name in sorted({arm.offer_id for arm in arms})]
    groups += [("channel", name) for name in sorted({arm.channel for arm in arms})]
    for kind, name in groups:
        for feature in FEATURES:
            part = "intercept" if feature == "intercept" else "slope"
            terms[f"{kind}:{name}:{feature}"] = f"{kind}.{part}"
    for arm in arms:
        terms[f"pair:{arm.name}:intercept"] = "pair"
    return LinearBelief.start(terms, {"all::intercept": _START_EFFECT}, _START_SD)


def starting_spread(block: str) -> float:
    """Give the prior spread a block of terms begins with."""
    return _START_SD[block]


def extended(belief: LinearBelief, arms: Sequence[Arm]) -> LinearBelief:
    """Make room in a belief for offers and channels it has not met.

    Args:
        belief: What is believed so far.
        arms: The actions there are now.

    Returns:
        A belief whose terms cover both; new terms start without data.
    """
    fresh = starting_belief(arms)
    known = dict(zip(belief.terms, belief.blocks, strict=True))
    if set(fresh.terms) <= set(known):
        return belief
    blocks = known | dict(zip(fresh.terms, fresh.blocks, strict=True))
    spread = {
        block: float(belief.prior_sd[belief.blocks.index(block)])
        for block in _START_SD
        if block in belief.blocks
    }
    grown = LinearBelief.start(blocks, {"all::intercept": _START_EFFECT}, _START_SD | spread)
    size = len(belief.terms)
    grown.precision[:size, :size] = belief.precision
    grown.information[:size] = belief.information
    return grown


def arm_coefficients(terms: Sequence[str], arms: Sequence[Arm], theta: Floats) -> Floats:
    """Add up the parts of each arm.

    Args:
        terms: Term names of the belief.
        arms: The actions, in order.
        theta: Coefficients, shape (terms,).

    Returns:
        Coefficients per arm, shape (arms, features); effect = features @ this.T.
    """
    return np.asarray(np.einsum("afk,k->af", _selector(tuple(terms), arms), theta))


def contrast_design(
    terms: Sequence[str], arms: Sequence[Arm], customers: Floats, contrast: Floats
) -> Floats:
    """Build the regressors of the effect terms.

    Args:
        terms: Term names of the belief.
        arms: The actions, in order.
        customers: Features, shape (customers, features).
        contrast: 1 for the action taken minus the probability it had; shape
            (customers, arms).

    Returns:
        Regressors, shape (customers, terms).
    """
    selector = _selector(tuple(terms), arms)
    per_arm = np.einsum("afk->akf", selector)
    design = np.zeros((len(customers), len(terms)))
    for index in range(len(arms)):
        used = np.flatnonzero(per_arm[index].any(axis=1))
        design[:, used] += (contrast[:, [index]] * customers) @ per_arm[index][used].T
    return design


def _selector(terms: tuple[str, ...], arms: Sequence[Arm]) -> Floats:
    """Which term adds to which feature of which arm: shape (arms, features, terms) of 0 and 1."""
    place = {term: index for index, term in enumerate(terms)}
    selector = np.zeros((len(arms), len(FEATURES), len(terms)))
    for row, arm in enumerate(arms):
        for column, feature in enumerate(FEATURES):
            for term in (
                f"all::{feature}",
                f"offer:{arm.offer_id}:{feature}",
                f"channel:{arm.channel}:{feature}",
                f"pair:{arm.name}:{feature}",
            ):
                if term in place:
                    selector[row, column, place[term]] = 1.0
    return selector


def belief_from_rows(rows: Sequence[Mapping[str, Any]]) -> LinearBelief:
    """Read a belief from rows of table `uplift_priors`, ordered by position."""
    return LinearBelief(
        tuple(row["term"] for row in rows),
        tuple(row["block"] for row in rows),
        np.array([row["prior_mean"] for row in rows]),
        np.array([row["prior_sd"] for row in rows]),
        np.array([json.loads(row["precision_row"]) for row in rows]),
        np.array([row["information"] for row in rows]),
    )


def belief_to_rows(belief: LinearBelief, *, first: int = 0) -> list[dict[str, Any]]:
    """Write a belief as rows of table `uplift_priors`, without the turn.

    Args:
        belief: The belief.
        first: Position of its first term.

    Returns:
        One row per term, in order.
    """
    mean, covariance = belief.posterior()
    return [
        {
            "term": term,
            "position": first + row,
            "block": belief.blocks[row],
            "prior_mean": float(belief.prior_mean[row]),
            "prior_sd": float(belief.prior_sd[row]),
            "mean": float(mean[row]),
            "sd": float(np.sqrt(covariance[row, row])),
            "information": float(belief.information[row]),
            "precision_row": json.dumps(belief.precision[row].tolist()),
        }
        for row, term in enumerate(belief.terms)
    ]
