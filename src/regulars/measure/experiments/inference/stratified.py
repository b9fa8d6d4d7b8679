"""Post-stratification: compare like with like, then put the strata together."""

from collections.abc import Callable, Sequence

import numpy as np

from regulars.errors import InputError
from regulars.measure.experiments.inference.difference import difference
from regulars.measure.experiments.inference.estimate import Estimate
from regulars.measure.experiments.sufficient_statistics import Moments

Compare = Callable[[Moments, Moments], Estimate]


def stratified_difference(
    strata: Sequence[tuple[Moments, Moments]], *, compare: Compare = difference
) -> Estimate:
    """Compare within strata known before the experiment, weighted by their size.

    Args:
        strata: Control and treated moments of each stratum, such as each segment.
        compare: How one stratum is compared; `cuped_difference` works too.

    Returns:
        The estimate over all strata; its variance lacks what differs between them. Strata where
        a variant has fewer than two customers are left out, as nothing can be compared there.

    Raises:
        InputError: No stratum can be compared.

    Source:
        Miratrix, Sekhon & Yu (2013), "Adjusting Treatment Effect Estimates by
        Post-Stratification in Randomized Experiments", JRSS B 75(2).

    Example:
        >>> from regulars.measure.experiments import moments
        >>> small = (moments(100, 1.0, 4.0), moments(100, 1.5, 4.0))
        >>> large = (moments(300, 9.0, 4.0), moments(300, 9.1, 4.0))
        >>> found = stratified_difference([small, large])
        >>> round(float(found.effect), 3), round(float(found.standard_error), 3)
        (0.2, 0.141)
    """
    usable = [(a, b) for a, b in strata if float(a.count) >= 2 and float(b.count) >= 2]
    if not usable:
        raise InputError(
            "no stratum has two customers in both variants; use fewer strata or wait for more"
        )
    sizes = np.array([float(a.count) + float(b.count) for a, b in usable])
    weights = sizes / sizes.sum()
    found = [compare(a, b) for a, b in usable]
    effect = sum(w * float(one.effect) for w, one in zip(weights, found, strict=True))
    parts = np.array([float(one.standard_error) ** 2 for one in found]) * weights**2
    freedoms = np.array([float(one.freedom) for one in found])
    variance = float(parts.sum())
    spent = float((parts**2 / freedoms).sum())
    freedom = variance**2 / spent if spent else np.inf
    return Estimate(
        np.asarray(effect),
        np.asarray(np.sqrt(variance)),
        np.asarray(freedom),
        np.asarray(sizes.sum()),
    )
