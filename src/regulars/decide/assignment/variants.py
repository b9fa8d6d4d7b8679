"""Assignment to variants: layers let experiments overlap, slices of a layer keep them apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import flags_given, require_one_length
from regulars.numerics.hashing import keys_given, uniforms

OUTSIDE = -1
"""Variant number of a customer who takes no part in an experiment."""


@dataclass(frozen=True)
class Experiment:
    """Which customers an experiment takes, and how it splits them.

    Attributes:
        experiment_id: Names the experiment; another id draws afresh.
        variants: Variant names, control first.
        shares: Share of the participants per variant, > 0, sums to 1.
        layer: Experiments of one layer exclude each other; those of different layers overlap,
            independently.
        first: Start of its slice of the layer, 0 to 1.
        last: End of its slice, above `first`, at most 1.
    """

    experiment_id: str
    variants: tuple[str, ...] = ("control", "treated")
    shares: tuple[float, ...] = (0.5, 0.5)
    layer: str = "default"
    first: float = 0.0
    last: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shares that are none, and slices outside the layer.

        Raises:
            InputError: Names and shares differ in number, shares do not sum to 1, or the slice
                leaves 0 to 1.
        """
        if len(self.variants) != len(self.shares) or len(set(self.variants)) < 2:
            raise InputError(
                f"experiment {self.experiment_id} has variants {list(self.variants)} and "
                f"{len(self.shares)} shares; give two or more different names, and a share each"
            )
        if not min(self.shares) > 0 or not abs(sum(self.shares) - 1) <= 1e-9:
            raise InputError(
                f"shares of experiment {self.experiment_id} are {list(self.shares)}, must be "
                "above 0 and sum to 1"
            )
        if not 0 <= self.first < self.last <= 1:
            raise InputError(
                f"experiment {self.experiment_id} takes {self.first} to {self.last} of its layer, "
                "must be a slice within 0 to 1"
            )


def assign(
    keys: ArrayLike,
    experiment: Experiment,
    *,
    seed: int,
    held_out: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Say which variant each customer gets.

    Widening the slice later keeps everybody in their variant; whoever is in a holdout takes
    part in nothing.

    Args:
        keys: Customer ids, or their keys from `keys_of`, shape (customers,).
        experiment: The experiment.
        seed: The workspace's seed.
        held_out: True for customers in a holdout, shape (customers,).

    Returns:
        Number of the variant, `OUTSIDE` for who takes no part; shape (customers,).

    Raises:
        InputError: Ids are missing, or holdouts are not one per customer.

    Source:
        Tang, Agarwal, O'Brien & Meyer (2010), "Overlapping Experiment Infrastructure: More,
        Better, Faster Experimentation", KDD '10.

    Example:
        >>> ids = [str(i) for i in range(10_000)]
        >>> found = assign(ids, Experiment("subject line", last=0.5), seed=7)
        >>> [int((found == number).sum()) for number in (OUTSIDE, 0, 1)]
        [4982, 2534, 2484]
    """
    keys = keys_given(keys)
    place = uniforms(keys, seed, "layer", experiment.layer)
    inside = (place >= experiment.first) & (place < experiment.last)
    if held_out is not None:
        out = flags_given(held_out, "held_out")
        require_one_length(keys=keys, held_out=out)
        inside &= ~out
    draw = uniforms(keys, seed, "variant", experiment.experiment_id)
    edges = np.cumsum(experiment.shares)[:-1]
    return np.where(inside, np.searchsorted(edges, draw, side="right"), OUTSIDE).astype(np.int64)


def require_layers(experiments: Sequence[Experiment]) -> None:
    """Check that experiments of one layer take different customers.

    Args:
        experiments: All that run at the same time.

    Raises:
        InputError: Two experiments have one id, or slices of one layer overlap.

    Example:
        >>> one = Experiment("subject", layer="mail", last=0.5)
        >>> require_layers([one, Experiment("picture", layer="mail", first=0.5)])
        >>> try:
        ...     require_layers([one, Experiment("hour", layer="mail", first=0.4)])
        ... except InputError as error:
        ...     print(str(error).partition(";")[0])
        experiments subject and hour overlap in layer mail
    """
    ids = [one.experiment_id for one in experiments]
    if len(ids) != len(set(ids)):
        raise InputError(f"experiment ids {sorted(ids)} are not unique; give each its own")
    for layer in sorted({one.layer for one in experiments}):
        own = sorted((one for one in experiments if one.layer == layer), key=lambda one: one.first)
        for before, after in pairwise(own):
            if after.first < before.last:
                raise InputError(
                    f"experiments {before.experiment_id} and {after.experiment_id} overlap in "
                    f"layer {layer}; give them slices apart, or another layer"
                )
