"""The step that measures what written campaigns and journeys caused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.collect.anomalies.exclusion import without_marked
from regulars.measure.effects.customers import compared_customers, of_campaigns
from regulars.measure.effects.ledger import as_table, claims
from regulars.measure.effects.readout import read_out
from regulars.measure.effects.tables import bought, days_of_turns, outcomes
from regulars.measure.effects.written.tables import (
    assigned,
    campaigns,
    known_before,
    measured,
    turns_before,
)
from regulars.numerics.arrays import numbers
from regulars.numerics.hashing import key_of
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn


@step(
    reads="campaign_assignments orders order_lines profiles customer_values products "
    "campaign_effects marked_customers marked_orders",
    writes="campaign_effects",
)
def measure_campaigns(
    engine: Engine,
    turn: Turn,
    *,
    level: float,
    margin_rate: float,
    cost_of: Callable[[str], Decimal],
) -> int:
    """Measure every written campaign and journey that has customers whose window has passed.

    A campaign is measured again when the windows of more of its customers have passed. The
    interval shown is right for a reader who looks once; a claim holds at any number of looks.

    Args:
        engine: The engine bound to this step.
        turn: The turn that measures; facts up to its `as_of` are read.
        level: Coverage of the intervals, 0.5 to 0.999.
        margin_rate: Margin over sales where no cost is known, 0 to 1.
        cost_of: Gives what the contacts of a campaign have cost so far.

    Returns:
        Rows written into `campaign_effects`; 0 when there is nothing new to say.
    """
    table = engine.table("campaign_assignments")
    ready = engine.rows(campaigns(table, as_of=turn.as_of))
    earlier = engine.rows(measured(engine.table("campaign_effects"), turn=turn.number))
    seen = {row["campaign_id"]: row for row in earlier}
    effects: list[dict[str, Any]] = []
    for found in ready:
        name = found["campaign_id"]
        before = seen.get(name, {"looks": 0, "customers": 0})
        rows = _followed(engine, found, turn)
        if rows.num_rows and rows.num_rows != before["customers"]:
            told = {"cost": cost_of(name), "looks": before["looks"] + 1}
            effects += _read(rows, found, turn, level=level, margin_rate=margin_rate, told=told)
    return engine.write("campaign_effects", as_table("campaign_effects", effects))


def _followed(engine: Engine, found: dict[str, Any], turn: Turn) -> pa.Table:
    """A campaign's customers with what they were before, and bought in their windows."""
    profiles = engine.table("profiles")
    table, name = engine.table("campaign_assignments"), found["campaign_id"]
    groups = assigned(table, name, as_of=turn.as_of)
    groups = turns_before(groups, days_of_turns(profiles, turn.number))
    groups = without_marked(groups, engine.table("marked_customers"))
    people = known_before(groups, profiles, engine.table("customer_values"), turn=turn.number)
    purchases = bought(
        engine.table("orders"),
        engine.table("order_lines"),
        engine.table("products"),
        windows=people.select("customer_id", "as_of", "until"),
        marked_orders=engine.table("marked_orders"),
        first_day=found["from_day"],
        last_day=found["to_day"],
    )
    return engine.arrow(outcomes(people, purchases))


def _read(
    rows: pa.Table,
    found: dict[str, Any],
    turn: Turn,
    *,
    level: float,
    margin_rate: float,
    told: dict[str, Any],
) -> list[dict[str, Any]]:
    """Read out one campaign, its versions compared within themselves."""
    name, held = found["campaign_id"], float(np.mean(numbers(rows, "held")))
    customers = compared_customers(rows, margin_rate=margin_rate)
    customers = of_campaigns(customers, numbers(rows, "version").astype(np.str_))
    key = key_of(turn.seed, "campaign", name, told["looks"])
    readouts = read_out(
        customers.outcomes, customers.is_treated, customers.covariates,
        held_out=max(held, _NOBODY), level=level, key=key,
    )  # fmt: skip
    common = told | {column: found[column] for column in ("from_day", "to_day", "assigned")}
    return [
        common
        | {column: getattr(one, column) for column in _SAID}
        | {
            "campaign_id": name,
            "holdout_share": held,
            "claims": one.metric == "margin" and claims(one, looks=told["looks"]),
        }
        for one in readouts
    ]


_NOBODY = 1e-9
"""Stands for a share of nobody: there is nothing to compare with, and the readout says so."""

_SAID = (
    "metric", "treated", "control", "srm_p", "status",
    "estimate", "low", "high", "level", "mde",
)  # fmt: skip
