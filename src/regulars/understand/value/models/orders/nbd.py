"""NBD: customers who never leave, each with a rate of his own; what the others must beat."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.fitted import columns_of, fit_orders, time_ahead
from regulars.understand.value.models.positive_fit import Loss

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class NBD:
    """A fitted NBD.

    Attributes:
        r: Shape of the gamma over buying rates, no unit.
        alpha: Its rate, in the time unit of the data.
        log_likelihood: Of all customers together, of the moments they ordered at, as in BG/NBD.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.
    """

    NAME: ClassVar[str] = "NBD"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha")
    SCALES: ClassVar[tuple[bool, ...]] = (False, True)
    STARTS: ClassVar[tuple[tuple[float, ...], ...]] = ((1.0, 1.0), (0.3, 0.3))
    BOUNDS: ClassVar[tuple[tuple[float, float], ...]] = ((1e-3, 1e3), (1e-4, 1e4))

    r: float
    alpha: float
    log_likelihood: float
    customers: float
    note: str = ""

    def expected_orders(self, x: Numbers, T: Numbers, t: float) -> Numbers:
        """Give the orders each customer is expected to place in the next `t`.

        Args:
            x: Repeat orders, >= 0, shape (customers,).
            T: Time from the first order to now, shape (customers,).
            t: Time ahead, > 0, in the same unit.

        Returns:
            Expected orders, shape (customers,), > 0.

        Example:
            >>> x, T = np.array([2.0]), np.array([52.0])
            >>> found = NBD(0.42, 5.25, 0.0, 1).expected_orders(x, T, 52)
            >>> found.round(3).tolist()
            [2.198]
        """
        known, _, seen = columns_of(x, 0.0, T)
        return np.asarray((self.r + known) / (self.alpha + seen) * time_ahead(t))

    @classmethod
    def likelihood(cls, histories: OrderHistories, unit: float) -> Loss:
        """Give the mean negative log-likelihood and its gradient, time in units of `unit`.

        Args:
            histories: Distinct histories.
            unit: Time that counts as 1.

        Returns:
            A function of r and alpha.
        """
        x, T = histories.x, histories.T / unit
        share = histories.weights / histories.weights.sum()

        def loss(values: Numbers) -> tuple[float, Numbers]:
            r, alpha = (float(value) for value in values)
            long = np.log(alpha + T)
            each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * long
            slope_r = digamma(r + x) - digamma(r) + np.log(alpha) - long
            slope_alpha = r / alpha - (r + x) / (alpha + T)
            gradient = np.array([(share * slope_r).sum(), (share * slope_alpha).sum()])
            return -float((share * each).sum()), -gradient

        return loss


def fit_nbd(histories: OrderHistories) -> NBD:
    """Fit the NBD by maximum likelihood.

    Args:
        histories: Distinct histories with their numbers of customers; t_x is not read.

    Returns:
        The fitted model.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.

    Source:
        Ehrenberg (1959), "The Pattern of Consumer Purchases", Applied Statistics 8(1).

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> many = group_histories([0, 1, 2, 5], [0, 9, 30, 50], [52] * 4, [90, 40, 30, 9])
        >>> fitted = fit_nbd(many)
        >>> round(fitted.r / fitted.alpha * 52, 3)
        0.858
    """
    return NBD(**fit_orders(NBD, histories))
