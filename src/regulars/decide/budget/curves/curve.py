"""One response curve: how much the first yuan brings, how fast that fades, and how sure it is."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

_HALVINGS = 60
UNSCORED = "unscored"
"""Segment of customers a turn has no RFM score for."""


class Cell(NamedTuple):
    """What money can be put into: one offer through one channel to one segment."""

    segment: str
    channel: str
    offer_id: str

    def __str__(self) -> str:
        """Give the parts in one word."""
        return "/".join(self)


@dataclass(frozen=True)
class Curve:
    """What money in one cell brings in one period: r b (1 - exp(-s / b)) for spend s.

    Concave where r is above 0: each yuan brings less than the one before.

    Attributes:
        cell: Where.
        first_return: r: margin the first unit of money brings, before its own cost.
        saturation: b: spend after which the next unit brings 37 % of what the first did.
        spend: What was spent per measured period on average.
        most: Spend at which everybody is reached; inf when unknown.
        points: Measured periods behind it.
        error: Standard error of the last measured effect; nan without points.
        shares: Weight of each shape considered, summing to 1; shape (shapes,).
        returns: Mean of r under each shape.
        spreads: Standard deviation of r under each shape.
        scales: b of each shape.
    """

    cell: Cell
    first_return: float
    saturation: float
    spend: float
    most: float
    points: int
    error: float
    shares: Floats = field(repr=False)
    returns: Floats = field(repr=False)
    spreads: Floats = field(repr=False)
    scales: Floats = field(repr=False)

    @property
    def spread(self) -> float:
        """Standard deviation of the first return, what is not known of its shape included."""
        mean = float(self.shares @ self.returns)
        second = float(self.shares @ (self.spreads**2 + self.returns**2))
        return float(np.sqrt(max(second - mean**2, 0.0)))

    def value(self, spend: ArrayLike) -> Floats:
        """Give the margin a spend brings, before its own cost.

        Returns:
            Margin, of the shape of `spend`.

        Example:
            >>> one = np.ones(1)
            >>> curve = Curve(Cell("all", "sms", "ten"), 2.0, 100.0, 0.0, np.inf, 0, np.nan,
            ...     one, 2.0 * one, 0.5 * one, 100.0 * one)
            >>> round(float(curve.value(100.0)), 2), round(float(curve.marginal(100.0)), 2)
            (126.42, 0.74)
        """
        return self.first_return * gain(spend, self.saturation)

    def marginal(self, spend: ArrayLike) -> Floats:
        """Give what the next unit of money brings."""
        return np.asarray(
            self.first_return * np.exp(-np.asarray(spend, np.float64) / self.saturation)
        )

    def interval(self, spend: ArrayLike, *, level: float = 0.9) -> tuple[Floats, Floats]:
        """Give an interval of what a spend brings.

        Args:
            spend: Spends, any shape.
            level: Coverage, 0 to 1.

        Returns:
            Lower and upper end, each of the shape of `spend`.
        """
        at = np.asarray(spend, np.float64)
        gains = gain(at[..., None], self.scales)
        mean, spread = self.returns * gains, self.spreads * gains + 1e-12
        reach = float(ndtri((1 + level) / 2)) + 1.0
        ends = []
        for share in ((1 - level) / 2, (1 + level) / 2):
            low, high = (mean - reach * spread).min(-1), (mean + reach * spread).max(-1)
            for _halving in range(_HALVINGS):
                middle = (low + high) / 2
                below = (self.shares * ndtr((middle[..., None] - mean) / spread)).sum(-1)
                low, high = (
                    np.where(below < share, middle, low),
                    np.where(below < share, high, middle),
                )
            ends.append((low + high) / 2)
        return ends[0], ends[1]

    def chance_of_loss(self, spend: float, *, hurdle: float = 1.0) -> float:
        """Give the probability that the next unit of money brings less than the hurdle.

        Args:
            spend: What is spent already.
            hurdle: What a unit of money must bring; 1 is its own cost.

        Returns:
            A probability; it grows with the spend.
        """
        needed = hurdle * np.exp(np.minimum(spend / self.scales, 700.0))
        return float(self.shares @ ndtr((needed - self.returns) / np.maximum(self.spreads, 1e-12)))


def gain(spend: ArrayLike, saturation: ArrayLike) -> Floats:
    """Give spend as it counts once it saturates: b (1 - exp(-s / b)).

    Returns:
        From 0 to b, of the shape both have together.

    Source:
        The modified exponential response of Little (1979), "Aggregate advertising models",
        Operations Research 27(4): concave, with a finite first derivative.

    Example:
        >>> gain([0.0, 1e9], 50.0).tolist()
        [0.0, 50.0]
    """
    scale = np.asarray(saturation, np.float64)
    return np.asarray(-scale * np.expm1(-np.asarray(spend, np.float64) / scale))
