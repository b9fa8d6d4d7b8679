"""Gamma-Gamma: what a customer spends per order, when few orders say little."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from regulars.errors import InputError, NotReady
from regulars.numerics.given import floats_given
from regulars.understand.value.models.positive_fit import fit_positive

Numbers = NDArray[np.float64]

LEAST_BUYERS = 10
_STARTS = ((2.0, 2.0, 1.0), (6.0, 4.0, 0.5), (1.0, 3.0, 2.0), (20.0, 20.0, 1.0))
_BOUNDS = ((1e-3, 1e4), (1.05, 1e4), (1e-4, 1e4))


@dataclass(frozen=True)
class GammaGamma:
    """A fitted Gamma-Gamma model.

    Attributes:
        p: Shape of the spend of one order, no unit.
        q: Shape of the spread over customers, above 1 so that the mean exists.
        gamma: Scale, in money.
        log_likelihood: Of all customers together.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.
    """

    p: float
    q: float
    gamma: float
    log_likelihood: float
    customers: float
    note: str = ""

    def expected_spend(self, x: Numbers, mean_spend: Numbers) -> Numbers:
        """Give the mean spend per order each customer has in the long run.

        Args:
            x: Orders the mean is over, >= 0, shape (customers,).
            mean_spend: Mean spend of these orders, ignored where x is 0.

        Returns:
            Money per order, shape (customers,): the own mean, pulled to that of all
            customers, the more the fewer the orders.

        Source:
            Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", equation 5.

        Example:
            >>> fitted = GammaGamma(6.25, 3.74, 15.44, 0.0, 1)
            >>> fitted.expected_spend(np.array([0.0, 2.0]), np.array([0.0, 60.0])).round(1).tolist()
            [35.2, 55.5]
        """
        spent = np.where(x > 0, x * mean_spend, 0.0)
        return np.asarray(self.p * (self.gamma + spent) / (self.p * x + self.q - 1))


def fit_gamma_gamma(
    x: ArrayLike, mean_spend: ArrayLike, *, weights: ArrayLike | None = None
) -> GammaGamma:
    """Fit the Gamma-Gamma model by maximum likelihood.

    Args:
        x: Orders each mean is over, shape (customers,); rows with 0 are left out.
        mean_spend: Mean spend of these orders, money; rows with 0 or less, or nan, are left out.
        weights: Customers each row stands for; one each when left out.

    Returns:
        The fitted model. Where the data leave a parameter open it stops at the edge of the
        search and `note` says so.

    Raises:
        InputError: The columns differ in length, or hold what is no finite number; x or a weight
            is negative or nan.
        NotReady: Fewer than 10 rows can be used, or no start led to a maximum.

    Source:
        Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", equation 1a.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> x = draw.integers(1, 8, 4000).astype(float)
        >>> own_mean = 15.0 * 6.0 / draw.gamma(4.0, 1.0, 4000)
        >>> spend = draw.gamma(6.0 * x, own_mean / (6.0 * x))
        >>> found = fit_gamma_gamma(x, spend)
        >>> round(found.p, 1), round(found.q, 1), found.customers
        (6.4, 3.9, 4000.0)
    """
    x = floats_given(x, "x", least=0)
    mean_spend = floats_given(mean_spend, "mean_spend", may_lack=True)
    counted = np.ones_like(x) if weights is None else floats_given(weights, "weights", least=0)
    if not x.shape == mean_spend.shape == counted.shape:
        raise InputError(
            f"x, mean_spend and weights have shapes {x.shape}, {mean_spend.shape}, "
            f"{counted.shape}; give one of each per customer"
        )
    usable = (x > 0) & (mean_spend > 0) & (counted > 0)
    if usable.sum() < LEAST_BUYERS:
        raise NotReady(
            f"{int(usable.sum())} customers have a repeat order with money, Gamma-Gamma needs "
            f"{LEAST_BUYERS}; import a longer history"
        )
    x, mean_spend, counted = x[usable], mean_spend[usable], counted[usable]
    total = float(counted.sum())
    unit = float((counted * mean_spend).sum()) / total
    likelihood = _Likelihood(x, mean_spend / unit, counted / total)
    found = fit_positive(likelihood, _STARTS, _BOUNDS, names=("p", "q", "gamma"))
    p, q, gamma = found.values
    log_likelihood = -found.loss * total - total * np.log(unit)
    return GammaGamma(p, q, gamma * unit, float(log_likelihood), total, found.note)


class _Likelihood:
    """Mean negative log-likelihood and its gradient, money in units of the mean."""

    def __init__(self, x: Numbers, mean_spend: Numbers, share: Numbers) -> None:
        self.x, self.share, self.spent = x, share, x * mean_spend
        self.log_m = float((share * np.log(mean_spend)).sum())
        self.x_log_spent = float((share * x * np.log(self.spent)).sum())
        self.mean_x = float((share * x).sum())
        self.counts, at = np.unique(x, return_inverse=True)
        self.count_share = np.bincount(at, weights=share)

    def __call__(self, values: Numbers) -> tuple[float, Numbers]:
        p, q, gamma = (float(value) for value in values)
        n, share = self.counts, self.count_share
        scale = np.log(gamma + self.spent)
        slack = 1.0 / (gamma + self.spent)
        shape = p * self.x + q
        value = float((share * (gammaln(p * n + q) - gammaln(p * n))).sum())
        value += float(q * np.log(gamma) - gammaln(q) - self.log_m + p * self.x_log_spent)
        value -= float((self.share * shape * scale).sum())
        digamma_shape = digamma(p * n + q)
        gradient = np.array([
            (share * n * (digamma_shape - digamma(p * n))).sum()
            + self.x_log_spent
            - (self.share * self.x * scale).sum(),
            (share * digamma_shape).sum() - digamma(q) + np.log(gamma) - (self.share * scale).sum(),
            q / gamma - (self.share * shape * slack).sum(),
        ])
        return -value, -gradient
