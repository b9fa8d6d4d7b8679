"""Columns of moments as clients wrote them, read at once where they are plain ISO text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.collect.tracking.clocks import moment

Moments = NDArray[np.int64]

NONE = np.int64(np.iinfo(np.int64).min)
"""Stands for no moment."""

_UTC = pa.timestamp("us", "UTC")
_PLAIN = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)$"
LATEST = 4_102_444_800_000_000
"""Microseconds of the year 2100: what claims to be later was misread."""


def read_moments(values: Sequence[Any]) -> tuple[Moments, NDArray[np.bool_]]:
    """Read moments.

    Args:
        values: ISO text, numbers, None, or anything else a client may have sent.

    Returns:
        Microseconds since 1970 UTC, `NONE` where there is none; and True where a value was
        given that is no moment between 1970 and 2100.

    Example:
        >>> found, wrong = read_moments(["2026-01-01T00:00:00Z", 1767225600, None, "soon"])
        >>> bool(found[0] == found[1]), bool(found[2] == NONE), wrong.tolist()
        (True, True, [False, False, False, True])
    """
    try:
        texts = pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeError):
        found = _one_by_one(values)
        given = np.array([one is not None and one != "" for one in values], np.bool_)
    else:
        found = _of_texts(texts)
        given = pc.fill_null(pc.not_equal(texts, ""), False).to_numpy(zero_copy_only=False)
    is_wrong = given & ((found < 0) | (found >= LATEST))
    return np.where(is_wrong, NONE, found), is_wrong


def _of_texts(texts: pa.StringArray) -> Moments:
    try:
        return _numbers(texts.cast(_UTC))
    except pa.ArrowInvalid:
        is_plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN), False)
    try:
        read = _numbers(pc.if_else(is_plain, texts, None).cast(_UTC))
    except pa.ArrowInvalid:  # the thirtieth of February looks plain
        return _one_by_one(texts.to_pylist())
    rest = np.flatnonzero(~is_plain.to_numpy(zero_copy_only=False))
    read[rest] = _one_by_one(texts.take(pa.array(rest)).to_pylist())
    return read


def _numbers(found: pa.TimestampArray) -> Moments:
    numbers = found.cast(pa.int64()).fill_null(int(NONE))
    return np.array(numbers.to_numpy(zero_copy_only=False), np.int64)


def _one_by_one(values: Sequence[Any]) -> Moments:
    return np.fromiter((_number(value) for value in values), np.int64, len(values))


def _number(value: Any) -> int:
    found = moment(value)
    return int(NONE) if found is None else round(found.timestamp() * 1_000_000)


def corrected(original: Moments, sent: Moments, received: Moments) -> Moments:
    """Give when events happened, freed from the error of the client's clock.

    Args:
        original: When it happened by the client's clock.
        sent: When it was sent by the same clock.
        received: When it was received by ours; never `NONE`.

    Returns:
        received - (sent - original); the original where nothing says when it was sent; received
        where nothing says when it happened, or where the correction leaves 1970 to 2100.

    Source:
        Segment spec, "Common fields": timestamp = receivedAt - (sentAt - originalTimestamp).

    Example:
        >>> at = [np.array([n], np.int64) for n in (1_000_000, 5_000_000, 9_000_000)]
        >>> corrected(*at).tolist()
        [5000000]
    """
    has_original, has_sent = original != NONE, sent != NONE
    plain = np.where(has_original, original, received)
    shift = np.where(has_original & has_sent, received - np.where(has_sent, sent, received), 0)
    found = plain + shift
    return np.where((found < 0) | (found >= LATEST), received, found)
