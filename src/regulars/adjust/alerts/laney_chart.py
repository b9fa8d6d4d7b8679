"""Laney's p' chart: whether a share has left the range its own past allows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from regulars.errors import InputError
from regulars.numerics.given import floats_given, require_one_length

LIMIT = 3.0
"""Standard deviations a share may be from its past before it is called out of control."""

MOVING_RANGE = 1.128
"""Mean range of two standard normal values: Shewhart's constant d2 for n = 2."""


@dataclass(frozen=True)
class Place:
    """Where the newest share stands against its past.

    Attributes:
        share: The newest share.
        usual: Pooled share of the past.
        low: Lower control limit, at least 0.
        high: Upper control limit, at most 1.
        z: Distance from the usual share in standard deviations of the chart.
    """

    share: float
    usual: float
    low: float
    high: float
    z: float

    @property
    def is_out(self) -> bool:
        """True when the share has left the limits."""
        return abs(self.z) > LIMIT


def laney_chart(hits: ArrayLike, tried: ArrayLike) -> Place:
    """Place the last of a row of shares against the ones before it.

    The binomial limits of a p chart are too narrow where groups are large, because shares move
    from week to week for reasons of their own. Laney widens them by how much they did.

    Args:
        hits: Successes per group, oldest first, the last one judged; two groups before it or more.
        tried: Attempts per group, above 0, of the same length.

    Returns:
        The place of the last group. Shares without any variation in the past, all 0 or all 1,
        are counted as if one more attempt had half succeeded, so that a first failure among
        thousands is no alarm and a thousand are.

    Raises:
        InputError: Lengths differ, there is no past, or more hit than tried.

    Source:
        Laney, D. B. (2002), "Improved Control Charts for Attributes", Quality Engineering
        14(4), 531-537. Never narrower than the binomial limits: ours, because with few groups
        the moving range underestimates.

    Example:
        >>> place = laney_chart([440, 460, 450, 452, 30], [1000] * 5)
        >>> place.is_out, round(place.usual, 3), place.z < -3
        (True, 0.451, True)
        >>> laney_chart([440, 460, 450, 452, 447], [1000] * 5).is_out
        False
    """
    count = floats_given(hits, "hits", least=0)
    size = floats_given(tried, "tried", least=1)
    require_one_length(hits=count, tried=size)
    if count.size < 2 or (count > size).any():
        raise InputError("hits are more than tried, or of one group only; give two groups or more")
    usual = (count[:-1].sum() + 0.5) / (size[:-1].sum() + 1.0)
    spread = np.sqrt(usual * (1 - usual) / size)
    scores = (count / size - usual) / spread
    moving = np.abs(np.diff(scores[:-1])).mean() / MOVING_RANGE if len(size) > 2 else 1.0
    width = float(spread[-1] * max(moving, 1.0))
    share = float(count[-1] / size[-1])
    z = (share - usual) / width
    return Place(
        share,
        float(usual),
        max(0.0, usual - LIMIT * width),
        min(1.0, usual + LIMIT * width),
        float(z),
    )
