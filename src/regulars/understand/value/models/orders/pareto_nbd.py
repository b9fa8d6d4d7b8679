"""Pareto/NBD: a customer buys at a rate of his own until he leaves, at any moment."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.fitted import Likelihood, fit_orders
from regulars.understand.value.models.orders.leaving_in_time import LeavingInTime

Numbers = NDArray[np.float64]

_NODES, _SHARES = np.polynomial.legendre.leggauss(28)


@dataclass(frozen=True)
class ParetoNBD(LeavingInTime):
    """A fitted Pareto/NBD; answers what every `FittedOrders` does.

    Attributes:
        r: Shape of the gamma over buying rates, no unit.
        alpha: Its rate, in the time unit of the data.
        s: Shape of the gamma over rates of leaving, no unit.
        beta: Its rate, in the time unit of the data.
        log_likelihood: Of all customers together.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.

    Source:
        P(alive) and orders ahead: Fader & Hardie (2005), "A Note on Deriving the Pareto/NBD Model
        and Related Expressions", equations 37 and 41; of a new customer, Schmittlein, Morrison &
        Colombo (1987), equation 17.

    Example:
        >>> fitted = ParetoNBD(0.553, 10.578, 0.606, 11.669, 0.0, 1)
        >>> x, t_x, T = np.array([26.0]), np.array([30.857]), np.array([31.0])
        >>> round(float(fitted.expected_orders(x, t_x, T, 52)[0]), 1)
        25.5
    """

    NAME: ClassVar[str] = "Pareto/NBD"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    SCALES: ClassVar[tuple[bool, ...]] = (False, True, False, True)
    STARTS: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 1.0, 1.0, 1.0),
        (0.5, 0.4, 0.6, 0.5),
        (2.0, 0.2, 0.2, 0.2),
        (1.0, 0.5, 3.0, 10.0),
    )
    BOUNDS: ClassVar[tuple[tuple[float, float], ...]] = (
        (1e-3, 1e3),
        (1e-4, 1e4),
        (1e-4, 1e3),
        (1e-4, 1e4),
    )

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float
    customers: float
    note: str = ""

    def _ways(self, x: Numbers, t_x: Numbers, T: Numbers) -> tuple[Numbers, Numbers]:
        there, gone, _, _ = _both(self.r, self.alpha, self.s, self.beta, x, t_x, T)
        return there, gone

    def _time_left(self, T: Numbers, t: float) -> Numbers:
        """Time of the next `t` a customer who has not left is expected to stay."""
        s = self.s if abs(self.s - 1) > 1e-6 else 1 + 1e-6
        shrink = np.expm1((1 - s) * np.log1p(t / (self.beta + T)))
        return np.asarray((self.beta + T) / (1 - s) * shrink)

    def _stays(self, T: Numbers, t: float, rng: np.random.Generator) -> Numbers:
        leaving = rng.gamma(self.s, 1.0 / (self.beta + T))
        return np.minimum(rng.exponential(1.0, T.shape) / np.maximum(leaving, 1e-300), t)

    @staticmethod
    def _loss(histories: OrderHistories, unit: float) -> Likelihood:
        return _Likelihood(histories, unit)


def fit_pareto_nbd(histories: OrderHistories) -> ParetoNBD:
    """Fit the Pareto/NBD by maximum likelihood.

    Args:
        histories: Distinct histories with their numbers of customers.

    Returns:
        The fitted model; `note` names a parameter the data leave open.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.

    Source:
        Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and
        What Will They Do Next?", Management Science 33(1). The integral over the moment of
        leaving is taken by Gauss-Legendre quadrature, ours, because it is smooth where the
        hypergeometric form cancels.

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> many = group_histories([0, 1, 2, 5], [0, 9, 30, 50], [52] * 4, [90, 40, 30, 9])
        >>> fit_pareto_nbd(many).customers
        169.0
    """
    return ParetoNBD(**fit_orders(ParetoNBD, histories))


class _Likelihood(Likelihood):
    """Of the Pareto/NBD."""

    def __call__(self, values: Numbers) -> tuple[float, Numbers]:
        """Give the loss and its gradient at r, alpha, s, beta.

        Returns:
            Both, the gradient of shape (4,).
        """
        r, alpha, s, beta = (float(value) for value in values)
        x, T = self.x, self.T
        alive, gone, u, weight = _both(r, alpha, s, beta, x, self.t_x, T)
        total = np.logaddexp(alive, gone)
        left = np.exp(gone - total)
        level = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)

        def mean(there: Numbers, moment: Numbers) -> Numbers:
            """Of a quantity at T if the customer is still there, at the moment he left if not."""
            return np.asarray((1 - left) * there + left * (weight * moment).sum(axis=0))

        parts = (
            digamma(r + x)
            - digamma(r)
            + np.log(alpha)
            - mean(np.log(alpha + T), np.log(alpha + u)),
            r / alpha - (r + x) * mean(1 / (alpha + T), 1 / (alpha + u)),
            np.log(beta) + left / s - mean(np.log(beta + T), np.log(beta + u)),
            s / beta - mean(s / (beta + T), (s + 1) / (beta + u)),
        )
        gradient = np.array([(self.share * part).sum() for part in parts])
        return -float((self.share * (level + total)).sum()), -gradient


def _both(
    r: float, alpha: float, s: float, beta: float, x: Numbers, t_x: Numbers, T: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Logs of both ways to have this history: still there, or gone since the last order.

    Returns:
        log (alpha+T)^-(r+x) (beta+T)^-s; log of the integral over the moment u of leaving,
        from t_x to T, of s (alpha+u)^-(r+x) (beta+u)^-(s+1); the moments the integral was
        taken at and their shares of it, both of shape (28, histories).
    """
    alive = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    # Moments are spread as the integrand falls, in the log of the smaller of alpha+u and beta+u:
    # in the larger one it would have a spike at t_x that no fixed number of moments resolves.
    if alpha <= beta:
        u, bend, level = _spread(alpha, beta, r + x - 1, s + 1, t_x, T)
    else:
        u, bend, level = _spread(beta, alpha, np.asarray(s), r + x, t_x, T)
    peak = bend.max(axis=0)
    parts = _SHARES[:, None] / 2 * np.exp(bend - peak)
    whole = parts.sum(axis=0)
    with np.errstate(divide="ignore"):
        gone = np.log(s) + level + peak + np.log(whole)
    return alive, gone, u, parts / whole


def _spread(
    near: float, far: float, own: Numbers, other: float | Numbers, t_x: Numbers, T: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Spread moments over (near+u)^-own (far+u)^-other d log(near+u), from t_x to T.

    Returns:
        The moments, the log of what is left of the integrand at each, both of shape
        (28, histories), and the log of what was taken out. The exponent taken out, c, is the
        least from t_x to T: what is left is smooth and falls, whatever the parameters.
    """
    first, last = np.log(near + t_x), np.log(near + T)
    falls = [own + other * (near + u) / (far + u) for u in (t_x, T)]
    c = np.maximum(np.minimum(*falls), 1e-4 / np.maximum(last - first, 1e-9))
    width = -np.expm1(-c * (last - first))
    log_near = first - np.log1p(-width * (_NODES[:, None] + 1) / 2) / c
    u = np.clip(np.exp(log_near) - near, t_x, T)
    bend = -(own - c) * log_near - other * np.log(far + u)
    with np.errstate(divide="ignore"):
        return u, bend, np.asarray(np.log(width / c) - c * first)
