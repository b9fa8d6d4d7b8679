"""Switchback schedules: a store is treated in some periods and left alone in others."""

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.numerics.hashing import keys_of, uniforms


def switchback_schedule(
    stores: list[str], periods: int, *, seed: int, experiment_id: str, block: int = 1
) -> NDArray[np.bool_]:
    """Say in which periods each store is treated.

    For treatments that customers of one store share, so that they cannot be split: opening
    hours, shelf prices, displays. Within each pair of blocks a store is treated in one, drawn
    at random, so that weekdays and seasons hit both alike.

    Args:
        stores: Store ids.
        periods: Periods, such as days; 2 or more.
        seed: The workspace's seed.
        experiment_id: Names the draw.
        block: Periods in a row that are treated alike: longer than an effect lasts.

    Returns:
        True where treated, shape (stores, periods).

    Raises:
        InputError: There are fewer than two blocks.

    Source:
        Bojinov, Simchi-Levi & Zhao (2023), "Design and Analysis of Switchback Experiments",
        Management Science 69(7); in pairs, because few stores want balance.

    Example:
        >>> switchback_schedule(["s1"], 6, seed=7, experiment_id="lights").astype(int).tolist()
        [[1, 0, 1, 0, 0, 1]]
    """
    blocks = -(-periods // block)
    if blocks < 2:
        raise InputError(
            f"{periods} periods in blocks of {block} are {blocks} block, must be two or more; "
            "shorten the blocks or run longer"
        )
    keys = keys_of(stores)
    pairs = [
        uniforms(keys, seed, "switchback", experiment_id, pair) < 0.5
        for pair in range(-(-blocks // 2))
    ]
    by_block = np.stack([side for first in pairs for side in (first, ~first)], axis=1)
    return np.asarray(np.repeat(by_block, block, axis=1)[:, :periods])
