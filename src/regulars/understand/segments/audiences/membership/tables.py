"""Membership as definitions and arrays: changes in, who is in an audience out; and what is new."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from ibis.expr.types import Table
from numpy.typing import NDArray

ENTERED, LEFT = "entered", "left"


def present(changes: Table, audiences: Sequence[str]) -> Table:
    """Say who is in audiences, by all that was seen.

    Args:
        changes: The table `audience_changes`.
        audiences: Names.

    Returns:
        One row per member: audience, customer_id.
    """
    mine = changes.filter(_.audience.isin(list(audiences)))
    summed = mine.group_by("audience", "customer_id").agg(
        times=(mine.change == ENTERED).ifelse(1, -1).sum()
    )
    return summed.filter(_.times > 0).select("audience", "customer_id")


def sizes(changes: Table, audiences: Sequence[str]) -> Table:
    """Count the members of audiences, by all that was seen.

    Returns:
        One row per audience anybody ever entered: audience, members.
    """
    mine = changes.filter(_.audience.isin(list(audiences)))
    return mine.group_by("audience").agg(members=(mine.change == ENTERED).ifelse(1, -1).sum())


def by_refresh(changes: Table, audience: str) -> Table:
    """Count who entered and who left an audience, refresh by refresh.

    Args:
        changes: The table `audience_changes`.
        audience: Its name.

    Returns:
        One row per refresh with a change, the oldest first: refresh, at, version, entered, left.
    """
    mine = changes.filter(_.audience == audience)
    return (
        mine
        .group_by("refresh")
        .agg(
            at=_.at.max(),
            version=_.version.max(),
            entered=mine.count(where=mine.change == ENTERED),
            left=mine.count(where=mine.change == LEFT),
        )
        .order_by("refresh")
    )


def changed(
    judged: pa.Table, was: pa.Table, audiences: Sequence[str]
) -> Mapping[str, tuple[list[str], list[str]]]:
    """Compare who meets the rules now with who was a member.

    Args:
        judged: One row per customer: customer_id, and a boolean column per audience.
        was: Members before, of these customers and of any who have gone: audience, customer_id.
        audiences: Their names.

    Returns:
        Ids of those who entered and of those who left, in order, by audience.
    """
    ids = judged.column("customer_id").combine_chunks()
    place = {name: n for n, name in enumerate(audiences)}
    before = np.zeros((len(audiences), len(ids)), dtype=bool)
    names = was.column("audience").combine_chunks().dictionary_encode()
    rows = np.array([place.get(name, -1) for name in names.dictionary.to_pylist()], dtype=np.int64)
    at = pc.index_in(was.column("customer_id").combine_chunks(), value_set=ids)
    gone = pc.is_null(at).to_numpy(zero_copy_only=False)
    row = rows[names.indices.to_numpy()] if len(rows) else np.zeros(0, dtype=np.int64)
    before[row[~gone], pc.drop_null(at).to_numpy()] = True
    lost = was.filter(pa.array(gone))
    found = {}
    for n, name in enumerate(audiences):
        now = judged.column(name).to_numpy()
        went = _ids(ids, before[n] & ~now)
        went += (
            lost.filter(pc.equal(lost.column("audience"), name)).column("customer_id").to_pylist()
        )
        found[name] = (sorted(_ids(ids, now & ~before[n])), sorted(went))
    return found


def _ids(ids: pa.Array, mask: NDArray[np.bool_]) -> list[str]:
    taken: list[str] = ids.take(pa.array(np.flatnonzero(mask))).to_pylist()
    return taken
