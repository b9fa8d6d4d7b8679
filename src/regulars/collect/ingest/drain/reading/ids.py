"""Columns of ids and names: text as it is, numbers written out, junk told apart."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from regulars.collect.tracking.ids import JUNK, text_id

_ZEROS = r"^[0:_-]+$"


def ids_of(values: Sequence[Any]) -> pa.StringArray:
    """Read a column of ids or names.

    Args:
        values: Text, numbers, None, or anything else a client may have sent.

    Returns:
        Text without blanks around it, numbers written out; empty (null) for what is no id.

    Example:
        >>> ids_of([" a ", 7, None, ["b"], ""]).to_pylist()
        ['a', '7', None, None, None]
    """
    texts = _texts(values, text_id)
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _texts(values: Sequence[Any], read: Callable[[Any], str | None]) -> pa.StringArray:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([read(value) for value in values], pa.string())


def are_junk(ids: pa.StringArray) -> pa.BooleanArray:
    """Say which ids stand for no one, or for everyone.

    Args:
        ids: Ids, trimmed.

    Returns:
        True for placeholders and zeros; False for others and for no id.

    Example:
        >>> are_junk(pa.array(["Guest", "0000-00", "m-1001", None])).to_pylist()
        [True, True, False, False]
    """
    lower = pc.utf8_lower(ids)
    listed = pc.is_in(lower, value_set=_junk())
    return pc.fill_null(pc.or_(listed, pc.match_substring_regex(ids, _ZEROS)), False)


@cache
def _junk() -> pa.StringArray:
    # Made when first needed: the first array ever made loads pandas, which a server that only
    # reads should not carry.
    return pa.array(sorted(JUNK), pa.string())
