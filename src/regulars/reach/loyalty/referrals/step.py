"""The step that pays referrals whose friend bought."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from regulars.ports.engine import Engine
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.reach.loyalty.programme.service import find_programme
from regulars.reach.loyalty.referrals.service import settle_referrals, waiting
from regulars.reach.loyalty.referrals.tables import paid_by_day


@step(reads="orders returns", writes="")
def pay_referrals(
    engine: Engine,
    state: State,
    *,
    as_of: date,
    now: datetime,
    zone: str,
    aliases: Mapping[str, str],
) -> dict[str, int]:
    """Pay both sides of the referrals that are due.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.
        as_of: Last day read.
        now: The moment, aware.
        zone: IANA zone days are counted in.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        Referrals by what became of them; empty without a programme or referrals that wait.
    """
    programme = find_programme(state)
    told = waiting(state)
    if programme is None or not told:
        return {}
    friends = sorted({aliases.get(row["friend_id"], row["friend_id"]) for row in told})
    orders, returns = engine.table("orders"), engine.table("returns")
    rows = engine.rows(paid_by_day(orders, returns, friends, aliases=aliases, as_of=as_of))
    bought: dict[str, list[tuple[date, Decimal]]] = {}
    for row in rows:
        bought.setdefault(row["customer_id"], []).append((row["business_date"], row["paid"]))
    return settle_referrals(state, programme, bought, as_of=as_of, now=now, zone=zone)
