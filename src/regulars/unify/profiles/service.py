"""Profiles as of a day, read from the lake: of everybody for a turn, or of a few customers."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from ibis.expr.types import Table

from regulars.numerics.days import day_number
from regulars.ports.engine import Reader
from regulars.records.identifiers import customer_id_of, primary_identifier
from regulars.unify.profiles.declared.indicators import FOLDS, KEYED_FOLDS, finish
from regulars.unify.profiles.declared.parts import Parts, Population
from regulars.unify.profiles.declared.static_tags import STATIC_TAGS, StaticTag, finished
from regulars.unify.profiles.event_tables import identifiers, told, with_customer
from regulars.unify.profiles.profile import parts_of_tables
from regulars.unify.profiles.tables import daily_tables, fold_days, fold_keys, known_customers

_ABOUT_CUSTOMERS = ("customers", "orders", "order_lines", "redemptions", "contacts")
FACTS = (*_ABOUT_CUSTOMERS, "products", "contact_outcomes", "events")


def open_facts(
    engine: Reader, *, aliases: Mapping[str, str], only: Collection[str] = ()
) -> dict[str, Table]:
    """Open the facts profiles are made of, told by the customers' present ids.

    Args:
        engine: Opens the tables.
        aliases: Present customer id by an id that was merged into it.
        only: Customers wanted, by present id; empty for everybody.

    Returns:
        Definitions by table; `events` with `customer_id`.
    """
    facts = {name: engine.table(name) for name in FACTS}
    facts["events"] = events_of_customers(engine, aliases=aliases)
    if aliases:
        facts |= {name: _renamed(facts[name], aliases) for name in _ABOUT_CUSTOMERS}
    if only:
        wanted = sorted(only)
        for name in (*_ABOUT_CUSTOMERS, "events"):
            facts[name] = facts[name].filter(_.customer_id.isin(wanted))
    return facts


def events_of_customers(engine: Reader, *, aliases: Mapping[str, str]) -> Table:
    """Open the events that are somebody's.

    Args:
        engine: Opens the table `events`.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        The events, with the column `customer_id`.
    """
    events = engine.table("events")
    names = engine.arrow(identifiers(events).order_by("user_id", "anonymous_id"))
    owners = [_owner(row, aliases) for row in names.to_pylist()]
    return with_customer(events, names.append_column("customer_id", pa.array(owners, pa.string())))


def customers_of(engine: Reader, facts: Mapping[str, Table], *, as_of: date) -> pa.Table:
    """Give the customers known as of a day, with their static tags.

    Args:
        engine: Runs definitions.
        facts: As `open_facts` gave them.
        as_of: Last day read.

    Returns:
        One row per customer, in order of customer_id: the static tags that are columns of
        `profiles`, and joined_day. What an event said wins over the file.
    """
    known = engine.arrow(known_customers(facts["customers"], as_of=as_of))
    said = engine.arrow(told(facts["events"], as_of=as_of))
    at = pc.index_in(known.column("customer_id"), value_set=said.column("customer_id"))
    shown = {"customer_id": known.column("customer_id")}
    for tag in STATIC_TAGS:
        texts = said.column(tag.name).take(at).cast(pa.string())
        if tag.name in known.column_names:
            texts = pc.coalesce(texts, known.column(tag.name).cast(pa.string()))
        shown[tag.name] = _each(texts, tag, as_of)
    joined = _each_day(shown["joined_on"])
    return pa.table({**shown, "joined_day": joined})


def parts_as_of(
    engine: Reader,
    facts: Mapping[str, Table],
    customers: pa.Table,
    *,
    as_of: date,
    zone: str,
    margin_rate: float,
    population: Population | None = None,
) -> Parts:
    """Fold the facts of customers as of a day.

    Args:
        engine: Runs definitions.
        facts: As `open_facts` gave them.
        customers: customer_id and joined_day of those wanted.
        as_of: Last day read.
        zone: IANA zone hours and contact days are told in.
        margin_rate: Margin over sales where products have no cost, 0 to 1.
        population: What holds for all customers, when only some are wanted.

    Returns:
        The parts indicators are finished from.
    """
    daily = daily_tables(facts, zone=zone, as_of=as_of)
    sources = {source: [f for f in FOLDS if f.source == source] for source in daily}
    folded = [
        engine.arrow(fold_days(daily[source], folds, as_of=as_of))
        for source, folds in sources.items()
        if folds
    ]
    keyed = {
        fold.name: engine.arrow(fold_keys(daily[fold.source], fold, as_of=as_of))
        for fold in KEYED_FOLDS
    }
    return parts_of_tables(
        customers,
        folded,
        keyed,
        as_of=day_number(as_of),
        margin_rate=margin_rate,
        population=population,
    )


def profile_as_of(
    engine: Reader,
    customer_id: str,
    *,
    as_of: date,
    zone: str,
    margin_rate: float,
    aliases: Mapping[str, str],
    population: Population | None = None,
) -> dict[str, Any]:
    """Tell what was known of one customer as of a day, from the lake.

    Args:
        engine: Opens the facts.
        customer_id: The customer's present id.
        as_of: Last day read.
        zone: IANA zone hours and contact days are told in.
        margin_rate: Margin over sales where products have no cost, 0 to 1.
        aliases: Present customer id by an id that was merged into it.
        population: What holds for all customers; None to take this one alone.

    Returns:
        `static` (shown by tag) and `behaviour` (indicators and leanings by name, None where
        they say nothing); what an unknown customer would have.
    """
    facts = open_facts(engine, aliases=aliases, only=[customer_id])
    file = engine.rows(facts["customers"].limit(1)) or [{}]
    said = engine.rows(told(facts["events"], as_of=as_of)) or [{}]
    static = finished(_merged(file[0], said[0]).items(), as_of)
    one = pa.table({
        "customer_id": pa.array([customer_id], pa.string()),
        "joined_day": pa.array([_joined_day(static.get("joined_on"))], pa.int64()),
    })
    parts = parts_as_of(
        engine,
        facts,
        one,
        as_of=as_of,
        zone=zone,
        margin_rate=margin_rate,
        population=population,
    )
    return {"static": static, "behaviour": first_of(finish(parts))}


def first_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of the first customer, None where they say nothing."""
    row = {name: column[0] for name, column in values.items()}
    return {
        name: None if isinstance(value, float) and np.isnan(value) else _plain(value)
        for name, value in row.items()
    }


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _merged(file: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, str | None]:
    """What was said in events, else what the file of customers says."""
    return {
        tag.name: said.get(tag.name) or (str(file[tag.name]) if file.get(tag.name) else None)
        for tag in STATIC_TAGS
    }


def _each(texts: pa.ChunkedArray, tag: StaticTag, as_of: date) -> pa.Array:
    """Finish a column, each different text once."""
    encoded = texts.combine_chunks().dictionary_encode()
    words = [tag.finish(word, as_of) or None for word in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)


def _each_day(days: pa.Array) -> pa.Array:
    encoded = days.dictionary_encode()
    numbers = [_joined_day(day) for day in encoded.dictionary.to_pylist()]
    return pa.array(numbers, pa.int64()).take(encoded.indices)


def _joined_day(joined_on: str | None) -> int | None:
    return day_number(date.fromisoformat(joined_on)) if joined_on else None


def _owner(row: Mapping[str, Any], aliases: Mapping[str, str]) -> str | None:
    primary = primary_identifier(row["user_id"], row["anonymous_id"])
    node = customer_id_of(*primary) if primary else None
    return aliases.get(node, node) if node else None


def _renamed(table: Table, aliases: Mapping[str, str]) -> Table:
    merged = ibis.memtable({"old_id": list(aliases), "present_id": list(aliases.values())})
    found = table.left_join(merged, table.customer_id == merged.old_id)
    named = found.mutate(customer_id=ibis.coalesce(_.present_id, _.customer_id))
    return named.drop("old_id", "present_id")
