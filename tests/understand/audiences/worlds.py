"""Small worlds of customers, told to the tables audiences are judged on."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa

from regulars.numerics.days import day_number
from regulars.understand.segments.audiences.rules import Included, read_rule
from regulars.understand.segments.audiences.tables import Sources, meeting
from regulars.unify.tags.rules import asked

NUMBERS = ("orders", "monetary", "deal_seeking", "store_loyalty")
WORDS = ("city", "gender", "favourite_category")
VIEW, ADD, ORDER = "Product Viewed", "Product Added", "Order Completed"


def customer(**given):
    return {
        "fields": {},
        "scores": {},
        "tags": set(),
        "words": [],
        "happened": [],
    } | given


def sources_of(world, *, at, zone, rule=None):
    """Give a world of customers by id as audiences read it."""
    ids = list(world)
    profiles = {"customer_id": pa.array(ids, pa.string())}
    for name in NUMBERS:
        profiles[name] = pa.array([world[c]["fields"].get(name) for c in ids], pa.float64())
    for name in WORDS:
        profiles[name] = pa.array([world[c]["fields"].get(name) for c in ids], pa.string())
    return Sources(
        profiles=ibis.memtable(pa.table(profiles)),
        activity=ibis.memtable(activity_of(world, zone)),
        scores=scores_of(world),
        sets={
            one.column: ibis.memtable(pa.table({"customer_id": set_of(world, one)}))
            for one in (asked(rule) if rule else ())
            if isinstance(one, Included)
        },
        at=at,
        as_of=at.astimezone(ZoneInfo(zone)).date(),
    )


def activity_of(world, zone):
    rows = [
        {
            "customer_id": who,
            "name": name,
            "at": moment,
            "day": day_number(moment.astimezone(ZoneInfo(zone)).date()),
        }
        for who, one in world.items()
        for name, moment in one["happened"]
    ]
    return pa.Table.from_pylist(
        rows,
        schema=pa.schema([
            ("customer_id", pa.string()),
            ("name", pa.string()),
            ("at", pa.timestamp("us", tz="UTC")),
            ("day", pa.int64()),
        ]),
    )


def scores_of(world):
    scored = [who for who, one in world.items() if one["scores"]]
    values = pa.table({
        "customer_id": pa.array(scored, pa.string()),
        "p_alive": pa.array(
            [world[c]["scores"].get("customer_values.p_alive") for c in scored], pa.float64()
        ),
    })
    cells = pa.table({
        "customer_id": pa.array(scored, pa.string()),
        "segment": pa.array(
            [world[c]["scores"].get("rfm_scores.segment") for c in scored], pa.string()
        ),
    })
    return {"customer_values": ibis.memtable(values), "rfm_scores": ibis.memtable(cells)}


def set_of(world, clause):
    has = [who for who, one in world.items() if clause.name in one["tags"]]
    return pa.array(has, pa.string())


def found(backend, given, world, *, at, zone):
    """Give the ids a rule finds in a world, by the one definition there is."""
    rule = read_rule(given)
    table = meeting(rule, sources_of(world, at=at, zone=zone, rule=rule))
    ids = backend.to_pyarrow(table).column("customer_id").to_pylist()
    assert len(ids) == len(set(ids))
    return set(ids)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def in_zone(zone, *parts):
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day(text):
    return date.fromisoformat(text)
