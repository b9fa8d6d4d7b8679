"""A snapshot: one table of customers held in memory, a few rows of it found in microseconds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import InputError


class Snapshot:
    """Rows by customer.

    Args:
        rows: One row per customer, with column customer_id; texts that repeat take little.

    Raises:
        InputError: A customer has two rows.
    """

    def __init__(self, rows: pa.Table) -> None:
        """Put the rows in order of their ids."""
        rows = rows.take(pc.sort_indices(rows.column("customer_id"))).combine_chunks()
        ids = rows.column("customer_id").cast(pa.binary()).to_numpy(zero_copy_only=False)
        self._ids = np.array(ids.tolist(), dtype="S") if len(ids) else np.zeros(0, "S1")
        if (self._ids[1:] == self._ids[:-1]).any():
            raise InputError("a customer has two rows in a snapshot; give one row per customer")
        columns = [
            column.dictionary_encode() if pa.types.is_string(column.type) else column
            for column in rows.columns[1:]
        ]
        self._rows = pa.table(columns, names=rows.column_names[1:])

    def __len__(self) -> int:
        """Count the customers."""
        return len(self._ids)

    def of(self, customers: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Give the rows of some customers.

        Args:
            customers: Who.

        Returns:
            Row by customer; customers without one are left out.

        Example:
            >>> table = pa.table({"customer_id": ["b", "a"], "city": ["Wuhan", None]})
            >>> Snapshot(table).of(["a", "ab", "b"])
            {'a': {'city': None}, 'b': {'city': 'Wuhan'}}
        """
        width = self._ids.dtype.itemsize
        # A longer id would be cut to fit, and then be somebody else's.
        asked = [who for who in customers if len(who.encode()) <= width]
        if not asked or not len(self._ids):
            return {}
        wanted = np.array([who.encode() for who in asked], dtype=self._ids.dtype)
        at = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        is_there = self._ids[at] == wanted
        found = self._rows.take(pa.array(at[is_there])).to_pylist()
        here = (who for who, there in zip(asked, is_there, strict=True) if there)
        return dict(zip(here, found, strict=True))
