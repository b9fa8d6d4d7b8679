"""Whether a figure that is no share, such as the cost of a contact, has left its past's range."""

import numpy as np
from numpy.typing import ArrayLike

from regulars.adjust.alerts.laney_chart import LIMIT, MOVING_RANGE, Place
from regulars.errors import InputError
from regulars.numerics.given import floats_given, require_one_length


def individuals_chart(values: ArrayLike) -> Place:
    """Place the last of a row of single values against the ones before it.

    Args:
        values: One per turn, oldest first, the last one judged; two before it or more.

    Returns:
        The place of the last value. Where the past never moved, any other value is out.

    Raises:
        InputError: There are fewer than three values, or one is nan or no number.

    Source:
        Shewhart, W. A. (1931), Economic Control of Quality of Manufactured Product: individuals
        with limits from the mean moving range.

    Example:
        >>> place = individuals_chart([0.050, 0.052, 0.049, 0.051, 0.110])
        >>> place.is_out, round(place.usual, 4)
        (True, 0.0505)
    """
    given = floats_given(values, "values")
    _require_past(given.size)
    past, value = given[:-1], float(given[-1])
    usual = float(past.mean())
    width = float(np.abs(np.diff(past)).mean()) / MOVING_RANGE
    return _place(value, usual, width)


def estimates_chart(values: ArrayLike, errors: ArrayLike) -> Place:
    """Place the last of a row of estimates, each with its standard error, against those before.

    Args:
        values: One per turn, oldest first, the last one judged; two before it or more.
        errors: Their standard errors, above 0.

    Returns:
        The place of the last estimate against the pooled past: limits are as wide as its own
        error and the past's allow, and wider where estimates moved more than their errors say.

    Raises:
        InputError: Lengths differ, there are fewer than three, one is nan or no number, or an
            error is not above 0.

    Source:
        Laney (2002), as in `laney_chart`, with estimated in place of binomial errors: ours,
        because effects are differences of means.

    Example:
        >>> estimates_chart([0.5, 0.6, 0.4, 0.5, 0.0], [0.1] * 5).is_out
        True
        >>> estimates_chart([0.5, 0.6, 0.4, 0.5, 0.3], [0.1] * 5).is_out
        False
    """
    value, error = floats_given(values, "values"), floats_given(errors, "errors")
    require_one_length(values=value, errors=error)
    _require_past(value.size)
    if not (error > 0).all():
        raise InputError(f"an error is {error.min():g}, must be above 0; leave such turns out")
    weight = error[:-1] ** -2
    usual = float((weight * value[:-1]).sum() / weight.sum())
    scores = (value[:-1] - usual) / error[:-1]
    moving = max(float(np.abs(np.diff(scores)).mean()) / MOVING_RANGE, 1.0)
    width = moving * float(np.sqrt(error[-1] ** 2 + 1 / weight.sum()))
    return _place(float(value[-1]), usual, width)


def _require_past(count: int) -> None:
    if count < 3:
        raise InputError(f"{count} values were given; give two of the past or more, and the newest")


def _place(value: float, usual: float, width: float) -> Place:
    away = value - usual
    z = away / width if width > 0 else float(np.sign(away)) * (0.0 if away == 0 else 1e6)
    return Place(value, usual, usual - LIMIT * width, usual + LIMIT * width, z)
