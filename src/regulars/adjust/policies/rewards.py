"""Logged decisions as off-policy evaluation takes them: what a challenger would have done."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regulars.decide.policies.rule import Rule
from regulars.errors import NotReady
from regulars.measure.off_policy import Logged, logged

DRAWN = ("chosen", "campaign_holdout", "exploration", "negative_value")
"""Reasons of decisions that were drawn: others had no choice, or no money."""


def logged_for(rows: Sequence[Mapping[str, Any]], rule: Rule, *, floor: float) -> Logged:
    """Put logged decisions beside what a challenger would have done.

    Nothing was done where a customer was held out; a challenger is held out as often.

    Args:
        rows: Decisions that were drawn: offer_id, channel, verdict, propensity, send_propensity,
            candidates (as logged) and reward.
        rule: The challenger.
        floor: Probability of the even choice, mixed in as it is online.

    Returns:
        The log; the last arm is doing nothing.

    Raises:
        NotReady: There is no decision whose window is over.

    Example:
        >>> row = {"offer_id": "a", "channel": "sms", "verdict": "send", "propensity": 0.5,
        ...        "send_propensity": 0.5, "candidates": '{"a:sms": [2.0, 0.5]}', "reward": 3.0}
        >>> found = logged_for([row, row | {"verdict": "abstain"}], Rule("greedy"), floor=0.0)
        >>> found.arm.tolist(), found.target.tolist()
        ([0, 1], [[1.0, 0.0], [1.0, 0.0]])
    """
    if not rows:
        raise NotReady(
            "no logged decision has had its outcome window yet; let the loop decide online, turn "
            "it to bring the log to the lake, and look again later"
        )
    choices = [json.loads(row["candidates"]) for row in rows]
    names = sorted({name for one in choices for name in one})
    place = {name: number for number, name in enumerate(names)}
    target = np.zeros((len(rows), len(names) + 1))
    arm = np.full(len(rows), len(names))
    for number, (row, one) in enumerate(zip(rows, choices, strict=True)):
        mine = list(one)
        values = [one[name][0] for name in mine]
        total = sum(one[name][1] for name in mine)
        kept = min(row["send_propensity"] / total, 1.0) if total > 0 else 1.0
        even = floor / (len(mine) + 1)
        chances = ((1 - floor) * rule.shares(values, [True] * len(mine)) + even) * kept
        target[number, [place[name] for name in mine]] = chances
        target[number, -1] = 1 - chances.sum()
        taken = f"{row['offer_id']}:{row['channel']}"
        if row["verdict"] == "send":
            arm[number] = place[taken]
    return logged(arm, [row["reward"] for row in rows], [row["propensity"] for row in rows], target)
