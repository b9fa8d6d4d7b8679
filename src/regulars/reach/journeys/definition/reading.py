"""A journey as somebody wrote it, read and checked: every fault named at its place."""

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.reach.campaigns.definition import AudienceKind
from regulars.reach.campaigns.reading import MOST_HOLDOUT, read_audience
from regulars.reach.journeys.definition.graph import check_graph
from regulars.reach.journeys.definition.journey import (
    Entry,
    EntryKind,
    ExitEvent,
    Journey,
    Reentry,
    ReentryKind,
)
from regulars.reach.journeys.definition.node_reading import read_node
from regulars.reach.journeys.definition.values import (
    conditions,
    line,
    minute_of_day,
    names,
    only,
    share,
    short_name,
    table,
    tables,
    weekdays,
    whole,
)

MOST_NODES = 200
MOST_ENTRIES = 20
MOST_KEPT = 20
_FIELDS = frozenset({
    "id", "name", "entry", "start", "nodes", "reentry", "exit_on", "keeps", "holdout", "measure",
    "note",
})  # fmt: skip
_BY_KIND = {
    EntryKind.EVENT: {"event", "where"},
    EntryKind.AUDIENCE: {"audience"},
    EntryKind.DATE: {"date", "days_before", "days_after", "at", "audience"},
    EntryKind.SCHEDULE: {"schedule", "audience"},
}


class _Anything(frozenset[str]):
    """A collection that holds whatever it is asked for."""

    def __contains__(self, _name: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Ground:
    """What a journey is read against.

    Attributes:
        channels: Channels the settings name.
        holdout: Share held out where a journey with marketing says none.
        window_days: Days of outcome where it says none.
        topics: Topics customers can leave; None where any name is taken.
        dates: Fields an entry by date may name; None where any name is taken.
        hooks: Webhooks a node may call; None where any name is taken.
        offers: Offers there are; None where any name is taken.
    """

    channels: Collection[str]
    holdout: float = 0.1
    window_days: int = 14
    topics: Collection[str] | None = None
    dates: Collection[str] | None = None
    hooks: Collection[str] | None = None
    offers: Collection[str] | None = None


ANY_GROUND = Ground(_Anything())
"""Ground that takes every name: for versions that were checked when they were kept."""


def parse(text: str, *, is_json: bool) -> Mapping[str, Any]:
    """Take a file apart.

    Args:
        text: What the file says.
        is_json: True for JSON, False for TOML.

    Returns:
        Its values, for `read_journey`.

    Raises:
        InputError: It is neither.

    Example:
        >>> parse('id = "welcome"', is_json=False)
        {'id': 'welcome'}
    """
    kind = "JSON" if is_json else "TOML"
    try:
        found = json.loads(text) if is_json else tomllib.loads(text)
    except ValueError as error:
        raise InputError(f"the journey is not readable as {kind}: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"the journey is {type(found).__name__}, must be a table of settings")
    return found


def read_journey(given: Mapping[str, Any], ground: Ground = ANY_GROUND) -> Journey:
    """Read a journey from the values of a TOML or JSON file.

    Args:
        given: What the file says.
        ground: What it is read against; by default every name is taken.

    Returns:
        The journey, whole.

    Raises:
        InputError: A part cannot be used, or the graph cannot be walked; the message says which
            and what is wanted.
        UnknownName: It names something there is none of.

    Example:
        >>> given = {"id": "hello", "entry": {"event": "Signed Up"}, "start": "wait", "nodes": {
        ...     "wait": {"kind": "wait", "days": 1, "next": "end"}, "end": {"kind": "exit"}}}
        >>> read_journey(given).nodes["wait"].does.seconds
        86400
    """
    only(given, _FIELDS, "journey")
    journey_id = short_name(given.get("id"), "id")
    nodes = table(given.get("nodes", {}), "nodes")
    if not 1 <= len(nodes) <= MOST_NODES:
        raise InputError(f"nodes are {len(nodes)}, must be from 1 to {MOST_NODES}")
    found = {
        short_name(name, "the name of a node"): read_node(journey_id, name, node, ground)
        for name, node in nodes.items()
    }
    start = short_name(given["start"], "start") if "start" in given else next(iter(found))
    measured = table(given.get("measure", {}), "measure")
    only(measured, {"days"}, "measure")
    journey = Journey(
        id=journey_id,
        name=line(given.get("name", journey_id), "name"),
        entries=_entries(given.get("entry"), start, ground),
        nodes=found,
        reentry=_reentry(given.get("reentry", "never")),
        exits=_exits(given.get("exit_on", [])),
        keeps=tuple(names(given["keeps"], "keeps")) if given.get("keeps") else (),
        window_days=whole(measured.get("days", ground.window_days), "measure.days", 1, 366),
        holdout=_holdout(given, found.values(), ground),
        note=line(given.get("note", ""), "note", 1000, is_needed=False),
    )
    if len(journey.keeps) > MOST_KEPT:
        raise InputError(f"keeps names {len(journey.keeps)}, must name at most {MOST_KEPT}")
    check_graph(journey)
    return journey


def _holdout(given: Mapping[str, Any], nodes: Collection[Any], ground: Ground) -> float:
    is_marketing = any(getattr(node.does, "is_marketing", False) for node in nodes)
    value = given.get("holdout", ground.holdout if is_marketing else 0.0)
    owed = [
        node.name
        for node in nodes
        if hasattr(node.does, "message_class") and not node.does.is_marketing
    ]
    if value and owed:
        raise InputError(
            f"holdout is {value!r} and message {owed[0]} is transactional, which is owed to "
            "everybody; set holdout = 0, or send it by a journey of its own"
        )
    return share(value, "holdout", MOST_HOLDOUT)


def _reentry(given: Any) -> Reentry:
    if isinstance(given, Mapping):
        only(given, {"after_days"}, "reentry")
        days = whole(given.get("after_days"), "reentry.after_days", 1, 3660)
        return Reentry(ReentryKind.AFTER_DAYS, days)
    plain = [ReentryKind.NEVER, ReentryKind.AFTER_EXIT, ReentryKind.ALWAYS]
    if given not in plain:
        raise UnknownName("rule of coming in again", str(given), [*plain, "{after_days = 30}"])
    return Reentry(ReentryKind(given))


def _exits(given: Any) -> tuple[ExitEvent, ...]:
    found = []
    for number, one in enumerate(tables(given, "exit_on")):
        where = f"exit_on[{number}]"
        only(one, {"event", "where", "is_goal"}, where)
        is_goal = one.get("is_goal", False)
        if not isinstance(is_goal, bool):
            raise InputError(f"{where}.is_goal is {is_goal!r}, must be true or false")
        event = line(one.get("event", ""), f"{where}.event")
        found.append(ExitEvent(event, conditions(one.get("where", []), f"{where}.where"), is_goal))
    return tuple(found)


def _entries(given: Any, start: str, ground: Ground) -> tuple[Entry, ...]:
    if given is None:
        raise InputError(
            "entry is missing: say who comes in, such as entry = {event = 'Signed Up'}, "
            "{audience = {tag = 'vip'}}, {date = 'birthday'} or {schedule = {every = 'week'}, ...}"
        )
    found = [
        _entry(one, f"entry[{number}]", start, ground)
        for number, one in enumerate(tables(given, "entry"))
    ]
    if not 1 <= len(found) <= MOST_ENTRIES:
        raise InputError(f"entries are {len(found)}, must be from 1 to {MOST_ENTRIES}")
    return tuple(found)


def _entry(given: Mapping[str, Any], where: str, start: str, ground: Ground) -> Entry:
    named = [
        kind for kind in (EntryKind.EVENT, EntryKind.DATE, EntryKind.SCHEDULE) if kind in given
    ]
    if not named and "audience" in given:
        named = [EntryKind.AUDIENCE]
    if len(named) != 1:
        raise InputError(
            f"{where} has {' and '.join(named) or 'none'} of event, audience, date and schedule; "
            "give exactly one"
        )
    [kind] = named
    only(given, {*_BY_KIND[kind], "start"}, f"{where} by {kind}")
    begin = short_name(given.get("start", start), f"{where}.start")
    if kind is EntryKind.EVENT:
        event = line(given["event"], f"{where}.event")
        return Entry(kind, begin, event, conditions(given.get("where", []), f"{where}.where"))
    audience = read_audience(given["audience"]) if "audience" in given else None
    if audience and audience.kind in {AudienceKind.TRIGGER, AudienceKind.LIST}:
        raise InputError(
            f"{where}.audience is a {audience.kind}; give a tag, a segment, a rule or everybody"
        )
    if kind is EntryKind.AUDIENCE:
        if audience and audience.kind is AudienceKind.EVERYBODY:
            raise InputError(
                f"{where}.audience is everybody, whom nobody comes into later; "
                "use a schedule to take everybody at a fixed time"
            )
        return Entry(kind, begin, audience=audience)
    if kind is EntryKind.DATE:
        field = _date_field(given["date"], where, ground)
        before, after = given.get("days_before", 0), given.get("days_after", 0)
        days = whole(after, f"{where}.days_after", 0, 366)
        days -= whole(before, f"{where}.days_before", 0, 366)
        minute = minute_of_day(given.get("at", "09:00"), f"{where}.at")
        return Entry(kind, begin, audience=audience, field=field, days=days, minute=minute)
    return _scheduled(given, where, begin)


def _date_field(value: Any, where: str, ground: Ground) -> str:
    field = short_name(value, f"{where}.date")
    if ground.dates is not None and field not in ground.dates:
        raise UnknownName("date of a customer", field, ground.dates)
    return field


def _scheduled(given: Mapping[str, Any], where: str, start: str) -> Entry:
    if "audience" not in given:
        raise InputError(f"{where} has no audience: say who comes in when its time has come")
    when = table(given["schedule"], f"{where}.schedule")
    only(when, {"every", "at", "weekdays", "day"}, f"{where}.schedule")
    every = when.get("every", "day")
    if every not in {"day", "week", "month"}:
        raise UnknownName("schedule", str(every), ["day", "week", "month"])
    if ("weekdays" in when) != (every == "week") or ("day" in when) != (every == "month"):
        raise InputError(
            f"{where}.schedule is every {every}; give weekdays with every week, day with every "
            "month, and neither with every day"
        )
    return Entry(
        EntryKind.SCHEDULE,
        start,
        audience=read_audience(given["audience"]),
        minute=minute_of_day(when.get("at", "09:00"), f"{where}.schedule.at"),
        weekdays=weekdays(when["weekdays"], f"{where}.schedule.weekdays")
        if every == "week"
        else (),
        month_day=whole(when.get("day", 0), f"{where}.schedule.day", 0, 28),
    )
