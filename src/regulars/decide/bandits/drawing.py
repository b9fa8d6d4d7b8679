"""Drawing an arm: probabilities with a floor, a draw that can be repeated and is logged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.numerics.given import number_given
from regulars.numerics.hashing import key_of

Floats = NDArray[np.float64]

_TIE = 1e-12


@dataclass(frozen=True)
class Decision:
    """What a bandit chose, with all that judging another policy by it needs.

    Attributes:
        arm: Name of the arm.
        propensity: Probability it had, above 0.
        probability_by_arm: Probability of every eligible arm; sums to 1.
    """

    arm: str
    propensity: float
    probability_by_arm: dict[str, float]


def greedy(scores: Floats) -> Floats:
    """Give all probability to the best arm, in equal parts where several are best.

    Ties that always go to the first arm would try nothing else while rewards are delayed.

    Args:
        scores: Score of each arm, shape (arms,).

    Returns:
        Probabilities, shape (arms,).

    Example:
        >>> greedy(np.array([1.0, 2.0, 2.0])).tolist()
        [0.0, 0.5, 0.5]
    """
    best = scores >= scores.max() - _TIE * max(1.0, abs(float(scores.max())))
    return np.asarray(best / best.sum())


def floored(probabilities: Floats, floor: float) -> Floats:
    """Keep every arm possible, so that other policies can be judged by the log.

    Args:
        probabilities: Probability of each arm, sums to 1; shape (arms,).
        floor: Least probability of an arm, 0 to 1 / arms.

    Returns:
        Probabilities of at least `floor`, in proportion above it; shape (arms,).

    Example:
        >>> floored(np.array([0.0, 1.0]), 0.1).tolist()
        [0.1, 0.9]
    """
    return floor + (1 - floor * probabilities.size) * probabilities


def draw(
    arms: Sequence[str], probabilities: Floats, *, key: str, seed: int, purpose: str
) -> Decision:
    """Draw one arm; the same key and seed draw the same arm.

    Args:
        arms: Names of the eligible arms.
        probabilities: Probability of each, sums to 1; shape (arms,).
        key: What the decision is about, such as customer and occasion.
        seed: The workspace's seed.
        purpose: Which bandit draws; another draws independently.

    Returns:
        The decision.

    Raises:
        InputError: No arm is eligible.

    Example:
        >>> draw(["a", "b"], np.array([0.5, 0.5]), key="c1", seed=7, purpose="banner").propensity
        0.5
    """
    if not arms:
        raise InputError("no arm is eligible; give one, such as doing nothing")
    uniform = (key_of(seed, "bandit", purpose, key) + 0.5) / 2.0**64
    place = min(int(np.searchsorted(probabilities.cumsum(), uniform, side="right")), len(arms) - 1)
    while probabilities[place] <= 0:  # rounding at the last edge
        place -= 1
    by_arm = dict(zip(arms, probabilities.tolist(), strict=True))
    return Decision(arms[place], by_arm[arms[place]], by_arm)


def require_floor(floor: float, arms: int) -> None:
    """Check that a floor leaves room for choosing.

    Args:
        floor: Least probability of an arm.
        arms: Eligible arms.

    Raises:
        InputError: There is no arm, the floor is negative, or the floors of all arms exceed 1.
    """
    if not arms:
        raise InputError("no arm is eligible; give one or more")
    if not 0 <= number_given(floor, "floor") * arms <= 1:
        raise InputError(
            f"floor is {floor} for {arms} arms, must be from 0 to {1 / max(arms, 1):g}; lower it "
            "or offer fewer arms"
        )
