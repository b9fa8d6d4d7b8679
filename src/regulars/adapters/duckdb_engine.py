"""The engine as Ibis on DuckDB, over the files of the lake."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table as Definition

from regulars.adapters.arrow_types import arrow_schema, cast_to
from regulars.collect.commerce.tables import CurrentView
from regulars.errors import NotAllowed, UnknownName
from regulars.ports.engine import Engine
from regulars.ports.lake import Lake
from regulars.ports.steps import Step
from regulars.records import GROWN, TABLES


class DuckDBEngine:
    """One DuckDB connection in memory; the data stays in the lake.

    Args:
        lake: Where declared tables are.
        workers: Threads of the engine.
        memory: Most memory it takes, such as "2GB".
        views: Tables that are read as more than their own files, by name.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        workers: int,
        memory: str,
        views: Mapping[str, CurrentView] = MappingProxyType({}),
    ) -> None:
        """Open the connection."""
        self._lake, self._views = lake, views
        self._backend: Any = ibis.duckdb.connect(threads=workers, memory_limit=memory)
        self._backend.raw_sql("SET TimeZone='UTC'")
        self._backend.raw_sql("SET enable_progress_bar=false")
        self._opened: dict[str, tuple[list[str], Definition]] = {}

    def table(self, name: str, /) -> Definition:
        """Open a declared table as it stands now; the same files are opened once."""
        if name not in TABLES:
            raise UnknownName("table", name, TABLES)
        view = self._views.get(name)
        if view and any(self._lake.files(part) for part in view.tables if part not in self._views):
            return view.define({part: self._files_of(part) for part in view.tables})
        return self._files_of(name)

    def _files_of(self, name: str) -> Definition:
        files = self._lake.files(name)
        known = self._opened.get(name)
        if known and known[0] == files:
            return known[1]
        if files:
            opened = self._of_files(name, files)
        else:
            opened = ibis.memtable(arrow_schema(TABLES[name]).empty_table())
        self._opened[name] = (files, opened)
        return opened

    def _of_files(self, name: str, files: list[str]) -> Definition:
        known = f"{name}_{len(self._opened)}"
        if name not in GROWN:
            return self._backend.read_parquet(files, table_name=known)
        opened = self._backend.read_parquet(files, table_name=known, union_by_name=True)
        types = ibis.memtable(arrow_schema(TABLES[name]).empty_table()).schema()
        return opened.mutate(**{
            column: ibis.null(types[column])
            for column in TABLES[name].names
            if column not in opened.columns
        })

    def arrow(self, definition: Definition, /) -> pa.Table:
        """Run a definition."""
        return self._backend.to_pyarrow(definition)

    def rows(self, definition: Definition, /) -> list[dict[str, Any]]:
        """Run a definition; one mapping per row."""
        return list(self.arrow(definition).to_pylist())

    def bound(self, step: Step, turn: int) -> Engine:
        """Give the engine as one step of one turn may use it."""
        return _BoundEngine(self, self._lake, step, turn)


class _BoundEngine:
    """The engine, limited to what a step declared."""

    def __init__(self, engine: DuckDBEngine, lake: Lake, step: Step, turn: int) -> None:
        self._engine, self._lake, self._step, self._turn = engine, lake, step, turn

    def table(self, name: str, /) -> Definition:
        self._require(name, self._step.reads | self._step.writes, "reads")
        return self._engine.table(name)

    def arrow(self, definition: Definition, /) -> pa.Table:
        return self._engine.arrow(definition)

    def rows(self, definition: Definition, /) -> list[dict[str, Any]]:
        return self._engine.rows(definition)

    def write(self, name: str, data: "pa.Table | Definition", /) -> int:
        self._require(name, self._step.writes, "writes")
        rows = data if isinstance(data, pa.Table) else self._engine.arrow(data)
        if not rows.num_columns:
            rows = arrow_schema(TABLES[name]).empty_table()
        if "turn" in rows.column_names:
            rows = rows.drop_columns("turn")
        rows = cast_to(TABLES[name], rows, turn=self._turn)
        self._lake.overwrite_turn(name, rows, application=self._step.name, turn=self._turn)
        return int(rows.num_rows)

    def _require(self, name: str, allowed: frozenset[str], verb: str) -> None:
        if name not in allowed:
            raise NotAllowed(
                "declared-tables",
                f"step {self._step.name} {verb} {name} without declaring it; "
                f"add it to @step({verb}=...)",
            )
