"""The step that writes one profile per customer and turn."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.unify.profiles.declared.indicators import finish
from regulars.unify.profiles.declared.static_tags import columns
from regulars.unify.profiles.service import customers_of, open_facts, parts_as_of


@step(
    reads="customers products orders order_lines redemptions contacts contact_outcomes events",
    writes="profiles",
)
def build_profiles(
    engine: Engine,
    turn: Turn,
    *,
    zone: str,
    margin_rate: float,
    aliases: Mapping[str, str] | None = None,
) -> int:
    """Write the profile of every known customer as of the turn's day.

    Args:
        engine: Opens the facts, events and contacts, takes `profiles`.
        turn: The turn; nothing after its `as_of` is read.
        zone: IANA zone hours and contact days are told in.
        margin_rate: Margin over sales where products have no cost, 0 to 1.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        Profiles written.
    """
    facts = open_facts(engine, aliases=aliases or {})
    customers = customers_of(engine, facts, as_of=turn.as_of)
    parts = parts_as_of(
        engine, facts, customers, as_of=turn.as_of, zone=zone, margin_rate=margin_rate
    )
    values = {name: _column(column) for name, column in finish(parts).items()}
    return engine.write("profiles", _table(customers, values, turn.as_of))


def _table(customers: pa.Table, values: dict[str, pa.Array], as_of: date) -> pa.Table:
    days = pa.repeat(pa.scalar(as_of, pa.date32()), customers.num_rows)
    static = {name: customers.column(name) for name in ("customer_id", *columns())}
    return pa.table(static | {"as_of": days} | values)


def _column(values: Any) -> pa.Array:
    if values.dtype == object:
        return pa.array(values, pa.string())
    return pa.array(values, pa.float64(), mask=np.isnan(values))
