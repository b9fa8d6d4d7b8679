"""The step that gives badges to whoever meets their rules."""

from collections.abc import Mapping
from datetime import date, datetime

from ibis import _

from regulars.ports.engine import Engine
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.reach.loyalty.badges.service import give_badge
from regulars.reach.loyalty.programme.service import find_programme
from regulars.unify.profiles.service import events_of_customers
from regulars.unify.tags.rules import read_rule
from regulars.unify.tags.tables import meeting_rule


@step(reads="profiles events", writes="")
def give_badges(
    engine: Engine,
    state: State,
    *,
    as_of: date,
    now: datetime,
    zone: str,
    aliases: Mapping[str, str],
) -> dict[str, int]:
    """Give the badges of the programme, by the newest profiles there are.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.
        as_of: Last day counted.
        now: The moment, aware.
        zone: IANA zone days are counted in.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        Customers who got each badge now; empty without a programme, badges or profiles.
    """
    programme = find_programme(state)
    if programme is None or not programme.badges:
        return {}
    profiles = engine.table("profiles")
    [newest] = engine.rows(profiles.agg(turn=profiles.turn.max()))
    if newest["turn"] is None:
        return {}
    mine = profiles.filter(_.turn == newest["turn"])
    events = events_of_customers(engine, aliases=aliases)
    given = {}
    for badge in programme.badges:
        rule = read_rule(badge.rule)
        found = engine.rows(meeting_rule(rule, mine, events, as_of=as_of).order_by("customer_id"))
        names = [row["customer_id"] for row in found]
        given[badge.id] = give_badge(state, badge, names, programme, now=now, zone=zone)
    return given
