"""Which ids are one customer now who were several: what each had stays his, and counts for all."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from regulars.ports.state import Queries, Transaction

_SQL = Queries(__package__)


def ids_by_customer(
    opened: Transaction, customers: Collection[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Give every id that is one customer now.

    What is kept under an id is never rewritten by a merge: it counts for whoever the id is now,
    so that taking the merge back returns to each what was his.

    Args:
        opened: Any transaction.
        customers: Present customer ids; None for everybody who was merged.

    Returns:
        By present id its ids in order, itself among them. Of everybody, those who were never
        merged are not in it.
    """
    if customers is None:
        rows = opened.all(_SQL["all_once_apart"])
        found: dict[str, set[str]] = {}
    else:
        asked = json.dumps(sorted(customers))
        rows = opened.all(_SQL["once_apart"], customers=asked) if customers else []
        found = {name: {name} for name in customers}
    for row in rows:
        found.setdefault(row["customer_id"], {row["customer_id"]}).add(row["node"])
    return {name: tuple(sorted(ids)) for name, ids in sorted(found.items())}


def present_by_id(opened: Transaction, ids: Collection[str]) -> dict[str, str]:
    """Give the present customer of ids, within a transaction.

    Returns:
        Customer id by id; ids never met stand for themselves.
    """
    rows: list[Mapping[str, Any]] = []
    if ids:
        rows = list(opened.all(_SQL["owners"], nodes=json.dumps(sorted(ids))))
    return {one: one for one in ids} | {row["node"]: row["customer_id"] for row in rows}


def ids_of(opened: Transaction, customer_id: str) -> tuple[str, ...]:
    """Give every id that is the customer now who has, or had, an id.

    Returns:
        Ids in order, the present one among them.
    """
    present = present_by_id(opened, [customer_id])[customer_id]
    return ids_by_customer(opened, [present])[present]
