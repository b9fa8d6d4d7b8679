"""Epsilon-greedy: mostly the best arm, now and then any."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from regulars.decide.bandits.drawing import Decision, draw, floored, greedy, require_floor
from regulars.decide.bandits.linear_arms import LinearArms
from regulars.numerics.given import number_given


def epsilon_greedy(
    arms: LinearArms,
    context: ArrayLike,
    eligible: Sequence[str],
    *,
    key: str,
    seed: int,
    purpose: str,
    epsilon: float = 0.1,
) -> Decision:
    """Choose the arm expected to bring most, with probability 1 - epsilon.

    Args:
        arms: What is believed of the arms.
        context: What is known of the customer and the moment, shape (features,).
        eligible: Arms that may be taken.
        key: What the decision is about, such as customer and occasion.
        seed: The workspace's seed.
        purpose: Which bandit decides.
        epsilon: Share of decisions in which any arm may come, in [0, 1].

    Returns:
        The decision; of equal arms each is as likely.

    Raises:
        InputError: Epsilon is not in [0, 1].

    Source:
        Sutton & Barto (2018), "Reinforcement Learning", section 2.2.

    Example:
        >>> arms = LinearArms(1)
        >>> for name in ("a", "b"):
        ...     arms.add(name)
        >>> arms.learn("b", [1.0], 1.0)
        >>> found = epsilon_greedy(arms, [1.0], ["a", "b"], key="c1", seed=7, purpose="app")
        >>> round(found.probability_by_arm["b"], 2)
        0.95
    """
    number_given(epsilon, "epsilon", least=0, most=1)
    floor = epsilon / max(len(eligible), 1)
    require_floor(floor, len(eligible))
    means, _ = arms.expected(arms.places(eligible), arms.context(context))
    return draw(eligible, floored(greedy(means), floor), key=key, seed=seed, purpose=purpose)
