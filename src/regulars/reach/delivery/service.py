"""The send ledger: enrol an audience, work it off, cancel what has not gone out."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from regulars.errors import InputError, Permanent, Transient, UnknownName
from regulars.ports.channels import Channel, Contact, Message
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.coupons import service as coupons
from regulars.reach.delivery.accounts.service import (
    account,
    contacts_of,
    contacts_with_fate,
    export_ledger,
    stuck,
    unknown,
    why,
)
from regulars.reach.delivery.ledger.owners import one_pass
from regulars.reach.delivery.ledger.pace import Pace
from regulars.reach.delivery.ledger.service import Ledger
from regulars.reach.delivery.reports import Counts, TickReport
from regulars.reach.delivery.runs import Member, Run, as_row, member_rows, stamp, turn_run
from regulars.reach.delivery.sending.service import Compose, Hands, work_off
from regulars.reach.delivery.sending.service import hasten as hasten_channel
from regulars.reach.standing.gate import Gate
from regulars.records import Turn
from regulars.settings import Sending

# Few enough that whoever waits for the pen meanwhile waits for some hundredths of a second.
ENROLLED_AT_ONCE = 5_000
# A turn asks a channel that does not answer again after about these seconds, then gives up.
OF_TURNS = Sending(
    attempts=3,
    retry_first_seconds=0.2,
    retry_most_seconds=2.0,
    breaker_failures=1000,
    patience_seconds=60.0,
)

_SQL = Queries(__package__)

__all__ = [
    "account",
    "call_off",
    "cancel",
    "contacts_of",
    "contacts_with_fate",
    "dispatch",
    "enrol",
    "enrol_within",
    "export_ledger",
    "hasten",
    "plan",
    "set_stock",
    "settle_unknown",
    "snapshot_audience",
    "stuck",
    "tick",
    "unknown",
    "why",
]


def enrol(state: State, run: Run, members: Sequence[Member], *, now: datetime) -> int:
    """Put the audience of a run into the ledger, counted first; a second time changes nothing.

    A process that dies in between leaves a part of it; enrolling again completes it.

    Args:
        state: The transactional store.
        run: The run.
        members: Everybody of the audience, with what was decided for her; of a run that grows,
            those who join.
        now: The moment, aware.

    Returns:
        Members that were not in the run yet.

    Raises:
        InputError: A member cannot be carried out, or the audience was counted as another number
            before.

    Example:
        >>> run = Run("campaign/spring/pilot", "spring", content="hello@1")
        >>> members = [Member("ann", "send", "chosen", channel="email")]
        >>> enrol(state, run, members, now=noon), enrol(state, run, members, now=noon)
        ... # doctest: +SKIP
        (1, 0)
    """
    rows = member_rows(run, members, now=now)
    with state.sharing() as opened:
        _count_audience(opened, run, 0 if run.grows else len(rows), now)
    joined = 0
    for start in range(0, len(rows), ENROLLED_AT_ONCE):
        with state.sharing() as opened:
            added = _add(opened, run, rows[start : start + ENROLLED_AT_ONCE], now)
            if run.grows and added:
                opened.run(_SQL["grow_audience"], run_id=run.run_id, step=run.step, joined=added)
        joined += added
    return joined


def enrol_within(opened: Transaction, run: Run, members: Sequence[Member], *, now: datetime) -> int:
    """Put those who join a run that grows into the ledger, within a transaction of somebody else.

    Args:
        opened: The write transaction that also writes why they join.
        run: The run; it must be one that grows.
        members: Those who join, with what was decided for each.
        now: The moment, aware.

    Returns:
        Members that were not in the run yet.

    Raises:
        InputError: A member cannot be carried out.
    """
    rows = member_rows(run, members, now=now)
    _count_audience(opened, run, 0, now)
    added = _add(opened, run, rows, now)
    if added:
        opened.run(_SQL["grow_audience"], run_id=run.run_id, step=run.step, joined=added)
    return added


def cancel(state: State, run_id: str, *, reason: str, now: datetime) -> int:
    """Let nobody of a run be contacted any more.

    Args:
        state: The transactional store.
        run_id: The run.
        reason: Reason code every row not yet claimed gets.
        now: The moment, aware.

    Returns:
        Rows skipped; contacts claimed before, at most one window per sender, still go out.
    """
    with state.transaction() as opened:
        call_off(opened, run_id, reason)
        return opened.run(_SQL["cancel"], run_id=run_id, reason=reason, at=stamp(now))


def call_off(opened: Transaction, run_id: str, reason: str) -> int:
    """Mark a run: whoever of it is not claimed yet gets a reason code in place of a contact.

    Returns:
        Steps of the run that were not marked before.
    """
    return opened.run(_SQL["mark_cancelled"], run_id=run_id, reason=reason)


def tick(
    state: State,
    *,
    now: datetime,
    channels: Mapping[str, Channel],
    gate: Gate,
    compose: Compose | None = None,
    pace: Pace | None = None,
    pause: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
) -> TickReport:
    """Work off everything that may go out now: one pass over all runs but turns.

    Claims of processes that died are taken up first, as their channels allow. Holds whose time
    has come are judged again. Then every channel is worked off in small windows, each claimed in
    one transaction that asks every rule of contact, what customers wait for before what we want
    to say. A slow or dead channel holds up no other one. Several processes may tick at once.

    Args:
        state: The transactional store.
        now: The moment the pass begins, aware.
        channels: Adapter of every channel.
        gate: The rules of contact.
        compose: Gives a message, or the reason code why there is none, by key; asked for
            channels that carry messages.
        pace: What the pass keeps to.
        pause: Waits for some seconds.
        timer: Tells elapsed seconds.

    Returns:
        What was done.
    """
    clock, counts = _Clock(now, pause, timer), Counts()
    given = pace or Pace()
    with one_pass(given.owner) as owner:
        ledger = Ledger(state, gate, replace(given, owner=owner))
        hands = Hands(ledger, channels, compose or _no_messages, clock.now, clock.now, counts)
        ledger.follow_clock(now=clock.now())
        ledger.expire(due=clock.now())
        released, next_at = _rounds(hands, sorted(channels), clock)
    return _report(counts, released, next_at)


def _report(counts: Counts, released: int = 0, next_at: datetime | None = None) -> TickReport:
    return TickReport(
        {name: count for name, count in sorted(counts.ends.items()) if count},
        {name: count for name, count in sorted(counts.sent.items()) if count},
        counts.recovered,
        released,
        dict(sorted(counts.closed.items())),
        {name: str(error) for name, error in sorted(counts.errors.items())},
        next_at,
    )


def hasten(
    state: State,
    channel: str,
    *,
    now: datetime,
    channels: Mapping[str, Channel],
    gate: Gate,
    compose: Compose,
    pace: Pace,
) -> TickReport:
    """Hand over what customers wait for on one channel: nothing of marketing, no recovery.

    What comes back to be tried again, what a dead process left and what was held goes with the
    passes of `tick`.

    Args:
        state: The transactional store.
        channel: The channel.
        now: The moment, aware.
        channels: Adapter of every channel.
        gate: The rules of contact.
        compose: Gives a message, or the reason code why there is none, by key.
        pace: What is kept to.

    Returns:
        What was done; empty when nobody waits.
    """
    clock, counts = _Clock(now, time.sleep, time.monotonic), Counts()
    ledger = Ledger(state, gate, pace)
    if ledger.is_urgent_waiting(channel):
        with one_pass(pace.owner) as owner:
            kept = replace(ledger, pace=replace(pace, owner=owner))
            hands = Hands(kept, channels, compose, clock.now, clock.now, counts)
            hasten_channel(hands, channel)
    return _report(counts)


def is_urgent_left(state: State, channels: Sequence[str], gate: Gate, *, since: datetime) -> bool:
    """Tell whether customers have waited on some channel since a moment, or longer.

    Args:
        state: The transactional store.
        channels: Names of the channels.
        gate: The rules of contact.
        since: The moment, aware.

    Returns:
        True when one of them has.
    """
    ledger = Ledger(state, gate, Pace())
    return any(ledger.is_urgent_waiting(name, since=since) for name in channels)


def settle_unknown(
    opened: Transaction,
    key: str,
    *,
    is_sent: bool,
    reason: str,
    at: datetime,
    provider_id: str = "",
) -> bool:
    """Give an unknown contact the fate somebody has found out, such as a provider's receipt.

    Args:
        opened: The transaction that records where it is known from.
        key: Key of the contact.
        is_sent: True when the provider had it.
        reason: Reason code.
        at: The moment, aware.
        provider_id: Name the provider gave it.

    Returns:
        False when its fate was known already.
    """
    is_news = opened.run(
        _SQL["settle_unknown"],
        key=key,
        state="sent" if is_sent else "failed",
        reason=reason,
        at=stamp(at),
        provider_id=provider_id,
    )
    if is_news and is_sent:
        coupons.confirm(opened, [key], now=at)
    elif is_news:
        coupons.give_back_settled(opened, key, now=at)
    return bool(is_news)


def snapshot_audience(state: State, turn: int, customers: int) -> None:
    """Record how many customers a turn may contact, before anything is decided.

    Args:
        state: The transactional store.
        turn: Number of the turn.
        customers: Customers in the audience; a turn cannot be given another number later.
    """
    with state.transaction() as opened:
        _count_audience(opened, _run_of(turn), customers, None)


def set_stock(state: State, stock_by_offer: Mapping[str, int | None]) -> None:
    """Bring the stock of offers up to date; what was given out already stays counted.

    Args:
        state: The transactional store.
        stock_by_offer: Contacts an offer may be given in all; None when unlimited.
    """
    with state.transaction() as opened:
        opened.many(
            _SQL["set_stock"],
            [
                {"offer_id": offer, "stock": stock_by_offer[offer]}
                for offer in sorted(stock_by_offer)
            ],
        )


def plan(state: State, turn: Turn, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of one turn to the ledger, all or none; a second time changes nothing.

    Args:
        state: The transactional store.
        turn: The turn.
        rows: What `planned_rows` gave: one per customer in the audience, as many as the
            audience snapshot counted.

    Raises:
        Permanent: The ledger holds another number of rows for the turn already.
    """
    run = _run_of(turn.number)
    with state.transaction() as opened:
        _count_audience(opened, run, len(rows), turn.now)
        [known] = opened.all(_SQL["rows_of_run"], run_id=run.run_id, step=run.step)
        if known["customers"] == 0:
            for start in range(0, len(rows), ENROLLED_AT_ONCE):
                part = [
                    [*as_row(row), row["campaign_id"]]
                    for row in rows[start : start + ENROLLED_AT_ONCE]
                ]
                _add(opened, run, part, turn.now, campaign_id=None)
            opened.run(_SQL["limit_to_stock"], run_id=run.run_id, at=stamp(turn.now))
        elif known["customers"] != len(rows):
            raise Permanent(
                f"turn {turn.number} has {known['customers']} rows in the send ledger, its "
                f"decisions are {len(rows)}; restore state.db and the lake from the same copy"
            )


def dispatch(
    state: State,
    turn: Turn,
    *,
    channels: Mapping[str, Channel],
    gate: Gate,
    pace: Pace | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Bring every planned and every left-over claimed contact of a turn to its fate.

    The same executor as `tick`, on the rows of one turn: what a dead process left claimed first,
    then window after window. A process may die anywhere; the next call goes on.

    Args:
        state: The transactional store.
        turn: The turn; its `now` is the moment of every contact.
        channels: Adapter of every channel.
        gate: The rules of contact.
        pace: Windows and senders; the result does not depend on them.
        pause: Waits for some seconds between attempts.

    Raises:
        UnknownName: The ledger names a channel there is no adapter for.
        Transient: A channel asks for more time than a turn has; run it again later.
    """
    given = pace or Pace()
    careful = min(given.sending.window, given.sending.careful_window)
    quick = replace(OF_TURNS, window=given.sending.window, careful_window=careful)
    kept = replace(given, sending=quick, is_serial=given.senders == 1)
    names = _channels_of(state, turn_run(turn.number))
    for channel in names:
        if channel not in channels:
            raise UnknownName("channel", channel, channels)
    clock = _Clock(turn.now, pause, lambda: 0.0)
    with one_pass(given.owner) as owner:
        ledger = Ledger(state, gate, replace(kept, owner=owner), turn=turn.number)
        hands = Hands(
            ledger, channels, _no_messages, lambda: turn.now, clock.now, Counts(), raises=True
        )
        # Whoever turns the loop is alone: what is claimed was left by somebody dead.
        ledger.expire(due=turn.now, everybody=True)
        _rounds(hands, names, clock)
    with state.reading() as opened:
        left = opened.all(
            _SQL["channels_left"], run_id=turn_run(turn.number), due=stamp(clock.now())
        )
    if left:
        raise Transient(
            f"channel {left[0]['channel']} asks for more time than a turn has, and contacts of "
            f"turn {turn.number} wait; run the same command again later"
        )


@dataclass
class _Clock:
    """The moment, as it goes on from where the caller said it is."""

    start: datetime
    pause: Callable[[float], None]
    timer: Callable[[], float]
    waited: float = 0.0

    def __post_init__(self) -> None:
        self._began = self.timer()

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.timer() - self._began + self.waited)

    def wait(self, seconds: float) -> None:
        """Wait; time that the caller's pause does not take passes all the same."""
        before = self.timer()
        self.pause(seconds)
        self.waited += max(0.0, seconds - (self.timer() - before))


def _rounds(hands: Hands, names: Sequence[str], clock: _Clock) -> tuple[int, datetime | None]:
    """Work off, and again while something is due within the patience of the pace.

    Returns:
        Rows released from holds, and when something is to be tried next.
    """
    ledger, released = hands.ledger, 0
    patience = ledger.pace.sending.patience_seconds
    while True:
        released += ledger.release(due=clock.now())
        work_off(replace(hands, ended=_new_event()), names)
        next_at = ledger.soonest(due=clock.now())
        wait = (next_at - clock.now()).total_seconds() if next_at else 0.0
        # What is due already and was not worked off has no adapter here.
        if not 0 < wait <= patience:
            return released, next_at
        clock.wait(wait)


def _new_event() -> Any:
    from threading import Event  # noqa: PLC0415 - a new one per round

    return Event()


def _no_messages(_contacts: Sequence[Contact]) -> dict[str, Message | str]:
    return {}


def _add(
    opened: Transaction,
    run: Run,
    rows: Sequence[Sequence[Any]],
    now: datetime,
    *,
    campaign_id: str | None = "",
) -> int:
    return opened.run(
        _SQL["add"],
        rows=json.dumps(rows),
        run_id=run.run_id,
        step=run.step,
        turn=run.turn,
        campaign_id=run.campaign_id if campaign_id == "" else campaign_id,
        message_class=run.message_class,
        topic=run.topic,
        priority=run.priority,
        content=run.content,
        at=stamp(now),
    )


def _run_of(turn: int) -> Run:
    return Run(turn_run(turn), "", turn=turn)


def _channels_of(state: State, run_id: str) -> list[str]:
    """Channels of rows without a fate."""
    with state.reading() as opened:
        return [row["channel"] for row in opened.all(_SQL["channels_of_run"], run_id=run_id)]


def _count_audience(opened: Transaction, run: Run, customers: int, now: datetime | None) -> None:
    opened.run(
        _SQL["count_audience"],
        run_id=run.run_id,
        step=run.step,
        turn=run.turn,
        campaign_id=run.campaign_id,
        message_class=run.message_class,
        topic=run.topic,
        priority=run.priority,
        content=run.content,
        audience=customers,
        at=stamp(now) if now else "",
    )
    [known] = opened.all(_SQL["run"], run_id=run.run_id, step=run.step)
    # Who joins a run that grows was told of too late: she is written down, and skipped.
    if known["cancelled"] and not run.grows:
        raise InputError(
            f"run {run.run_id} was cancelled ({known['cancelled']}), nobody can join it; start "
            "another run"
        )
    if not run.grows and known["audience"] != customers:
        named = f"turn {run.turn}" if run.turn else f"run {run.run_id}"
        raise InputError(
            f"{named} has {customers} customers, its audience was counted as "
            f"{known['audience']}; decide once on every customer of the audience"
        )
