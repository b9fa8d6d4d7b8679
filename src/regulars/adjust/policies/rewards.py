"""Logged decisions as off-policy evaluation takes them: what a challenger would have done."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.decide.policies.rule import Rule
from regulars.errors import NotReady
from regulars.measure.off_policy import Logged, cross_fitted, logged

DRAWN = ("chosen", "campaign_holdout", "exploration", "negative_value")
"""Reasons of decisions that were drawn and carried out: others had no choice, or no money."""
_FOLDS, _RIDGE = 3, 50.0


def logged_for(rows: Sequence[Mapping[str, Any]], rule: Rule, *, floor: float, seed: int) -> Logged:
    """Put logged decisions beside what a challenger would have done.

    Nothing was done where a customer was held out; a challenger is held out as often.

    Args:
        rows: Decisions that were drawn: customer_id, offer_id, channel, verdict, propensity,
            send_propensity, candidates and features (as logged) and reward.
        rule: The challenger.
        floor: Probability of the even choice, mixed in as it is online.
        seed: Deals customers into the folds of the reward model.

    Returns:
        The log; the last arm is doing nothing. What each arm would bring is predicted from the
        features and values the policy saw, by a model of other customers.

    Raises:
        NotReady: There is no decision whose window is over.

    Example:
        >>> row = {"customer_id": "c1", "offer_id": "a", "channel": "sms", "verdict": "send",
        ...        "propensity": 0.5, "send_propensity": 0.5, "features": "{}", "reward": 3.0,
        ...        "candidates": '{"a:sms": [2.0, 0.5]}'}
        >>> two = [row, row | {"verdict": "abstain"}]
        >>> found = logged_for(two, Rule("greedy"), floor=0.0, seed=7)
        >>> found.arm.tolist(), found.target.tolist()
        ([0, 1], [[1.0, 0.0], [1.0, 0.0]])
    """
    if rule.needs_spread:
        # Decisions from before the spread was logged cannot tell what such a rule would have done.
        rows = [row for row in rows if _has_spreads(row["candidates"])]
    if not rows:
        raise NotReady(
            "no logged decision has had its outcome window yet that was drawn before money or "
            "stock ran out in its turn; let the loop decide online, turn it to bring the log to "
            "the lake, and look again later"
        )
    choices = [json.loads(row["candidates"]) for row in rows]
    names = sorted({name for one in choices for name in one})
    place = {name: number for number, name in enumerate(names)}
    target = np.zeros((len(rows), len(names) + 1))
    arm = np.full(len(rows), len(names))
    for number, (row, one) in enumerate(zip(rows, choices, strict=True)):
        total = sum(given[1] for given in one.values())
        kept = min(row["send_propensity"] / total, 1.0) if total > 0 else 1.0
        chances = _chances(rule, list(one.values()), floor) * kept
        target[number, [place[name] for name in one]] = chances
        target[number, -1] = 1 - chances.sum()
        taken = f"{row['offer_id']}:{row['channel']}"
        if row["verdict"] == "send":
            arm[number] = place[taken]
    reward = [row["reward"] for row in rows]
    predicted = _predicted(rows, choices, arm, reward, names, seed=seed)
    return logged(arm, reward, [row["propensity"] for row in rows], target, predicted)


def _chances(rule: Rule, given: Sequence[Sequence[float]], floor: float) -> NDArray[np.float64]:
    """Give the probability of each open action under a rule, the even choice mixed in."""
    spreads = [one[2] for one in given] if rule.needs_spread else None
    # A row from before the charge was logged is read as if money had no price.
    values = [one[0] - (one[3] if len(one) > 3 else 0.0) for one in given]
    share = rule.shares(values, [True] * len(given), spreads)
    return (1 - floor) * share + floor / (len(given) + 1)


def _has_spreads(candidates: str) -> bool:
    return all(len(given) > 2 for given in json.loads(candidates).values())


def _predicted(
    rows: Sequence[Mapping[str, Any]],
    choices: Sequence[Mapping[str, Sequence[float]]],
    arm: NDArray[np.int64],
    reward: Sequence[float],
    names: Sequence[str],
    *,
    seed: int,
) -> NDArray[np.float64] | None:
    """Predict what every arm would bring; None where there are too few customers to learn of."""
    customers = [row["customer_id"] for row in rows]
    if len(set(customers)) < _FOLDS:
        return None
    seen = [json.loads(row["features"] or "{}") for row in rows]
    features = sorted({name for one in seen for name in one})
    known = [
        [one.get(name, 0.0) for name in features]
        + [of[name][0] if name in of else 0.0 for name in names]
        for one, of in zip(seen, choices, strict=True)
    ]
    return cross_fitted(
        known, arm, reward, len(names) + 1, seed=seed, folds=_FOLDS, ridge=_RIDGE, unit=customers
    )
