"""Count an audience, list it, show a few of it, and compare it with others, as of now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ibis import _

from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.understand.segments.audiences.judging.service import (
    Place,
    Turned,
    newest_turn,
    open_sources,
)
from regulars.understand.segments.audiences.rules import AudienceRule
from regulars.understand.segments.audiences.service import list_audiences, whole_rule
from regulars.understand.segments.audiences.starting import start
from regulars.understand.segments.audiences.tables import Sources, judged, meeting
from regulars.unify.tags.rules import Asks, asked

SHOWN = ("city", "orders", "monetary", "recency_days")
"""Fields of profiles shown of everybody, beside those the rule asks about."""
_DRAFT = "\n"


@dataclass(frozen=True)
class AudienceCount:
    """How many customers a rule holds for.

    Attributes:
        customers: Customers it holds for.
        known: Customers there are.
        at: The moment it was judged as of, aware UTC; None before the first turn.
        as_of: Last day the profiles looked at; None before the first turn.
    """

    customers: int
    known: int
    at: datetime | None
    as_of: date | None


@dataclass(frozen=True)
class Overlap:
    """How an audience lies with another.

    Attributes:
        name: The other audience.
        customers: Customers of the other one.
        both: Customers in both.
        share: Share of this audience that is in the other too, 0 to 1; 0 when this is empty.
    """

    name: str
    customers: int
    both: int
    share: float


def count(engine: Reader, state: State, rule: AudienceRule, *, place: Place) -> AudienceCount:
    """Count whom a rule holds for.

    Args:
        engine: Opens the tables.
        state: The transactional store.
        rule: The rule; it may name audiences.
        place: The moment and the zone.

    Returns:
        The count; 0 of 0 before the first turn.

    Raises:
        UnknownName: The rule names an audience or a tag there is none of.
    """
    opened = _opened(engine, state, [rule], place)
    if opened is None:
        return AudienceCount(0, 0, None, None)
    turned, sources, [whole] = opened
    # Two looks: a filter lets the engine pass over columns of rows that are out already.
    [known] = engine.rows(sources.profiles.agg(known=_.count()))
    [found] = engine.rows(meeting(whole, sources).agg(customers=_.count()))
    return AudienceCount(found["customers"], known["known"], sources.at, turned.as_of)


def members(engine: Reader, state: State, rule: AudienceRule, *, place: Place) -> list[str]:
    """List whom a rule holds for.

    Returns:
        Present customer ids, in order; empty before the first turn.
    """
    opened = _opened(engine, state, [rule], place)
    if opened is None:
        return []
    _turned, sources, [whole] = opened
    found = engine.arrow(meeting(whole, sources).order_by("customer_id"))
    ids: list[str] = found.column("customer_id").to_pylist()
    return ids


def sample(
    engine: Reader, state: State, rule: AudienceRule, *, place: Place, most: int = 10
) -> list[dict[str, Any]]:
    """Show a few of those a rule holds for.

    Args:
        engine: Opens the tables.
        state: The transactional store.
        rule: The rule.
        place: The moment and the zone.
        most: How many rows.

    Returns:
        Rows by customer_id: `SHOWN` and the fields the rule asks about; no contact data.
    """
    opened = _opened(engine, state, [rule], place)
    if opened is None:
        return []
    _turned, sources, [whole] = opened
    names = dict.fromkeys((*SHOWN, *(c.field for c in asked(whole) if isinstance(c, Asks))))
    few = meeting(whole, sources).order_by("customer_id").limit(most)
    shown = sources.profiles.select("customer_id", *names)
    return engine.rows(shown.semi_join(few, "customer_id").order_by("customer_id"))


def overlaps(
    engine: Reader,
    state: State,
    rule: AudienceRule,
    *,
    place: Place,
    names: Sequence[str] = (),
    leave_out: str = "",
) -> list[Overlap]:
    """Compare an audience with those there are, in one look.

    Args:
        engine: Opens the tables.
        state: The transactional store.
        rule: Its rule.
        place: The moment and the zone.
        names: Audiences to compare with; every other one when left out.
        leave_out: Name of the audience itself.

    Returns:
        One row per other audience, most shared first; empty before the first turn.
    """
    others = {
        one.name: one.rule
        for one in list_audiences(state)
        if one.name != leave_out and (not names or one.name in names)
    }
    opened = _opened(engine, state, [rule, *others.values()], place) if others else None
    if opened is None:
        return []
    _turned, sources, wholes = opened
    rows = judged(dict(zip([_DRAFT, *others], wholes, strict=True)), sources)
    counts = {f"n{n}": rows.count(where=rows[name]) for n, name in enumerate(others)}
    both = {f"b{n}": rows.count(where=rows[name] & rows[_DRAFT]) for n, name in enumerate(others)}
    [row] = engine.rows(rows.agg(mine=rows.count(where=rows[_DRAFT]), **counts, **both))
    found = [
        Overlap(
            name, row[f"n{n}"], row[f"b{n}"], row[f"b{n}"] / row["mine"] if row["mine"] else 0.0
        )
        for n, name in enumerate(others)
    ]
    return sorted(found, key=lambda one: (-one.both, one.name))


def started(engine: Reader, key: str) -> dict[str, Any]:
    """Give the rule a starting point begins with, its numbers from the customers there are.

    Returns:
        The rule as JSON.

    Raises:
        UnknownName: There is no such starting point.
        NotReady: No customer has made choices enough yet.
    """
    return dict(start(key, lambda field, share: quantile(engine, field, share)))


def quantile(engine: Reader, field: str, share: float) -> float | None:
    """Give the value a share of customers lies below.

    Args:
        engine: Opens the profiles.
        field: A number of profiles.
        share: 0 to 1.

    Returns:
        The value, of those who have one; None when nobody has.
    """
    turned = newest_turn(engine)
    if turned is None:
        return None
    profiles = engine.table("profiles")
    mine = profiles.filter(profiles.turn == turned.number)
    [row] = engine.rows(mine.agg(value=mine[field].cast("float64").quantile(share)))
    value = row["value"]
    return None if value is None else float(value)


def _opened(
    engine: Reader, state: State, rules: Sequence[AudienceRule], place: Place
) -> tuple[Turned, Sources, list[AudienceRule]] | None:
    wholes = [whole_rule(state, rule) for rule in rules]
    turned = newest_turn(engine)
    if turned is None:
        return None
    sources = open_sources(
        engine, state, wholes, turned=turned, clock=place.clock(turned.as_of), zone=place.zone
    )
    return turned, sources, wholes
