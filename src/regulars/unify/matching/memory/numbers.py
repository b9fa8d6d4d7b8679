"""Numbers looked for in long columns: what a record says, hashed, finds who says the same."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NONE = 0
"""Stands for no value."""

_LEAST_BITS, _MOST_BITS = 16, 24
_EMPTY, _SEVERAL = -1, -2


class Sought:
    """Numbers to find in columns of any length, in one pass over each and next to no memory.

    A table of many more slots than numbers says of most of a column at once that it is none of
    them. Only the rest is compared.

    Args:
        numbers: Numbers spread over all 64 bits, as hashes are; `NONE` is looked for never.

    Example:
        >>> hashed = np.array([7 << 60, 5 << 59, 7 << 60, NONE])
        >>> [found.tolist() for found in Sought(np.array([7 << 60, 1])).found_in(hashed)]
        [[0, 2], [1, 1]]
    """

    def __init__(self, numbers: Ints) -> None:
        """Fill the table."""
        self.numbers = np.unique(numbers[numbers != NONE])
        wanted = (8 * len(self.numbers)).bit_length()
        bits = min(max(wanted, _LEAST_BITS), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        order = np.arange(len(self.numbers), dtype=np.int32)
        slots = self._slots(self.numbers)
        self._table = np.full(1 << bits, _EMPTY, dtype=np.int32)
        self._table[slots] = order
        self._table[slots[self._table[slots] != order]] = _SEVERAL

    def found_in(self, column: Ints) -> tuple[Ints, Ints]:
        """Find the numbers in a column.

        Args:
            column: Numbers, in any order.

        Returns:
            Places in the column that hold one of them, in order; and which, as a place in
            `numbers`.
        """
        slot = self._table[self._slots(column)]
        places = np.flatnonzero(slot != _EMPTY)
        which, there = slot[places].astype(np.int64), column[places]
        several = np.flatnonzero(which == _SEVERAL)
        if len(several):
            found = np.searchsorted(self.numbers, there[several])
            which[several] = np.minimum(found, len(self.numbers) - 1)
        same = self.numbers[which] == there
        return places[same], which[same]

    def _slots(self, numbers: Ints) -> NDArray[np.intp]:
        return (numbers.view(np.uint64) >> self._shift).astype(np.intp)


def combined(parts: Mapping[str, Ints], rule: str) -> Ints:
    """Give the blocking keys of a rule, as `keys_of` does.

    Args:
        parts: Hashed parts by name.
        rule: Name of the rule.

    Returns:
        One key per record; `NONE` where a part is missing.

    Example:
        >>> combined({"a": np.array([5, 5, 0]), "b": np.array([3, 0, 3])}, "a+b").tolist()
        [6, 0, 0]
    """
    first, *others = rule.split("+")
    found, is_whole = parts[first], parts[first] != NONE
    for name in others:
        found = np.bitwise_xor(found, parts[name])
        is_whole &= parts[name] != NONE
    return np.where(is_whole, found, NONE)


def crossed(left: Ints, right: Ints, groups: int) -> tuple[Ints, Ints]:
    """Pair everything on the left with everything on the right of the same group.

    Args:
        left: Group of each on the left.
        right: Group of each on the right.
        groups: How many groups there are.

    Returns:
        Places on the left and on the right, one of each per pair.

    Example:
        >>> [found.tolist() for found in crossed(np.array([0, 1]), np.array([1, 1, 0]), 2)]
        [[0, 1, 1], [2, 0, 1]]
    """
    order = np.argsort(right, kind="stable")
    sizes = np.bincount(right, minlength=groups)
    starts = np.cumsum(sizes) - sizes
    own = sizes[left]
    first = np.repeat(np.arange(len(left)), own)
    inside = np.arange(len(first)) - np.repeat(np.cumsum(own) - own, own)
    return first, order[starts[left[first]] + inside]


def in_order(chunks: Sequence[Ints]) -> Ints:
    """Join columns."""
    return np.concatenate(chunks) if chunks else np.array([], dtype=np.int64)
