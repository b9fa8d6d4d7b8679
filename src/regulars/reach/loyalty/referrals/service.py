"""Referrals in the state: told once, paid once, never to oneself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State
from regulars.reach.loyalty.ledger.owners.service import ids_of
from regulars.reach.loyalty.ledger.records import earn, text_of
from regulars.reach.loyalty.ledger.service import post
from regulars.reach.loyalty.programme.definition import Programme, Referral
from regulars.reach.loyalty.programme.service import need_programme
from regulars.unify.identity.service import household, present_ids

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Told:
    """One referral.

    Attributes:
        friend_id: Who was brought.
        referrer_id: Who brought him.
        told_at: When it was told, UTC ISO text.
        state: waiting, paid or refused.
        reason: Why it was refused: capped, bought_before, same_customer, household.
        settled_at: When it was paid or refused; None while it waits.
    """

    friend_id: str
    referrer_id: str
    told_at: str
    state: str
    reason: str
    settled_at: str | None


def refer(state: State, referrer_id: str, friend_id: str, *, actor: str, now: datetime) -> Told:
    """Note that a customer brought a friend; the first to tell of a friend counts.

    Args:
        state: The transactional store.
        referrer_id: Who brings.
        friend_id: Who is brought.
        actor: Who says so, for the audit log; it names the friend, not who brought him.
        now: The moment, aware.

    Returns:
        The referral as it stands, refused at once where both are one customer or one household.

    Raises:
        InputError: The programme pays no referrals.
        NotReady: There is no programme.
    """
    present = present_ids(state, [referrer_id, friend_id])
    mine, theirs = present[referrer_id], present[friend_id]
    near = {mine} if mine == theirs else set(household(state, mine))
    with state.transaction() as opened:
        if need_programme(opened).referral is None:
            raise InputError("the programme pays no referrals; add a table [referral] to its rules")
        told = opened.all(_SQL["of_friend"], ids=json.dumps(ids_of(opened, theirs)))
        if told:
            return Told(**told[0])
        fresh = opened.run(_SQL["add"], friend_id=theirs, referrer_id=mine, at=text_of(now))
        if fresh and theirs in near:
            why = "same_customer" if mine == theirs else "household"
            opened.run(
                _SQL["settle"], friend_id=theirs, state="refused", reason=why, at=text_of(now)
            )
        [row] = opened.all(_SQL["of_friend"], ids=json.dumps([theirs]))
        if fresh:
            detail = {"state": row["state"], "why": row["reason"]}
            action = "points.refer"
            record(opened, actor=actor, action=action, subject=theirs, detail=detail, at=now)
    return Told(**row)


def waiting(state: State) -> list[dict[str, Any]]:
    """List the referrals that wait for the friend's first order, the oldest first."""
    with state.reading() as opened:
        return opened.all(_SQL["waiting"])


def settle_referrals(
    state: State,
    programme: Programme,
    bought: Mapping[str, Sequence[tuple[date, Decimal]]],
    *,
    as_of: date,
    now: datetime,
    zone: str,
) -> dict[str, int]:
    """Pay the referrals whose friend bought and can no longer return it.

    Of a friend told of under several ids who turned out to be one customer, the referral told
    first counts; the others wait, in case the customers part again.

    Args:
        state: The transactional store.
        programme: Says what is paid.
        bought: Days and what was paid and not returned then, by present customer id.
        as_of: The last day whose facts are known.
        now: The moment, aware.
        zone: IANA zone days are counted in.

    Returns:
        Referrals by what became of them: paid, capped, bought_before, same_customer.
    """
    found: dict[str, int] = {}
    if programme.referral is None:
        return found
    for row in waiting(state):
        present = present_ids(state, [row["friend_id"], row["referrer_id"]])
        friend, referrer = present[row["friend_id"]], present[row["referrer_id"]]
        told_on = datetime.fromisoformat(row["told_at"]).astimezone(ZoneInfo(zone)).date()
        days = sorted(bought.get(friend, ()))
        became = _judged(programme.referral, days, told_on, as_of, is_self=friend == referrer)
        if became:
            became = _pay(state, programme, row["friend_id"], (referrer, friend), became, now)
        if became:
            found[became] = found.get(became, 0) + 1
    return dict(sorted(found.items()))


def _judged(
    referral: Referral,
    days: Sequence[tuple[date, Decimal]],
    told_on: date,
    as_of: date,
    *,
    is_self: bool,
) -> str:
    """Say what becomes of a referral now; "" when it goes on waiting."""
    if is_self:
        return "same_customer"
    if days and days[0][0] < told_on:
        return "bought_before"
    good = [day for day, paid in days if paid > 0 and paid >= referral.min_order]
    if good and good[0] + timedelta(days=referral.return_days) <= as_of:
        return "paid"
    return ""


def _pay(
    state: State,
    programme: Programme,
    told_of: str,
    sides: tuple[str, str],
    became: str,
    now: datetime,
) -> str:
    referral = programme.referral
    assert referral is not None  # noqa: S101 - asked by the caller
    referrer, friend = sides
    with state.transaction() as opened:
        told = opened.all(_SQL["of_friend"], ids=json.dumps(ids_of(opened, friend)))
        if not told or told[0]["friend_id"] != told_of:
            return ""
        [paid] = opened.all(_SQL["paid"], ids=json.dumps(ids_of(opened, referrer)))
        if became == "paid" and paid["friends"] >= referral.most:
            became = "capped"
        outcome = "paid" if became == "paid" else "refused"
        reason = "" if became == "paid" else became
        if not opened.run(
            _SQL["settle"], friend_id=told_of, state=outcome, reason=reason, at=text_of(now)
        ):
            return became
        if became == "paid":
            shares = (
                (referrer, "referrer", referral.referrer_points),
                (friend, "friend", referral.friend_points),
            )
            asks = [
                earn(
                    f"referral/{told_of}/{side}", name, points, reason="referral", reference=told_of
                )
                for name, side, points in shares
                if points
            ]
            post(opened, asks, now=now, policy=programme.policy)
    return became


def referrals_of(state: State, referrer_id: str) -> list[Told]:
    """List the friends a customer brought, the first first.

    Returns:
        Referrals, whatever id of his they were told under; empty for who brought nobody.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["of_referrer"], ids=json.dumps(ids_of(opened, referrer_id)))
    return [Told(**row) for row in rows]


def all_referrals(state: State) -> list[Told]:
    """List every referral, the one told first first."""
    with state.reading() as opened:
        return [Told(**row) for row in opened.all(_SQL["all"])]
