"""New records beside remembered ones: only what is new is compared, the rest stays as it was."""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table as Definition
from numpy.typing import NDArray

from regulars.unify.matching import tables
from regulars.unify.matching.loading import (
    CLEAN,
    ROW,
    Bench,
    count_values,
)
from regulars.unify.matching.memory.numbers import Sought
from regulars.unify.matching.memory.remembered import (
    CUSTOMER,
    ID,
    Remembered,
    engine_of,
    hashed_texts,
    numbers,
)

CAME = "came"
Ints = NDArray[np.int64]
_AT_ONCE = 200_000


@dataclass(frozen=True)
class Incoming:
    """What a file brings to what is remembered.

    Attributes:
        new: Records not known before.
        changed: Records that say something else than before.
        unchanged: Records that say the same.
        remembered: Records known before, in the file or not.
    """

    new: int
    changed: int
    unchanged: int
    remembered: int

    @property
    def came(self) -> int:
        """Records that must be compared."""
        return self.new + self.changed


@dataclass(frozen=True)
class Seen:
    """A file beside what is remembered.

    Attributes:
        incoming: How many records are new, changed and unchanged.
        rows: Rows of the file that say what they said before, by number.
        places: Where these are remembered.
        changed: Where the records that say something else are remembered, in order.
    """

    incoming: Incoming
    rows: Ints
    places: Ints
    changed: Ints


def compare_with(bench: Bench, remembered: Remembered | None) -> Seen:
    """Compare the file's records with the remembered ones.

    Args:
        bench: Holds `clean`; takes `came`, the new and changed records, numbered, with `before`,
            the customer id a record had.
        remembered: What is remembered; None when nothing is.

    Returns:
        Which are new, changed and unchanged.
    """
    clean = bench.table(CLEAN)
    nothing = np.array([], dtype=np.int64)
    if remembered is None:
        total = int(bench.arrow(clean.count().as_table())[0][0].as_py())
        fresh = tables.numbered(clean).mutate(before=ibis.null("string"))
        bench.backend.create_table(CAME, fresh)
        bench.backend.drop_table(CLEAN)
        return Seen(Incoming(total, 0, 0, 0), nothing, nothing, nothing)
    told = bench.arrow(clean.select(ROW, tables.MARK, own=clean.id.hash()))
    row, mark, own = (numbers(told.column(name)) for name in (ROW, tables.MARK, "own"))
    places, at = _met(bench, remembered, own)
    is_same = remembered.number(tables.MARK)[places] == mark[at]
    places, at, is_same = _checked(bench, remembered, row, places, at, is_same)
    differs = np.ones(len(row), dtype=bool)
    differs[at[is_same]] = False
    changed, where = places[~is_same], at[~is_same]
    _put_came(bench, remembered, row, differs, changed, where)
    incoming = Incoming(
        int(differs.sum()) - len(changed), len(changed), len(row) - int(differs.sum()),
        remembered.about.records,
    )  # fmt: skip
    return Seen(incoming, row[at[is_same]], places[is_same], np.sort(changed))


def _met(bench: Bench, remembered: Remembered, own: Ints) -> tuple[Ints, Ints]:
    """Find remembered records by their ids: places, and rows of the file."""
    known = remembered.number(ID)
    if remembered.about.engine != engine_of(bench):
        texts = remembered.rows(np.arange(len(known)), [ID]).column(0)
        known = hashed_texts(bench, texts)
    sought = Sought(own)
    places, which = sought.found_in(known)
    newest = remembered.is_newest[places]
    places, which = places[newest], which[newest]
    order = np.argsort(own, kind="stable")
    return places, order[np.searchsorted(own[order], sought.numbers[which])]


def _checked(
    bench: Bench, remembered: Remembered, row: Ints, places: Ints, at: Ints,
    is_same: NDArray[np.bool_],
) -> tuple[Ints, Ints, NDArray[np.bool_]]:  # fmt: skip
    """Leave out records that only share the hash of an id, once in 2**64 pairs."""
    doubted = np.flatnonzero(~is_same)
    if not len(doubted):
        return places, at, is_same
    order = doubted[np.argsort(places[doubted])]
    were = remembered.rows(places[order], [ID]).column(0).to_pylist()
    clean = bench.table(CLEAN)
    wanted = pa.table({"row_": row[at[order]], "place_": np.arange(len(order))})
    bench.connection.register("doubted", wanted)
    found = clean.join(bench.table("doubted"), clean[ROW] == bench.table("doubted").row_)
    own = bench.arrow(found.select("id", "place_").order_by("place_")).column("id").to_pylist()
    bench.connection.unregister("doubted")
    kept = np.ones(len(places), dtype=bool)
    kept[order] = [a == b for a, b in zip(own, were, strict=True)]
    return places[kept], at[kept], is_same[kept]


def _put_came(
    bench: Bench, remembered: Remembered, row: Ints, differs: NDArray[np.bool_], changed: Ints,
    where: Ints,
) -> None:  # fmt: skip
    """Number the new and changed records: changed ones keep their number, new ones follow."""
    rid = np.full(len(row), -1, dtype=np.int64)
    rid[where] = remembered.number("rid")[changed]
    before = np.full(len(row), None, dtype=object)
    order = np.argsort(changed)
    names = remembered.rows(changed[order], [CUSTOMER]).column(0)
    before[where[order]] = names.to_numpy(zero_copy_only=False) if len(changed) else []
    come = pa.table({
        "row_": row[differs],
        "rid_": pa.array(rid[differs], mask=rid[differs] < 0),
        "before": pa.array(before[differs], pa.string()),
    })
    bench.connection.register("differing", come)
    clean, own = bench.table(CLEAN), bench.table("differing")
    came = clean.join(own, clean[ROW] == own.row_)
    place = ibis.row_number().over(group_by=came.rid_.isnull(), order_by=came.id)
    rid_ = came.rid_.fill_null(place + remembered.about.records).cast("int32")
    bench.backend.create_table(CAME, came.mutate(rid=rid_).drop("row_", "rid_", ROW))
    bench.connection.unregister("differing")


def place_all(bench: Bench, remembered: Remembered | None, seen: Seen) -> None:
    """Put all records into one table, to be resolved from scratch.

    Args:
        bench: Holds `came`; takes `counted`, with `is_new`.
        remembered: What is remembered; None when nothing is.
        seen: As `compare_with` gave it.
    """
    came = bench.table(CAME).mutate(is_new=ibis.literal(True))
    if remembered is None:
        bench.backend.create_table("placed", came)
    else:
        for count, part in enumerate(_staying(remembered, seen)):
            bench.connection.register("kept", part)
            stays = bench.table("kept").mutate(is_new=ibis.literal(False))
            if count == 0:
                bench.backend.create_table("placed", stacked(stays, came))
            else:
                placed = bench.table("placed")
                rows = stacked(stays, placed.limit(0)).select(*placed.columns)
                bench.backend.insert("placed", rows)
            bench.connection.unregister("kept")
    bench.backend.drop_table(CAME)
    count_values(bench, "placed")


def _staying(remembered: Remembered, seen: Seen) -> Iterator[pa.Table]:
    """Give the remembered records that stay, with their numbers; first none, to say the columns."""
    names = [name for name in remembered.schema.names if not name.startswith("n_")]
    empty = pa.schema([remembered.schema.field(name) for name in names]).empty_table()
    rid, size = remembered.number("rid"), 0
    waiting = [empty.append_column("rid", pa.array([], pa.int32()))]
    yield waiting[0].rename_columns({CUSTOMER: "before"})
    for places, rows in remembered.all_rows(without=seen.changed):
        part = pa.concat_tables([empty, rows], promote_options="default").select(names)
        waiting.append(part.append_column("rid", pa.array(rid[places].astype(np.int32))))
        size += len(part)
        if size >= _AT_ONCE:
            yield pa.concat_tables(waiting).rename_columns({CUSTOMER: "before"})
            waiting, size = [], 0
    if size:
        yield pa.concat_tables(waiting).rename_columns({CUSTOMER: "before"})


def stacked(one: Definition, other: Definition) -> Definition:
    """Put one table under another; columns only one of them has are empty in the other."""
    names = sorted(set(one.columns) | set(other.columns))
    types = {**other.schema(), **one.schema()}

    def widened(table: Definition) -> Definition:
        missing = {name: ibis.null(types[name]) for name in names if name not in table.columns}
        full = table.mutate(**missing)
        return full.select(**{name: full[name].cast(types[name]) for name in names})

    return widened(one).union(widened(other))
