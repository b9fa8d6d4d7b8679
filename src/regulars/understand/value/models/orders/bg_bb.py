"""BG/BB: occasions that come at fixed times, each taken or not, by customers who may leave."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from regulars.understand.value.models.histories import OrderHistories, need_repeaters
from regulars.understand.value.models.orders.fitted import columns_of
from regulars.understand.value.models.positive_fit import fit_positive

Numbers = NDArray[np.float64]

_NAMES = ("alpha", "beta", "gamma", "delta")
_STARTS = ((1.0, 1.0, 1.0, 1.0), (1.0, 0.7, 0.6, 3.0), (2.0, 2.0, 0.5, 5.0), (0.5, 2.0, 1.0, 9.0))
_BOUNDS = ((1e-3, 1e3),) * 4
_STEP = 1e-6


@dataclass(frozen=True)
class BGBB:
    """A fitted BG/BB.

    Attributes:
        alpha: First shape of the beta over the chance to take an occasion.
        beta: Its second shape.
        gamma: First shape of the beta over the chance to leave before an occasion.
        delta: Its second shape.
        log_likelihood: Of all customers together.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.
    """

    NAME: ClassVar[str] = "BG/BB"

    alpha: float
    beta: float
    gamma: float
    delta: float
    log_likelihood: float
    customers: float
    note: str = ""

    def p_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        """Give the probability that each customer is still there at the next occasion.

        Args:
            x: Occasions taken, >= 0, shape (customers,).
            t_x: The last occasion taken, 0 when none was, shape (customers,).
            T: Occasions so far, shape (customers,).

        Returns:
            Probabilities in [0, 1].

        Example:
            >>> fitted = BGBB(1.204, 0.750, 0.657, 2.783, 0.0, 1)
            >>> fitted.p_alive(np.array([0.0]), np.array([0.0]), np.array([6.0])).round(2).tolist()
            [0.11]
        """
        x, t_x, T = columns_of(x, t_x, T)
        both = _log_likelihood((self.alpha, self.beta, self.gamma, self.delta), x, t_x, T)
        stays = betaln(self.gamma, self.delta + T + 1) - betaln(self.gamma, self.delta)
        return np.asarray(np.exp(_took(self.alpha, self.beta, x, T - x) + stays - both))

    def expected_orders(self, x: Numbers, t_x: Numbers, T: Numbers, t: float) -> Numbers:
        """Give the occasions each customer is expected to take of the next `t`.

        Args:
            x: Occasions taken, >= 0, shape (customers,).
            t_x: The last occasion taken, 0 when none was, shape (customers,).
            T: Occasions so far, shape (customers,).
            t: Occasions ahead, a whole number >= 1.

        Returns:
            Expected occasions taken, shape (customers,), >= 0.
        """
        x, t_x, T = columns_of(x, t_x, T)
        rate = (self.alpha + x) / (self.alpha + self.beta + T)
        now = betaln(self.gamma, self.delta + T + 1)
        left = [np.exp(betaln(self.gamma, self.delta + T + 1 + k) - now) for k in range(int(t))]
        return np.asarray(rate * self.p_alive(x, t_x, T) * np.sum(left, axis=0))


def fit_bg_bb(histories: OrderHistories) -> BGBB:
    """Fit the BG/BB by maximum likelihood.

    Args:
        histories: Distinct histories: x occasions taken, t_x the last one taken, T occasions
            in all, whole numbers; weights the customers.

    Returns:
        The fitted model; `note` names a parameter the data leave open.

    Raises:
        NotReady: Fewer than 10 customers took an occasion, or no start led to a maximum.

    Source:
        Fader, Hardie & Shang (2010), "Customer-Base Analysis in a Discrete-Time Noncontractual
        Setting", Marketing Science 29(6), equation 5.

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> many = group_histories([0, 1, 2, 3], [0, 1, 3, 4], [4] * 4, [40, 20, 15, 25])
        >>> fit_bg_bb(many).customers
        100.0
    """
    need_repeaters(histories, BGBB.NAME)
    x, t_x, T = histories.x, histories.t_x, histories.T
    share = histories.weights / histories.weights.sum()

    def mean(values: Numbers) -> float:
        return -float((share * _log_likelihood(tuple(values), x, t_x, T)).sum())

    def loss(values: Numbers) -> tuple[float, Numbers]:
        steps = np.diag(values * _STEP)
        slope = [(mean(values + step) - mean(values - step)) / (2 * step.sum()) for step in steps]
        return mean(values), np.array(slope)

    found = fit_positive(loss, _STARTS, _BOUNDS, names=_NAMES)
    total = histories.customers
    alpha, beta, gamma, delta = found.values
    return BGBB(alpha, beta, gamma, delta, -found.loss * total, total, found.note)


def _took(alpha: float, beta: float, taken: Numbers, left_out: Numbers) -> Numbers:
    return np.asarray(betaln(alpha + taken, beta + left_out) - betaln(alpha, beta))


def _log_likelihood(values: tuple[float, ...], x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
    alpha, beta, gamma, delta = values
    parts = [_took(alpha, beta, x, T - x) + betaln(gamma, delta + T) - betaln(gamma, delta)]
    for later in range(int((T - t_x).max(initial=0.0))):
        left = _took(alpha, beta, x, t_x - x + later)
        left = left + betaln(gamma + 1, delta + t_x + later) - betaln(gamma, delta)
        parts.append(np.where(t_x + later < T, left, -np.inf))
    return np.asarray(np.logaddexp.reduce(parts, axis=0))
