"""What Pareto/NBD and GG/NBD share: a customer may leave at any moment, not only after an order."""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.fitted import FittedOrders, Likelihood

Numbers = NDArray[np.float64]


class LeavingInTime(FittedOrders):
    """A fitted model of the family; r and alpha are of the buying rates."""

    r: float
    alpha: float

    def _alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        there, gone = self._ways(x, t_x, T)
        return np.asarray(1.0 / (1.0 + np.exp(gone - there)))

    def _expected(self, x: Numbers, t_x: Numbers, T: Numbers, t: float) -> Numbers:
        rate = (self.r + x) / (self.alpha + T)
        return np.asarray(rate * self._time_left(T, t) * self._alive(x, t_x, T))

    def _drawn(
        self, x: Numbers, t_x: Numbers, T: Numbers, t: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], Numbers]:
        is_alive = rng.random(x.shape) < self._alive(x, t_x, T)
        stays = self._stays(T, t, rng)
        wanted = rng.poisson(rng.gamma(self.r + x, 1.0 / (self.alpha + T)) * stays)
        return is_alive, wanted.astype(np.float64)

    @classmethod
    def likelihood(cls, histories: OrderHistories, unit: float) -> Likelihood:
        """Give the mean negative log-likelihood and its gradient, time in units of `unit`.

        Args:
            histories: Distinct histories.
            unit: Time that counts as 1.

        Returns:
            A function of the parameters in the order of NAMES.
        """
        return cls._loss(histories, unit)

    @staticmethod
    @abstractmethod
    def _loss(histories: OrderHistories, unit: float) -> Likelihood:
        """Likelihood of the model, time in units of `unit`."""

    @abstractmethod
    def _ways(self, x: Numbers, t_x: Numbers, T: Numbers) -> tuple[Numbers, Numbers]:
        """Logs of both ways to have this history: still there, or gone since the last order."""

    @abstractmethod
    def _time_left(self, T: Numbers, t: float) -> Numbers:
        """Time of the next `t` a customer who has not left is expected to stay."""

    @abstractmethod
    def _stays(self, T: Numbers, t: float, rng: np.random.Generator) -> Numbers:
        """Time of the next `t` each customer who has not left stays, drawn once."""
