"""Customer ids of clusters: kept from run to run, new ones made from the first record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from regulars.records.identifiers import customer_id_of

Ints = NDArray[np.int64]

RECORD = "record"
"""Namespace of a record of a system that has customers of its own: `crm:r1`."""


@dataclass(frozen=True)
class Naming:
    """Customer ids, and what became of those that were.

    Attributes:
        ids: Customer id per record.
        aliases: Customer id by an earlier one that names nobody now.
        moved: Records whose customer id is another than before.
    """

    ids: NDArray[np.object_]
    aliases: Mapping[str, str] = field(default_factory=dict)
    moved: int = 0


def new_id(source: str, record_id: str, attempt: int = 0) -> str:
    """Make a customer id from a record.

    Args:
        source: Name of the system the record comes from.
        record_id: Its id there.
        attempt: 0, and more when an id is taken already.

    Returns:
        `c_` and 20 hexadecimal digits.

    Example:
        >>> new_id("crm", "r1")
        'c_d6e26ba0f13514045204'
    """
    return customer_id_of(RECORD, f"{source}:{record_id}" + f"/{attempt}" * (attempt > 0))


def name_clusters(
    labels: Ints, record_ids: Sequence[str], *, source: str, login: Sequence[str | None],
    before: Sequence[str | None], others: Collection[str] = (),
) -> Naming:  # fmt: skip
    """Give every cluster its customer id.

    A login id names its customer. Otherwise a cluster keeps the id most of its records had; an
    id that was split stays with the larger part. Only what is new gets a new id.

    Args:
        labels: Per record the smallest record of its cluster.
        record_ids: Id of each record.
        source: Name of the system the records come from.
        login: Login id of each record, None where there is none.
        before: Customer id each record had, None for new records.
        others: Customer ids that other records have.

    Returns:
        The ids. A new one comes from the first record of its cluster.

    Example:
        >>> found = name_clusters(np.array([0, 0, 2]), ["a", "b", "c"], source="crm",
        ...     login=[None] * 3, before=["c_1", "c_1", None])
        >>> found.ids.tolist()[:2], found.moved
        (['c_1', 'c_1'], 0)
    """
    clusters, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    names: list[str | None] = [None] * len(clusters)
    for place, own in zip(inverse.tolist(), login, strict=True):
        if own is not None:
            names[place] = own
    taken = {name for name in names if name is not None} | {own for own in login if own}
    taken |= set(others)
    for place, name in _inherited(inverse, before):
        if names[place] is None and name not in taken:
            names[place] = name
            taken.add(name)
    taken |= {name for name in before if name}
    for place, record in enumerate(first.tolist()):
        if names[place] is None:
            names[place] = _free(source, record_ids[record], taken)
    return _compared(np.array(names, dtype=object)[inverse], before)


def _inherited(inverse: Ints, before: Sequence[str | None]) -> list[tuple[int, str]]:
    """Clusters and the ids they may inherit: most records first, then the smaller id."""
    counts: dict[tuple[int, str], int] = {}
    for place, name in zip(inverse.tolist(), before, strict=True):
        if name is not None:
            counts[place, name] = counts.get((place, name), 0) + 1
    return sorted(counts, key=lambda pair: (-counts[pair], pair[1], pair[0]))


def _free(source: str, record_id: str, taken: set[str]) -> str:
    attempt = 0
    while (name := new_id(source, record_id, attempt)) in taken:
        attempt += 1
    taken.add(name)
    return name


def _compared(ids: NDArray[np.object_], before: Sequence[str | None]) -> Naming:
    alive = set(ids.tolist())
    aliases: dict[str, str] = {}
    moved = 0
    for now, was in zip(ids.tolist(), before, strict=True):
        if was is not None and was != now:
            moved += 1
            if was not in alive:
                aliases.setdefault(was, now)
    return Naming(ids, dict(sorted(aliases.items())), moved)
