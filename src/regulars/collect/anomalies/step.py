"""The step that finds traffic no customer made, before anything is decided or measured on it."""

from collections.abc import Mapping
from datetime import timedelta

import pyarrow as pa
from ibis import memtable

from regulars.collect.anomalies.marking import marked_actors, marked_customers, scored_actors
from regulars.collect.anomalies.rules import Limits
from regulars.collect.anomalies.tables import (
    actor_features,
    customers_and_devices,
    farm_members,
    marked_before,
    orders_of_actors,
    sightings,
)
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn

LOOKED_AT_DAYS = 14
"""Days of events looked at, more where turns are further apart."""

MARK_HOLDS_DAYS = 90
"""Days after which a mark has to be earned again."""

_ACTORS = pa.schema([
    ("kind", pa.string()),
    ("actor", pa.string()),
    ("reasons", pa.string()),
    ("marked_on", pa.date32()),
])
_SCORES = pa.schema([
    ("kind", pa.string()),
    ("actor", pa.string()),
    ("reasons", pa.string()),
    ("events", pa.int64()),
    ("score", pa.float64()),
])
_CUSTOMERS = pa.schema([
    ("customer_id", pa.string()),
    ("reasons", pa.string()),
    ("marked_on", pa.date32()),
])


@step(
    reads="events order_versions marked_actors",
    writes="actor_scores marked_actors marked_customers marked_orders",
)
def score_actors(
    engine: Engine,
    turn: Turn,
    *,
    turn_days: int,
    aliases: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> int:
    """Score who acted since the last turns and mark those who are no customers.

    Only events up to the day of the turn are read: who is marked does not depend on whom this
    turn will contact.

    Args:
        engine: The engine bound to this step.
        turn: The turn.
        turn_days: Days from one turn to the next.
        aliases: Present customer id by an id that was merged into it.
        limits: What no customer does; the usual ones when left out.

    Returns:
        Actors marked.
    """
    days = max(LOOKED_AT_DAYS, 2 * turn_days)
    seen = sightings(
        engine.table("events"),
        first_day=turn.as_of - timedelta(days=days - 1),
        last_day=turn.as_of,
    )
    scored = scored_actors(
        engine.arrow(actor_features(seen)),
        engine.arrow(farm_members(seen)),
        limits=limits or Limits(),
        seed=turn.seed,
    )
    since = turn.as_of - timedelta(days=MARK_HOLDS_DAYS)
    before = marked_before(engine.table("marked_actors"), turn=turn.number, since=since)
    actors = marked_actors(scored, engine.rows(before), today=turn.as_of)
    rows = pa.Table.from_pylist(actors, schema=_ACTORS)
    pairs = engine.rows(customers_and_devices(seen))
    customers = marked_customers(actors, pairs, aliases=aliases)
    orders = orders_of_actors(seen, engine.table("order_versions"), memtable(rows))
    engine.write("actor_scores", pa.Table.from_pylist(scored, schema=_SCORES))
    engine.write("marked_customers", pa.Table.from_pylist(customers, schema=_CUSTOMERS))
    engine.write("marked_orders", engine.arrow(orders))
    return engine.write("marked_actors", rows)
