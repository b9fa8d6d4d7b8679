"""64-bit fingerprints of values and rows, so that keys of any table compare as numbers."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.numerics.hashing import key_of

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_FEW = 1 << 12
_EMPTY = np.uint64(key_of("fingerprint of an empty value"))


def fingerprints_of(values: pa.Array) -> NDArray[np.uint64]:
    """Give one number per value; equal values have equal numbers.

    Args:
        values: Values of a declared column. Shape (values,).

    Returns:
        Numbers in the range of 64 bits, shape (values,). Two different values share one with
        probability 5e-20: a file of 20 million keys holds a false pair with probability 1e-5.

    Source:
        Ours, because rows are compared millions at a time: text by a multilinear sum over its
        bytes (Lemire & Kaser, 2014, "Strongly universal string hashing is fast"), all through
        the SplitMix64 finaliser.

    Example:
        >>> a, b, c = fingerprints_of(pa.array(["ann", "bob", "ann"]))
        >>> bool(a == c), bool(a == b)
        (True, False)
    """
    if pa.types.is_string(values.type) and len(values) > _FEW:
        values = values.dictionary_encode(null_encoding="encode")
    if pa.types.is_dictionary(values.type):
        distinct = _of_each(values.dictionary)
        found: NDArray[np.uint64] = distinct[values.indices.to_numpy(zero_copy_only=False)]
        return found
    return _of_each(values)


def _of_each(values: pa.Array) -> NDArray[np.uint64]:
    if pa.types.is_string(values.type):
        found = _texts(values)
    elif pa.types.is_decimal(values.type):
        words = _words(values, 2)
        found = _mixed(words[0::2]) ^ (words[1::2] * _MIX_1)
    elif pa.types.is_boolean(values.type):
        found = values.cast(pa.uint8()).fill_null(2).to_numpy().astype(np.uint64)
    elif pa.types.is_date32(values.type):
        found = values.cast(pa.int32()).fill_null(0).to_numpy().astype(np.int64).view(np.uint64)
    else:
        found = _words(values, 1)
    found = _mixed(found)
    if values.null_count:
        found[values.is_null().to_numpy(zero_copy_only=False)] = _EMPTY
    return found


def combined(columns: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Make one fingerprint per row of the fingerprints of its columns, in their order.

    Args:
        columns: One array per column, each of shape (rows,); at least one.

    Returns:
        Shape (rows,).

    Example:
        >>> a, b = fingerprints_of(pa.array([1])), fingerprints_of(pa.array([2]))
        >>> bool(combined([a, b])[0] == combined([b, a])[0])
        False
    """
    found = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        found = _mixed(found * _GAMMA + column)
    return found


def _words(values: pa.Array, per_value: int) -> NDArray[np.uint64]:
    buffer = np.frombuffer(values.buffers()[1], np.uint64)
    first = values.offset * per_value
    return buffer[first : first + len(values) * per_value].copy()


def _texts(values: pa.Array) -> NDArray[np.uint64]:
    if not len(values):
        return np.zeros(0, np.uint64)
    offsets = np.frombuffer(values.buffers()[1], np.int32)
    offsets = offsets[values.offset : values.offset + len(values) + 1].astype(np.int64)
    lengths = np.diff(offsets)
    found = np.zeros(len(values), np.uint64)
    has_bytes = lengths > 0
    if has_bytes.any():
        data = np.frombuffer(values.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
        starts = offsets[:-1] - offsets[0]
        position = np.arange(len(data)) - np.repeat(starts, lengths)
        weights = _mixed((np.arange(lengths.max(), dtype=np.uint64) + np.uint64(1)) * _GAMMA)
        terms = (data.astype(np.uint64) + np.uint64(1)) * (weights | np.uint64(1))[position]
        found[has_bytes] = np.add.reduceat(terms, starts[has_bytes])
    return found + lengths.astype(np.uint64) * _GAMMA


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = values + _GAMMA
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    return mixed ^ (mixed >> np.uint64(31))
