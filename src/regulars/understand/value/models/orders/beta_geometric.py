"""What BG/NBD and MBG/NBD share: gamma rates of buying, a beta chance to leave after an order."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, expit, gammaln, hyp2f1

from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.fitted import FittedOrders

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class BetaGeometric(FittedOrders):
    """A fitted model of the family.

    Attributes:
        r: Shape of the gamma over buying rates, no unit.
        alpha: Its rate, in the time unit of the data.
        a: First shape of the beta over the chance to leave after an order.
        b: Its second shape.
        log_likelihood: Of all customers together.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.

    Source:
        P(alive): Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model".
        Orders ahead: Fader, Hardie & Lee (2005), equation 10, of a new customer equation 9; with
        Euler's transformation of the hypergeometric function, ours, because it stays finite for
        hundreds of orders.
    """

    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    SCALES: ClassVar[tuple[bool, ...]] = (False, True, False, False)
    STARTS: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 1.0, 1.0, 1.0),
        (0.25, 0.25, 0.5, 2.0),
        (2.0, 0.2, 0.1, 5.0),
        (0.5, 2.0, 2.0, 2.0),
    )
    BOUNDS: ClassVar[tuple[tuple[float, float], ...]] = (
        (1e-3, 1e3),
        (1e-4, 1e4),
        (1e-4, 1e2),
        (1e-3, 1e3),
    )
    AFTER_FIRST: ClassVar[int] = 0

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: float
    note: str = ""

    def _alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        with np.errstate(divide="ignore"):
            may_have = np.where(x + self.AFTER_FIRST > 0, 0.0, -np.inf)
        odds = np.log(self.a / np.maximum(self.b + x + self.AFTER_FIRST - 1, 1e-12))
        silence = (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x))
        return np.asarray(expit(-(may_have + odds + silence)))

    def _expected(self, x: Numbers, t_x: Numbers, T: Numbers, t: float) -> Numbers:
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6
        stays = self.b + x + self.AFTER_FIRST
        z = t / (self.alpha + T + t)
        series = hyp2f1(a - 1, a + self.b + self.AFTER_FIRST - 1 - self.r, a + stays - 1, z)
        born = (a + stays - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * series)
        return np.asarray(np.maximum(born, 0.0) * self._alive(x, t_x, T))

    def _drawn(
        self, x: Numbers, t_x: Numbers, T: Numbers, t: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], Numbers]:
        """A customer who has not left buys at a rate, and stops at the order he leaves after."""
        is_alive = rng.random(x.shape) < self._alive(x, t_x, T)
        wanted = rng.poisson(rng.gamma(self.r + x, 1.0 / (self.alpha + T)) * t)
        leave = rng.beta(self.a, self.b + x + self.AFTER_FIRST)
        last = rng.geometric(np.clip(leave, 1e-12, 1.0))
        return is_alive, np.minimum(wanted, last)

    @classmethod
    def likelihood(cls, histories: OrderHistories, unit: float) -> "Likelihood":
        """Give the mean negative log-likelihood and its gradient, time in units of `unit`.

        Args:
            histories: Distinct histories.
            unit: Time that counts as 1.

        Returns:
            A function of r, alpha, a and b.
        """
        return Likelihood(histories, unit, cls.AFTER_FIRST)


class Likelihood:
    """Mean negative log-likelihood and its gradient, time in units of a given length.

    Args:
        histories: Distinct histories.
        unit: Time that counts as 1.
        after_first: 1 when a customer may leave after the first order already, else 0.
    """

    def __init__(self, histories: OrderHistories, unit: float, after_first: int) -> None:
        """Sum up what does not depend on the parameters."""
        share = histories.weights / histories.weights.sum()
        self.after_first = after_first
        self.counts, at = np.unique(histories.x, return_inverse=True)
        self.count_share = np.bincount(at, weights=share)
        self.lengths, length_at = np.unique(histories.T / unit, return_inverse=True)
        may_leave = histories.x + after_first > 0
        self.once = np.bincount(
            length_at, weights=np.where(may_leave, 0.0, share), minlength=len(self.lengths)
        )
        self.x, self.share = histories.x[may_leave], share[may_leave]
        self.count_at, self.length_at = at[may_leave], length_at[may_leave]
        self.lasts, self.last_at = np.unique(histories.t_x[may_leave] / unit, return_inverse=True)

    def __call__(self, values: Numbers) -> tuple[float, Numbers]:
        """Give the loss and its gradient at r, alpha, a, b.

        Returns:
            Both, the gradient of shape (4,).
        """
        r, alpha, a, b = (float(value) for value in values)
        n, share = self.counts, self.count_share
        stayed = n + self.after_first
        level = gammaln(r + n) - gammaln(r) + r * np.log(alpha)
        # beta(a, b + x) / beta(a, b) is the chance of x orders without leaving
        level += betaln(a, b + stayed) - betaln(a, b)
        both = digamma(a + b) - digamma(a + b + stayed)
        gradient = np.array([
            (share * (digamma(r + n) - digamma(r) + np.log(alpha))).sum(),
            r / alpha,
            (share * both).sum(),
            (share * (both + digamma(b + stayed) - digamma(b))).sum(),
        ])
        log_T, log_last = np.log(alpha + self.lengths), np.log(alpha + self.lasts)
        value = float((share * level).sum()) - r * float((self.once * log_T).sum())
        gradient[0] -= (self.once * log_T).sum()
        gradient[1] -= r * (self.once / (alpha + self.lengths)).sum()
        return -(value + self._may_leave(r, a, b, log_T, log_last, gradient)), -gradient

    def _may_leave(
        self, r: float, a: float, b: float, log_T: Numbers, log_last: Numbers, gradient: Numbers
    ) -> float:
        """Add what customers say who may have left; the gradient is changed in place."""
        rate = r + self.x
        log_T, log_last = log_T[self.length_at], log_last[self.last_at]
        # The count 0 of a BG/NBD, who cannot leave, only keeps the logarithm finite.
        stays = b + np.maximum(self.counts + self.after_first - 1, 0)
        gap = (np.log(a) - np.log(stays))[self.count_at] + rate * (log_T - log_last)
        small = np.exp(-np.abs(gap))
        left = np.where(gap > 0, 1.0, small) / (1.0 + small)
        value = np.maximum(gap, 0.0) + np.log1p(small) - rate * log_T
        gone = self.share * left
        stayed = self.share - gone
        gradient[0] -= (stayed * log_T + gone * log_last).sum()
        gradient[1] -= (rate * (stayed * np.exp(-log_T) + gone * np.exp(-log_last))).sum()
        gradient[2] += gone.sum() / a
        by_count = np.bincount(self.count_at, weights=gone, minlength=len(self.counts))
        gradient[3] -= (by_count / stays).sum()
        return float((self.share * value).sum())
