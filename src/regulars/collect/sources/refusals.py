"""Refused rows: each once, with file, row number, column, reason and the row as read."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pyarrow as pa

from regulars.collect.sources.rules import Reason


@dataclass(frozen=True)
class Refusal:
    """One refused row of a file.

    Attributes:
        table: Fact table it was meant for.
        row: 1 for the first data row.
        column: File column at fault; None when the whole row is.
        reason: Why.
        value: The value at fault, as read.
        raw: The row as read.
        row_id: The row's own key, when it could be read.
    """

    table: str
    row: int
    column: str | None
    reason: Reason
    value: str | None
    raw: str
    row_id: str | None


def quarantine_rows(refusals: Iterable[Refusal], schema: pa.Schema, **same: str) -> pa.Table:
    """Lay refusals out as rows of the quarantine table, by row number.

    Args:
        refusals: Refused rows of one file.
        schema: Schema of the quarantine table.
        same: Values every row has: import_id, file.

    Returns:
        One row per refusal.
    """
    rows = sorted(refusals, key=lambda refusal: (refusal.row, refusal.table))
    return pa.Table.from_pylist([{**same, **asdict(row)} for row in rows], schema=schema)
