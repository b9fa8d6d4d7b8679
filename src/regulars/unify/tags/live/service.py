"""Count and preview a tag on the newest profiles; the tags of one customer, and their history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ibis import _
from ibis.expr.types import Table

from regulars.numerics.days import day_number
from regulars.ports.engine import Reader
from regulars.unify.profiles.online.lookup.service import OnlineProfile
from regulars.unify.profiles.service import events_of_customers
from regulars.unify.tags.definitions import Tag, TagKind, scores
from regulars.unify.tags.rules import Rule, asked, holds
from regulars.unify.tags.tables import GIVEN, REMOVED, meeting


@dataclass(frozen=True)
class Count:
    """How many customers a definition reaches.

    Attributes:
        customers: Customers who meet it; before anything is given or removed by hand.
        known: Customers there are.
        as_of: Last day looked at; None before the first turn.
        sample: Ids of a few of them, in order.
    """

    customers: int
    known: int
    as_of: date | None
    sample: list[str]


@dataclass(frozen=True)
class TagChange:
    """A customer entered or left a tag.

    Attributes:
        tag: The tag.
        turn: The turn it was seen in.
        as_of: The day it was seen.
        change: "entered" or "left".
    """

    tag: str
    turn: int
    as_of: date
    change: str


def count(engine: Reader, tag: Tag, *, aliases: Mapping[str, str], sample: int = 0) -> Count:
    """Count who meets what a tag asks for, on the profiles of the newest turn.

    Args:
        engine: Opens profiles, scores and events.
        tag: The tag, kept or still being written.
        aliases: Present customer id by an id that was merged into it.
        sample: How many ids to give as examples.

    Returns:
        The count; 0 of 0 before the first turn.
    """
    profiles = engine.table("profiles")
    [newest] = engine.rows(profiles.agg(turn=_.turn.max()))
    if newest["turn"] is None:
        return Count(0, 0, None, [])
    tables = {"profiles": profiles, **{name: engine.table(name) for name in scores()}}
    tables = {name: one.filter(one.turn == newest["turn"]) for name, one in tables.items()}
    [known] = engine.rows(tables["profiles"].agg(known=_.count(), as_of=_.as_of.max()))
    tables["events"] = _events(engine, tag, aliases)
    found = meeting(tag, tables, as_of=known["as_of"])
    [counted] = engine.rows(found.agg(customers=_.count()))
    few = engine.rows(found.order_by("customer_id").limit(sample)) if sample else []
    ids = [row["customer_id"] for row in few]
    return Count(counted["customers"], known["known"], known["as_of"], ids)


def members_now(engine: Reader, tags: Sequence[Tag]) -> dict[str, int]:
    """Count the members of tags as the newest turn wrote them.

    Returns:
        Members by tag; 0 for a tag no turn has seen.
    """
    table = engine.table("tag_members")
    [newest] = engine.rows(table.agg(turn=_.turn.max()))
    rows = engine.rows(
        table
        .filter((_.turn == (newest["turn"] or 0)) & _.is_member)
        .group_by("tag")
        .agg(members=_.count())
    )
    by_tag = {row["tag"]: row["members"] for row in rows}
    return {tag.name: by_tag.get(tag.name, 0) for tag in tags}


def tags_online(
    tags: Sequence[Tag],
    profile: OnlineProfile,
    *,
    marks: Mapping[str, tuple[str, date]],
) -> list[str]:
    """Say which tags a customer has now, by the online profile.

    Args:
        tags: The tags.
        profile: The customer's online profile.
        marks: What was given or removed by hand and when, by tag. Tags of kind model and
            source, and the days a tag is kept, rest on what the newest turn wrote.

    Returns:
        Names of tags, in the order of `tags`.
    """
    return [tag.name for tag in tags if _has(tag, profile, marks.get(tag.name))]


def history(engine: Reader, customer_id: str) -> list[TagChange]:
    """Tell when a customer entered and left tags.

    Args:
        engine: Opens `profiles` and `tag_members`.
        customer_id: The customer's present id.

    Returns:
        Changes by turn and tag, the newest first.
    """
    mine = _.customer_id == customer_id
    turns = engine.rows(
        engine.table("profiles").filter(mine).select("turn", "as_of").distinct().order_by("turn")
    )
    rows = engine.rows(engine.table("tag_members").filter(mine & _.is_member).select("turn", "tag"))
    had: set[str] = set()
    found = []
    for turn in turns:
        has = {row["tag"] for row in rows if row["turn"] == turn["turn"]}
        for change, names in (("entered", has - had), ("left", had - has)):
            found += [TagChange(t, turn["turn"], turn["as_of"], change) for t in sorted(names)]
        had = has
    return found[::-1]


def values_for(rule: Rule, profile: OnlineProfile) -> dict[str, Any]:
    """Give the values a rule asks for, from an online profile.

    Returns:
        Value by `Asks.column`; None where nothing is known.
    """
    values = profile.static | profile.indicators | profile.leanings
    today = day_number(profile.as_of)
    for one in asked(rule):
        if one.event:
            values[one.column] = sum(
                events
                for (name, day), events in profile.events.items()
                if name == one.event and today - one.days < day <= today
            )
    return values


def _has(tag: Tag, profile: OnlineProfile, marked: tuple[str, date] | None) -> bool:
    mark, marked_on = marked or ("", profile.as_of)
    if mark == REMOVED or (tag.expires_on and profile.as_of > tag.expires_on):
        return False
    entered, was_member = profile.turned.get(tag.name, (profile.as_of, False))
    entered = marked_on if mark == GIVEN else entered
    if tag.keep_days and profile.as_of - entered >= timedelta(days=tag.keep_days):
        return False
    if mark == GIVEN:
        return True
    if tag.rule:
        return holds(tag.rule, values_for(tag.rule, profile))
    return tag.kind is not TagKind.MANUAL and was_member


def _events(engine: Reader, tag: Tag, aliases: Mapping[str, str]) -> Table:
    """Open the events only for tags that ask about them: it takes a look at every identifier."""
    needs = tag.kind is TagKind.SOURCE or (tag.rule and any(a.event for a in asked(tag.rule)))
    return events_of_customers(engine, aliases=aliases) if needs else engine.table("events")
