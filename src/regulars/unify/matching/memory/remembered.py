"""New records beside remembered ones: only what is new is compared, the rest stays as it was."""

from dataclasses import dataclass, replace

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table as Definition
from numpy.typing import NDArray

from regulars.unify.matching import tables
from regulars.unify.matching.clusters import SURE, Graph, agglomerate, joined_labels
from regulars.unify.matching.loading import (
    CLEAN,
    COUNTED,
    Bench,
    by_record,
    count_known,
    count_values,
    show,
)
from regulars.unify.matching.memory.naming import Naming, name_clusters, new_id
from regulars.unify.matching.pairs.blocking import pack, unpack
from regulars.unify.matching.resolving import (
    Clusters,
    Learned,
    Links,
    Told,
    Wishes,
    complete,
    find_new_pairs,
    joined,
    linked,
    log_odds,
    logins,
    pairs_within,
    weighed,
    within,
)

KEPT, CAME, CUSTOMER = "kept", "came", "customer_id"
Ints = NDArray[np.int64]


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


def compare_with(bench: Bench, kept: pa.Table | None) -> Incoming:
    """Compare the file's records with the remembered ones.

    Args:
        bench: Holds `clean`; takes `came`, the new and changed records, numbered, with `before`,
            the customer id a record had.
        kept: Remembered records; None when there are none.

    Returns:
        How many are new, changed and unchanged.
    """
    clean = bench.table(CLEAN)
    total = int(bench.arrow(clean.count().as_table())[0][0].as_py())
    if kept is None:
        fresh = tables.numbered(clean).mutate(before=ibis.null("string"))
        bench.backend.create_table(CAME, fresh)
        bench.backend.drop_table(CLEAN)
        return Incoming(total, 0, 0, 0)
    bench.connection.register(KEPT, kept.select(["id", "rid", tables.MARK, CUSTOMER]))
    old = bench.table(KEPT)
    was = old.select(id_=old.id, rid_=old.rid, mark_=old[tables.MARK], before=old[CUSTOMER])
    seen = clean.left_join(was, clean.id == was.id_)
    differs = seen.mark_.isnull() | (seen.mark_ != seen[tables.MARK])
    bench.backend.create_table("differing", seen.filter(differs))
    came = bench.table("differing")
    place = ibis.row_number().over(group_by=came.rid_.isnull(), order_by=came.id)
    rid = came.rid_.fill_null((place + len(kept)).cast("int32")).cast("int32")
    bench.backend.create_table(CAME, came.mutate(rid=rid).drop("id_", "rid_", "mark_", tables.ROW))
    changed = bench.arrow(came.filter(came.rid_.notnull()).select("rid_")).column(0).to_numpy()
    arrived = int(bench.arrow(came.count().as_table())[0][0].as_py())
    bench.connection.unregister(KEPT)
    bench.backend.drop_table("differing")
    stays = kept.rename_columns([
        "before" if name == CUSTOMER else name for name in kept.column_names
    ])
    if len(changed):
        gone = np.isin(stays.column("rid").to_numpy(), changed)
        stays = stays.filter(pa.array(~gone))
    bench.connection.register(KEPT, stays)
    return Incoming(arrived - len(changed), len(changed), total - arrived, len(kept))


def place_all(bench: Bench, incoming: Incoming) -> None:
    """Put all records into one table, to be resolved from scratch.

    Args:
        bench: Holds `came`; takes `counted`, with `is_new`.
        incoming: As `compare_with` gave it.
    """
    rows = bench.table(CAME).mutate(is_new=ibis.literal(True))
    if incoming.remembered:
        stays = bench.table(KEPT).mutate(is_new=ibis.literal(False))
        counts = [name for name in stays.columns if name.startswith("n_")]
        rows = _stacked(stays.drop(*counts), rows)
    bench.backend.create_table("placed", rows)
    count_values(bench, "placed")


def place_new(bench: Bench, kept: pa.Table) -> None:
    """Put the new records beside the remembered ones, which stay where they are.

    How many records have a remembered record's values is not counted again; the next time all
    is resolved it is.

    Args:
        bench: Holds `came` and the remembered records; shows both as `counted`, with `is_new`.
        kept: The remembered records.
    """
    came = bench.arrow(bench.table(CAME).mutate(is_new=ibis.literal(True)))
    for name in tables.counted_columns(bench.table(CAME)):
        values = came.column(name).combine_chunks()
        known = kept.column(name) if name in kept.column_names else pa.array([], pa.string())
        there = pc.filter(known, pc.is_in(known, value_set=values.unique().drop_null()))
        counts = pa.chunked_array([*there.chunks, values]).combine_chunks().dictionary_encode()
        codes = counts.indices.fill_null(0).to_numpy()
        own = codes[len(codes) - len(values) :]
        seen = np.bincount(codes[~counts.is_null().to_numpy(False)], minlength=1)
        count = pa.array(seen[own].astype(np.int32), mask=values.is_null().to_numpy(False))
        came = came.append_column(f"n_{name}", count)
    bench.connection.register("came_counted", came)
    stays = bench.table(KEPT).mutate(is_new=ibis.literal(False))
    both = _stacked(stays, bench.table("came_counted"))
    bench.backend.create_view(COUNTED, both, overwrite=True)
    count_known(bench)


def _stacked(one: Definition, other: Definition) -> Definition:
    names = sorted(set(one.columns) | set(other.columns))
    types = {**other.schema(), **one.schema()}

    def widened(table: Definition) -> Definition:
        missing = {name: ibis.null(types[name]) for name in names if name not in table.columns}
        full = table.mutate(**missing)
        return full.select(**{name: full[name].cast(types[name]) for name in names})

    return widened(one).union(widened(other))


def resolve_new(bench: Bench, learned: Learned, wishes: Wishes, told: Told) -> Clusters:
    """Resolve new and changed records against all, as the remembered ones were resolved.

    Remembered clusters stay whole. A new record joins one when, on average over all pairs, it
    is more probably of that customer than not; it joins two of them under the same condition.

    Args:
        bench: Holds `counted`, with `before` and `is_new`.
        learned: What was learned when all were resolved.
        wishes: What is asked.
        told: Is told the share done.

    Returns:
        The clusters of all records.
    """
    before, is_new = _before(bench)
    if not is_new.any():
        nothing = np.array([], dtype=np.int32)
        links = Links(nothing, nothing, nothing.astype(float), nothing.astype(object))
        return Clusters(before, links, learned, 0)
    found, certain = find_new_pairs(bench, learned.rules, wishes.most, told)
    scored = None
    if learned.model and len(found[0]):
        show(bench, learned.model.own, np.concatenate(unpack(found[0])))
        scored = weighed(bench, learned, found[0], told)
    login = logins(bench)
    links = joined(learned, scored, found, certain, login)
    told("cluster: merge", 0.0)
    is_linked = linked(links, learned)
    labels = joined_labels(before, links.left[is_linked], links.right[is_linked])
    is_open = np.zeros(len(labels), dtype=bool)
    is_open[labels[links.left[is_linked]]] = True
    is_open = is_open[labels]
    graph = _with_remembered(links, wishes, before, is_open, login)
    merges = agglomerate(complete(bench, learned, graph, labels, is_open), stop=0.0)
    labels = joined_labels(before, merges.kept, merges.gone)
    told("cluster: merge", 1.0)
    return Clusters(labels, within(links, labels), learned, len(found[0]))


def _before(bench: Bench) -> tuple[Ints, NDArray[np.bool_]]:
    """Give the cluster every record was in, by its first record, and which records came now."""
    rows = by_record(bench, "before", "is_new")
    is_new = rows.column("is_new").to_numpy()
    codes = rows.column("before").combine_chunks().dictionary_encode().indices
    codes = codes.fill_null(0).to_numpy().astype(np.int64)
    labels = np.arange(len(codes))
    stays = labels[~is_new]
    first = np.full(int(codes.max(initial=0)) + 1, len(codes))
    np.minimum.at(first, codes[stays], stays)
    labels[stays] = first[codes[stays]]
    return labels, is_new


def _with_remembered(
    links: Links, wishes: Wishes, labels: Ints, is_open: NDArray[np.bool_], login: Ints
) -> Graph:
    """Add the pairs of remembered clusters, which hold for sure."""
    sizes = np.bincount(labels, minlength=len(labels))
    held = pairs_within(labels, is_open & (sizes[labels] > 1), wishes.most * 5)
    found = pack(links.left, links.right)
    every = np.union1d(found, held)
    weight = np.empty(len(every))
    weight[np.searchsorted(every, found)] = log_odds(links.probability)
    weight[np.searchsorted(every, held)] = SURE
    return Graph(len(labels), *unpack(every), weight, login, wishes.most)


def named(bench: Bench, labels: Ints, *, source: str, everyone: bool) -> Naming:
    """Give every record its customer id.

    Args:
        bench: Holds `counted`, with `before` and `is_new`.
        labels: Cluster of every record.
        source: Name of the system the records come from.
        everyone: True names all clusters; False just those with a new record.

    Returns:
        The ids, with what became of earlier ones.
    """
    has_login = "login" in bench.known
    rows = by_record(bench, "id", "before", "is_new", *(["login"] if has_login else []))
    is_new = rows.column("is_new").to_numpy()
    touched = np.zeros(len(labels), dtype=bool)
    touched[labels[is_new]] = True
    touched = np.ones(len(labels), dtype=bool) if everyone else touched[labels]
    some = rows.filter(pa.array(touched))
    before, record_ids = some.column("before").to_pylist(), some.column("id").to_pylist()
    login = some.column("login").to_pylist() if has_login else [None] * len(some)
    others: list[str] = []
    if not everyone:
        maybe = {name for name in before if name} | {new_id(source, one) for one in record_ids}
        rest = rows.column("before").filter(pa.array(~touched))
        known = pc.is_in(rest, value_set=pa.array(sorted(maybe), pa.string()))
        others = pc.filter(rest, known).unique().to_pylist()
    found = name_clusters(
        labels[touched], record_ids, source=source, login=login, before=before, others=others
    )
    if everyone:
        return found
    ids = np.array(rows.column("before").to_numpy(zero_copy_only=False), dtype=object)
    ids[touched] = found.ids
    return replace(found, ids=ids)


def to_keep(bench: Bench, ids: NDArray[np.object_], *, everything: bool) -> pa.Table:
    """Give what the next run needs of the records.

    Args:
        bench: Holds `counted`.
        ids: Customer id of each record.
        everything: True gives all records; False those that came and those whose id moved.

    Returns:
        The records, each with its number, mark and customer id.
    """
    counted = bench.table(COUNTED)
    if not everything:
        before = by_record(bench, "before").column(0).to_numpy(zero_copy_only=False)
        moved = pa.table({"moved": np.flatnonzero(before != ids)})
        bench.connection.register("moved_records", moved)
        is_moved = counted.rid.isin(bench.table("moved_records").moved)
        counted = counted.filter(counted.is_new | is_moved)
    found = bench.arrow(counted.drop("before", "is_new"))
    own = pa.array(ids[found.column("rid").to_numpy()], pa.string())
    return found.append_column(CUSTOMER, own)


def laid_over(parts: list[pa.Table]) -> pa.Table:
    """Lay later records over earlier ones with the same number.

    Args:
        parts: As `to_keep` gave them, the oldest first; the first holds everything.

    Returns:
        One row per record.
    """
    whole = pa.concat_tables(parts, promote_options="default")
    rid = whole.column("rid").to_numpy()
    last = np.empty(int(rid.max(initial=-1)) + 1, dtype=np.int64)
    last[rid] = np.arange(len(rid))
    is_last = last[rid] == np.arange(len(rid))
    return whole if is_last.all() else whole.filter(pa.array(is_last))
