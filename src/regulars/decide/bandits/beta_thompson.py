"""Thompson sampling of rates: clicks, orders, answers; without knowing anything of the customer."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from scipy.special import betainc, betaln

from regulars.decide.bandits.drawing import Decision, Floats, draw, floored, require_floor
from regulars.errors import InputError
from regulars.numerics.given import floats_given

_POINTS = 16
"""Points per panel."""
_REACH = np.array([-9.0, -5.0, -3.0, -1.5, 0.0, 1.5, 3.0, 5.0, 9.0])
"""Where panels are cut, in standard deviations of each arm."""


def chances_of_best(successes: Floats, failures: Floats) -> Floats:
    """Say how likely each rate is the highest, by integration instead of sampling.

    Args:
        successes: Successes so far by arm, >= 0, shape (arms,).
        failures: Failures so far by arm, >= 0, shape (arms,).

    Returns:
        Probability of being best under flat priors, shape (arms,); sums to 1.

    Source:
        P(best) is the integral of the arm's density times the others' distribution functions.

    Example:
        >>> chances_of_best(np.array([10.0, 10.0]), np.array([90.0, 90.0])).round(4).tolist()
        [0.5, 0.5]
    """
    a, b = successes + 1, failures + 1
    middle = a / (a + b)
    spread = np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    at, parts = _grid(np.add.outer(_REACH, np.zeros_like(middle)) * spread + middle)
    with np.errstate(under="ignore"):
        density = np.exp(
            (a - 1)[:, None] * np.log(at) + (b - 1)[:, None] * np.log1p(-at) - betaln(a, b)[:, None]
        )
    below = np.log(np.maximum(betainc(a[:, None], b[:, None], at), 1e-300))
    others = np.exp(below.sum(axis=0) - below)
    found = (density * others * parts).sum(axis=1)
    return np.asarray(found / found.sum())


def _grid(edges: Floats) -> tuple[Floats, Floats]:
    """Points and weights on panels that begin and end where some arm's density changes scale.

    A narrow density beside a wide one would fall between the points of one grid for all.

    Returns:
        Points in (0, 1) and their weights, both of shape (points,).
    """
    cuts = np.unique(np.clip(np.append(edges.ravel(), [0.0, 1.0]), 1e-12, 1 - 1e-12))
    nodes, parts = _nodes()
    half = np.diff(cuts)[:, None] / 2
    at = cuts[:-1, None] + (nodes + 1) * half
    return at.ravel(), (parts * half).ravel()


@cache
def _nodes() -> tuple[Floats, Floats]:
    nodes, parts = np.polynomial.legendre.leggauss(_POINTS)
    return nodes, parts


def beta_thompson(
    counts_by_arm: Mapping[str, tuple[float, float]],
    *,
    key: str,
    seed: int,
    purpose: str,
    floor: float = 0.01,
) -> Decision:
    """Choose among rates by Thompson sampling with exact probabilities.

    Args:
        counts_by_arm: Successes and failures so far by eligible arm, >= 0; (0, 0) for a new one.
        key: What the decision is about, such as customer and occasion.
        seed: The workspace's seed.
        purpose: Which bandit decides.
        floor: Least probability of an arm.

    Returns:
        The decision.

    Raises:
        InputError: A count is negative, or no arm is eligible.

    Source:
        Thompson (1933), Biometrika 25; Chapelle & Li (2011), "An Empirical Evaluation of
        Thompson Sampling", NIPS 24.

    Example:
        >>> found = beta_thompson({"a": (30, 970), "b": (60, 940)}, key="c", seed=7, purpose="app")
        >>> round(found.probability_by_arm["b"], 2)
        0.99
    """
    names = list(counts_by_arm)
    if not names:
        raise InputError("no arm is given; give successes and failures of each eligible arm")
    pairs = floats_given([counts_by_arm[name] for name in names], "counts_by_arm", axes=2, least=0)
    if pairs.shape[1] != 2:
        raise InputError(f"counts_by_arm has {pairs.shape[1]} counts per arm; give two of each")
    require_floor(floor, len(names))
    chances = chances_of_best(pairs[:, 0], pairs[:, 1])
    return draw(names, floored(chances, floor), key=key, seed=seed, purpose=purpose)
