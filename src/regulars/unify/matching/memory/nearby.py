"""The remembered records that new ones may belong to: a small table in which all is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.unify.matching import tables
from regulars.unify.matching.clusters import SURE, Graph, agglomerate, joined_labels
from regulars.unify.matching.loading import COUNTED, Bench, by_record, show
from regulars.unify.matching.memory.naming import Naming, name_clusters, new_id
from regulars.unify.matching.memory.newcomers import CAME, Seen, stacked
from regulars.unify.matching.memory.numbers import NONE, Sought, combined, crossed, in_order
from regulars.unify.matching.memory.remembered import (
    CUSTOMER,
    HOLDER,
    ID,
    Remembered,
    hashed_texts,
    numbers_of,
)
from regulars.unify.matching.pairs.blocking import Rule, pack, parts_of, unpack
from regulars.unify.matching.resolving import (
    CertainPairs,
    Clusters,
    Learned,
    Links,
    Pairs,
    Told,
    Wishes,
    certain_rules,
    complete,
    joined,
    linked,
    log_odds,
    logins,
    pairs_within,
    said_of,
    weighed,
    within,
)

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Near:
    """New and changed records with all remembered ones that share a key with one of them.

    Whole customers of these too, and those whose records changed. Records are numbered anew,
    in the order of their numbers among all.

    Attributes:
        rid: Number among all of each record.
        places: Where the remembered ones are, in order.
        found: Pairs to compare, packed, by the new numbers.
        certain: Certain pairs.
        known: By column, records that have any value, among all.
    """

    rid: Ints
    places: Ints
    found: Pairs
    certain: CertainPairs
    known: Mapping[str, int]


def place_near(
    bench: Bench, remembered: Remembered, seen: Seen, learned: Learned, wishes: Wishes,
    wanted: str = "",
) -> Near:  # fmt: skip
    """Put the new records beside the remembered ones they may belong to.

    How many records have a remembered record's values is not counted again; the next time all
    is resolved it is.

    Args:
        bench: Holds `came`; shows both as `counted`, with `is_new`.
        remembered: What is remembered.
        seen: As `compare_with` gave it.
        learned: What was learned when all were resolved.
        wishes: What is asked.
        wanted: Id of a record or customer to have among them.

    Returns:
        The records and the pairs to compare.
    """
    known = _known(bench, remembered, seen)
    certain = certain_rules(known, wishes.most)
    new = numbers_of(bench, bench.table(CAME), parts_of(r.name for r in (*learned.rules, *certain)))
    rid = np.sort(bench.numbers(bench.table(CAME), "rid").astype(np.int64))
    stays = remembered.is_newest.copy()
    stays[seen.changed] = False
    search = _Search(remembered, new, rid, stays)
    found, sure = search.pairs(learned.rules), search.pairs(certain)
    others = np.setdiff1d(np.concatenate([*unpack(found[0]), *unpack(sure[0])]), rid)
    some = [remembered.by_rid[others], seen.changed, _named(bench, remembered, wanted)]
    places = _whole(remembered, stays, some)
    every = np.sort(np.concatenate([rid, remembered.number("rid")[places]]))
    _show_near(bench, remembered, new, every, places)
    bench.known.clear()
    bench.known.update(known, rid=len(every))
    said = said_of(certain)[sure[1]] if certain else np.array([], dtype=object)
    pairs = _renumbered(found[0], every), found[1]
    return Near(every, places, pairs, (_renumbered(sure[0], every), said), known)


class _Search:
    """Pairs of new records with each other and with remembered ones."""

    def __init__(
        self, remembered: Remembered, new: Mapping[str, Ints], rid: Ints, stays: NDArray[np.bool_]
    ) -> None:
        self._remembered, self._new, self._rid, self._stays = remembered, new, rid, stays

    def pairs(self, rules: Sequence[Rule]) -> Pairs:
        """Give packed pairs in order, and the place of the first rule that found each."""
        found = [self._by(rule) for rule in rules]
        place = np.repeat(np.arange(len(found), dtype=np.uint8), [len(own) for own in found])
        pairs, first = np.unique(in_order(found), return_index=True)
        return pairs, place[first]

    def _by(self, rule: Rule) -> Ints:
        new = self._keys(rule)
        sought = Sought(new)
        if not len(sought.numbers):
            return np.array([], dtype=np.int64)
        own = np.flatnonzero(new != NONE)
        group = np.searchsorted(sought.numbers, new[own])
        places, which = self._old(rule, sought)
        count = len(sought.numbers)
        if rule.most is not None:
            sizes = np.bincount(group, minlength=count) + np.bincount(which, minlength=count)
            fits = sizes <= rule.most
            own, group = own[fits[group]], group[fits[group]]
            places, which = places[fits[which]], which[fits[which]]
        rid, old_rid = self._rid[own], self._remembered.number("rid")[places]
        left, right = crossed(group, which, count)
        with_old = pack(rid[left], old_rid[right])
        left, right = crossed(group, group, count)
        with_new = pack(rid[left], rid[right])[left < right]
        return np.asarray(np.concatenate([with_old, with_new]), dtype=np.int64)

    def _keys(self, rule: Rule) -> Ints:
        nothing = np.zeros(len(self._rid), np.int64)
        return combined({part: self._new.get(part, nothing) for part in rule.keys}, rule.name)

    def _old(self, rule: Rule, sought: Sought) -> tuple[Ints, Ints]:
        old = {part: self._remembered.number(part) for part in rule.keys}
        places, which = sought.found_in(combined(old, rule.name))
        stays = self._stays[places]
        return places[stays], which[stays]


def _known(bench: Bench, remembered: Remembered, seen: Seen) -> dict[str, int]:
    """Count how many records have any value, by column."""
    came = bench.table(CAME)
    names = [name for name in came.columns if name not in {"rid", "before"}]
    known = dict(remembered.about.known)
    totals = came.aggregate(**{name: came[name].count() for name in names})
    for name, count in bench.arrow(totals).to_pylist()[0].items():
        known[name] = known.get(name, 0) + count
    if len(seen.changed):
        gone = remembered.rows(seen.changed)
        for name in known.keys() & set(gone.column_names):
            known[name] -= len(gone) - gone.column(name).null_count
    return known


def _named(bench: Bench, remembered: Remembered, wanted: str) -> Ints:
    """Find the places of a record or customer by its id."""
    if not wanted:
        return np.array([], dtype=np.int64)
    sought = Sought(hashed_texts(bench, [wanted]))
    return np.concatenate([sought.found_in(remembered.number(name))[0] for name in (ID, CUSTOMER)])


def _whole(remembered: Remembered, stays: NDArray[np.bool_], some: Sequence[Ints]) -> Ints:
    """Give the places of all records of the customers who have some of them."""
    holder = remembered.number(HOLDER)
    is_wanted = np.zeros(remembered.about.holders, dtype=bool)
    is_wanted[holder[np.concatenate(some)]] = True
    return np.flatnonzero(is_wanted[holder] & stays)


def _show_near(
    bench: Bench, remembered: Remembered, new: Mapping[str, Ints], every: Ints, places: Ints
) -> None:
    came = bench.arrow(bench.table(CAME).order_by("rid"))
    own = came.column("rid").to_numpy()
    for name in tables.counted_columns(bench.table(CAME)):
        count = pa.array(_counts(remembered, name, new[name]), mask=new[name] == NONE)
        came = came.append_column(f"n_{name}", count)
    at = pa.array(np.searchsorted(every, own).astype(np.int32))
    came = came.drop_columns("rid").append_column("rid", at)
    old = remembered.rows(places).rename_columns({CUSTOMER: "before"})
    at = pa.array(np.searchsorted(every, remembered.number("rid")[places]).astype(np.int32))
    bench.connection.register("came_counted", came)
    bench.connection.register("kept", old.append_column("rid", at))
    both = stacked(
        bench.table("kept").mutate(is_new=ibis.literal(False)),
        bench.table("came_counted").mutate(is_new=ibis.literal(True)),
    )
    bench.backend.create_table(COUNTED, both)
    bench.connection.unregister("kept")
    bench.connection.unregister("came_counted")


def _counts(remembered: Remembered, name: str, new: Ints) -> NDArray[np.int32]:
    """Count how many records, remembered and new, have the values of the new ones."""
    sought = Sought(new)
    if not len(sought.numbers):
        return np.zeros(len(new), np.int32)
    places, which = sought.found_in(remembered.number(name))
    seen = np.bincount(which[remembered.is_newest[places]], minlength=len(sought.numbers))
    own = np.minimum(np.searchsorted(sought.numbers, new), len(sought.numbers) - 1)
    seen += np.bincount(own[new != NONE], minlength=len(sought.numbers))
    return np.asarray(seen[own], dtype=np.int32)


def _renumbered(pairs: Ints, every: Ints) -> Ints:
    left, right = unpack(pairs)
    return np.asarray(pack(np.searchsorted(every, left), np.searchsorted(every, right)))


def resolve_new(bench: Bench, near: Near, learned: Learned, wishes: Wishes, told: Told) -> Clusters:
    """Resolve new and changed records against all, as the remembered ones were resolved.

    Remembered clusters stay whole. A new record joins one when, on average over all pairs, it
    is more probably of that customer than not; it joins two of them under the same condition.

    Args:
        bench: Holds `counted`, with `before` and `is_new`.
        near: As `place_near` gave it.
        learned: What was learned when all were resolved.
        wishes: What is asked.
        told: Is told the share done.

    Returns:
        The clusters of the records that are near.
    """
    before, is_new = _before(bench)
    if not is_new.any():
        nothing = np.array([], dtype=np.int32)
        links = Links(nothing, nothing, nothing.astype(float), nothing.astype(object))
        return Clusters(before, links, learned, 0)
    scored = None
    if learned.model and len(near.found[0]):
        show(bench, learned.model.own)
        scored = weighed(bench, learned, near.found[0], told)
    login = logins(bench)
    links = joined(learned, scored, near.found, near.certain, login)
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
    return Clusters(labels, within(links, labels), learned, len(near.found[0]))


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


def named(
    bench: Bench, labels: Ints, source: str, *, remembered: Remembered | None, near: Near | None
) -> Naming:
    """Give every record on the bench its customer id.

    Args:
        bench: Holds `counted`, with `before` and `is_new`.
        labels: Cluster of every record.
        source: Name of the system the records come from.
        remembered: What is remembered.
        near: Which records are on the bench; None when all are. Then all clusters are named,
            otherwise just those with a new record.

    Returns:
        The ids, with what became of earlier ones.
    """
    has_login = "login" in bench.table(COUNTED).columns
    rows = by_record(bench, "id", "before", "is_new", *(["login"] if has_login else []))
    is_new = rows.column("is_new").to_numpy()
    touched = np.zeros(len(labels), dtype=bool)
    touched[labels[is_new]] = True
    touched = touched[labels] if near else np.ones(len(labels), dtype=bool)
    some = rows.filter(pa.array(touched))
    before, record_ids = some.column("before").to_pylist(), some.column("id").to_pylist()
    login = some.column("login").to_pylist() if has_login else [None] * len(some)
    others: list[str] = []
    if near and remembered:
        maybe = {name for name in before if name} | {new_id(source, one) for one in record_ids}
        others = _held_by_others(bench, remembered, near, rows, touched, sorted(maybe))
    found = name_clusters(
        labels[touched], record_ids, source=source, login=login, before=before, others=others
    )
    if not near:
        return found
    ids = np.array(rows.column("before").to_numpy(zero_copy_only=False), dtype=object)
    ids[touched] = found.ids
    return replace(found, ids=ids)


def _held_by_others(
    bench: Bench, remembered: Remembered, near: Near, rows: pa.Table,
    touched: NDArray[np.bool_], maybe: list[str],
) -> list[str]:  # fmt: skip
    """Say which customer ids records have that are not named now."""
    rest = rows.column("before").filter(pa.array(~touched))
    known = pc.is_in(rest, value_set=pa.array(maybe, pa.string()))
    there = set(pc.filter(rest, known).unique().to_pylist())
    hashes = hashed_texts(bench, maybe)
    sought = Sought(hashes)
    places, which = sought.found_in(remembered.number(CUSTOMER))
    is_far = remembered.is_newest[places]
    is_far &= ~np.isin(places, near.places)
    is_far &= ~np.isin(remembered.number("rid")[places], near.rid)
    far = np.isin(hashes, sought.numbers[which[is_far]])
    return sorted(there | {maybe[place] for place in np.flatnonzero(far).tolist()})


def holders_of(
    bench: Bench, remembered: Remembered, near: Near, ids: NDArray[np.object_]
) -> tuple[Ints, int]:
    """Number the customers of the records that are near: as before, or with the next numbers.

    Args:
        bench: Holds `counted`.
        remembered: What is remembered.
        near: The records that are near.
        ids: Their customer ids.

    Returns:
        A number per record, and how many numbers are given out then.
    """
    codes = pa.array(ids, pa.string()).dictionary_encode()
    hashes = hashed_texts(bench, codes.dictionary.to_pylist())
    sought = Sought(hashes)
    places, which = sought.found_in(remembered.number(CUSTOMER))
    newest = remembered.is_newest[places]
    holder = np.full(len(sought.numbers), -1, dtype=np.int64)
    holder[which[newest]] = remembered.number(HOLDER)[places[newest]]
    own = holder[np.searchsorted(sought.numbers, hashes)]
    is_first = own < 0
    own[is_first] = remembered.about.holders + np.arange(int(is_first.sum()))
    return own[codes.indices.to_numpy()], remembered.about.holders + int(is_first.sum())
