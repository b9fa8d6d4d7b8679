"""Columns of an Arrow table as NumPy arrays."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Give a number column as float64.

    Args:
        table: Any Arrow table.
        name: A column of numbers, decimals or flags.

    Returns:
        The values, shape (rows,); nan where empty.

    Example:
        >>> numbers(pa.table({"x": [1, None]}), "x").tolist()
        [1.0, nan]
    """
    column = table.column(name)
    filled = pc.fill_null(column.cast(pa.float64()), float("nan"))
    return np.asarray(filled.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.float64)


def words(table: pa.Table, name: str) -> NDArray[np.str_]:
    """Give a string column as text.

    Args:
        table: Any Arrow table.
        name: A column of strings.

    Returns:
        The values, shape (rows,); "" where empty.
    """
    return np.array(pc.fill_null(table.column(name), "").to_pylist(), dtype=np.str_)
