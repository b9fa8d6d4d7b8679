"""The port to whatever runs set-wise work: DuckDB on a laptop, Spark past that."""

from typing import Any, Protocol

import pyarrow as pa
from ibis.expr.types import Table as Definition


class Reader(Protocol):
    """Opens declared tables and runs definitions; writes nothing."""

    def table(self, name: str, /) -> Definition:
        """Open a declared table (all turns of it) for definitions; nothing is read yet."""

    def arrow(self, definition: Definition, /) -> pa.Table:
        """Run a definition; rows come in the order the definition asks for."""

    def rows(self, definition: Definition, /) -> list[dict[str, Any]]:
        """Run a definition; one mapping per row, keyed by column name."""


class Engine(Protocol):
    """Opens declared tables, runs definitions, writes declared tables.

    An engine handed to a step knows the step and the turn: it refuses tables the step did
    not declare, and a write overwrites just the turn's rows of the table, in one commit that
    carries the step and the turn, so that repeating it changes nothing.
    """

    def table(self, name: str, /) -> Definition:
        """Open a declared table (all turns of it) for definitions; nothing is read yet."""

    def arrow(self, definition: Definition, /) -> pa.Table:
        """Run a definition; rows come in the order the definition asks for."""

    def rows(self, definition: Definition, /) -> list[dict[str, Any]]:
        """Run a definition; one mapping per row, keyed by column name."""

    def write(self, name: str, data: "pa.Table | Definition", /) -> int:
        """Put exactly these rows in the turn's part of a table; gives the number written.

        Columns are cast to the declared types and put in declared order; the column `turn`
        is filled in. Rows are kept in the order given.
        """
