"""Switchback effect: what treated periods of a store had more than its others."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.measure.experiments.inference.estimate import Estimate
from regulars.numerics.given import flags_given, floats_given


def switchback_effect(
    values: ArrayLike, treated: ArrayLike, *, block: int = 1, washout: int = 0
) -> Estimate:
    """Compare treated and untreated periods of the same stores.

    Stores and periods have levels of their own; both are taken out. What lasts on from one
    block into the next is kept out by leaving out the first periods of each block.

    Args:
        values: The metric per store and period, shape (stores, periods); nan where there was
            none.
        treated: True where treated, shape (stores, periods).
        block: Periods in a row that were treated alike.
        washout: Periods left out at the start of each block, 0 to `block` - 1.

    Returns:
        The estimate per store and period; the standard error treats a store's block as one
        observation.

    Raises:
        InputError: Shapes differ, the washout leaves nothing, or nothing was treated, or all.

    Source:
        Bojinov, Simchi-Levi & Zhao (2023), Management Science 69(7), for blocks and washout;
        Liang & Zeger (1986), Biometrika 73(1), for the clustered variance.

    Example:
        >>> level, on = np.array([[5.0], [9.0]]), np.array([[1, 0, 0, 1], [0, 1, 1, 0]], bool)
        >>> float(switchback_effect(level + 2.0 * on, on).effect)
        2.0
    """
    seen = floats_given(values, "values", axes=2, may_lack=True)
    on = flags_given(treated, "treated", axes=2)
    if seen.shape != on.shape or seen.size == 0 or not 0 <= washout < block:
        raise InputError(
            f"values have shape {seen.shape}, treated {on.shape}, washout is {washout} of blocks "
            f"of {block}; give both as (stores, periods) and a washout below the block"
        )
    kept = ~np.isnan(seen) & (np.arange(seen.shape[1]) % block >= washout)
    signal = _without_levels(on.astype(np.float64), kept)
    power = float((signal**2).sum())
    if power < 1e-12:
        raise InputError("nothing was treated that can be compared; check the schedule")
    left = _without_levels(np.where(kept, seen, 0.0), kept)
    effect = float((signal * left).sum()) / power
    scores = signal * (left - effect * signal)
    starts = np.arange(0, seen.shape[1], block)
    by_block = np.add.reduceat(scores, starts, axis=1)
    cells = np.add.reduceat(kept, starts, axis=1) > 0
    clusters = int(np.count_nonzero(cells))
    # Levels taken out: one per store, and one per block, as a block is one observation.
    freedom = max(clusters - int(cells.any(axis=1).sum()) - int(cells.any(axis=0).sum()), 1)
    variance = float((by_block**2).sum()) / power**2 * clusters / freedom
    return Estimate(
        np.asarray(effect),
        np.asarray(np.sqrt(variance)),
        np.asarray(float(freedom)),
        np.asarray(float(kept.sum())),
    )


def _without_levels(values: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Take out store and period means, over the cells kept; a few passes settle unbalanced ones."""
    left = np.where(kept, values, 0.0)
    for _ in range(200):
        by_store = left.sum(axis=1, keepdims=True) / np.maximum(kept.sum(axis=1, keepdims=True), 1)
        left = np.where(kept, left - by_store, 0.0)
        by_period = left.sum(axis=0, keepdims=True) / np.maximum(kept.sum(axis=0, keepdims=True), 1)
        left = np.where(kept, left - by_period, 0.0)
        if max(np.abs(by_store).max(), np.abs(by_period).max()) < 1e-12:
            break
    return left
