"""Audiences as definitions: profiles, activity, scores and sets in; a table of customer_id out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import ibis
from ibis import _
from ibis.expr.types import BooleanValue, Table, Value

from regulars.numerics.days import day_number
from regulars.understand.segments.audiences.rules import (
    AudienceRule,
    Clause,
    Followed,
    Happened,
    Included,
    Scored,
    Window,
    score_fields,
)
from regulars.unify.tags.rules import Asks, asked, predicate
from regulars.unify.tags.tables import field_value

TOGETHER = 8
"""Sets joined one by one; more of them are first put into one table."""


@dataclass(frozen=True)
class Sources:
    """What audiences are judged on.

    Attributes:
        profiles: Profiles of one turn: whoever may be in an audience, and the fields.
        activity: One row per thing that happened: customer_id, name, at (aware UTC), day
            (number of the local day). Only names the rules ask about need be there.
        scores: Tables of scores of the same turn, by name.
        sets: Columns customer_id, by `Included.column`.
        at: The moment, aware UTC; nothing after it counts.
        as_of: Its day in the workspace's zone.
    """

    profiles: Table
    activity: Table
    scores: Mapping[str, Table]
    sets: Mapping[str, Table]
    at: datetime
    as_of: date


def meeting(rule: AudienceRule, sources: Sources) -> Table:
    """Find who meets the rule of an audience.

    Args:
        rule: The rule; audiences it names are put in place beforehand (`expanded`).
        sources: What it is judged on.

    Returns:
        One column, customer_id, each once.
    """
    wide, columns = valued(asked(rule), sources)
    return wide.filter(predicate(rule, columns)).select("customer_id")


def judged(rules: Mapping[str, AudienceRule], sources: Sources) -> Table:
    """Say of every customer which of several rules hold, in one look.

    Args:
        rules: Rules by name.
        sources: What they are judged on.

    Returns:
        One row per profile: customer_id, and one boolean column per rule, by its name.
    """
    wide, columns = valued((one for rule in rules.values() for one in asked(rule)), sources)
    return wide.select(
        "customer_id", **{name: predicate(rule, columns) for name, rule in rules.items()}
    )


def valued(clauses: Iterable[Clause], sources: Sources) -> tuple[Table, dict[str, Value]]:
    """Put the values conditions ask for beside every profile.

    Args:
        clauses: The conditions.
        sources: What they are judged on.

    Returns:
        One row per profile, and the column expression by `Clause.column`.
    """
    found = list(dict.fromkeys(clauses))
    fields = sorted({one.field for one in found if isinstance(one, Asks)})
    wide = sources.profiles.select("customer_id", *fields)
    columns: dict[str, Value] = {}
    happened = {one.column: one for one in found if isinstance(one, Happened)}
    if happened:
        wide = _joined(wide, _counts(happened, sources))
    scored = {one.column: one for one in found if isinstance(one, Scored)}
    for name in sorted({one.table for one in scored.values()}):
        own = {c: one.name for c, one in scored.items() if one.table == name}
        table = sources.scores[name]
        wide = _joined(wide, table.select("customer_id", **{c: table[n] for c, n in own.items()}))
    sets = {one.column: sources.sets[one.column] for one in found if isinstance(one, Included)}
    sets |= {one.column: _followed(one, sources) for one in found if isinstance(one, Followed)}
    wide = _with_flags(wide, sets)
    columns |= {name: field_value(wide, name) for name in fields}
    columns |= {name: ibis.coalesce(wide[name].cast("float64"), 0.0) for name in (*happened, *sets)}
    numbers = score_fields()
    columns |= {
        name: wide[name].cast("float64") if numbers[name] else wide[name] for name in scored
    }
    return wide, columns


def due(
    clauses: Collection[Clause], activity: Table, *, since: "Clock", now: "Clock"
) -> BooleanValue:
    """Find what happened to whom the passing of time alone may have changed what conditions say.

    Args:
        clauses: The conditions.
        activity: Things that happened: name, at, day.
        since: When they were judged last.
        now: When they are judged again.

    Returns:
        True for what has left a window, has come into one, or lets the time for the next thing
        be over.
    """
    name, at, day = activity.name, activity.at, activity.day
    crossed: list[BooleanValue] = []

    def left_days(event: str, days: int) -> BooleanValue:
        before, after = since.number - days, now.number - days
        return (name == event) & (day > before) & (day <= after)

    def left_hours(event: str, hours: int) -> BooleanValue:
        span = timedelta(hours=hours)
        return (name == event) & (at >= since.at - span) & (at <= now.at - span)

    for one in clauses:
        if isinstance(one, Happened) and one.window.days:
            crossed.append(left_days(one.event, one.window.days))
        elif isinstance(one, Happened) and one.window.hours:
            crossed.append(left_hours(one.event, one.window.hours))
        elif isinstance(one, Followed):
            crossed.append(left_days(one.steps[0].event, one.days))
            if one.steps[-1].is_absent:
                crossed.append(left_hours(one.steps[-2].event, one.steps[-1].within_hours))
    came = name.isin(sorted(names_of(clauses))) & (at > since.at) & (at <= now.at)
    return ibis.or_(came, *crossed)


@dataclass(frozen=True)
class Clock:
    """A moment and its local day.

    Attributes:
        at: The moment, aware UTC.
        as_of: Its day in the workspace's zone.
    """

    at: datetime
    as_of: date

    @property
    def number(self) -> int:
        """The day as a number."""
        return day_number(self.as_of)


def names_of(clauses: Iterable[Clause]) -> set[str]:
    """Name everything that happens which conditions ask about."""
    found: set[str] = set()
    for one in clauses:
        if isinstance(one, Happened):
            found.add(one.event)
        elif isinstance(one, Followed):
            found |= {step.event for step in one.steps}
    return found


def first_day(clauses: Iterable[Clause], as_of: date) -> int | None:
    """Say how far back conditions look.

    Args:
        clauses: The conditions.
        as_of: The day they are judged as of.

    Returns:
        Number of the first day any of them counts; None when none looks at what happened. A day
        more where hours are counted, since they may begin on another local day.
    """
    number = day_number(as_of)
    found = []
    for one in clauses:
        if isinstance(one, Followed):
            found.append(number - one.days + 1)
        elif isinstance(one, Happened):
            window = one.window
            if window.first:
                found.append(day_number(window.first))
            else:
                found.append(number - (window.days - 1 if window.days else window.hours // 24 + 2))
    return min(found) if found else None


def _counts(happened: Mapping[str, Happened], sources: Sources) -> Table:
    names = sorted({one.event for one in happened.values()})
    seen = sources.activity.filter(_.name.isin(names) & (_.at <= sources.at))
    return seen.group_by("customer_id").agg(**{
        column: seen.count(where=(seen.name == one.event) & _within(seen, one.window, sources))
        for column, one in happened.items()
    })


def _within(activity: Table, window: Window, sources: Sources) -> BooleanValue:
    if window.hours:
        return activity.at > sources.at - timedelta(hours=window.hours)
    if window.first and window.last:
        return activity.day.between(day_number(window.first), day_number(window.last))
    number = day_number(sources.as_of)
    return (activity.day > number - window.days) & (activity.day <= number)


def _followed(clause: Followed, sources: Sources) -> Table:
    """Follow a sequence step by step: the moments a step was reached at, per customer."""
    first, *later = clause.steps
    seen = sources.activity.filter(_.at <= sources.at).select("customer_id", "name", "at", "day")
    begun = seen.filter((_.name == first.event) & (_.day > day_number(sources.as_of) - clause.days))
    reached = begun.select("customer_id", reached_at=_.at)
    for step in later:
        span = timedelta(hours=step.within_hours)
        other = seen.filter(_.name == step.event).select(other_id=_.customer_id, other_at=_.at)
        if step.is_absent:
            over = reached.filter(_.reached_at <= sources.at - span)
            reached = over.anti_join(
                other,
                [
                    over.customer_id == other.other_id,
                    other.other_at > over.reached_at,
                    other.other_at <= over.reached_at + ibis.interval(hours=step.within_hours),
                ],
            )
        else:
            reached = other.semi_join(
                reached,
                [
                    other.other_id == reached.customer_id,
                    other.other_at > reached.reached_at,
                    other.other_at <= reached.reached_at + ibis.interval(hours=step.within_hours),
                ],
            ).select(customer_id=_.other_id, reached_at=_.other_at)
    return reached.select("customer_id").distinct()


def _joined(wide: Table, values: Table) -> Table:
    values = values.rename(joined_id="customer_id")
    return wide.left_join(values, wide.customer_id == values.joined_id).drop("joined_id")


def _with_flags(wide: Table, sets: Mapping[str, Table]) -> Table:
    """Put 1 beside whoever is in a set, under the set's name."""
    if len(sets) > TOGETHER:
        named = [ids.select("customer_id", name=ibis.literal(name)) for name, ids in sets.items()]
        together = named[0].union(*named[1:])
        flags = together.group_by("customer_id").agg(**{
            name: together.count(where=together.name == name) > 0 for name in sets
        })
        return _joined(wide, flags)
    for name, ids in sets.items():
        flag = ids.select("customer_id").distinct().mutate(**{name: ibis.literal(True)})
        wide = _joined(wide, flag)
    return wide
