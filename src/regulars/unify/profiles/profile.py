"""The two speeds of a profile: states kept up day by day, and columns from the batch."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.unify.profiles.declared.indicators import FOLDS, KEYED_FOLDS
from regulars.unify.profiles.declared.parts import Keyed, Numbers, Parts, Population

State = dict[str, Any]


def start_state() -> State:
    """Give the state of a customer nothing is known of."""
    return {fold.name: fold.start for fold in FOLDS} | {fold.name: {} for fold in KEYED_FOLDS}


def update_state(state: State, source: str, row: Mapping[str, Any]) -> State:
    """Add one daily aggregate to a customer's state.

    Args:
        state: State of the customer so far.
        source: Daily table the row is of, such as "order_days".
        row: Its columns by name; `key` too where the table has keys. Days come in order.

    Returns:
        The new state; the given one stays as it was.
    """
    changed: State = {}
    day = row["day"]
    for fold in FOLDS:
        if fold.source == source:
            changed[fold.name] = fold.update(state[fold.name], day, row[fold.column])
    for fold in KEYED_FOLDS:
        if fold.source == source:
            by_key, key = state[fold.name], row["key"]
            now = fold.update(by_key.get(key, fold.start), day, row[fold.column])
            changed[fold.name] = by_key | {key: now}
    return state | changed


def merge_states(earlier: State, later: State) -> State:
    """Join the states of one customer over two stretches of time that share no day."""
    joined = {fold.name: fold.merge(earlier[fold.name], later[fold.name]) for fold in FOLDS}
    for fold in KEYED_FOLDS:
        one, other = earlier[fold.name], later[fold.name]
        joined[fold.name] = {
            key: fold.merge(one.get(key, fold.start), other.get(key, fold.start))
            for key in one | other
        }
    return joined


def parts_of_states(
    states: Sequence[State],
    *,
    as_of: int,
    joined_day: Numbers,
    history_day: int,
    margin_rate: float,
    population: Population | None = None,
) -> Parts:
    """Read states kept online as of a day.

    Args:
        states: One state per customer.
        as_of: Day number looked from, not before any day seen.
        joined_day: Day number of joining, nan where unknown, shape (customers,).
        history_day: First day number of the retailer's orders.
        margin_rate: Margin over sales where cost is unknown.
        population: What holds for all customers, when the given ones are not all.

    Returns:
        The parts `finish` needs.
    """
    number = {
        fold.name: np.array([fold.read(state[fold.name], as_of) for state in states], np.float64)
        for fold in FOLDS
    }
    keyed = {}
    for fold in KEYED_FOLDS:
        rows = [
            (customer, key, fold.read(by_key, as_of))
            for customer, state in enumerate(states)
            for key, by_key in state[fold.name].items()
        ]
        code = {key: place for place, key in enumerate(dict.fromkeys(row[1] for row in rows))}
        keyed[fold.name] = _keyed(
            [row[0] for row in rows],
            np.array([code[row[1]] for row in rows], np.int64),
            list(code),
            [row[2] for row in rows],
        )
    history_day = population.history_day if population else history_day
    return Parts(as_of, joined_day, history_day, margin_rate, number, keyed, population)


def parts_of_tables(
    customers: pa.Table,
    folded: Iterable[pa.Table],
    keyed: Mapping[str, pa.Table],
    *,
    as_of: int,
    margin_rate: float,
    population: Population | None = None,
) -> Parts:
    """Read the batch as of a day.

    Args:
        customers: The customers wanted: customer_id, joined_day (empty where unknown).
        folded: Tables of customer_id and one column per fold; customers may be missing.
        keyed: Tables of customer_id, key and amount, by keyed fold.
        as_of: Day number looked from.
        margin_rate: Margin over sales where cost is unknown.
        population: What holds for all customers, when the given ones are not all.

    Returns:
        The parts `finish` needs, customers in the given order.
    """
    ids = customers.column("customer_id").combine_chunks()
    number = {
        fold.name: np.full(len(ids), fold.read(fold.start, as_of), np.float64) for fold in FOLDS
    }
    history_day = as_of
    for table in folded:
        customer, there = _customers(table, ids)
        for name in table.column_names[1:]:
            number[name][customer] = table.column(name).filter(there).to_numpy()
        if "first_day" in table.column_names and table.num_rows:
            history_day = int(pc.min(table.column("first_day")).as_py())
    found = {}
    for name, table in keyed.items():
        customer, there = _customers(table, ids)
        amount = table.column("amount").filter(there).to_numpy()
        key = table.column("key").filter(there).combine_chunks()
        encoded = key.dictionary_encode()
        found[name] = _keyed(
            customer, encoded.indices.to_numpy(), encoded.dictionary.to_pylist(), amount
        )
    joined = pc.fill_null(customers.column("joined_day").cast(pa.float64()), float("nan"))
    history_day = population.history_day if population else history_day
    return Parts(as_of, joined.to_numpy(), history_day, margin_rate, number, found, population)


def _customers(table: pa.Table, ids: pa.Array) -> tuple[Any, pa.ChunkedArray]:
    """Give the customer of each row that has one, and which rows do."""
    at = pc.index_in(table.column("customer_id"), value_set=ids)
    there = pc.is_valid(at)
    return at.filter(there).to_numpy().astype(np.int64), there


def _keyed(customer: Any, code: Any, words: list[Any], amount: Any) -> Keyed:
    """Put amounts in order of customer and key; `code` says which of the words a key is."""
    rank = {word: position for position, word in enumerate(sorted(words))}
    ranks = np.array([rank[word] for word in words], dtype=np.int64)
    codes = ranks[code] if words else np.zeros(0, np.int64)
    customer, amount = np.asarray(customer, np.int64), np.asarray(amount, np.int64)
    order = np.argsort(customer * max(len(words), 1) + codes)
    order = order[amount[order] > 0]
    return Keyed(customer[order], codes[order], amount[order], tuple(rank))


def state_of_days(days: Mapping[str, Sequence[Mapping[str, Any]]], *, as_of: int) -> State:
    """Build the state of one customer from daily aggregates, each day once, in order.

    The same as `update_state` row by row, but for days that can no longer matter.

    Args:
        days: Rows by daily table, as for `update_state`; days after `as_of` are left out.
        as_of: Day number the state will be read from.

    Returns:
        The state.
    """
    state = start_state()
    for fold in FOLDS:
        oldest = -math.inf if fold.reach is None else as_of - fold.reach
        found, column, update = fold.start, fold.column, fold.update
        for row in days.get(fold.source, ()):
            if oldest < row["day"] <= as_of:
                found = update(found, row["day"], row[column])
        state[fold.name] = found
    for fold in KEYED_FOLDS:
        by_key = state[fold.name]
        for row in days.get(fold.source, ()):
            if row["day"] <= as_of:
                key = row["key"]
                by_key[key] = fold.update(by_key.get(key, fold.start), row["day"], row[fold.column])
    return state
