"""LinUCB: take the arm that may be best, as far as the data leave it open."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from regulars.decide.bandits.drawing import Decision, draw, floored, greedy, require_floor
from regulars.decide.bandits.linear_arms import LinearArms
from regulars.numerics.given import number_given


def lin_ucb(
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
    """Choose by upper confidence bound, with a floor on every arm.

    Args:
        arms: What is believed of the arms.
        context: What is known of the customer and the moment, shape (features,).
        eligible: Arms that may be taken.
        key: What the decision is about, such as customer and occasion.
        seed: The workspace's seed.
        purpose: Which bandit decides.
        width: Standard deviations added for what is not known, >= 0.
        floor: Least probability of an eligible arm; without one the log could judge nothing.

    Returns:
        The decision; of equal bounds each is as likely.

    Source:
        Li, Chu, Langford & Schapire (2010), "A Contextual-Bandit Approach to Personalized News
        Article Recommendation", WWW '10, algorithm 1.

    Example:
        >>> arms = LinearArms(1)
        >>> for name in ("coupon", "nothing"):
        ...     arms.add(name)
        >>> arms.learn("coupon", [1.0], 1.0)
        >>> found = lin_ucb(arms, [1.0], ["coupon", "nothing"], key="c1", seed=7, purpose="app")
        >>> round(found.probability_by_arm["coupon"], 2)
        0.99
    """
    require_floor(floor, len(eligible))
    number_given(width, "width", least=0, below=np.inf)
    means, variances = arms.expected(arms.places(eligible), arms.context(context))
    chances = floored(greedy(means + width * np.sqrt(np.maximum(variances, 0))), floor)
    return draw(eligible, chances, key=key, seed=seed, purpose=purpose)
