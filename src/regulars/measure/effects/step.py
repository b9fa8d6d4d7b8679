"""The step that measures what earlier turns and the programme caused."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from ibis.expr.types import Table as Definition

from regulars.collect.anomalies.exclusion import without_marked
from regulars.decide.policies.tables import shares_held_out
from regulars.measure.effects.customers import compared_customers
from regulars.measure.effects.ledger import (
    Design,
    as_table,
    campaign_rows,
    programme_rows,
)
from regulars.measure.effects.tables import (
    bought,
    campaign_groups,
    compared,
    days_of_turns,
    measured_turns,
    outcomes,
    programme_groups,
)
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn


@step(
    reads="decisions contacts orders order_lines profiles customer_values products effects "
    "marked_customers marked_orders",
    writes="effects programme_effects predictions",
)
def measure_effects(
    engine: Engine,
    turn: Turn,
    *,
    level: float,
    window_days: int,
    margin_rate: float,
    global_holdout: float,
    campaign_holdout: float,
) -> int:
    """Measure the turns whose window has passed since the last turn, and the programme so far.

    Args:
        engine: The engine bound to this step.
        turn: The turn that measures; facts up to its `as_of` are read.
        level: Coverage of the intervals, 0.5 to 0.999.
        window_days: Days of outcome a turn's contacts are measured over.
        margin_rate: Margin over sales where no cost is known, 0 to 1.
        global_holdout: Designed share of customers the programme never contacts.
        campaign_holdout: Designed share of a campaign's chosen customers left alone, for the
            turns that did not keep theirs.

    Returns:
        Rows written into `effects`.
    """
    windows = _complete_windows(engine, turn, window_days)
    done = engine.rows(measured_turns(engine.table("effects"), turn.number))
    held_out = _held_out(engine, campaign_holdout)
    effects: list[dict[str, Any]] = []
    predictions: list[dict[str, Any]] = []
    for measured in sorted((windows.keys() & held_out) - {row["measured_turn"] for row in done}):
        groups = campaign_groups(engine.table("decisions"), engine.table("contacts"), measured)
        rows = _followed(engine, groups, turn, *windows[measured])
        customers = compared_customers(rows, margin_rate=margin_rate)
        found, predicted = campaign_rows(
            rows, customers, measured, Design(held_out[measured], level, window_days, turn.seed)
        )
        effects += found
        predictions += predicted
    programme: list[dict[str, Any]] = []
    if windows:
        first, last = min(windows), max(windows)
        span = windows[first][0], windows[last][1]
        everyone = programme_groups(engine.table("decisions"), last)
        rows = _followed(engine, everyone, turn, *span)
        customers = compared_customers(rows, margin_rate=margin_rate)
        programme = programme_rows(
            customers,
            from_turn=first,
            to_turn=last,
            design=Design(global_holdout, level, window_days, turn.seed),
        )
    engine.write("programme_effects", as_table("programme_effects", programme))
    engine.write("predictions", as_table("predictions", predictions))
    return engine.write("effects", as_table("effects", effects))


def _held_out(engine: Engine, before_kept: float) -> dict[int, float]:
    """Share of its campaigns' chosen that each turn held out."""
    kept = shares_held_out(engine.table("decisions"), before_kept=before_kept)
    return {row["turn"]: row["share"] for row in engine.rows(kept)}


def _complete_windows(engine: Engine, turn: Turn, window_days: int) -> dict[int, tuple[date, date]]:
    """First and last day of every earlier turn's window that has passed, by turn."""
    rows = engine.rows(days_of_turns(engine.table("profiles"), turn.number))
    windows = {
        row["turn"]: (row["as_of"] + timedelta(days=1), row["as_of"] + timedelta(days=window_days))
        for row in rows
        if row["turn"] < turn.number
    }
    return {number: days for number, days in windows.items() if days[1] <= turn.as_of}


def _followed(
    engine: Engine, groups: Definition, turn: Turn, first_day: date, last_day: date
) -> pa.Table:
    groups = without_marked(groups, engine.table("marked_customers"))
    people = compared(
        groups, engine.table("profiles"), engine.table("customer_values"), turn=turn.number
    ).mutate(until=last_day)
    purchases = bought(
        engine.table("orders"),
        engine.table("order_lines"),
        engine.table("products"),
        windows=people.select("customer_id", "as_of", "until"),
        marked_orders=engine.table("marked_orders"),
        first_day=first_day,
        last_day=last_day,
    )
    return engine.arrow(outcomes(people, purchases))
