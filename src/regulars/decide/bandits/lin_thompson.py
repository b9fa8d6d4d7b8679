"""Linear Thompson sampling: take each arm as often as it is believed to be the best."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from regulars.decide.bandits.drawing import Decision, draw, floored, require_floor
from regulars.decide.bandits.linear_arms import LinearArms
from regulars.numerics.given import number_given
from regulars.numerics.hashing import key_of

DRAWS = 256
"""Worlds imagined per decision: the share in which an arm is best is its probability."""


def lin_thompson(
    arms: LinearArms,
    context: ArrayLike,
    eligible: Sequence[str],
    *,
    key: str,
    seed: int,
    purpose: str,
    width: float = 1.0,
    floor: float = 0.01,
) -> Decision:
    """Choose by Thompson sampling, with probabilities that are exactly those of the draw.

    Plain Thompson sampling draws one world and takes its best arm, so that nobody knows the
    probability of what was done. Here many worlds are drawn, the arm is drawn from the shares
    in which each is best, and that share is the logged propensity.

    Args:
        arms: What is believed of the arms.
        context: What is known of the customer and the moment, shape (features,).
        eligible: Arms that may be taken.
        key: What the decision is about, such as customer and occasion.
        seed: The workspace's seed.
        purpose: Which bandit decides.
        width: Standard deviation of the noise of a reward, >= 0.
        floor: Least probability of an eligible arm.

    Returns:
        The decision.

    Source:
        Agrawal & Goyal (2013), "Thompson Sampling for Contextual Bandits with Linear Payoffs",
        ICML; with independent beliefs per arm.

    Example:
        >>> arms = LinearArms(1)
        >>> for name in ("coupon", "nothing"):
        ...     arms.add(name)
        >>> for _ in range(50):
        ...     arms.learn("coupon", [1.0], 1.0)
        ...     arms.learn("nothing", [1.0], 0.0)
        >>> found = lin_thompson(arms, [1.0], ["coupon", "nothing"], key="c", seed=7, purpose="app")
        >>> found.probability_by_arm["coupon"]
        0.99
    """
    require_floor(floor, len(eligible))
    number_given(width, "width", least=0, below=np.inf)
    means, variances = arms.expected(arms.places(eligible), arms.context(context))
    normals = _normals(key_of(seed, "thompson", purpose, key), len(eligible))
    worlds = means + width * np.sqrt(np.maximum(variances, 0)) * normals
    best = np.bincount(worlds.argmax(axis=1), minlength=len(eligible)) / DRAWS
    return draw(eligible, floored(best, floor), key=key, seed=seed, purpose=purpose)


def _normals(key: int, arms: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=key)).standard_normal((DRAWS, arms))
