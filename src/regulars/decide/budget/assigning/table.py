"""Assign from a table with one row per customer and action that is open to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.decide.budget.assigning.assign import Assigned, assign
from regulars.errors import InputError
from regulars.numerics.arrays import arrow_table, numbers, require_columns

COLUMNS = ("customer_id", "offer_id", "value", "cost")
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class AssignedRows:
    """Who gets what, by name.

    Attributes:
        rows: One row per customer who gets something, by customer_id: customer_id, offer_id,
            channel, value, cost.
        summary: Value, spend, bound and prices; its choice goes by the place of actions in
            `actions` and of customers in order of their id.
        actions: Offer and channel of each action.
        customers: How many were in the table.
    """

    rows: pa.Table
    summary: Assigned
    actions: list[tuple[str, str]]
    customers: int


def assign_table(
    table: Any,
    *,
    budget: float | None = None,
    stock: Mapping[str, float] | None = None,
    capacity: Mapping[str, float] | None = None,
) -> AssignedRows:
    """Assign offers to the customers of a table; see `assign`.

    Args:
        table: Arrow, pandas or Ibis table, or columns by name: customer_id, offer_id, value,
            cost, and channel when there are several; one row per customer and open action.
        budget: Most that may be spent; None for no limit.
        stock: Most contacts by offer_id.
        capacity: Most contacts by channel.

    Returns:
        The assignment; the order of the rows changes nothing.

    Raises:
        InputError: A column is missing, a customer has an action twice, a value or cost is no
            number.
        UnknownName: A limit names an offer or a channel that is not in the table.

    Example:
        >>> table = {"customer_id": ["a", "b"], "offer_id": ["ten", "ten"],
        ...     "value": [3.0, 5.0], "cost": [1.0, 1.0]}
        >>> assign_table(table, budget=1.0).rows["customer_id"].to_pylist()
        ['b']
    """
    given = arrow_table(table)
    require_columns(given, COLUMNS, of="values")
    if "channel" not in given.column_names:
        given = given.append_column("channel", pa.array([""] * len(given), pa.string()))
    customer, customers = _numbered(given["customer_id"])
    action, actions = _actions(given)
    values = np.full((len(customers), len(actions)), -np.inf)
    costs = np.zeros_like(values)
    paid = numbers(given, "cost")
    values[customer, action] = numbers(given, "value")
    costs[customer, action] = paid
    seen = np.zeros(values.shape, bool)
    seen[customer, action] = True
    if int(seen.sum()) != len(given):
        raise InputError(
            f"{len(given) - int(seen.sum())} rows repeat a customer, offer and channel; give one "
            "row for each"
        )
    found = assign(
        values,
        costs,
        budget=budget,
        stock=stock,
        capacity=capacity,
        offers=[offer for offer, _ in actions],
        channels=[channel for _, channel in actions],
    )
    return AssignedRows(
        _rows(found, customers, actions, values, costs), found, actions, len(customers)
    )


def _numbered(column: pa.ChunkedArray) -> tuple[Numbers, pa.Array]:
    """Give the place of each value in the order of all, and the values in order."""
    coded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    if coded.null_count:
        raise InputError(f"{coded.null_count} rows lack a customer_id, offer_id or channel")
    order = pc.sort_indices(coded.dictionary)
    rank = np.empty(len(order), np.int64)
    rank[order.to_numpy()] = np.arange(len(order))
    return rank[coded.indices.to_numpy(zero_copy_only=False)], coded.dictionary.take(order)


def _actions(given: pa.Table) -> tuple[Numbers, list[tuple[str, str]]]:
    offer, offers = _numbered(given["offer_id"])
    channel, channels = _numbered(given["channel"])
    there, place = np.unique(offer * len(channels) + channel, return_inverse=True)
    names = [
        (offers[int(code) // len(channels)].as_py(), channels[int(code) % len(channels)].as_py())
        for code in there
    ]
    return place, names


def _rows(
    found: Assigned,
    customers: pa.Array,
    actions: list[tuple[str, str]],
    values: NDArray[np.float64],
    costs: NDArray[np.float64],
) -> pa.Table:
    rows = np.flatnonzero(found.choice >= 0)
    taken = found.choice[rows]
    names = [pa.array([one[part] for one in actions], pa.string()) for part in (0, 1)]
    return pa.table({
        "customer_id": customers.take(pa.array(rows)),
        "offer_id": names[0].take(pa.array(taken)),
        "channel": names[1].take(pa.array(taken)),
        "value": values[rows, taken],
        "cost": costs[rows, taken],
    })
