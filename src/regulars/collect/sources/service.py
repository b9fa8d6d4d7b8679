"""Import files into typed facts: good rows land once, bad ones are told apart, all add up."""

import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from json import JSONDecodeError
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regulars.collect.sources.binding import BoundTable, bind, in_order
from regulars.collect.sources.keys.stored import Spans, stored_rows, stored_values
from regulars.collect.sources.mapping import FED, FileRule, ImportMapping
from regulars.collect.sources.reading.batches import Source
from regulars.collect.sources.reading.files import (
    find_files,
    fingerprint_of,
    open_source,
    stamp_of,
)
from regulars.collect.sources.refusals import Refusal, quarantine_rows
from regulars.collect.sources.scanning import (
    NO_DAY,
    PROBLEMS_SHOWN,
    Scan,
    Scanner,
    day_column,
    days_of,
)
from regulars.collect.sources.settling import Settled, settle
from regulars.collect.sources.shaping import Cover, Shaper, kind_covered
from regulars.errors import InputError, OutsideError, Permanent, Transient
from regulars.govern.protection.redaction import covered
from regulars.govern.protection.service import Protector
from regulars.ports.lake import Lake

Progress = Callable[[str, float], None]
# What readers of files raise; a workbook is packed XML, whose reader raises SyntaxError.
_UNREADABLE = (
    InputError, OSError, ValueError, EOFError, SyntaxError, BadZipFile, zlib.error,
    pa.ArrowException,
)  # fmt: skip


@dataclass(frozen=True)
class ImportResult:
    """What became of one file as rows of one table: a row of the table `imports`.

    Attributes:
        import_id: Hash of the file's bytes, its rule and the zone.
        file: File name.
        table: Fact table fed.
        received: Rows offered to the table: stored + duplicate + quarantined, always.
        stored: Rows that landed.
        duplicate: Rows already stored by an earlier file.
        quarantined: Rows held back.
        empty_share: Share of optional cells that were empty in the good rows, 0 to 1.
        first_day: Earliest day in the rows that landed.
        last_day: Latest day in the rows that landed.
        is_new: False when the very same import was done before; nothing was written now.
        problems: The first rows held back.
    """

    import_id: str
    file: str
    table: str
    received: int
    stored: int
    duplicate: int
    quarantined: int
    empty_share: float
    first_day: date | None
    last_day: date | None
    is_new: bool = True
    problems: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class UnreadableFile:
    """A file of which nothing was taken in.

    Attributes:
        path: The file.
        reason: What is wrong with it.
        line: Line at fault, 1 for the first; None where that is not known.
    """

    path: Path
    reason: str
    line: int | None = None


def import_files(
    lake: Lake,
    files: Iterable[Path | str],
    mapping: ImportMapping,
    *,
    zone: str,
    progress: Progress | None = None,
    dry_run: bool = False,
    protector: Protector | None = None,
    unreadable: list[UnreadableFile] | None = None,
) -> list[ImportResult]:
    """Import files into the facts of a workspace.

    Files are read in an order in which ids are known before rows point at them. Each file is
    read twice, in batches: once to judge every row, once to write; one that changes meanwhile
    is unreadable. The `imports` row is written last, so that a killed import is simply run
    again: it ends as if never killed.

    Args:
        lake: Where the facts are.
        files: Files, folders and globs.
        mapping: Which file feeds which tables, and how.
        zone: IANA zone of the workspace, which decides what a day is.
        progress: Told a file name and the share of it done, 0 to 1.
        dry_run: True reads and judges everything and writes nothing.
        protector: Gives tokens for phone numbers and e-mail addresses, and seals refused rows
            of files that hold such; None keeps everything as the files say it.
        unreadable: Takes the files that cannot be read, or that the mapping does not fit; the
            others are imported all the same. None stops at the first such file.

    Returns:
        One result per file and table, in the order files were read.

    Raises:
        InputError: A path names nothing; or a file is unreadable, or the mapping does not fit
            it, and `unreadable` is None.
        OutsideError: The lake cannot be written; say `regulars doctor`. Or a file changed when
            part of it was stored.
    """
    setting_apart = _SettingApart(unreadable)
    opened: list[_Opened] = []
    for path in find_files(files):
        with setting_apart(path):
            opened.append(_opened(path, mapping))
    known = _KnownIds(lake)
    results: list[ImportResult] = []
    seen: set[str] = set()
    for here in in_order([one.rule for one in opened]):
        one = opened[here]
        with setting_apart(one.path):
            stamp = stamp_of(one.path)
            import_id = fingerprint_of(one.path, _shape_of(one.rule), zone)
            if import_id in seen or lake.committed("imports", import_id) is not None:
                results += _earlier(lake, import_id, results)
                continue
            job = _Job(lake, one, import_id, stamp, zone, known, protector)
            results += job.run(_telling(progress, one.path.name), dry_run=dry_run)
            seen.add(import_id)
    return results


@dataclass(frozen=True)
class _Opened:
    """A file whose columns are known, and what they feed."""

    path: Path
    rule: FileRule
    source: Source
    tables: tuple[BoundTable, ...]


def _opened(path: Path, mapping: ImportMapping) -> _Opened:
    rule = mapping.rule_for(path)
    source = open_source(path, rule)
    return _Opened(path, rule, source, bind(rule, source.header, f"{path.name}, {mapping.origin}"))


class _SettingApart:
    """Sets a file apart that cannot be read, where somebody takes such files.

    A file is read whole before anything of it is written, and what fails once a part is stored
    is none of its errors (`_Job._store`): of one set apart nothing is stored.
    """

    def __init__(self, taken: list[UnreadableFile] | None) -> None:
        self._taken = taken
        self._path = Path()

    def __call__(self, path: Path) -> "_SettingApart":
        self._path = path
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if self._taken is None or not isinstance(error, _UNREADABLE):
            return False
        self._taken.append(UnreadableFile(self._path, _reason(error), _line(error)))
        return True


def _reason(error: BaseException) -> str:
    said = str(error) or type(error).__name__
    return said if isinstance(error, InputError) else f"{type(error).__name__}: {said}"


def _line(error: BaseException) -> int | None:
    cause = error.__cause__ if isinstance(error, InputError) else error
    return cause.lineno if isinstance(cause, JSONDecodeError | SyntaxError) else None


def _telling(progress: Progress | None, name: str) -> Callable[[float], None]:
    return (lambda share: progress(name, share)) if progress else (lambda _: None)


def _shape_of(rule: FileRule) -> object:
    return rule.delimiter, rule.encoding, rule.tables


class _KnownIds:
    """Which ids the lake holds, or has in quarantine; a table without any is not checked."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._fresh: dict[str, set[str]] = {}
        self._stored: dict[str, set[str]] = {}

    def __call__(self, table: str, ids: list[str]) -> list[bool]:
        fresh = self._fresh.get(table, set())
        if fresh and all(one is None or one in fresh for one in ids):
            return [True] * len(ids)
        known = self._load(table)
        if not fresh and not known:
            return [True] * len(ids)
        return [one is None or one in fresh or one in known for one in ids]

    def add(self, table: str, ids: Iterable[str]) -> None:
        self._fresh.setdefault(table, set()).update(ids)

    def _load(self, table: str) -> set[str]:
        if table not in self._stored:
            key = FED[table].key[0]
            known = set(stored_values(self._lake.files(table), key))
            for path in self._lake.files("quarantine"):
                named = pq.read_table(path, columns=["row_id"], filters=[("table", "=", table)])
                known.update(filter(None, named.column(0).to_pylist()))
            self._stored[table] = known
        return self._stored[table]


@dataclass
class _Job:
    """One file on its way into the lake."""

    lake: Lake
    opened: _Opened
    import_id: str
    stamp: tuple[int, ...]
    zone: str
    known: _KnownIds
    protector: Protector | None = None
    spoilt: Exception | None = None
    has_stored: bool = False

    @property
    def file(self) -> str:
        return self.opened.path.name

    @property
    def source(self) -> Source:
        return self.opened.source

    @property
    def tables(self) -> tuple[BoundTable, ...]:
        return self.opened.tables

    def run(self, progress: Callable[[float], None], *, dry_run: bool) -> list[ImportResult]:
        schemas = {table.name: self.lake.schema(table.name) for table in self.tables}
        cover = self._cover(dry_run=dry_run)
        shaper = Shaper(self.tables, schemas, self.source.header, self.zone, self.known, cover)
        same = {"import_id": self.import_id, "file": self.file}
        compared = [t.name for t in self.tables if self._stored_files(t.name)]
        quarantine = self.lake.schema("quarantine")
        scanner = Scanner(shaper, quarantine, same, compared)
        scan = scanner.scan(self.source, lambda share: progress(share / 2))
        settled = settle(scan, self.tables, schemas, self._stored)
        late = self._completed(shaper, settled)
        refused = pa.concat_tables([*scan.quarantine, quarantine_rows(late, quarantine, **same)])
        refused = self._sealed(refused)
        problems = sorted([*scan.problems, *late], key=lambda r: r.row)[:PROBLEMS_SHOWN]
        results = [
            self._result(number + 1, table, scan, settled, problems)
            for number, table in enumerate(self.tables)
        ]
        self._require_unchanged()
        if not dry_run:
            with self._storing():
                self._write(shaper, settled, lambda share: progress(0.5 + share / 2))
                self._write_account(refused, results)
        for table in self.tables:
            self.known.add(table.name, scan.tables[table.name].named)
        progress(1.0)
        return results

    def _require_unchanged(self) -> None:
        """Insist that what is read now is what was judged, and what the import is named by."""
        if stamp_of(self.opened.path) != self.stamp:
            raise InputError(
                f"{self.file} changed while it was read; import it again once it is whole"
            )

    @contextmanager
    def _storing(self) -> Generator[None]:
        """Blame the file for what its second reading meets, as long as nothing of it is stored."""
        try:
            yield
        except (OutsideError, *_UNREADABLE) as error:
            if self.spoilt is None:
                if isinstance(error, OutsideError):
                    raise
                raise Permanent(
                    f"cannot store {self.file}: {_reason(error)}; say: regulars doctor"
                ) from error
            if self.has_stored:
                raise Transient(
                    f"{self.file} could not be read to its end a second time, and a part of it is "
                    f"stored ({_reason(self.spoilt)}); import it again: no row is stored twice"
                ) from self.spoilt
            raise self.spoilt from None

    def _append(self, table: str, rows: Any, application: str) -> None:
        self.lake.append(table, rows, application=application)
        self.has_stored = True

    def _write_account(self, refused: pa.Table, results: Sequence[ImportResult]) -> None:
        """Write what was held back, and last what became of the file."""
        if refused.num_rows:
            ordered = refused.sort_by([("row", "ascending"), ("table", "ascending")])
            self._append("quarantine", ordered, self._name("quarantine"))
        rows = pa.Table.from_pylist([_ledger(r) for r in results], self.lake.schema("imports"))
        self._append("imports", rows, self.import_id)

    def _name(self, table: str) -> str:
        return f"{self.import_id} {table}"

    def _stored_files(self, table: str) -> list[str]:
        return self.lake.files(table, before=self._name(table))

    def _stored(
        self, table: str, keys: NDArray[np.uint64], spans: Spans
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        files, cover = self._stored_files(table), self._cover(dry_run=True)
        kinds = {c.name: kind for c in FED[table].columns if (kind := kind_covered(c))}
        covers = {name: partial(cover, kind) for name, kind in kinds.items()} if cover else {}
        return stored_rows(files, FED[table], self.lake.schema(table), keys, spans, covers)

    def _cover(self, *, dry_run: bool) -> Cover | None:
        if self.protector is None:
            return None
        return self.protector.column_tokens if dry_run else self.protector.protect_column

    def _sealed(self, refused: pa.Table) -> pa.Table:
        """Encrypt refused rows of a file that holds direct identifiers, and mask their values."""
        holds = any(kind_covered(bound.column) for t in self.tables for bound in t.columns)
        if self.protector is None or not holds or not refused.num_rows:
            return refused
        rows = refused.to_pylist()
        for row in rows:
            row["value"] = covered(row["column"], row["value"])
            row["raw"] = row["raw"] and self.protector.seal(row["raw"].encode())
        return pa.Table.from_pylist(rows, refused.schema)

    def _completed(self, shaper: Shaper, settled: Settled) -> list[Refusal]:
        """Read the file once more for the text of rows refused late."""
        waiting: dict[int, Refusal] = {refusal.row: refusal for refusal in settled.refusals}
        found: list[Refusal] = []
        for batch in self.source.batches(shaper.wanted) if waiting else ():
            numbers = np.array(sorted(waiting), np.int64)
            for at in np.flatnonzero(np.isin(batch.rows, numbers)).tolist():
                refusal = waiting.pop(int(batch.rows[at]))
                found.append(shaper.completed(batch, at, refusal))
        return found

    def _write(self, shaper: Shaper, settled: Settled, progress: Callable[[float], None]) -> None:
        for number, table in enumerate(self.tables):
            rows: Any = settled.folded.get(table.name)
            if rows is None:
                lands = (settled.owner == 0) & ~settled.is_stored[table.name]
                if not lands.any():
                    continue
                rows = self._landing(shaper, number, lands, progress)
            elif not rows.num_rows:
                continue
            self._append(table.name, rows, self._name(table.name))

    def _landing(
        self,
        shaper: Shaper,
        number: int,
        lands: NDArray[np.bool_],
        progress: Callable[[float], None],
    ) -> Iterator[pa.RecordBatch]:
        """Read the file a second time, for what lands; what it meets is kept in `spoilt`."""
        bound = self.tables[number]
        try:
            yield from self._landed(replace(shaper, tables=(bound,)), bound.name, lands, progress)
            self._require_unchanged()
        except _UNREADABLE as error:
            self.spoilt = error
            raise

    def _landed(
        self,
        shaper: Shaper,
        table: str,
        lands: NDArray[np.bool_],
        progress: Callable[[float], None],
    ) -> Iterator[pa.RecordBatch]:
        for batch in self.source.batches(shaper.wanted):
            self._require_unchanged()
            kept = lands[batch.rows - 1]
            if kept.any():
                rows = shaper.shape(batch).rows(table, shaper.schemas[table])
                yield rows if kept.all() else rows.filter(pa.array(kept))
            progress(batch.done)

    def _result(
        self,
        number: int,
        table: BoundTable,
        scan: Scan,
        settled: Settled,
        problems: Sequence[Refusal],
    ) -> ImportResult:
        quarantined = int((settled.owner == number).sum())
        optional = sum(not bound.column.required for bound in table.columns)
        if table.name in settled.folded:
            rows = settled.folded[table.name]
            stored, duplicate = rows.num_rows, settled.folded_duplicates[table.name]
            received = stored + duplicate + quarantined
            empty = sum(c.null_count for c in rows.columns)
            cells = optional * stored
            day = day_column(table.name)
            days = days_of(rows.column(day).combine_chunks()) if day else np.zeros(0, np.int32)
        else:
            is_stored = settled.is_stored[table.name] & (settled.owner == 0)
            duplicate = int(is_stored.sum())
            lands = (settled.owner == 0) & ~is_stored
            stored = int(lands.sum())
            received = int(((settled.owner == 0) | (settled.owner == number)).sum())
            empty = scan.tables[table.name].empty_cells
            cells = optional * int((scan.owner == 0).sum())
            days = scan.tables[table.name].days
            days = days[lands] if len(days) else days
        days = days[days != NO_DAY]
        return ImportResult(
            self.import_id,
            self.file,
            table.name,
            received,
            stored,
            duplicate,
            quarantined,
            round(empty / cells, 6) if cells else 0.0,
            _day(days.min()) if len(days) else None,
            _day(days.max()) if len(days) else None,
            problems=tuple(refusal for refusal in problems if refusal.table == table.name),
        )


def _day(number: np.int32) -> date:
    return date(1970, 1, 1) + timedelta(days=int(number))


def _ledger(result: ImportResult) -> dict[str, object]:
    left_out = {"is_new", "problems"}
    return {name: value for name, value in vars(result).items() if name not in left_out}


def _earlier(lake: Lake, import_id: str, results: Sequence[ImportResult]) -> list[ImportResult]:
    """Tell again what an import that was done before did."""
    rows: list[dict[str, Any]] = [
        _ledger(result) for result in results if result.import_id == import_id
    ]
    for path in lake.files("imports") if not rows else ():
        rows += pq.read_table(path, filters=[("import_id", "=", import_id)]).to_pylist()
    return [ImportResult(**row, is_new=False) for row in rows]
