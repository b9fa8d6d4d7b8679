"""Rules a policy may choose by, once the value of every open action is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError

Floats = NDArray[np.float64]


class Choosing(StrEnum):
    """How a policy chooses among open actions and doing nothing, which is worth 0."""

    BEST_VALUE = "best_value"
    SOFT_VALUE = "soft_value"


@dataclass(frozen=True)
class Rule:
    """How a challenging policy chooses.

    Attributes:
        name: The policy's name.
        choosing: The best action always, or better ones more often.
        temperature: For SOFT_VALUE: difference in value that makes an action e times as likely;
            above 0.
    """

    name: str
    choosing: Choosing = Choosing.BEST_VALUE
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a temperature that makes no probabilities.

        Raises:
            InputError: It is not above 0.
        """
        if not 0 < self.temperature < float("inf"):
            raise InputError(f"temperature is {self.temperature}, must be above 0, such as 1")

    def shares(self, values: ArrayLike, is_open: Sequence[bool]) -> Floats:
        """Give the probability of each action before the even choice is mixed in.

        Args:
            values: Incremental value of each action, shape (actions,).
            is_open: Whether it may be taken.

        Returns:
            Probabilities, shape (actions,); what is left to 1 is doing nothing. 0 where closed.

        Source:
            Luce (1959), "Individual Choice Behavior", for SOFT_VALUE.

        Example:
            >>> Rule("greedy").shares([1.0, 3.0, 9.0], [True, True, False]).tolist()
            [0.0, 1.0, 0.0]
            >>> Rule("soft", Choosing.SOFT_VALUE).shares([0.0], [True]).tolist()
            [0.5]
        """
        worth = np.where(is_open, np.asarray(values, np.float64), -np.inf)
        # Doing nothing comes first: an action has to be worth more than that.
        everything = np.concatenate([[0.0], worth])
        if self.choosing is Choosing.BEST_VALUE:
            found = np.zeros(len(everything))
            found[int(everything.argmax())] = 1.0
            return found[1:]
        odds = np.exp((everything - everything.max()) / self.temperature)
        return np.asarray((odds / odds.sum())[1:])
