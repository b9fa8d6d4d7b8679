"""GG/NBD: Pareto/NBD in which leaving grows likelier the longer a customer has been there."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.fitted import Likelihood, fit_orders
from regulars.understand.value.models.orders.leaving_in_time import LeavingInTime

Numbers = NDArray[np.float64]

_NODES, _SHARES = np.polynomial.legendre.leggauss(40)


@dataclass(frozen=True)
class GGNBD(LeavingInTime):
    """A fitted gamma/Gompertz/NBD; answers what every `FittedOrders` does.

    The rate at which a customer leaves starts from one of his own and grows e-fold every
    `e_fold` of time; where it never does the model is the Pareto/NBD, and `beta` is as there.
    The paper calls 1 / e_fold b, and beta / e_fold beta.

    Attributes:
        r: Shape of the gamma over buying rates, no unit.
        alpha: Its rate, in the time unit of the data.
        s: Shape of the gamma over rates of leaving at the start, no unit.
        beta: Its rate, in the time unit of the data.
        e_fold: Time in which the rate of leaving grows e-fold, in the unit of the data.
        log_likelihood: Of all customers together.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.

    Example:
        >>> fitted = GGNBD(0.553, 10.578, 0.603, 13.0, 5000.0, 0.0, 1)
        >>> x, t_x, T = np.array([26.0]), np.array([30.857]), np.array([31.0])
        >>> round(float(fitted.expected_orders(x, t_x, T, 52)[0]), 1)
        25.6
    """

    NAME: ClassVar[str] = "GG/NBD"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta", "e_fold")
    SCALES: ClassVar[tuple[bool, ...]] = (False, True, False, True, True)
    STARTS: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 1.0, 1.0, 1.0, 100.0),
        (0.5, 0.4, 0.6, 0.5, 10.0),
    )
    BOUNDS: ClassVar[tuple[tuple[float, float], ...]] = (
        (1e-3, 1e3),
        (1e-4, 1e4),
        (1e-4, 1e3),
        (1e-4, 1e4),
        (0.05, 1e5),
    )

    r: float
    alpha: float
    s: float
    beta: float
    e_fold: float
    log_likelihood: float
    customers: float
    note: str = ""

    def _ways(self, x: Numbers, t_x: Numbers, T: Numbers) -> tuple[Numbers, Numbers]:
        values = (self.r, self.alpha, self.s, self.beta, self.e_fold)
        there, gone, _, _ = _both(values, x, t_x, T)
        return there, gone

    def _time_left(self, T: Numbers, t: float) -> Numbers:
        """Time of the next `t` a customer who has not left is expected to stay."""
        near = np.minimum(self.beta + T, self.e_fold)
        width = np.log1p(t / near)
        ahead = near * np.expm1(width * (_NODES[:, None] + 1) / 2)
        now = np.log(self.beta + _worn(T, self.e_fold))
        then = np.log(self.beta + _worn(T + ahead, self.e_fold))
        parts = _SHARES[:, None] / 2 * width * (near + ahead) * np.exp(self.s * (now - then))
        return np.asarray(parts.sum(axis=0))

    def _stays(self, T: Numbers, t: float, rng: np.random.Generator) -> Numbers:
        chance = np.maximum(rng.random(T.shape), 1e-300)
        with np.errstate(over="ignore"):
            worn = (self.beta + _worn(T, self.e_fold)) * chance ** (-1 / self.s) - self.beta
        return np.clip(self.e_fold * np.log1p(worn / self.e_fold) - T, 0.0, t)

    @staticmethod
    def _loss(histories: OrderHistories, unit: float) -> Likelihood:
        return _Likelihood(histories, unit)


def fit_gg_nbd(histories: OrderHistories) -> GGNBD:
    """Fit the GG/NBD by maximum likelihood.

    Args:
        histories: Distinct histories with their numbers of customers.

    Returns:
        The fitted model; `note` names a parameter the data leave open: `e_fold` at its most
        where leaving does not grow likelier, and a Pareto/NBD says the same with less.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.

    Source:
        Bemmaor & Glady (2012), "Modeling Purchasing Behavior with Sudden 'Death': A Flexible
        Customer Lifetime Model", Management Science 58(5). The integral over the moment of
        leaving is taken by Gauss-Legendre quadrature; beta is measured as in the Pareto/NBD,
        ours, because the published beta and b go to nothing together where leaving does not
        grow likelier.

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> many = group_histories([0, 1, 2, 5], [0, 9, 30, 50], [52] * 4, [90, 40, 30, 9])
        >>> fit_gg_nbd(many).customers
        169.0
    """
    return GGNBD(**fit_orders(GGNBD, histories))


class _Likelihood(Likelihood):
    """Of the GG/NBD."""

    def __call__(self, values: Numbers) -> tuple[float, Numbers]:
        """Give the loss and its gradient at r, alpha, s, beta, e_fold.

        Returns:
            Both, the gradient of shape (5,).
        """
        own = tuple(float(value) for value in values)
        r, alpha, s, beta, _e_fold = own
        x = self.x
        alive, gone, u, weight = _both(own, x, self.t_x, self.T)
        total = np.logaddexp(alive, gone)
        left = np.exp(gone - total)
        level = total + gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        slopes = left * (weight * _slopes(own, x, u, gone=True)).sum(axis=1)
        slopes += (1 - left) * _slopes(own, x, self.T, gone=False)
        slopes[0] += digamma(r + x) - digamma(r) + np.log(alpha)
        slopes[1] += r / alpha
        slopes[2] += np.log(beta) + left / s
        slopes[3] += s / beta
        return -float((self.share * level).sum()), -(slopes @ self.share)


def _slopes(values: tuple[float, ...], x: Numbers, time: Numbers, *, gone: bool) -> Numbers:
    """Slopes of the log of one way to have a history: gone at a moment, or there at it.

    Returns:
        By parameter, shape (5,) and that of the moments.
    """
    r, alpha, s, beta, e_fold = values
    z = np.minimum(time / e_fold, 700.0)
    far = beta + _worn(time, e_fold)
    # Below a thousandth the difference of the two exponentials has lost its digits.
    bend = np.where(z < 1e-3, z * z * (0.5 + z / 3), z * np.exp(z) - np.expm1(z)) / far
    return np.stack([
        -np.log(alpha + time),
        -(r + x) / (alpha + time),
        -np.log(far),
        -(s + gone) / far,
        (s + gone) * bend - gone * time / e_fold**2,
    ])


def _worn(time: Numbers, e_fold: float) -> Numbers:
    """Time as it counts for leaving: the longer one has been there, the faster it runs."""
    with np.errstate(over="ignore"):
        return np.asarray(e_fold * np.expm1(np.minimum(time / e_fold, 700.0)))


def _both(
    values: tuple[float, ...], x: Numbers, t_x: Numbers, T: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Logs of both ways to have this history: still there, or gone since the last order.

    Moments of leaving are spread as in the Pareto/NBD, evenly where the integrand times
    (near + u)^c is flat, near being the smaller of alpha and beta.

    Returns:
        Both; the moments the integral was taken at and their shares of it, shape
        (40, histories).
    """
    r, alpha, s, beta, e_fold = values
    alive = -(r + x) * np.log(alpha + T) - s * np.log(beta + _worn(T, e_fold))
    near = min(alpha, beta)
    length = np.log((near + T) / (near + t_x))
    c = np.minimum(*(_falls(values, near, x, time) for time in (t_x, T)))
    c = np.maximum(c, 1e-4 / np.maximum(length, 1e-9))
    width = -np.expm1(-c * length)
    ahead = -np.log1p(-width * (_NODES[:, None] + 1) / 2) / c
    u = np.clip((near + t_x) * np.exp(ahead) - near, t_x, T)
    bend = (c + 1) * ahead - (r + x) * np.log(alpha + u) + u / e_fold
    bend -= (s + 1) * np.log(beta + _worn(u, e_fold))
    parts = _SHARES[:, None] / 2 * np.exp(bend - bend.max(axis=0))
    with np.errstate(divide="ignore"):
        gone = np.log(s * (near + t_x)) + bend.max(axis=0) + np.log(width / c * parts.sum(axis=0))
    return alive, gone, u, parts / parts.sum(axis=0)


def _falls(values: tuple[float, ...], near: float, x: Numbers, u: Numbers) -> Numbers:
    """How fast the log of the integrand falls in the log of near + u."""
    r, alpha, s, beta, e_fold = values
    fast = np.exp(np.minimum(u / e_fold, 700.0)) / (beta + _worn(u, e_fold))
    return (near + u) * ((r + x) / (alpha + u) + (s + 1) * fast - 1 / e_fold) - 1
