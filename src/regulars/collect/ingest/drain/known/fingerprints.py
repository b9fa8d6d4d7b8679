"""A set of fingerprints in little memory: exact, asked and fed in batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.uint64]
Half = NDArray[np.uint64]

BYTES = 16
SLOTS = 8
"""Slots of a bucket: their first halves fill one cache line."""
MOST_LOAD = 0.85
GROWTH = 1.25
SMALL_BUCKETS = 1 << 14
"""Tables up to this size double, which is quick; larger ones must not waste memory."""
LEAST_BUCKETS = 1 << 7
MOST_BUCKETS = 1 << 18
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_RANGE = 1 << 64
_GOLDEN = 0.618034


def marks_of(data: bytes | bytearray | memoryview) -> Marks:
    """Read fingerprints from their bytes.

    Args:
        data: 16 bytes per fingerprint.

    Returns:
        Two whole numbers per fingerprint, shape (fingerprints, 2).

    Example:
        >>> marks_of(bytes(32)).shape
        (2, 2)
    """
    return np.frombuffer(data, dtype="<u8").reshape(-1, 2)


def first_of_each(marks: Marks) -> NDArray[np.bool_]:
    """Say which fingerprints come for the first time in their batch.

    Args:
        marks: Fingerprints, shape (n, 2).

    Returns:
        True for the first of equal ones, shape (n,).

    Example:
        >>> first_of_each(np.array([[1, 2], [3, 4], [1, 2]], np.uint64)).tolist()
        [True, True, False]
    """
    is_first = np.ones(len(marks), np.bool_)
    order = np.argsort(marks[:, 0], kind="stable")
    highs = marks[order, 0]
    again = np.flatnonzero(highs[1:] == highs[:-1]) + 1
    if len(again):
        # Few: a repeated first half is a duplicate, or one in 2**64.
        suspects = np.isin(marks[:, 0], highs[again])
        seen: set[tuple[int, int]] = set()
        for place in np.flatnonzero(suspects).tolist():
            pair = int(marks[place, 0]), int(marks[place, 1])
            is_first[place] = pair not in seen
            seen.add(pair)
    return is_first


class Fingerprints:
    """A set of 16-byte fingerprints; takes at most 24 bytes each once there are many.

    Open addressing over buckets of eight slots, in tables of at most two million slots, each for
    the fingerprints of one range. A table that fills up grows by a quarter, and splits in two
    when it is as large as one may get; so the set grows without being copied as a whole.

    Source: Knuth, The Art of Computer Programming, vol. 3, 6.4 (buckets, linear probing);
    Fagin et al. (1979), "Extendible hashing" (splitting a range). Together ours, because a
    Python set takes 100 bytes and more for each.
    """

    def __init__(self) -> None:
        """Start with one small table."""
        self._tables = [_Table(LEAST_BUCKETS)]
        # Least first half in each table, in order.
        self._starts = np.zeros(1, np.uint64)

    def __len__(self) -> int:
        """Give the number of fingerprints held."""
        return sum(table.count for table in self._tables)

    @property
    def bytes(self) -> int:
        """Memory the tables take."""
        return sum(table.first.nbytes + table.second.nbytes for table in self._tables)

    def contains(self, marks: Marks) -> NDArray[np.bool_]:
        """Say which fingerprints are held; nothing is changed.

        Args:
            marks: Fingerprints, shape (n, 2).

        Returns:
            One answer each, shape (n,).
        """
        marks = _without_zero(marks)
        found = np.zeros(len(marks), np.bool_)
        for table, places in self._shares(marks):
            found[places] = table.find(marks[places, 0], marks[places, 1])
        return found

    def add(self, marks: Marks) -> None:
        """Take in fingerprints.

        Args:
            marks: Fingerprints that are not held, each once, shape (n, 2).
        """
        marks = _without_zero(marks)
        for table, places in self._shares(marks):
            table.make_room(len(places))
            table.put(marks[places, 0], marks[places, 1])
        while any(len(table.first) > MOST_BUCKETS for table in self._tables):
            self._split_large()

    def _shares(self, marks: Marks) -> Iterator[tuple["_Table", NDArray[np.intp]]]:
        """Give each table with the places of the fingerprints in its range, where there are any."""
        if len(self._tables) == 1:
            if len(marks):
                yield self._tables[0], np.arange(len(marks))
            return
        order = np.argsort(marks[:, 0])
        cuts = np.searchsorted(marks[order, 0], self._starts).tolist()
        for table, start, end in zip(self._tables, cuts, [*cuts[1:], len(marks)], strict=True):
            if start < end:
                yield table, order[start:end]

    def _split_large(self) -> None:
        """Halve the range of each table that is too large."""
        for number in range(len(self._tables) - 1, -1, -1):
            if len(self._tables[number].first) <= MOST_BUCKETS:
                continue
            first, second = self._tables[number].held()
            ends = [*self._starts[1:].tolist(), _RANGE]
            middle = np.uint64((int(self._starts[number]) + ends[number]) // 2)
            parts = []
            for at, is_here in enumerate((first < middle, first >= middle)):
                # Some room, of a different size each, so that tables do not all grow at once.
                room = 1.05 + 0.15 * ((2 * number + at) * _GOLDEN % 1)
                part = _Table(_buckets(int(is_here.sum() * room)))
                part.put(first[is_here], second[is_here])
                parts.append(part)
            self._tables[number : number + 1] = parts
            self._starts = np.insert(self._starts, number + 1, middle)


class _Table:
    """Buckets filled from the left; what finds its bucket full goes to the next one."""

    def __init__(self, buckets: int) -> None:
        self.empty(buckets)

    def empty(self, buckets: int) -> None:
        self.first = np.zeros((buckets, SLOTS), np.uint64)
        self.second = np.zeros((buckets, SLOTS), np.uint64)
        self.count = 0

    def held(self) -> tuple[Half, Half]:
        used = self.first != 0
        return self.first[used], self.second[used]

    def make_room(self, more: int) -> None:
        wanted = self.count + more
        if wanted <= self.first.size * MOST_LOAD:
            return
        growth = GROWTH if len(self.first) > SMALL_BUCKETS else 2
        buckets = max(int(len(self.first) * growth), _buckets(wanted))
        first, second = self.held()
        self.empty(buckets)
        self.put(first, second)

    def find(self, first: Half, second: Half) -> NDArray[np.bool_]:
        found = np.zeros(len(first), np.bool_)
        waiting, buckets = np.arange(len(first)), self._homes(second)
        while len(waiting):
            rows = self.first[buckets]
            at, slot = np.nonzero(rows == first[waiting, None])
            same = self.second[buckets[at], slot] == second[waiting[at]]
            found[waiting[at[same]]] = True
            going = (rows[:, -1] != 0) & ~found[waiting]
            waiting, buckets = waiting[going], (buckets[going] + 1) % len(self.first)
        return found

    def put(self, first: Half, second: Half) -> None:
        self.count += len(first)
        buckets = self._homes(second)
        while len(first):
            order = np.argsort(buckets, kind="stable")
            first, second, buckets = first[order], second[order], buckets[order]
            starts = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]])
            lengths = np.diff(np.r_[starts, len(buckets)])
            rank = np.arange(len(buckets)) - np.repeat(starts, lengths)
            used = np.count_nonzero(self.first[buckets[starts]], axis=1)
            slot = rank + np.repeat(used, lengths)
            fits = slot < SLOTS
            self.first[buckets[fits], slot[fits]] = first[fits]
            self.second[buckets[fits], slot[fits]] = second[fits]
            rest = ~fits
            first, second = first[rest], second[rest]
            buckets = (buckets[rest] + 1) % len(self.first)

    def _homes(self, second: Half) -> NDArray[np.int64]:
        """Spread 32 bits of the second half over the buckets.

        Returns:
            Where each fingerprint is looked for first.

        Source: Lemire (2019), "Fast random integer generation in an interval".
        """
        spread = (second & _LOW) * np.uint64(len(self.first))
        return (spread >> _HALF).astype(np.int64)


def _buckets(wanted: int) -> int:
    return max(LEAST_BUCKETS, int(wanted / MOST_LOAD / SLOTS) + 1)


def _without_zero(marks: Marks) -> Marks:
    """Give the form that is kept: a first half of zero means an empty slot, so it becomes a one."""
    zero = marks[:, 0] == 0
    if zero.any():
        marks = marks.copy()
        marks[zero, 0] = 1
    return marks
