"""Linear arms: what each arm is believed to bring, by ridge regression kept up to date."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError, UnknownName
from regulars.numerics.given import floats_given, number_given

Floats = NDArray[np.float64]


class LinearArms:
    """One linear belief per arm; arms come and go, old rewards may fade.

    Args:
        features: Length of a context; include a constant 1 for a level of its own.
        ridge: Strength of the belief before data that an arm brings nothing, in decisions, > 0.
        fade: Share of earlier evidence that stays with each new reward of an arm, in (0, 1];
            0.999 forgets half in about 700 rewards.
    """

    def __init__(self, features: int, *, ridge: float = 1.0, fade: float = 1.0) -> None:
        """Begin without arms.

        Raises:
            InputError: A number is outside its range.
        """
        for name, number in (("features", features), ("ridge", ridge), ("fade", fade)):
            number_given(number, name, below=np.inf)
        if features < 1 or ridge <= 0 or not 0 < fade <= 1:
            raise InputError(
                f"features is {features}, ridge {ridge}, fade {fade}; must be 1 or more, above 0, "
                "and in (0, 1]"
            )
        self.features, self.ridge, self.fade = features, ridge, fade
        self.names: list[str] = []
        self._place: dict[str, int] = {}
        self._precision = np.empty((0, features, features))
        self._inverse = np.empty((0, features, features))
        self._sum = np.empty((0, features))
        self._mean = np.empty((0, features))

    def add(self, arm: str) -> None:
        """Let an arm in; one that was there before keeps what is known of it."""
        if arm in self._place:
            return
        self._place[arm] = len(self.names)
        self.names.append(arm)
        size = self.features
        plain = self.ridge * np.eye(size)[None]
        self._precision = np.concatenate([self._precision, plain])
        self._inverse = np.concatenate([self._inverse, np.eye(size)[None] / self.ridge])
        self._sum = np.concatenate([self._sum, np.zeros((1, size))])
        self._mean = np.concatenate([self._mean, np.zeros((1, size))])

    def places(self, arms: Sequence[str]) -> NDArray[np.int64]:
        """Number arms that were let in.

        Returns:
            Their numbers, shape (arms,).

        Raises:
            UnknownName: An arm was never added.
            InputError: One is named twice.
        """
        if isinstance(arms, str) or len(set(arms)) < len(arms):
            raise InputError(f"arms are {arms!r}; give a list of different names")
        missing = [arm for arm in arms if arm not in self._place]
        if missing:
            raise UnknownName("arm", missing[0], self.names)
        return np.array([self._place[arm] for arm in arms], dtype=np.int64)

    def expected(self, places: NDArray[np.int64], context: Floats) -> tuple[Floats, Floats]:
        """Give mean and variance of what arms are believed to bring.

        Args:
            places: Numbers of the arms, shape (arms,).
            context: What is known, shape (features,).

        Returns:
            Means and variances in units of the noise variance, both of shape (arms,).
        """
        means = self._mean[places] @ context
        return means, np.einsum("j,ajk,k->a", context, self._inverse[places], context)

    def learn(self, arm: str, context: ArrayLike, reward: float, *, weight: float = 1.0) -> None:
        """Take in one reward.

        Args:
            arm: The arm that was taken.
            context: What was known, shape (features,).
            reward: What came of it.
            weight: How much it counts, > 0.

        Raises:
            UnknownName: The arm was never added.
            InputError: Context or reward hold nan, or the context has another length.
        """
        x = self.context(context)
        number_given(reward, "reward")
        number_given(weight, "weight", below=np.inf)
        if not np.isfinite(reward) or weight <= 0:
            raise InputError(f"reward is {reward} with weight {weight}; give a number and above 0")
        place = int(self.places([arm])[0])
        if self.fade < 1:
            prior = self.ridge * np.eye(self.features)
            faded = self.fade * (self._precision[place] - prior) + prior
            self._precision[place] = faded + weight * np.outer(x, x)
            self._inverse[place] = np.linalg.inv(self._precision[place])
            self._sum[place] *= self.fade
        else:
            self._precision[place] += weight * np.outer(x, x)
            near = self._inverse[place] @ x
            self._inverse[place] -= np.outer(near, near) * (weight / (1 + weight * (x @ near)))
        self._sum[place] += weight * reward * x
        self._mean[place] = self._inverse[place] @ self._sum[place]

    def context(self, given: ArrayLike) -> Floats:
        """Check a context.

        Returns:
            The context, shape (features,).

        Raises:
            InputError: It has another length or holds nan.
        """
        x = floats_given(given, "context", may_lack=True, may_be_infinite=True)
        if x.shape != (self.features,) or not np.isfinite(x).all():
            raise InputError(
                f"context has shape {x.shape} or holds nan, must be {self.features} numbers"
            )
        return x

    def as_data(self) -> dict[str, Any]:
        """Give all that is known as plain data, for JSON."""
        return {
            "features": self.features,
            "ridge": self.ridge,
            "fade": self.fade,
            "arms": {
                name: {
                    "precision": self._precision[place].tolist(),
                    "sum": self._sum[place].tolist(),
                }
                for name, place in self._place.items()
            },
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "LinearArms":
        """Take up what `as_data` gave."""
        arms = cls(data["features"], ridge=data["ridge"], fade=data["fade"])
        for name, known in data["arms"].items():
            arms.add(name)
            arms._precision[-1] = known["precision"]
            arms._sum[-1] = known["sum"]
            arms._inverse[-1] = np.linalg.inv(arms._precision[-1])
            arms._mean[-1] = arms._inverse[-1] @ arms._sum[-1]
        return arms
