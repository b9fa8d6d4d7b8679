"""Who has which tag, as definitions: tables in, one table of members out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table, Value

from regulars.numerics.days import day_number
from regulars.unify.profiles.event_tables import event_counts, trait_told
from regulars.unify.tags.definitions import Tag, TagKind
from regulars.unify.tags.rules import FIELDS, Rule, asked, predicate

GIVEN, REMOVED = "given", "removed"
MARKS = pa.schema([
    pa.field("tag", pa.string()),
    pa.field("customer_id", pa.string()),
    pa.field("mark", pa.string()),
    pa.field("marked_on", pa.date32()),
])


def meeting(tag: Tag, tables: Mapping[str, Table], *, as_of: date) -> Table:
    """Find who meets what a tag asks for, whatever was given or removed by hand.

    Args:
        tag: The tag.
        tables: `profiles` and the tables of scores of one turn, and `events` with customer_id.
        as_of: Last day counted.

    Returns:
        One column, customer_id, each once; nobody for a manual tag.
    """
    profiles = tables["profiles"]
    if tag.rule:
        return meeting_rule(tag.rule, profiles, tables["events"], as_of=as_of)
    if tag.kind is TagKind.MODEL:
        score = tables[tag.definition["table"]]
        value = score[tag.definition["column"]].cast("float64")
        least, most = tag.definition.get("at_least"), tag.definition.get("at_most")
        found = score.filter(value.notnull())
        found = found if least is None else found.filter(value >= ibis.literal(float(least)))
        found = found if most is None else found.filter(value <= ibis.literal(float(most)))
        return found.select("customer_id")
    if tag.kind is TagKind.SOURCE:
        told = trait_told(tables["events"], tag.definition["trait"], as_of=as_of)
        wanted = tag.definition.get("value")
        told = told.filter(_.said.notnull() if wanted is None else _.said == wanted)
        return told.select("customer_id").semi_join(profiles, "customer_id")
    return profiles.select("customer_id").filter(ibis.literal(False))


def meeting_rule(rule: Rule, profiles: Table, events: Table, *, as_of: date) -> Table:
    """Find who meets a rule, by one predicate over the profiles.

    Args:
        rule: The rule.
        profiles: Profiles of one turn.
        events: Events with customer_id.
        as_of: Last day counted.

    Returns:
        One column, customer_id, each once.
    """
    wide = profiles.select("customer_id", *sorted({one.field for one in asked(rule) if one.field}))
    counted = {(one.event, one.days): one.column for one in asked(rule) if one.event}
    if counted:
        names = sorted({event for event, _days in counted})
        days = event_counts(events, as_of=as_of).filter(_.name.isin(names))
        number = day_number(as_of)
        counts = days.group_by(counted_id=days.customer_id).agg(**{
            column: days.events.sum(where=(days.name == event) & (days.day > number - back))
            for (event, back), column in counted.items()
        })
        wide = wide.left_join(counts, wide.customer_id == counts.counted_id).drop("counted_id")
    columns = {one.field: field_value(wide, one.field) for one in asked(rule) if one.field}
    columns |= {name: ibis.coalesce(wide[name].cast("float64"), 0.0) for name in counted.values()}
    return wide.filter(predicate(rule, columns)).select("customer_id")


def field_value(profiles: Table, name: str) -> Value:
    """Give a field of profiles as rules compare it: numbers as float64."""
    return profiles[name].cast("float64") if FIELDS[name] else profiles[name]


def members(
    tags: Sequence[Tag],
    found: Mapping[str, Table],
    *,
    marks: pa.Table,
    before: Table,
    known: Table,
    as_of: date,
) -> Table:
    """Say who has each tag, and since when.

    Args:
        tags: The tags.
        found: Who meets each, by name.
        marks: What was given or removed by hand, the last word per tag and customer (`MARKS`).
        before: Rows of `tag_members` of the turn before.
        known: The customers of the turn: customer_id.
        as_of: Last day looked at.

    Returns:
        Columns of `tag_members` but for turn, in order of tag and customer.
    """
    met = _union(
        found[tag.name].select(tag=ibis.literal(tag.name), customer_id=_.customer_id)
        for tag in tags
    )
    hand = ibis.memtable(marks)
    given = hand.filter(_.mark == GIVEN).semi_join(known, "customer_id")
    everybody = met.union(given.select("tag", "customer_id")).distinct()
    hand = hand.select(m_tag=_.tag, m_id=_.customer_id, mark=_.mark, marked_on=_.marked_on)
    rows = everybody.left_join(
        hand, (everybody.tag == hand.m_tag) & (everybody.customer_id == hand.m_id)
    ).drop("m_tag", "m_id")
    before = before.select(b_tag=_.tag, b_id=_.customer_id, before_on=_.entered_on)
    rows = rows.left_join(
        before, (rows.tag == before.b_tag) & (rows.customer_id == before.b_id)
    ).drop("b_tag", "b_id")
    about = _about(tags)
    rows = rows.inner_join(about, rows.tag == about.about).drop("about")
    by_hand = (rows.mark == GIVEN).ifelse(rows.marked_on, None)
    rows = rows.mutate(entered_on=ibis.coalesce(by_hand, rows.before_on, ibis.literal(as_of)))
    kept = ibis.literal(as_of).delta(rows.entered_on, unit="day") < rows.keep_days
    stands = ibis.coalesce(kept, True) & ibis.coalesce(rows.expires_on >= as_of, True)
    rows = rows.mutate(is_member=stands & ibis.coalesce(rows.mark != REMOVED, True))
    return rows.select("tag", "customer_id", "version", "entered_on", "is_member").order_by(
        "tag", "customer_id"
    )


def _union(parts: Iterable[Table]) -> Table:
    first, *rest = parts
    return first.union(*rest) if rest else first


def _about(tags: Sequence[Tag]) -> Table:
    return ibis.memtable(
        pa.table({
            "about": pa.array([tag.name for tag in tags], pa.string()),
            "version": pa.array([tag.version for tag in tags], pa.int64()),
            "keep_days": pa.array([tag.keep_days for tag in tags], pa.int64()),
            "expires_on": pa.array([tag.expires_on for tag in tags], pa.date32()),
        })
    )
