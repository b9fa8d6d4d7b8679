"""Rules a policy may choose by, once value and spread of every open action are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.decide.bandits.drawing import greedy
from regulars.errors import InputError
from regulars.numerics.hashing import key_of

Floats = NDArray[np.float64]

WORLDS = 256
"""Least worlds imagined for THOMPSON: the share in which an action is best is its probability."""


class Choosing(StrEnum):
    """How a policy chooses among open actions and doing nothing, which is worth 0."""

    BEST_VALUE = "best_value"
    SOFT_VALUE = "soft_value"
    EPSILON_GREEDY = "epsilon_greedy"
    THOMPSON = "thompson"
    LIN_UCB = "lin_ucb"


NEEDS_SPREAD = frozenset({Choosing.THOMPSON, Choosing.LIN_UCB})
"""Rules that ask how sure the belief is of each value."""


@dataclass(frozen=True)
class Rule:
    """How a challenging policy chooses.

    Attributes:
        name: The policy's name.
        choosing: The best action always, or others too and how often.
        temperature: For SOFT_VALUE: difference in value that makes an action e times as likely;
            above 0.
        epsilon: For EPSILON_GREEDY: share of decisions in which any open action, or doing nothing,
            may come; from 0 to 1.
        width: For THOMPSON and LIN_UCB: standard deviations of the belief that count as one; 0 or
            more, 0 for what is expected.
    """

    name: str
    choosing: Choosing = Choosing.BEST_VALUE
    temperature: float = 1.0
    epsilon: float = 0.1
    width: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that make no probabilities.

        Raises:
            InputError: A setting is out of its range.
        """
        wrong = wrong_setting(self.temperature, self.epsilon, self.width)
        if wrong == "temperature":
            raise InputError(f"temperature is {self.temperature}, must be above 0, such as 1")
        if wrong == "epsilon":
            raise InputError(f"epsilon is {self.epsilon}, must be from 0 to 1, such as 0.1")
        if wrong == "width":
            raise InputError(f"width is {self.width}, must be 0 or more, such as 1")

    @property
    def needs_spread(self) -> bool:
        """Whether it asks how sure the belief is of each value."""
        return self.choosing in NEEDS_SPREAD

    def shares(
        self, values: ArrayLike, is_open: Sequence[bool], spreads: ArrayLike | None = None
    ) -> Floats:
        """Give the probability of each action before the even choice is mixed in.

        An action has to be worth more than doing nothing; of equal ones, by spread too where the
        rule asks for it, each is exactly as likely.

        Args:
            values: Incremental value of each action, less what its money costs at the price of
                money; shape (actions,).
            is_open: Whether it may be taken.
            spreads: Standard deviation of the belief in each value, 0 or more; needed for THOMPSON
                and LIN_UCB; shape (actions,).

        Returns:
            Probabilities, shape (actions,); what is left to 1 is doing nothing. 0 where closed.

        Raises:
            InputError: The rule needs spreads and is given none.

        Source:
            Luce (1959), "Individual Choice Behavior", for SOFT_VALUE; Sutton & Barto (2018),
            "Reinforcement Learning", section 2.2, for EPSILON_GREEDY; Agrawal & Goyal (2013), ICML,
            for THOMPSON, with independent beliefs per action and the share of worlds in which
            each is best as its exact probability; Li, Chu, Langford & Schapire (2010), WWW '10, for
            LIN_UCB.

        Example:
            >>> Rule("greedy").shares([1.0, 3.0, 9.0], [True, True, False]).tolist()
            [0.0, 1.0, 0.0]
            >>> Rule("soft", Choosing.SOFT_VALUE).shares([0.0], [True]).tolist()
            [0.5]
            >>> some = Rule("some", Choosing.EPSILON_GREEDY, epsilon=0.3)
            >>> some.shares([1.0, 3.0], [True, True]).round(3).tolist()
            [0.1, 0.8]
            >>> Rule("ucb", Choosing.LIN_UCB).shares([1.0, 3.0], [True, True], [4.0, 1.0]).tolist()
            [1.0, 0.0]
        """
        places = np.flatnonzero(is_open)
        found = np.zeros(len(is_open))
        worth = np.asarray(values, np.float64)[places]
        if self.needs_spread and spreads is None:
            raise InputError(f"{self.choosing} needs the spread of each value; give spreads")
        if not len(places):
            return found
        if self.choosing is Choosing.SOFT_VALUE:
            found[places] = _soft(worth, self.temperature)
        elif self.choosing is Choosing.EPSILON_GREEDY:
            even = self.epsilon / (len(places) + 1)
            found[places] = (1 - self.epsilon) * _best(worth) + even
        elif self.needs_spread:
            reach = self.width * np.asarray(spreads, np.float64)[places]
            is_sampled = self.choosing is Choosing.THOMPSON
            found[places] = _sampled(worth, reach) if is_sampled else _best(worth + reach)
        else:
            found[places] = _best(worth)
        return found


def wrong_setting(temperature: float, epsilon: float, width: float) -> str:
    """Name the first setting of a rule that is out of its range.

    Args:
        temperature: Must be above 0.
        epsilon: Must be from 0 to 1.
        width: Must be 0 or more.

    Returns:
        temperature, epsilon or width; "" where all may be.

    Example:
        >>> wrong_setting(1.0, 1.5, 1.0)
        'epsilon'
    """
    is_fine = {
        "temperature": 0 < temperature < float("inf"),
        "epsilon": 0 <= epsilon <= 1,
        "width": 0 <= width < float("inf"),
    }
    return next((name for name, fine in is_fine.items() if not fine), "")


def _best(worth: Floats) -> Floats:
    return greedy(worth) if worth.max() > 0 else np.zeros(len(worth))


def _soft(worth: Floats, temperature: float) -> Floats:
    everything = np.concatenate([[0.0], worth])
    odds = np.exp((everything - everything.max()) / temperature)
    return np.asarray((odds / odds.sum())[1:])


def _sampled(worth: Floats, reach: Floats) -> Floats:
    """Give the share of worlds in which each action is best, equal ones in equal parts."""
    # By what they are worth, so that their places in the list do not count.
    order = np.lexsort((reach, worth))
    worth, reach = worth[order], reach[order]
    worlds = worth + reach * _normals(len(worth))
    best = worlds.max(axis=1, keepdims=True)
    is_best = (worlds >= best) & (best > 0)
    share = (is_best / np.maximum(is_best.sum(axis=1, keepdims=True), 1)).mean(axis=0)
    is_other = (worth[1:] != worth[:-1]) | (reach[1:] != reach[:-1])
    group = np.concatenate([[0], is_other.cumsum()])
    found = np.empty(len(worth))
    found[order] = (np.bincount(group, share) / np.bincount(group))[group]
    return found


@lru_cache(maxsize=64)
def _normals(actions: int) -> Floats:
    """The same worlds for every decision, so that the log can be asked what would have come."""
    random = np.random.Generator(np.random.Philox(key=key_of("thompson rule", actions)))
    drawn = random.standard_normal((-(-WORLDS // (2 * actions)), actions))
    # Each with its mirror, and with every action in every place, so that none is favoured.
    both = np.concatenate([drawn, -drawn])
    return np.concatenate([np.roll(both, places, axis=1) for places in range(actions)])
