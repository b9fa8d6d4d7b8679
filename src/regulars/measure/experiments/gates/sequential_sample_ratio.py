"""Sequential sample ratio check: is the split still as designed, asked after every day."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from regulars.errors import InputError
from regulars.numerics.given import floats_given, number_given

CONCENTRATION = 10_000.0
"""How near to the design a broken split is believed to lie: about one per cent."""


def sequential_sample_ratio(
    counts_by_look: ArrayLike,
    design: ArrayLike,
    *,
    concentration: float = CONCENTRATION,
) -> NDArray[np.float64]:
    """Give a p-value after each look that stays honest however often one looks.

    Args:
        counts_by_look: New customers per look and variant, >= 0; shape (looks, variants).
        design: Share of customers meant per variant, > 0, sums to 1; shape (variants,).
        concentration: Prior weight, in customers, of the design in the alternative, > 0.

    Returns:
        The running p-value, never rising, shape (looks,). Below 0.001 the split is broken, and
        it stays so called.

    Raises:
        InputError: Shapes differ, shares are not shares, or counts are negative.

    Source:
        Lindon & Malek (2022), "Anytime-Valid Inference for Multinomial Count Data", NeurIPS
        35: the Dirichlet-multinomial Bayes factor, and Ville's inequality.

    Example:
        >>> [round(p, 6) for p in sequential_sample_ratio([[500, 600]], [0.5, 0.5]).tolist()]
        [0.671451]
    """
    new = np.atleast_2d(floats_given(counts_by_look, "counts_by_look", axes=None, least=0))
    meant = floats_given(design, "design")
    concentration = number_given(concentration, "concentration", above=0, below=np.inf)
    if new.shape[1] != meant.size or meant.size < 2:
        raise InputError(
            f"counts have {new.shape[1]} variants, the design {meant.size}; give the same two or "
            "more to both"
        )
    if np.any(meant <= 0) or abs(meant.sum() - 1) > 1e-9:
        raise InputError(f"design is {meant.tolist()}, must be shares above 0 that sum to 1")
    seen = np.cumsum(new, axis=0)
    prior = concentration * meant
    total = seen.sum(axis=1)
    evidence = (
        gammaln(concentration)
        - gammaln(concentration + total)
        + (gammaln(prior + seen) - gammaln(prior)).sum(axis=1)
        - seen @ np.log(meant)
    )
    return np.minimum(1.0, np.exp(-np.maximum.accumulate(evidence)))
