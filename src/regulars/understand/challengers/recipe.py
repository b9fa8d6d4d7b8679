"""What a recipe of a model is, and by which proper score recipes of a family are compared."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.understand.champions.family import Family
from regulars.understand.value.history import History

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """One way to make the model of a family.

    Attributes:
        family: What it answers.
        name: Its name in commands.
        predict: Given an order history and a day number, what it expects of every customer in
            the weeks after that day, shape (customers,); nan of whom it says nothing.
    """

    family: Family
    name: str
    predict: Callable[[History, int], Numbers]


def poisson_deviance(expected: Numbers, actual: Numbers) -> Numbers:
    """Score the mean of an amount that is never below zero.

    Args:
        expected: Predictions, above 0; less than a millionth counts as that.
        actual: What came; less than 0 counts as 0.

    Returns:
        Loss per customer, 0 for a perfect prediction; its mean is least at the true mean.

    Source:
        Gneiting (2011), "Making and evaluating point forecasts", JASA 106(494): Bregman losses
        are the proper ones for a mean.

    Example:
        >>> poisson_deviance(np.array([2.0, 1.0]), np.array([2.0, 0.0])).tolist()
        [0.0, 2.0]
    """
    mean, came = np.maximum(expected, 1e-6), np.maximum(actual, 0.0)
    ratio = np.where(came > 0, came * np.log(np.where(came > 0, came, 1.0) / mean), 0.0)
    return np.asarray(2 * (ratio - (came - mean)), dtype=np.float64)


def brier_loss(expected: Numbers, actual: Numbers) -> Numbers:
    """Score a probability: the squared distance to what happened, per customer.

    Args:
        expected: Probabilities.
        actual: 1 where it happened, else 0.

    Returns:
        Loss per customer.

    Source:
        Brier (1950), "Verification of forecasts expressed in terms of probability".

    Example:
        >>> brier_loss(np.array([0.5]), np.array([1.0])).tolist()
        [0.25]
    """
    return np.asarray((expected - actual) ** 2, dtype=np.float64)
