"""The step that writes one profile per customer and turn."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.numerics.days import day_number
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.unify.profiles.indicators import FOLDS, KEYED_FOLDS, finish
from regulars.unify.profiles.profile import parts_of_tables
from regulars.unify.profiles.tables import daily_tables, fold_days, fold_keys, known_customers


@step(
    reads="customers products orders order_lines redemptions contacts contact_outcomes",
    writes="profiles",
)
def build_profiles(engine: Engine, turn: Turn, *, zone: str, margin_rate: float) -> int:
    """Write the profile of every known customer as of the turn's day.

    Args:
        engine: Opens the facts and contacts, takes `profiles`.
        turn: The turn; nothing after its `as_of` is read.
        zone: IANA zone hours and contact days are told in.
        margin_rate: Margin over sales where products have no cost, 0 to 1.

    Returns:
        Profiles written.
    """
    customers = engine.arrow(known_customers(engine.table("customers"), as_of=turn.as_of))
    daily = daily_tables(
        {name: engine.table(name) for name in build_profiles.reads}, zone=zone, as_of=turn.as_of
    )
    sources = {source: [f for f in FOLDS if f.source == source] for source in daily}
    folded = [
        engine.arrow(fold_days(daily[source], folds, as_of=turn.as_of))
        for source, folds in sources.items()
        if folds
    ]
    keyed = {
        fold.name: engine.arrow(fold_keys(daily[fold.source], fold, as_of=turn.as_of))
        for fold in KEYED_FOLDS
    }
    parts = parts_of_tables(
        customers, folded, keyed, as_of=day_number(turn.as_of), margin_rate=margin_rate
    )
    columns = {name: _column(values) for name, values in finish(parts).items()}
    return engine.write("profiles", _table(customers, columns, turn.as_of))


def _table(customers: pa.Table, columns: dict[str, pa.Array], as_of: date) -> pa.Table:
    tags = customers.drop_columns("joined_day")
    rows = pa.repeat(pa.scalar(as_of, pa.date32()), tags.num_rows)
    data = {name: tags.column(name) for name in tags.column_names}
    return pa.table(data | {"as_of": rows} | columns)


def _column(values: Any) -> pa.Array:
    if values.dtype == object:
        return pa.array(values, pa.string())
    return pa.array(values, pa.float64(), mask=np.isnan(values))
