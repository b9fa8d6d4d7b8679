"""The port to the tables of the lake: append once, overwrite a turn, read files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

Where = Sequence[Mapping[str, Sequence[str] | None]]
"""Which rows: any of these hold; each says of columns which texts they are, None for empty."""


class Lake(Protocol):
    """Declared tables as versioned files that any engine can read.

    Every commit is named by (application, version): a commit already made is not made again.
    """

    def schema(self, name: str, /) -> pa.Schema:
        """Give the Arrow schema of a declared table, columns in declared order."""

    def files(self, name: str, /, *, before: str = "") -> list[str]:
        """Name the Parquet files that hold the table now; empty when nothing was written.

        With `before`, those that held it just before that application committed: what a
        killed writer saw. The same as now when the application has committed nothing.
        """

    def committed(self, name: str, application: str, /) -> int | None:
        """Give the last version an application committed to a table, or None."""

    def append(
        self,
        name: str,
        rows: Iterable[pa.RecordBatch] | pa.Table,
        /,
        *,
        application: str,
        version: int = 1,
    ) -> bool:
        """Add rows once; False when this application has committed this version or a later one."""

    def overwrite_turn(self, name: str, rows: pa.Table, /, *, application: str, turn: int) -> None:
        """Replace the rows of one turn with these, in one commit."""

    def compact(self, name: str, /) -> None:
        """Rewrite many small files as few; the rows stay the same."""

    def tidy(self, name: str, /, *, file_mb: int, keep_hours: int) -> None:
        """Compact to files of about this size, and delete what was superseded longer ago.

        Raises:
            Transient: Another writer was in the way; the rows are as they were.
        """

    def sync(self, name: str, /) -> None:
        """Return once everything committed to a table is on disk, power cut or not."""

    def rewrite(
        self,
        name: str,
        where: Where,
        /,
        *,
        renamed: Mapping[str, Mapping[str, str]] | None,
        emptied: Sequence[str] = (),
    ) -> int:
        """Change rows of all turns for good: delete them, or put other texts in place.

        Doing it again changes nothing. What the rows were is still on disk until `purge`.

        Args:
            name: The table.
            where: Which rows.
            renamed: New text by old one, by column; None deletes the rows.
            emptied: Columns left empty in them.

        Returns:
            Rows that were changed or deleted.

        Raises:
            Transient: Another writer was in the way every time; nothing was changed.
        """

    def purge(self, name: str, /) -> None:
        """Delete from disk all that rows of the table were before, and what tells of it.

        A turn that was killed cannot see what it had read any more: let none be open.
        """
