"""The send ledger at work: plan, dispatch, recover, account for everybody."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from regulars.errors import InputError, Permanent, Transient, UnknownName
from regulars.govern.consent import Status
from regulars.govern.policy import Fate, Reason, cap_window, quiet_until
from regulars.ports.channels import Channel, Contact, Outcome, Recovery
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.delivery.fates import Tally, tally
from regulars.reach.delivery.plan import PLANNED
from regulars.records import Turn
from regulars.settings import Policy

CLAIMED = "claimed"
# A channel that does not answer is asked again after these seconds, then given up.
PAUSES = (0.2, 1.0)

_SQL = Queries(__package__)


def snapshot_audience(state: State, turn: int, customers: int) -> None:
    """Record how many customers a turn may contact, before anything is decided.

    Args:
        state: The transactional store.
        turn: Number of the turn.
        customers: Customers in the audience; a turn cannot be given another number later.
    """
    with state.transaction() as opened:
        _record_audience(opened, turn, customers)


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


def plan(state: State, turn: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of one turn to the ledger, all or none; a second time changes nothing.

    Args:
        state: The transactional store.
        turn: Number of the turn.
        rows: What `planned_rows` gave: one per customer in the audience, as many as the
            audience snapshot counted.

    Raises:
        Permanent: The ledger holds another number of rows for the turn already.
    """
    with state.transaction() as opened:
        _record_audience(opened, turn, len(rows))
        [known] = opened.all(_SQL["rows_of_turn"], turn=turn)
        if known["customers"] == 0:
            opened.many(_SQL["add"], rows)
            opened.run(_SQL["limit_to_stock"], turn=turn)
        elif known["customers"] != len(rows):
            raise Permanent(
                f"turn {turn} has {known['customers']} rows in the send ledger, its decisions "
                f"are {len(rows)}; restore state.db and the lake from the same copy"
            )


def dispatch(
    state: State,
    turn: Turn,
    *,
    channels: Mapping[str, Channel],
    policy: Policy,
    zone: str,
    workers: int = 1,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Bring every planned and every left-over claimed contact of a turn to its fate.

    First what a dead process left claimed: sent again under the same keys where the channel
    allows, unknown elsewhere. Then batch after batch: claimed in one transaction that asks
    every rule of contact, handed to the channel, confirmed. A process may die anywhere; the
    next call goes on.

    Args:
        state: The transactional store.
        turn: The turn; its `now` is the moment of every contact.
        channels: Adapter of every channel.
        policy: Settings of the rules of contact.
        zone: IANA zone of the workspace.
        workers: Senders at work at once; the result does not depend on it.
        pause: Waits for some seconds between attempts.

    Raises:
        UnknownName: The ledger names a channel there is no adapter for.
    """
    sender = _Sender(state, turn, channels, policy, zone, pause)
    left = _batches(state, turn.number, CLAIMED)
    planned = _batches(state, turn.number, PLANNED)
    for _, channel in (*left, *planned):
        if channel not in channels:
            raise UnknownName("channel", channel, channels)
    _each(sender.recover, left, workers)
    _each(sender.deliver, planned, workers)


def account(state: State, turn: int) -> Tally:
    """Count the fates of one turn and check them against its audience snapshot.

    Returns:
        The counts by fate and reason.

    Raises:
        InputError: The ledger knows no such turn.
    """
    with state.reading() as opened:
        audience = opened.all(_SQL["audience"], name=_audience_name(turn))
        ends = opened.all(_SQL["fates"], turn=turn)
    if not audience or (not ends and int(audience[0]["customers"])):
        raise InputError(f"turn {turn} is not in the send ledger; give the number of a turn done")
    return tally(
        ((row["state"], row["reason"], row["customers"]) for row in ends),
        eligible=int(audience[0]["customers"]),
    )


def contacts_of(state: State, turn: int) -> list[dict[str, Any]]:
    """Give what became of a turn's audience, as table `contacts` has it.

    Returns:
        One row per customer, in the order of customers; cost and moment of what was sent,
        and of what may have been.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["contacts"], turn=turn)
    money: dict[int, Decimal] = {}
    for row in rows:
        cents = row.pop("cost_cents")
        row["cost"] = money.setdefault(cents, Decimal(cents) / 100)
        row["at"] = row["at"] and datetime.fromisoformat(row["at"])
    return rows


def contacts_with_fate(state: State, turn: int, fate: Fate) -> list[dict[str, Any]]:
    """List the contacts of a turn that ended in one fate, such as the unknown ones.

    Returns:
        One row per contact, in the order of keys; empty when none ended so.
    """
    with state.reading() as opened:
        return opened.all(_SQL["of_fate"], turn=turn, fate=fate.value)


@dataclass(frozen=True)
class _Sender:
    """Claims, sends and confirms the batches of one turn."""

    state: State
    turn: Turn
    channels: Mapping[str, Channel]
    policy: Policy
    zone: str
    pause: Callable[[float], None]

    def deliver(self, batch: str, channel: str) -> None:
        """Take one planned batch all the way."""
        contacts = self._claim(batch)
        if contacts:
            self._hand_over(batch, contacts, self.channels[channel])

    def recover(self, batch: str, channel: str) -> None:
        """Take up a batch that a dead process left claimed."""
        if self.channels[channel].recovery is Recovery.HOLD_UNKNOWN:
            self._give_up(batch, Reason.UNCONFIRMED)
            return
        with self.state.transaction() as opened:
            self._refuse(opened, batch, state=CLAIMED, refused=Fate.UNKNOWN)
            contacts = _contacts(opened, batch)
        if contacts:
            self._hand_over(batch, contacts, self.channels[channel])

    def _claim(self, batch: str) -> list[Contact]:
        """Ask every rule, reserve caps and stock, claim what is left: one transaction.

        Returns:
            The contacts claimed; empty when none is left, or another process has the batch.
        """
        day, since = cap_window(self.turn.now, zone=self.zone, cap_days=self.policy.cap_days)
        hold_until = quiet_until(
            self.turn.now,
            zone=self.zone,
            quiet_from=self.policy.quiet_from,
            quiet_to=self.policy.quiet_to,
        )
        with self.state.transaction() as opened:
            self._refuse(opened, batch, state=PLANNED, refused=Fate.SKIPPED)
            opened.run(
                _SQL["refuse_capped"], batch=batch, cap=self.policy.cap_contacts, since=since
            )
            opened.run(
                _SQL["defer_quiet"], batch=batch, hold_until=hold_until and _stamp(hold_until)
            )
            opened.run(_SQL["refuse_out_of_stock"], batch=batch)
            opened.run(_SQL["reserve_cap"], batch=batch, day=day)
            opened.run(_SQL["reserve_stock"], batch=batch)
            moved = opened.run(_SQL["claim"], batch=batch, at=_stamp(self.turn.now))
            return _contacts(opened, batch) if moved else []

    def _refuse(self, opened: Transaction, batch: str, *, state: str, refused: Fate) -> None:
        without_word = Status.NONE if self.policy.consent_required else Status.GRANTED
        moved = {"batch": batch, "state": state, "refused": refused.value}
        opened.run(_SQL["refuse_stopped"], **moved)
        opened.run(_SQL["refuse_without_consent"], **moved, without_word=without_word.value)
        opened.run(_SQL["refuse_suppressed"], **moved)

    def _hand_over(self, batch: str, contacts: Sequence[Contact], channel: Channel) -> None:
        refused = self._send(channel, contacts)
        if refused is None:
            self._give_up(batch, Reason.NO_ANSWER)
        else:
            self._confirm(batch, contacts, refused)

    def _send(self, channel: Channel, contacts: Sequence[Contact]) -> dict[str, str] | None:
        """Send once, and again while that is harmless.

        Returns:
            Reason code by key of the contacts refused; None when nobody answered.
        """
        for wait in (*PAUSES, None):
            try:
                answers = channel.send(contacts)
                return {
                    key: answer.reason
                    for key, answer in answers.items()
                    if answer.outcome is Outcome.REFUSED
                }
            except Transient:
                if channel.recovery is Recovery.HOLD_UNKNOWN or wait is None:
                    return None
                self.pause(wait)
        return None

    def _confirm(self, batch: str, contacts: Sequence[Contact], refused: Mapping[str, str]) -> None:
        day, _ = cap_window(self.turn.now, zone=self.zone, cap_days=self.policy.cap_days)
        returned = [
            {
                "key": contact.key,
                "reason": refused[contact.key],
                "customer_id": contact.customer_id,
                "offer_id": contact.offer_id,
                "day": day,
            }
            for contact in contacts
            if contact.key in refused
        ]
        with self.state.transaction() as opened:
            # A row that is no longer claimed was settled by another process, counters and all.
            mine = [row for row in returned if opened.run(_SQL["fail"], **_only(row, "key reason"))]
            opened.many(_SQL["return_cap"], [_only(row, "customer_id day") for row in mine])
            opened.many(_SQL["return_stock"], [_only(row, "offer_id") for row in mine])
            opened.run(_SQL["confirm"], batch=batch)

    def _give_up(self, batch: str, reason: Reason) -> None:
        with self.state.transaction() as opened:
            opened.run(_SQL["give_up"], batch=batch, reason=reason.value)


def _each(
    work: Callable[[str, str], None], batches: Sequence[tuple[str, str]], workers: int
) -> None:
    if workers == 1 or len(batches) < 2:
        for batch, channel in batches:
            work(batch, channel)
        return
    with ThreadPoolExecutor(min(workers, len(batches))) as pool:
        running = [pool.submit(work, batch, channel) for batch, channel in batches]
        try:
            for one in running:
                one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _batches(state: State, turn: int, at_state: str) -> list[tuple[str, str]]:
    with state.reading() as opened:
        rows = opened.all(_SQL["batches"], turn=turn, state=at_state)
    return [(row["batch"], row["channel"]) for row in rows]


def _contacts(opened: Transaction, batch: str) -> list[Contact]:
    return [
        Contact(
            key=row["key"],
            customer_id=row["customer_id"],
            campaign_id=row["campaign_id"],
            offer_id=row["offer_id"],
            channel=row["channel"],
            cost=Decimal(row["cost_cents"]) / 100,
            at=datetime.fromisoformat(row["at"]),
            turn=row["turn"],
        )
        for row in opened.all(_SQL["claimed"], batch=batch)
    ]


def _record_audience(opened: Transaction, turn: int, customers: int) -> None:
    name = _audience_name(turn)
    opened.run(_SQL["record_audience"], name=name, value=str(customers))
    [known] = opened.all(_SQL["audience"], name=name)
    if known["customers"] != customers:
        raise InputError(
            f"turn {turn} has {customers} customers, its audience was counted as "
            f"{known['customers']}; decide once on every customer of the audience"
        )


def _audience_name(turn: int) -> str:
    return f"audience/{turn:06d}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _only(row: Mapping[str, Any], names: str) -> dict[str, Any]:
    return {name: row[name] for name in names.split()}
