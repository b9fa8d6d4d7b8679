"""What is told of a run and kept of it: ids for the file's rows, new rows for the memory."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.unify.matching import tables
from regulars.unify.matching.loading import CLEAN, COUNTED, ROW, Bench, by_record
from regulars.unify.matching.memory.kept import Part
from regulars.unify.matching.memory.nearby import Near, holders_of
from regulars.unify.matching.memory.newcomers import Seen
from regulars.unify.matching.memory.remembered import (
    CUSTOMER,
    ID,
    ROWS_PER_PART,
    About,
    Remembered,
    engine_of,
    parts_to_keep,
    written,
)
from regulars.unify.matching.pairs.blocking import parts_of
from regulars.unify.matching.resolving import Learned, certain_rules

Ints = NDArray[np.int64]
Names = NDArray[np.object_]
_OF_RECORDS = frozenset({"rid", "before", "is_new", tables.MARK})


def ids_of_file(
    bench: Bench, ids: Names, remembered: Remembered | None, seen: Seen, near: Near | None
) -> pa.Table:
    """Give the customer ids of the file's rows.

    Args:
        bench: Holds `counted` and, where only what is near is on it, `clean`.
        ids: Customer id of each record on the bench.
        remembered: What is remembered.
        seen: The file beside it.
        near: Which records are on the bench; None when all are.

    Returns:
        `id` and `customer_id` of every row, and of others where all are on the bench.
    """
    rows = by_record(bench, ID, "is_new")
    own = rows.select([ID]).append_column(CUSTOMER, pa.array(ids, pa.string()))
    if near is None or remembered is None:
        return own
    own = own.filter(rows.column("is_new"))
    order = np.argsort(seen.places)
    places = seen.places[order]
    names = remembered.rows(places, [CUSTOMER]).column(0).to_numpy(zero_copy_only=False)
    names = np.array(names, dtype=object)
    rid = remembered.number("rid")[places]
    is_near = np.isin(rid, near.rid)
    names[is_near] = ids[np.searchsorted(near.rid, rid[is_near])]
    stays = pa.table({"row_": seen.rows[order], CUSTOMER: pa.array(names, pa.string())})
    bench.connection.register("staying", stays)
    clean, staying = bench.table(CLEAN), bench.table("staying")
    found = clean.join(staying, clean[ROW] == staying.row_).select(ID, CUSTOMER)
    return pa.concat_tables([own, bench.arrow(found)], promote_options="permissive")


def records_of(remembered: Remembered, near: Near) -> int:
    """Count the records remembered once the new ones are."""
    return max(remembered.about.records, int(near.rid.max(initial=-1)) + 1)


def customers_far(remembered: Remembered, near: Near) -> int:
    """Count the customers none of whose records is near."""
    is_far = remembered.is_newest.copy()
    is_far[near.places] = False
    is_far[remembered.by_rid[near.rid[near.rid < remembered.about.records]]] = False
    holder = remembered.number("holder")
    return int(np.bincount(holder[is_far], minlength=1).astype(bool).sum())


def kept_of(
    bench: Bench, learned: Learned, ids: Names, remembered: Remembered | None, near: Near | None
) -> Iterator[Part]:
    """Give what the next run needs of the records.

    Args:
        bench: Holds `counted`.
        learned: What was learned.
        ids: Customer id of each record on the bench.
        remembered: What is remembered.
        near: Which records are on the bench; None when all are. Then all are given, otherwise
            those that came and those whose id moved.

    Returns:
        Parts of a file.
    """
    counted = bench.table(COUNTED)
    known = near.known if near else bench.known
    known = {name: count for name, count in known.items() if name not in _OF_RECORDS}
    if near and remembered:
        holders, given = holders_of(bench, remembered, near, ids)
        records, rid = records_of(remembered, near), near.rid
        before = by_record(bench, "before").column(0).to_numpy(zero_copy_only=False)
        moved = pa.table({"moved": np.flatnonzero(before != ids)})
        bench.connection.register("moved_records", moved)
        is_moved = counted.rid.isin(bench.table("moved_records").moved)
        counted = counted.filter(counted.is_new | is_moved)
    else:
        codes = pa.array(ids, pa.string()).dictionary_encode()
        holders, given = codes.indices.to_numpy().astype(np.int64), len(codes.dictionary)
        records, rid = len(ids), np.arange(len(ids))
    rules = (*learned.rules, *certain_rules(known, 0))
    about = About(records, known, given, engine_of(bench))
    return parts_to_keep(
        bench, counted.drop("before", "is_new"), parts_of(rule.name for rule in rules), about,
        rid=rid, ids=ids, holders=holders,
    )  # fmt: skip


def whole_of(remembered: Remembered) -> Iterator[Part]:
    """Write all that is remembered as one file.

    Args:
        remembered: What several files say.

    Yields:
        Parts of one file that says the same.
    """
    waiting: list[pa.Table] = []
    empty, count = remembered.schema.empty_table(), 0
    places: list[Ints] = []
    nothing = np.array([], dtype=np.int64)
    for own, rows in remembered.all_rows(without=nothing):
        places.append(own)
        whole = pa.concat_tables([empty, *waiting, rows], promote_options="default")
        while len(whole) >= ROWS_PER_PART:
            yield f"rows {count}", written(whole.slice(0, ROWS_PER_PART))
            whole, count = whole.slice(ROWS_PER_PART), count + 1
        waiting = [whole]
    if waiting and len(waiting[0]):
        yield f"rows {count}", written(waiting[0])
    order = np.concatenate(places) if places else nothing
    for name in remembered.numbers:
        yield f"number {name}", remembered.number(name)[order].tobytes()
    about = replace(remembered.about, rows=len(order))
    yield "about", json.dumps(asdict(about)).encode()
