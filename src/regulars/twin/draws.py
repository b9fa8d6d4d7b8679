"""Turn uniform numbers into visits and normals by inversion, so that one key gives one draw."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST = 60


def poisson(uniform: Floats, mean: Floats) -> NDArray[np.int64]:
    """Draw counts by inversion: a larger mean never gives a smaller count.

    Args:
        uniform: Numbers in (0, 1), shape (draws,).
        mean: Expected counts, 0 to 20, shape (draws,).

    Returns:
        Counts from 0 to 60, shape (draws,).

    Example:
        >>> poisson(np.array([0.1, 0.5, 0.9]), np.array([1.0, 1.0, 1.0])).tolist()
        [0, 1, 2]
    """
    term = np.exp(-mean)
    count = np.zeros(len(mean), dtype=np.int64)
    rest = np.flatnonzero(uniform > term)
    left, u, term = mean[rest], uniform[rest], term[rest]
    sum_ = term.copy()
    for k in range(1, _MOST + 1):
        if not rest.size:
            break
        count[rest] = k
        term = term * left / k
        sum_ += term
        on = u > sum_
        rest, left, u, term, sum_ = rest[on], left[on], u[on], term[on], sum_[on]
    return count


def normal(uniform: Floats) -> Floats:
    """Draw standard normal numbers by inversion.

    Args:
        uniform: Numbers in (0, 1), shape (draws,).

    Returns:
        Numbers of shape (draws,).

    Example:
        >>> normal(np.array([0.5, 0.975])).round(2).tolist()
        [0.0, 1.96]
    """
    from scipy.special import ndtri  # noqa: PLC0415

    return np.asarray(ndtri(uniform), dtype=np.float64)


def one_each(keys: NDArray[np.uint64], index: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Give children keys of their own: order 2 of a customer, line 3 of an order.

    Args:
        keys: Keys of the parents, shape (children,).
        index: 0 for the first child of a parent, shape (children,).

    Returns:
        Keys, shape (children,).
    """
    with np.errstate(over="ignore"):
        mixed = keys + (index.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD1B54A32D192ED03)
        mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xDABA0B6EB09322E3)
    return np.asarray(mixed ^ (mixed >> np.uint64(29)), dtype=np.uint64)


def cumulative(value: Floats) -> Floats:
    """Probability that a standard normal number is at most a value.

    Args:
        value: Any numbers, shape (values,).

    Returns:
        Probabilities, shape (values,).

    Example:
        >>> cumulative(np.array([0.0, 1.96])).round(3).tolist()
        [0.5, 0.975]
    """
    from scipy.special import ndtr  # noqa: PLC0415

    return np.asarray(ndtr(value), dtype=np.float64)
