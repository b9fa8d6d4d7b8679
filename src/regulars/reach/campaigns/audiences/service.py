"""Find who an audience is, on the newest profiles, by the customers' present ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from ibis import _
from ibis.expr.types import Table

from regulars.errors import NotReady, UnknownName
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.reach.campaigns.definition import Audience, AudienceKind, Campaign
from regulars.reach.campaigns.service import list_of
from regulars.understand.segments.audiences.judging.service import Place
from regulars.understand.segments.audiences.live.service import members as judged_members
from regulars.understand.segments.audiences.membership.service import members
from regulars.understand.segments.audiences.service import find_audience
from regulars.unify.identity.service import aliases
from regulars.unify.profiles.service import events_of_customers
from regulars.unify.tags.definitions import TagKind
from regulars.unify.tags.rules import asked, read_rule
from regulars.unify.tags.service import all_marks, find_tag
from regulars.unify.tags.tables import GIVEN, meeting_rule


@dataclass(frozen=True)
class Found:
    """The customers of an audience.

    Attributes:
        customers: Their present ids in order, each once.
        regions: Value of the campaign's region field per customer; "" where not known.
    """

    customers: tuple[str, ...]
    regions: tuple[str, ...]


def resolve(
    engine: Reader, state: State, campaign: Campaign, *, zone: str, place: Place | None = None
) -> Found:
    """Find who a campaign is about.

    Args:
        engine: Opens profiles, scores and events.
        state: The transactional store: lists, tags, merged ids.
        campaign: The campaign.
        zone: IANA zone a day is told in.
        place: When a saved audience is judged; None takes its members as of its last refresh.

    Returns:
        Everybody in its audience, before anything is decided.

    Raises:
        UnknownName: Its tag, segment or saved audience is none.
        NotReady: It needs profiles, and no turn has been run.
    """
    merged = aliases(state)
    if campaign.audience.kind is AudienceKind.AUDIENCE:
        named: Iterable[str] = _saved(engine, state, campaign.audience.name, place)
    else:
        named = _named(engine, state, campaign.audience, merged, zone)
    customers = sorted({merged.get(one, one) for one in named})
    has_regions = any(phase.regions for phase in campaign.phases)
    regions = _regions(engine, campaign.region_field) if has_regions else {}
    return Found(tuple(customers), tuple(regions.get(one, "") for one in customers))


def members_now(engine: Reader, state: State, audience: Audience, *, zone: str) -> frozenset[str]:
    """Give everybody who is in an audience now, by present ids.

    Args:
        engine: Opens profiles, scores and events.
        state: The transactional store: lists, tags, merged ids.
        audience: The audience.
        zone: IANA zone a day is told in.

    Returns:
        Customer ids; of a saved audience those as of its last refresh.

    Raises:
        UnknownName: Its tag, segment or saved audience is none.
        NotReady: It needs profiles, and no turn has been run.
    """
    merged = aliases(state)
    if audience.kind is AudienceKind.AUDIENCE:
        named: Iterable[str] = _saved(engine, state, audience.name, None)
    else:
        named = _named(engine, state, audience, merged, zone)
    return frozenset(merged.get(one, one) for one in named)


def tag_version(state: State, audience: Audience) -> int:
    """Give the version of the tag or saved audience one rests on; 0 when it rests on none."""
    if audience.kind is AudienceKind.AUDIENCE:
        return find_audience(state, audience.name).version
    return find_tag(state, audience.name).version if audience.kind is AudienceKind.TAG else 0


def _saved(engine: Reader, state: State, name: str, place: Place | None) -> list[str]:
    """Find who is in a saved audience: judged now, or as of its last refresh."""
    audience = find_audience(state, name)
    _day_of(engine)
    if place is None:
        return members(engine, name)
    return judged_members(engine, state, audience.rule, place=place)


def _named(
    engine: Reader, state: State, audience: Audience, merged: Mapping[str, str], zone: str
) -> Iterable[str]:
    if audience.kind is AudienceKind.LIST:
        with state.reading() as opened:
            return list_of(opened, audience.name)
    if audience.kind is AudienceKind.EVERYBODY:
        customers = engine.table("customers").select("customer_id")
        return _ids(engine, customers.union(_newest(engine, "profiles").select("customer_id")))
    if audience.kind is AudienceKind.TAG:
        return _tagged(engine, state, audience.name, merged, zone)
    if audience.kind is AudienceKind.SEGMENT:
        return _segment(engine, audience.name)
    if audience.kind is AudienceKind.RULE:
        return _meeting(engine, audience, merged)
    return []


def _tagged(
    engine: Reader, state: State, name: str, merged: Mapping[str, str], zone: str
) -> set[str]:
    tag = find_tag(state, name)
    rows = _newest(engine, "tag_members").filter((_.tag == name) & _.is_member)
    found = set(_ids(engine, rows.select("customer_id")))
    marks = all_marks(state, zone=zone, aliases=merged).to_pylist()
    for row in marks:
        if row["tag"] == name:
            # The last word said by hand; a turn has not told it to the table yet.
            (found.add if row["mark"] == GIVEN else found.discard)(row["customer_id"])
    if not found and tag.kind is not TagKind.MANUAL:
        _day_of(engine)
    return found


def _segment(engine: Reader, name: str) -> list[str]:
    _day_of(engine)
    scores = _newest(engine, "rfm_scores")
    known = [row["segment"] for row in engine.rows(scores.select("segment").distinct())]
    if name not in known:
        raise UnknownName("segment", name, known)
    return _ids(engine, scores.filter(_.segment == name).select("customer_id"))


def _meeting(engine: Reader, audience: Audience, merged: Mapping[str, str]) -> list[str]:
    as_of = _day_of(engine)
    rule = read_rule(audience.rule, "audience.rule")
    counts_events = any(one.event for one in asked(rule))
    events = events_of_customers(engine, aliases=merged) if counts_events else None
    found = meeting_rule(
        rule,
        _newest(engine, "profiles"),
        engine.table("events") if events is None else events,
        as_of=as_of,
    )
    return _ids(engine, found)


def _newest(engine: Reader, name: str) -> Table:
    table = engine.table(name)
    [newest] = engine.rows(engine.table("profiles").agg(turn=_.turn.max()))
    return table.filter(table.turn == (newest["turn"] or 0))


def _day_of(engine: Reader) -> date:
    [newest] = engine.rows(_newest(engine, "profiles").agg(as_of=_.as_of.max()))
    as_of: date | None = newest["as_of"]
    if as_of is None:
        raise NotReady(
            "no profiles yet, and the audience rests on them; run: regulars run --as-of DAY, "
            "or give the audience as a list"
        )
    return as_of


def _regions(engine: Reader, field: str) -> dict[str, str]:
    told = {}
    if field == "city":
        rows = engine.table("customers").select("customer_id", region=_.city)
        told = {row["customer_id"]: row["region"] or "" for row in engine.rows(rows)}
    rows = _newest(engine, "profiles").select("customer_id", region=_[field])
    return told | {row["customer_id"]: row["region"] for row in engine.rows(rows) if row["region"]}


def _ids(engine: Reader, rows: Table) -> list[str]:
    found = engine.arrow(rows.distinct().order_by("customer_id"))
    return [one for one in found.column("customer_id").to_pylist() if one]
