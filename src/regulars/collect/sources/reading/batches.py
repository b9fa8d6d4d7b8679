"""What a file comes as: successive rows, those that cannot be split set apart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.collect.sources.rules import Reason


@dataclass(frozen=True)
class BrokenRow:
    """A row that cannot be split into the file's columns.

    Attributes:
        row: 1 for the first data row.
        reason: Why.
        raw: The row as read.
        fields: What it could be split into; may be fewer or more than the columns.
    """

    row: int
    reason: Reason
    raw: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Some successive rows of a file.

    Attributes:
        records: Rows covered, broken ones included.
        rows: Row number of each whole row; 1 for the first data row. Shape (rows,).
        columns: The whole rows.
        broken: The others.
        raw: Gives a whole row as read, by its position in `columns`.
        done: Share of the file read when this batch ends, 0 to 1.
    """

    records: int
    rows: NDArray[np.int64]
    columns: pa.RecordBatch
    broken: tuple[BrokenRow, ...]
    raw: Callable[[int], str]
    done: float


class Source(Protocol):
    """One file: its columns, and its rows as often as they are asked for."""

    header: tuple[str, ...]

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """Read the rows, at least the wanted columns of them."""
