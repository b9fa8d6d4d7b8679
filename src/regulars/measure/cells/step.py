"""The step that measures what money in each segment, channel and offer caused."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from regulars.collect.anomalies.exclusion import without_marked
from regulars.decide.policies.tables import shares_held_out
from regulars.measure.cells.reading import cell_rows
from regulars.measure.cells.tables import open_customers
from regulars.measure.effects.customers import compared_customers
from regulars.measure.effects.ledger import as_table
from regulars.measure.effects.tables import (
    bought,
    compared,
    days_of_turns,
    measured_turns,
    outcomes,
)
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn


@step(
    reads="decisions contacts orders order_lines profiles customer_values products rfm_scores "
    "cell_effects marked_customers marked_orders",
    writes="cell_effects",
)
def measure_cells(
    engine: Engine,
    turn: Turn,
    *,
    window_days: int,
    margin_rate: float,
    campaign_holdout: float,
) -> int:
    """Measure the cells of every turn whose window has passed since the last turn.

    Args:
        engine: The engine bound to this step.
        turn: The turn that measures; facts up to its `as_of` are read.
        window_days: Days of outcome a turn's contacts are measured over.
        margin_rate: Margin over sales where no cost is known, 0 to 1.
        campaign_holdout: Designed share of a campaign's chosen customers left alone, for the
            turns that did not keep theirs.

    Returns:
        Rows written: one per measured turn and cell.
    """
    done = {
        row["measured_turn"]
        for row in engine.rows(measured_turns(engine.table("cell_effects"), turn.number))
    }
    held_out = _held_out(engine, campaign_holdout)
    found: list[dict[str, Any]] = []
    for row in engine.rows(days_of_turns(engine.table("profiles"), turn.number - 1)):
        last = row["as_of"] + timedelta(days=window_days)
        if row["turn"] in done or last > turn.as_of or row["turn"] not in held_out:
            continue
        people = _followed(engine, turn, row["turn"], row["as_of"], last)
        customers = compared_customers(people, margin_rate=margin_rate)
        found += cell_rows(
            people,
            customers,
            row["turn"],
            held_out=held_out[row["turn"]],
        )
    return engine.write("cell_effects", as_table("cell_effects", found))


def _held_out(engine: Engine, before_kept: float) -> dict[int, float]:
    """Share of its campaigns' chosen that each turn held out."""
    kept = shares_held_out(engine.table("decisions"), before_kept=before_kept)
    return {row["turn"]: row["share"] for row in engine.rows(kept)}


def _followed(engine: Engine, turn: Turn, measured: int, as_of: date, last: date) -> pa.Table:
    chosen = open_customers(
        engine.table("decisions"), engine.table("contacts"), engine.table("rfm_scores"), measured
    )
    groups = without_marked(chosen, engine.table("marked_customers"))
    people = compared(
        groups, engine.table("profiles"), engine.table("customer_values"), turn=turn.number
    ).mutate(until=last)
    purchases = bought(
        engine.table("orders"),
        engine.table("order_lines"),
        engine.table("products"),
        windows=people.select("customer_id", "as_of", "until"),
        marked_orders=engine.table("marked_orders"),
        first_day=as_of + timedelta(days=1),
        last_day=last,
    )
    return engine.arrow(outcomes(people, purchases))
