"""Draws in the state: paid, drawn and won in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from regulars.errors import InputError, NotAllowed, NotReady, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.loyalty.acting.coupons import IssueCoupon, no_coupons
from regulars.reach.loyalty.draws.drawing import (
    Doubt,
    commitment,
    doubts,
    draw_of,
    drawn,
    odds,
    prize_of,
)
from regulars.reach.loyalty.ledger.records import earn, redeem, text_of
from regulars.reach.loyalty.ledger.service import balance_in, post
from regulars.reach.loyalty.programme.definition import Draw, Prize, Programme
from regulars.reach.loyalty.programme.service import need_programme

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Drawn:
    """One draw.

    Attributes:
        key: Its idempotency key.
        customer_id: Who drew.
        refused: "" when he drew; else not_enough or per_day.
        prize_id: What he won; "" when refused.
        title: How it is called.
        points: Points it is.
        code: Code of the coupon it is; "" for others, and while it is owed.
        round: The round, whose seed is shown when it ends.
        number: Number of the draw within the round.
        is_new: False when the key was drawn before.
        is_owed: True when it is a coupon that could not be given yet; the same key again tries.
    """

    key: str
    customer_id: str
    refused: str
    prize_id: str
    title: str
    points: int
    code: str
    round: int
    number: int
    is_new: bool
    is_owed: bool


@dataclass(frozen=True)
class Round:
    """One round of a draw, as everybody may see it.

    Attributes:
        round: Its number.
        draw_id: The draw.
        commitment: SHA-256 of the seed, shown from the beginning.
        odds: The odds as published, JSON.
        begun_at: When it began.
        revealed_at: When it ended; None while it goes on.
        seed: The seed; "" while it goes on.
    """

    round: int
    draw_id: str
    commitment: str
    odds: str
    begun_at: str
    revealed_at: str | None
    seed: str


def take_draw(
    opened: Transaction,
    customer_id: str,
    key: str,
    *,
    actor: str,
    now: datetime,
    zone: str,
    new_seed: Callable[[], str],
    issue_coupon: IssueCoupon = no_coupons,
) -> Drawn:
    """Let a customer draw once: pay, draw, reserve and get the prize, or nothing of it.

    A coupon that was won and cannot be given now is owed: the draw stands as it came out.

    Args:
        opened: A write transaction alone in the store (`State.transaction`).
        customer_id: Who draws.
        key: Idempotency key: the same again is the same draw.
        actor: Who asks, for the audit log; a refusal is not in it, for nothing changed.
        now: The moment, aware.
        zone: IANA zone days are counted in.
        new_seed: Gives 64 random hexadecimal digits, when a round begins.
        issue_coupon: Makes coupons of offers.

    Returns:
        What he won, or why he may not draw.

    Raises:
        InputError: The programme has no draw.
        NotAllowed: The odds differ from those published for the draw.
        NotReady: There is no programme.
    """
    programme = need_programme(opened)
    draw = programme.draw
    if draw is None:
        raise InputError("the programme has no draw; add a table [draw] to its rules")
    had = opened.all(_SQL["of_key"], key=key)
    if had:
        return _told(draw, _paid_out(opened, draw, had[0], now, issue_coupon), is_new=False)
    has = balance_in(opened, customer_id, now=now)
    day = now.astimezone(ZoneInfo(zone)).date().isoformat()
    row: dict[str, Any] = {"key": key, "draw_id": draw.id, "customer_id": has.customer_id}
    row |= {"day": day, "drawn": "", "prize_id": "", "code": "", "round": 0, "number": 0}
    [today] = opened.all(_SQL["today"], customer_id=has.customer_id, day=day, draw_id=draw.id)
    if today["draws"] >= draw.per_day:
        return _told(draw, row, refused="per_day")
    if draw.cost:
        ask = redeem(f"draw/{key}/cost", has.customer_id, draw.cost, reason="draw", reference=key)
        [paid] = post(opened, [ask], now=now, policy=programme.policy)
        if paid.refused:
            return _told(draw, row, refused=paid.refused)
    going = _round(opened, draw, new_seed, now)
    [number] = opened.all(_SQL["next_number"], round=going["round"])
    row |= {"round": going["round"], "number": number["number"], "at": text_of(now)}
    row["drawn"] = drawn(going["seed"], row["round"], row["number"], key)
    prize = _reserved(opened, draw, prize_of(draw, row["drawn"]))
    row["prize_id"] = prize.id
    row["code"] = _hand_over(opened, programme, prize, row, now, zone, issue_coupon)
    opened.run(_SQL["add"], **row)
    detail = {name: row[name] for name in ("draw_id", "round", "number", "prize_id")}
    name = has.customer_id
    record(opened, actor=actor, action="points.draw", subject=name, detail=detail, at=now)
    return _told(draw, row)


def end_round(state: State, *, actor: str, now: datetime) -> Round:
    """End the round that goes on and show its seed; the next draw begins another.

    Args:
        state: The transactional store.
        actor: Who ends it, for the audit log.
        now: The moment, aware.

    Returns:
        The round, with its seed.

    Raises:
        InputError: No round goes on.
    """
    with state.transaction() as opened:
        programme = need_programme(opened)
        name = programme.draw.id if programme.draw else ""
        going = opened.all(_SQL["open_round"], draw_id=name)
        if not going:
            raise InputError("no round of a draw goes on; one begins with the first draw")
        number = going[0]["round"]
        opened.run(_SQL["reveal"], round=number, at=text_of(now))
        detail = {"round": number, "commitment": going[0]["commitment"]}
        record(
            opened, actor=actor, action="points.draw.reveal", subject=name, detail=detail, at=now
        )
    return next(one for one in rounds(state) if one.round == number)


def rounds(state: State) -> list[Round]:
    """List the rounds of all draws, the newest first; seeds only of those that ended."""
    with state.reading() as opened:
        return [Round(**row) for row in opened.all(_SQL["rounds"])]


def check_round(state: State, number: int) -> list[Doubt]:
    """Work a round that ended out again, with the odds that were published for it.

    Args:
        state: The transactional store.
        number: The round.

    Returns:
        What does not come out; empty for an honest round.

    Raises:
        UnknownName: There is no such round, or it goes on.
    """
    known = {one.round: one for one in rounds(state) if one.seed}
    if number not in known:
        raise UnknownName("round that ended", str(number), map(str, known))
    one = known[number]
    with state.reading() as opened:
        told = opened.all(_SQL["of_round"], round=number)
        before = opened.all(_SQL["before_round"], draw_id=one.draw_id, round=number)
    return doubts(
        draw_of(one.odds),
        seed=one.seed,
        committed=one.commitment,
        round_number=number,
        told=told,
        given_before={row["prize_id"]: row["given"] for row in before},
    )


def stock_of(state: State, draw: Draw) -> dict[str, int]:
    """Give what is left of each prize of limited stock."""
    with state.reading() as opened:
        rows = opened.all(_SQL["stock"], draw_id=draw.id)
    given = {row["prize_id"]: row["given"] for row in rows}
    return {
        one.id: one.stock - given.get(one.id, 0) for one in draw.prizes if one.stock is not None
    }


def _round(
    opened: Transaction, draw: Draw, new_seed: Callable[[], str], now: datetime
) -> dict[str, Any]:
    """Give the round that goes on, or begin one."""
    published, told = opened.all(_SQL["first_odds"], draw_id=draw.id), odds(draw)
    if published and published[0]["odds"] != told:
        raise NotAllowed(
            "draw_terms",
            f"the odds of draw {draw.id} are not those that were published for it; what was "
            "published may not change: give the draw with the new odds another id",
        )
    going = opened.all(_SQL["open_round"], draw_id=draw.id)
    if going:
        return going[0]
    for prize in draw.prizes:
        if prize.stock is not None:
            opened.run(_SQL["open_stock"], draw_id=draw.id, prize_id=prize.id, stock=prize.stock)
    seed = new_seed()
    [number] = opened.all(_SQL["next_round"])
    row = {"round": number["round"], "draw_id": draw.id, "commitment": commitment(seed)}
    opened.run(_SQL["begin_round"], **row, odds=told, seed=seed, at=text_of(now))
    return row | {"seed": seed}


def _reserved(opened: Transaction, draw: Draw, prize: Prize) -> Prize:
    """Reserve a prize; the one for what is used up where nothing is left."""
    if prize.stock is None or opened.run(_SQL["take_prize"], draw_id=draw.id, prize_id=prize.id):
        return prize
    return next(one for one in draw.prizes if one.id == draw.gone)


def _hand_over(
    opened: Transaction,
    programme: Programme,
    prize: Prize,
    row: dict[str, Any],
    now: datetime,
    zone: str,
    issue_coupon: IssueCoupon,
) -> str:
    if prize.points:
        _, expires = programme.moments(now, zone=zone)
        ask = earn(
            f"draw/{row['key']}/prize",
            row["customer_id"],
            prize.points,
            reason="draw",
            reference=prize.id,
            expires_at=expires,
        )
        post(opened, [ask], now=now, policy=programme.policy)
    return _coupon(opened, prize, row, now, issue_coupon)


def _coupon(
    opened: Transaction,
    prize: Prize,
    row: dict[str, Any],
    now: datetime,
    issue_coupon: IssueCoupon,
) -> str:
    """Give the code of a prize; "" when it has none, or it stays owed.

    Was the draw undone instead, another key would draw again, and against the published odds.

    Returns:
        The code.
    """
    if not prize.offer_id:
        return ""
    try:
        return issue_coupon(opened, prize.offer_id, row["customer_id"], f"draw/{row['key']}", now)
    except (NotAllowed, NotReady, UnknownName):
        return ""


def _paid_out(
    opened: Transaction,
    draw: Draw,
    row: dict[str, Any],
    now: datetime,
    issue_coupon: IssueCoupon,
) -> dict[str, Any]:
    """Give the coupon a draw owes, where it can be given by now."""
    prize = next((one for one in draw.prizes if one.id == row["prize_id"]), None)
    if prize is None or row["code"] or row["draw_id"] != draw.id:
        return row
    code = _coupon(opened, prize, row, now, issue_coupon)
    if code:
        opened.run(_SQL["pay_out"], key=row["key"], code=code)
    return row | {"code": code}


def _told(draw: Draw, row: dict[str, Any], *, refused: str = "", is_new: bool = True) -> Drawn:
    prizes = {one.id: one for one in draw.prizes}
    prize = prizes.get(row["prize_id"])
    return Drawn(
        row["key"],
        row["customer_id"],
        refused,
        row["prize_id"],
        prize.title if prize else "",
        prize.points if prize else 0,
        row["code"],
        row["round"],
        row["number"],
        is_new and not refused,
        bool(prize and prize.offer_id and not row["code"]),
    )
