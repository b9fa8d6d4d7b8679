"""Between the passes: repeated keys, keys the lake holds, rows of one key that disagree."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.collect.sources.binding import BoundTable
from regulars.collect.sources.keys.folding import Folded, fold
from regulars.collect.sources.keys.stored import Spans
from regulars.collect.sources.refusals import Refusal
from regulars.collect.sources.rules import Reason
from regulars.collect.sources.scanning import Scan

Stored = Callable[[str, NDArray[np.uint64], Spans], tuple[NDArray[np.uint64], NDArray[np.uint64]]]


@dataclass(frozen=True)
class Settled:
    """What becomes of every record of a file.

    Attributes:
        owner: Per record 0, or 1 + position of the table that refused it.
        is_stored: By table with a row per record: true where the lake holds the row already.
        folded: By table with a row per key: the rows that land, in file order.
        folded_duplicates: By table with a row per key: keys the lake holds already.
        refusals: Rows refused here, value, text and id still to be filled in.
    """

    owner: NDArray[np.int8]
    is_stored: dict[str, NDArray[np.bool_]]
    folded: dict[str, pa.Table]
    folded_duplicates: dict[str, int]
    refusals: list[Refusal]


def settle(
    scan: Scan, tables: tuple[BoundTable, ...], schemas: dict[str, pa.Schema], stored: Stored
) -> Settled:
    """Decide every record that is good in itself.

    A key that comes twice lands once: the first row. A row the lake holds counts as
    duplicate when it is the same and is refused when it differs. Folded rows follow: when a
    folded row conflicts with a stored one, the rows it is made of are refused with it.

    Args:
        scan: What the first pass learnt.
        tables: What the file feeds, tables with a row per record first.
        schemas: Schema by table.
        stored: Finds stored rows by key fingerprint.

    Returns:
        The fate of every record, the same however often it is asked for.
    """
    work = _Settling(scan, schemas, stored)
    for number, table in enumerate(tables):
        if not table.rule.one_per_key:
            work.settle_rows(number + 1, table)
    folds = [(n + 1, table) for n, table in enumerate(tables) if table.rule.one_per_key]
    while True:
        found = {table.name: work.fold(table) for _, table in folds}
        if not any([work.refuse_folds(n, table, found[table.name]) for n, table in folds]):
            break
    landing = {name: part.folded.rows.filter(pa.array(part.lands)) for name, part in found.items()}
    duplicates = {name: int((~part.lands).sum()) for name, part in found.items()}
    return Settled(work.owner, work.is_stored, landing, duplicates, work.refusals)


@dataclass(frozen=True)
class _Fold:
    """A table with a row per key, folded of the rows that are left."""

    folded: Folded
    records: NDArray[np.int64]
    lands: NDArray[np.bool_]
    conflicts: NDArray[np.bool_]


class _Settling:
    def __init__(self, scan: Scan, schemas: dict[str, pa.Schema], stored: Stored) -> None:
        self._scan, self._schemas, self._stored = scan, schemas, stored
        self.owner = scan.owner.copy()
        self.is_stored: dict[str, NDArray[np.bool_]] = {}
        self.refusals: list[Refusal] = []

    def refuse(
        self, records: NDArray[np.int64], number: int, table: str, reason: Reason, column: str = ""
    ) -> None:
        for record in records.tolist():
            self.owner[record] = number
            self.refusals.append(Refusal(table, record + 1, column or None, reason, None, "", None))

    def settle_rows(self, number: int, table: BoundTable) -> None:
        found = self._scan.tables[table.name]
        alive = np.flatnonzero(self.owner == 0)
        keys = found.keys[alive]
        ascending = np.sort(keys)
        twice = np.unique(ascending[1:][ascending[1:] == ascending[:-1]])
        if len(twice):
            suspects = np.flatnonzero(np.isin(keys, twice))
            _, first = np.unique(keys[suspects], return_index=True)
            later = np.setdiff1d(np.arange(len(suspects)), first)
            self.refuse(alive[suspects[later]], number, table.name, Reason.DUPLICATE_LINE)
        is_stored = np.zeros(len(self.owner), bool)
        stored_keys, stored_contents = self._stored(table.name, ascending, found.spans)
        if len(stored_keys):
            alive = np.flatnonzero(self.owner == 0)
            at, hit = _looked_up(found.keys[alive], stored_keys)
            same = hit & (found.contents[alive] == stored_contents[at])
            same |= hit & table.rule.keep_stored
            is_stored[alive[same]] = True
            self.refuse(alive[hit & ~same], number, table.name, Reason.CONFLICTS_WITH_STORED)
        self.is_stored[table.name] = is_stored

    def fold(self, table: BoundTable) -> _Fold:
        rows = self._scan.tables[table.name].rows
        records = rows.column("record").to_numpy()
        left = self.owner[records] == 0
        folded = fold(table, rows.filter(pa.array(left)), self._schemas[table.name])
        keys, contents = self._stored(table.name, np.sort(folded.keys), {})
        at, hit = _looked_up(folded.keys, keys)
        conflicts = hit.copy()
        if len(keys):
            conflicts &= (folded.contents != contents[at]) & (not table.rule.keep_stored)
        return _Fold(folded, records[left], ~hit, conflicts)

    def refuse_folds(self, number: int, table: BoundTable, found: _Fold) -> bool:
        """Refuse rows whose folded row cannot land; true when any was refused."""
        before = len(self.refusals)
        for column, unlike in found.folded.differing.items():
            fresh = unlike[self.owner[found.records[unlike]] == 0]
            self.refuse(found.records[fresh], number, table.name, Reason.DIFFERS_WITHIN_KEY, column)
        if not found.folded.differing and found.conflicts.any():
            inside = found.records[found.conflicts[found.folded.group]]
            fresh = inside[self.owner[inside] == 0]
            self.refuse(fresh, number, table.name, Reason.CONFLICTS_WITH_STORED)
        return len(self.refusals) > before


def _looked_up(
    keys: NDArray[np.uint64], ascending: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if not len(ascending):
        return np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
    at = np.searchsorted(ascending, keys)
    at[at == len(ascending)] = 0
    return at, ascending[at] == keys
