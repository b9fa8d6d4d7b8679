"""Claim, take over, settle: the moves of ledger rows, each in one transaction with its counters."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from regulars.govern.policy import Reason
from regulars.govern.policy.asks import Ask, Verdict
from regulars.ports.channels import Answer, Contact, Outcome, Recovery
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.delivery.ledger.owners import seconds_between
from regulars.reach.delivery.ledger.pace import Pace, key_is_known, may_try_again, wait_seconds
from regulars.reach.delivery.runs import CLAIMED, DEFERRED, PLANNED, fate_of_refusal, stamp

if TYPE_CHECKING:
    from regulars.reach.standing.gate import Gate

RELEASED_AT_ONCE = 1000
CLOCK_WENT_BACK = "clock_went_back"
# Clocks of several machines differ, and are corrected by a little all the time.
CLOCK_MAY_WAVER = timedelta(seconds=5)
# Keys kept longer than this outlast any clock that was set wrong.
LASTING_SECONDS = 30 * 86_400
_NO_ANSWER = Answer(Outcome.UNKNOWN, "no_answer")
_SQL = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Held:
    """One claimed row.

    Attributes:
        contact: The contact as channels take it.
        ask: The contact as the rules judge it.
        attempts: Attempts that were answered badly or not at all.
        first_at: Moment of the first claim.
        is_doubtful: True when an earlier attempt may have been taken.
    """

    contact: Contact
    ask: Ask
    attempts: int
    first_at: datetime
    is_doubtful: bool = False


@dataclass(frozen=True)
class Window:
    """What one claim brought.

    Attributes:
        looked: Rows looked at; 0 when none is left.
        rows: Rows claimed, as the ledger holds them.
        asks: The same as the rules judged them.
        count_by_end: How many of the others ended at once, by state.
        now: Moment of the claim.
        turn: Number of the turn; 0 for none.
        is_doubtful: True when an earlier attempt at them may have been taken.
    """

    looked: int
    rows: Sequence[Mapping[str, Any]]
    asks: Sequence[Ask]
    count_by_end: Mapping[str, int]
    now: datetime
    turn: int = 0
    is_doubtful: bool = False

    @cached_property
    def held(self) -> list[Held]:
        """The rows claimed, as they are handed over."""
        costs: dict[int, Decimal] = {}
        return [
            Held(
                _contact(row, ask, _moment(row.get("at"), self.now), self.turn, costs),
                ask,
                row["attempts"],
                _moment(row["first_at"], self.now),
                self.is_doubtful,
            )
            for row, ask in zip(self.rows, self.asks, strict=True)
        ]


@dataclass(frozen=True)
class Ledger:
    """Moves the rows of one queue: those of one turn, or all that belong to none.

    Attributes:
        state: The transactional store.
        gate: The rules of contact.
        pace: What the pass keeps to.
        turn: Number of the turn; 0 for everything else.
    """

    state: State
    gate: "Gate"
    pace: Pace
    turn: int = 0

    def claim(self, channel: str, lane: str, most: int, *, now: datetime) -> Window:
        """Ask every rule, reserve caps and stock, claim what is allowed: one transaction.

        Args:
            channel: Channel to claim for.
            lane: Message class to claim of.
            most: Rows to look at.
            now: Moment of the contacts.

        Returns:
            The window; nothing is sent before this has committed.
        """
        with self.state.sharing() as opened:
            rows = opened.all(
                _SQL["next_planned"],
                turn=self.turn,
                channel=channel,
                message_class=lane,
                most=most,
            )
            if not rows:
                return Window(0, (), (), {}, now)
            asks = [_ask(row, channel, lane) for row in rows]
            verdicts = self._judge(opened, rows, asks, now)
            ends = self._refuse(opened, asks, verdicts, now)
            allowed = [n for n, verdict in enumerate(verdicts) if verdict.decision == "allow"]
            if allowed:
                self.gate.reserve(opened, [asks[n] for n in allowed], now=now)
                opened.run(
                    _SQL["claim"],
                    keys=json.dumps([asks[n].key for n in allowed]),
                    owner=self.pace.owner,
                    lease_until=self._lease(now),
                    at=stamp(now),
                    claimed_on=self.pace.uptime(),
                )
        kept = [asks[n] for n in allowed]
        return Window(len(rows), [rows[n] for n in allowed], kept, ends, now, self.turn)

    def take_over(
        self, channel: str, recovery: Recovery, key_seconds: int, *, now: datetime, due: datetime
    ) -> Window:
        """Take up claims nobody holds any more.

        Where keys are known and still remembered they may be sent again, unless the customer has
        withdrawn since: then, and everywhere else, they are unknown. Where the provider can be
        asked they are handed out to be asked about.

        Args:
            channel: Channel they were claimed for.
            recovery: What the channel allows.
            key_seconds: How long its provider remembers keys.
            now: Moment as the rules see it.
            due: Moment leases are held against.

        Returns:
            The rows to send again, or to ask about.
        """
        most = self.pace.window(channel, is_careful=recovery is Recovery.HOLD_UNKNOWN)
        with self.state.sharing() as opened:
            rows = opened.all(
                _SQL["expired"], turn=self.turn, channel=channel, due=stamp(due), most=most
            )
            if recovery is Recovery.RECONCILE:
                # What its holder is still handing over, the provider may not have seen yet.
                rows = [row for row in rows if self.pace.is_alive(row["owner"]) is not True]
            asks = [_ask(row, channel, row["message_class"]) for row in rows]
            doubts = self._doubts(opened, rows, asks, recovery, key_seconds, now)
            for reason in sorted(set(doubts) - {""}):
                self._give_up(opened, doubts[reason], reason, due)
            kept = set(doubts.get("", []))
            if kept:
                opened.run(
                    _SQL["take_over"],
                    keys=json.dumps(sorted(kept)),
                    owner=self.pace.owner,
                    lease_until=self._lease(due),
                )
        places = [n for n, ask in enumerate(asks) if ask.key in kept]
        return Window(
            len(rows),
            [rows[n] for n in places],
            [asks[n] for n in places],
            {"unknown": len(rows) - len(places)} if rows else {},
            now,
            self.turn,
            is_doubtful=True,
        )

    def settle(
        self,
        held: Sequence[Held],
        answers: Mapping[str, Answer],
        recovery: Recovery,
        key_seconds: int,
        *,
        now: datetime,
    ) -> dict[str, int]:
        """Write down what the channel answered; free what refused contacts had reserved.

        Args:
            held: The rows handed over.
            answers: Answers by key; a row without one may have been taken.
            recovery: What the channel allows.
            key_seconds: How long its provider remembers keys.
            now: The moment.

        Returns:
            Rows by the state they have now.
        """
        by_outcome: dict[Outcome, list[Held]] = defaultdict(list)
        for one in held:
            outcome = answers.get(one.contact.key, _NO_ANSWER).outcome
            if outcome is Outcome.THROTTLED and one.is_doubtful:
                # That it is too busy now says nothing about the attempt nobody answered.
                outcome = Outcome.UNKNOWN
            by_outcome[outcome].append(one)
        ends: dict[str, int] = defaultdict(int)
        with self.state.sharing() as opened:
            if taken := by_outcome[Outcome.ACCEPTED]:
                ends["sent"] += self._sent(opened, taken, answers, now)
            untaken = by_outcome[Outcome.REFUSED] + by_outcome[Outcome.THROTTLED]
            groups = self._untaken(untaken, answers, now)
            for (state, reason, again), rows in sorted(groups.items()):
                ends[state] += self._not_taken(opened, rows, (state, reason, again or None), now)
            for state, count in self._doubt(
                opened, by_outcome[Outcome.UNKNOWN], recovery, key_seconds, now
            ):
                ends[state] += count
        return dict(ends)

    def refuse_claimed(
        self, held: Sequence[Held], reasons: Mapping[str, str], *, now: datetime
    ) -> None:
        """Settle claimed rows that were never handed over, by reason code; free what they held."""
        groups: dict[str, list[Held]] = defaultdict(list)
        for one in held:
            groups[reasons[one.contact.key]].append(one)
        with self.state.sharing() as opened:
            for reason, rows in sorted(groups.items()):
                state = "failed" if reason.endswith("_error") else fate_of_refusal(reason)
                self._not_taken(opened, rows, (state, reason, None), now)

    def unclaim(self, held: Sequence[Held]) -> None:
        """Put claimed rows back that are known not to have been taken; they are judged again."""
        by_key = {one.contact.key: one for one in held}
        with self.state.sharing() as opened:
            moved = opened.all(
                _SQL["unclaim"], keys=json.dumps(sorted(by_key)), owner=self.pace.owner
            )
            self._give_back(opened, [by_key[row["key"]] for row in moved])

    def release(self, *, due: datetime) -> int:
        """Let held rows whose time has come be planned again.

        Returns:
            Rows released.
        """
        released = 0
        while True:
            with self.state.sharing() as opened:
                moved = opened.run(
                    _SQL["release"], turn=self.turn, due=stamp(due), most=RELEASED_AT_ONCE
                )
            released += moved
            if moved < RELEASED_AT_ONCE:
                return released

    def expire(self, *, due: datetime, everybody: bool = False) -> None:
        """End the leases of processes that have died, or all of them."""
        with self.state.reading() as opened:
            holders = [row["owner"] for row in opened.all(_SQL["holders"], turn=self.turn)]
        gone = [owner for owner in holders if self.pace.is_alive(owner) is False]
        if not everybody and not gone:
            return
        with self.state.sharing() as opened:
            if everybody:
                opened.run(_SQL["expire_all"], turn=self.turn, due=stamp(due))
            for owner in gone:
                opened.run(_SQL["expire"], turn=self.turn, due=stamp(due), owner=owner)

    def follow_clock(self, *, now: datetime) -> None:
        """Notice when the clock was set back: how old keys are is then no longer known."""
        with self.state.reading() as opened:
            known = opened.all(_SQL["latest_moment"])
        latest = datetime.fromisoformat(known[0]["value"]) if known else None
        if latest and timedelta(0) <= now - latest < timedelta(seconds=1):
            return
        with self.state.sharing() as opened:
            if latest and now < latest - CLOCK_MAY_WAVER:
                opened.run(_SQL["distrust_keys"], reason=CLOCK_WENT_BACK)
            opened.run(_SQL["set_latest_moment"], value=stamp(now))

    def renew(self, *, now: datetime) -> None:
        """Lengthen the leases of this process: it is still at work."""
        with self.state.sharing() as opened:
            opened.run(
                _SQL["renew"],
                turn=self.turn,
                owner=self.pace.owner,
                lease_until=self._lease(now),
            )

    def soonest(self, *, due: datetime) -> datetime | None:
        """Say when something is next to be tried again.

        Returns:
            The moment; None when nothing waits for an attempt.
        """
        with self.state.reading() as opened:
            [row] = opened.all(_SQL["soonest"], turn=self.turn, due=stamp(due))
        return datetime.fromisoformat(row["moment"]) if row["moment"] else None

    def channels(self) -> list[str]:
        """Name the channels of rows without a fate.

        Returns:
            Channels in their order; looks at every row of a turn.
        """
        with self.state.reading() as opened:
            return sorted(row["channel"] for row in opened.all(_SQL["channels"], turn=self.turn))

    def health(self, channel: str) -> tuple[int, str]:
        """Give failures in a row, and until when a channel is left alone ("" when it is not)."""
        with self.state.reading() as opened:
            rows = opened.all(_SQL["health"], channel=channel)
        return (int(rows[0]["failures"]), rows[0]["closed_until"]) if rows else (0, "")

    def set_health(
        self, channel: str, failures: int, closed_until: str, reason: str, *, now: datetime
    ) -> None:
        """Write down how a channel does, for every process."""
        with self.state.sharing() as opened:
            opened.run(
                _SQL["set_health"],
                channel=channel,
                failures=failures,
                closed_until=closed_until,
                reason=reason,
                since=stamp(now),
            )

    def _judge(
        self,
        opened: Transaction,
        rows: Sequence[Mapping[str, Any]],
        asks: Sequence[Ask],
        now: datetime,
    ) -> list[Verdict]:
        """Ask the gate; who belongs to a run cancelled meanwhile needs not be asked about."""
        cancelled = self._cancelled(opened, rows)
        if not cancelled:
            return self.gate.judge(opened, asks, now=now)
        asked = [ask for ask in asks if ask.key not in cancelled]
        judged = iter(self.gate.judge(opened, asked, now=now))
        return [
            Verdict("skip", cancelled[ask.key]) if ask.key in cancelled else next(judged)
            for ask in asks
        ]

    @staticmethod
    def _cancelled(opened: Transaction, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Reason codes of rows whose run was called off, by key."""
        run_ids = sorted({row["run_id"] for row in rows})
        known = opened.all(_SQL["cancelled"], run_ids=json.dumps(run_ids))
        if not known:
            return {}
        reasons = {(row["run_id"], row["step"]): row["cancelled"] for row in known}
        return {
            row["key"]: reasons[row["run_id"], row["step"]]
            for row in rows
            if (row["run_id"], row["step"]) in reasons
        }

    def _lease(self, now: datetime) -> str:
        return stamp(now + timedelta(seconds=self.pace.sending.lease_seconds))

    def _refuse(
        self,
        opened: Transaction,
        asks: Sequence[Ask],
        verdicts: Sequence[Verdict],
        now: datetime,
    ) -> dict[str, int]:
        groups: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
        for ask, verdict in zip(asks, verdicts, strict=True):
            if verdict.decision == "hold":
                until = verdict.hold_until or now
                # A turn decides anew; everybody else is looked at again when the hold ends.
                again = "" if self.turn else stamp(max(until, now + timedelta(seconds=1)))
                groups[DEFERRED, verdict.reason, stamp(until), again].append(ask.key)
            elif verdict.decision == "skip":
                state = fate_of_refusal(verdict.reason)
                groups[state, verdict.reason, "", ""].append(ask.key)
        ends: dict[str, int] = defaultdict(int)
        for (state, reason, until_text, again), keys in sorted(groups.items()):
            ends[state] += opened.run(
                _SQL["refuse"],
                keys=json.dumps(keys),
                state=state,
                reason=reason,
                hold_until=until_text or None,
                next_at=again or None,
                at=stamp(now),
            )
        return ends

    def _doubts(
        self,
        opened: Transaction,
        rows: Sequence[Mapping[str, Any]],
        asks: Sequence[Ask],
        recovery: Recovery,
        key_seconds: int,
        now: datetime,
    ) -> dict[str, list[str]]:
        """Keys by the reason why they must be unknown; those that may go on under ""."""
        found: dict[str, list[str]] = defaultdict(list)
        if recovery is not Recovery.RESEND:
            reason = Reason.UNCONFIRMED.value if recovery is Recovery.HOLD_UNKNOWN else ""
            found[reason] = [ask.key for ask in asks]
            return found
        verdicts = self.gate.judge_again(opened, asks, now=now) if asks else []
        cancelled = self._cancelled(opened, rows) if asks else {}
        for row, ask, verdict in zip(rows, asks, verdicts, strict=True):
            age = seconds_between(row["claimed_on"], self.pace.uptime())
            # By the clock on the wall only where there is no better one, and while it is trusted.
            is_back = age is None and row["reason"] == CLOCK_WENT_BACK
            is_back = is_back and key_seconds < LASTING_SECONDS
            if age is None:
                age = (now - datetime.fromisoformat(row["at"])).total_seconds()
            if ask.key in cancelled:
                found[cancelled[ask.key]].append(ask.key)
            elif is_back:
                found[CLOCK_WENT_BACK].append(ask.key)
            elif verdict.decision != "allow":
                found[verdict.reason].append(ask.key)
            elif not key_is_known(age, key_seconds):
                found["key_expired"].append(ask.key)
            else:
                found[""].append(ask.key)
        return found

    def _sent(
        self,
        opened: Transaction,
        held: Sequence[Held],
        answers: Mapping[str, Answer],
        now: datetime,
    ) -> int:
        keys = [one.contact.key for one in held]
        named = {key: answers[key].provider_id for key in keys if answers[key].provider_id}
        return opened.run(
            _SQL["sent"],
            keys=json.dumps(keys),
            provider_ids=json.dumps(named),
            owner=self.pace.owner,
            at=stamp(now),
        )

    def _untaken(
        self, held: Sequence[Held], answers: Mapping[str, Answer], now: datetime
    ) -> dict[tuple[str, str, str], list[Held]]:
        groups: dict[tuple[str, str, str], list[Held]] = defaultdict(list)
        sending = self.pace.sending
        for one in held:
            answer = answers[one.contact.key]
            wait = wait_seconds(one.attempts + 1, sending, asked=answer.retry_seconds)
            again = now + timedelta(seconds=wait)
            reason = answer.reason or answer.outcome.value
            if answer.outcome is Outcome.THROTTLED and may_try_again(
                one.attempts + 1, one.first_at, again, sending
            ):
                groups[DEFERRED, reason, stamp(again)].append(one)
            else:
                groups["failed", reason, ""].append(one)
        return groups

    def _not_taken(
        self,
        opened: Transaction,
        held: Sequence[Held],
        end: tuple[str, str, str | None],
        now: datetime,
    ) -> int:
        by_key = {one.contact.key: one for one in held}
        state, reason, again = end
        moved = opened.all(
            _SQL["not_taken"],
            keys=json.dumps(sorted(by_key)),
            state=state,
            reason=reason,
            next_at=again,
            at=stamp(now),
            owner=self.pace.owner,
        )
        self._give_back(opened, [by_key[row["key"]] for row in moved])
        return len(moved)

    def _give_back(self, opened: Transaction, held: Sequence[Held]) -> None:
        by_moment: dict[datetime, list[Ask]] = defaultdict(list)
        for one in held:
            by_moment[one.contact.at].append(one.ask)
        for at in sorted(by_moment):
            asks = sorted(by_moment[at], key=lambda ask: (ask.customer_id, ask.key))
            self.gate.give_back(opened, asks, at=at)

    def _doubt(
        self,
        opened: Transaction,
        held: Sequence[Held],
        recovery: Recovery,
        key_seconds: int,
        now: datetime,
    ) -> list[tuple[str, int]]:
        again: dict[str, list[str]] = defaultdict(list)
        lost: dict[str, list[str]] = defaultdict(list)
        sending = self.pace.sending
        for one in held:
            next_at = now + timedelta(seconds=wait_seconds(one.attempts + 1, sending))
            tries = may_try_again(one.attempts + 1, one.first_at, next_at, sending)
            if recovery is Recovery.HOLD_UNKNOWN or not tries:
                lost[Reason.NO_ANSWER.value].append(one.contact.key)
            elif recovery is Recovery.RESEND and not key_is_known(
                (next_at - one.contact.at).total_seconds(), key_seconds
            ):
                lost["key_expired"].append(one.contact.key)
            else:
                again[stamp(next_at)].append(one.contact.key)
        ends = []
        for moment, keys in sorted(again.items()):
            moved = opened.run(
                _SQL["doubt"],
                keys=json.dumps(keys),
                reason=Reason.NO_ANSWER.value,
                owner=self.pace.owner,
                lease_until=moment,
            )
            ends.append((CLAIMED, moved))
        for reason, keys in sorted(lost.items()):
            ends.append(("unknown", self._give_up(opened, keys, reason, now)))
        return ends

    @staticmethod
    def _give_up(opened: Transaction, keys: Sequence[str], reason: str, now: datetime) -> int:
        return opened.run(
            _SQL["give_up"], keys=json.dumps(sorted(keys)), reason=reason, at=stamp(now)
        )


def _ask(row: Mapping[str, Any], channel: str, message_class: str) -> Ask:
    return Ask(
        row["key"],
        row["customer_id"],
        channel,
        message_class,
        row["topic"],
        row["campaign_id"] or "",
        row["offer_id"] or "",
        row["priority"],
        row["sender"],
        bool(row["is_automated"]),
    )


def _contact(
    row: Mapping[str, Any], ask: Ask, at: datetime, turn: int, costs: dict[int, Decimal]
) -> Contact:
    """Make the contact of a row; costs are kept, few of them differ."""
    cents = row["cost_cents"]
    if cents not in costs:
        costs[cents] = Decimal(cents) / 100
    return Contact(
        ask.key,
        ask.customer_id,
        ask.campaign_id,
        ask.offer_id,
        ask.channel,
        costs[cents],
        at,
        turn,
        row["step"],
        row["content"],
    )


def _moment(text: str | None, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(text) if text else otherwise


def with_messages(
    held: Sequence[Held], composed: Mapping[str, Any]
) -> tuple[list[Held], dict[str, str]]:
    """Put messages into contacts.

    Returns:
        The rows that have one, and the reason code of those that have none, by key.
    """
    ready: list[Held] = []
    without: dict[str, str] = {}
    for one in held:
        message = composed.get(one.contact.key, "no_content")
        if isinstance(message, str):
            without[one.contact.key] = message
        else:
            ready.append(replace(one, contact=replace(one.contact, message=message)))
    return ready, without


__all__ = ["PLANNED", "Held", "Ledger", "Window", "with_messages"]
