"""Columns of an Arrow table as NumPy arrays."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.errors import InputError


def numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Give a number column as float64.

    Args:
        table: Any Arrow table.
        name: A column of numbers, decimals or flags.

    Returns:
        The values, shape (rows,); nan where empty.

    Raises:
        InputError: The column holds words or dates.

    Example:
        >>> numbers(pa.table({"x": [1, None]}), "x").tolist()
        [1.0, nan]
    """
    column = table.column(name)
    try:
        filled = pc.fill_null(column.cast(pa.float64()), float("nan"))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(
            f"column {name!r} holds {column.type}, no numbers; turn it into numbers"
        ) from None
    return np.asarray(filled.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.float64)


def words(table: pa.Table, name: str) -> NDArray[np.str_]:
    """Give a string column as text.

    Args:
        table: Any Arrow table.
        name: A column of strings; numbers are written out.

    Returns:
        The values, shape (rows,); "" where empty.
    """
    column = table.column(name).cast(pa.string())
    return np.array(pc.fill_null(column, "").to_pylist(), dtype=np.str_)


def arrow_table(table: Any) -> pa.Table:
    """Take a table as analysts hold it: Arrow, pandas, polars, Ibis, or a mapping of columns.

    Args:
        table: The table.

    Returns:
        The same rows as an Arrow table.

    Raises:
        InputError: It is no table, or its columns are not of one length or kind.

    Example:
        >>> arrow_table({"x": [1, 2]}).num_rows
        2
    """
    if isinstance(table, pa.Table):
        return table
    try:
        found = _arrow(table)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        raise InputError(
            f"the table cannot be read ({error}); give columns of one length and kind"
        ) from error
    if isinstance(found, pa.Table):
        return found
    raise InputError(
        f"a {type(table).__name__} is no table; give an Arrow, pandas, polars or Ibis table, or "
        "columns by name"
    )


def _arrow(table: Any) -> Any:
    if hasattr(table, "to_pyarrow"):
        return table.to_pyarrow()
    if hasattr(table, "to_arrow"):  # a polars frame
        return table.to_arrow()
    if isinstance(table, Mapping):
        return pa.table(dict(table))
    if hasattr(table, "iloc") and table.ndim == 2:
        return pa.Table.from_pandas(table, preserve_index=False)
    return None


def require_columns(table: pa.Table, names: Iterable[str], *, of: str) -> None:
    """Refuse a table that lacks a column.

    Args:
        table: The table.
        names: Columns it must have.
        of: What the table is of, for the message.

    Raises:
        InputError: A column is missing.
    """
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise InputError(
            f"the table of {of} has no column {missing[0]!r}, only "
            f"{', '.join(table.column_names)}; name its columns {', '.join(names)}"
        )
