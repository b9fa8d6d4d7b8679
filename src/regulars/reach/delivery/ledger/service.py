"""Claim, take over, settle: the moves of ledger rows, each in one transaction with its counters."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from regulars.govern.policy import Reason
from regulars.govern.policy.asks import Ask, Verdict
from regulars.ports.channels import Answer, Recovery
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.coupons import service as coupons
from regulars.reach.delivery.ledger.answers.service import KEY_EXPIRED, Reading
from regulars.reach.delivery.ledger.owners import seconds_between
from regulars.reach.delivery.ledger.pace import Pace, key_is_known
from regulars.reach.delivery.ledger.rows.service import Held, Window, ask_of
from regulars.reach.delivery.runs import CLAIMED, DEFERRED, LANES, fate_of_refusal, stamp

if TYPE_CHECKING:
    from regulars.reach.standing.gate import Gate

RELEASED_AT_ONCE = 1000
CLOCK_WENT_BACK = "clock_went_back"
# Clocks of several machines differ, and are corrected by a little all the time.
CLOCK_MAY_WAVER = timedelta(seconds=5)
# Keys kept longer than this outlast any clock that was set wrong.
LASTING_SECONDS = 30 * 86_400
PAUSED = "campaign_paused"
AT_ONCE = timedelta(0)
# Sorts after every moment.
_EVER = "9"
# What is written down of a contact whose campaign ended before it was claimed.
_REASON_BY_END = {"stopped": "campaign_stopped", "finished": "window_closed"}
_SQL = Queries(__package__)


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

    def claim(
        self, channel: str, lane: str, most: int, *, now: datetime, left_for: timedelta = AT_ONCE
    ) -> Window:
        """Ask every rule, reserve caps and stock, claim what is allowed: one transaction.

        Args:
            channel: Channel to claim for.
            lane: Message class to claim of.
            most: Rows to look at.
            now: Moment of the contacts.
            left_for: Rows planned within this are left to another process.

        Returns:
            The window; nothing is sent before this has committed.
        """
        wanted = {
            "turn": self.turn,
            "channel": channel,
            "message_class": lane,
            "before": stamp(now - left_for) if left_for else _EVER,
        }
        if not self._is_any("any_planned", **wanted):
            return Window(0, (), (), {}, now)
        with self.state.sharing() as opened:
            rows = opened.all(_SQL["next_planned"], **wanted, most=most)
            if not rows:
                return Window(0, (), (), {}, now)
            asks = [ask_of(row, channel, lane) for row in rows]
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
        wanted = {"turn": self.turn, "channel": channel, "due": stamp(due)}
        if not self._is_any("any_expired", **wanted):
            return Window(0, (), (), {}, now, self.turn, is_doubtful=True)
        with self.state.sharing() as opened:
            rows = opened.all(_SQL["expired"], **wanted, most=most)
            if recovery is Recovery.RECONCILE:
                # What its holder is still handing over, the provider may not have seen yet.
                rows = [row for row in rows if self.pace.is_alive(row["owner"]) is not True]
            asks = [ask_of(row, channel, row["message_class"]) for row in rows]
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
        reading = Reading(recovery, key_seconds, self.pace.sending, now)
        found = reading.meaning(held, answers)
        ends: dict[str, int] = defaultdict(int)
        with self.state.sharing() as opened:
            if found.sent:
                ends["sent"] += self._sent(opened, found.sent, answers, now)
            for (state, reason, again), rows in sorted(found.untaken.items()):
                ends[state] += self._not_taken(opened, rows, (state, reason, again or None), now)
            for moment, rows in sorted(found.doubted.items()):
                ends[CLAIMED] += opened.run(
                    _SQL["doubt"],
                    keys=_keys(rows),
                    reason=Reason.NO_ANSWER.value,
                    owner=self.pace.owner,
                    lease_until=moment,
                )
            for reason, rows in sorted(found.lost.items()):
                keys = [one.contact.key for one in rows]
                ends["unknown"] += self._give_up(opened, keys, reason, now)
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
        if not self._is_any("any_held", turn=self.turn, due=stamp(due)):
            return released
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

    def is_urgent_waiting(self, channel: str, *, since: datetime | None = None) -> bool:
        """Tell whether customers wait for something on a channel.

        Args:
            channel: The channel.
            since: Look only for what was planned before this moment; None for all of it.

        Returns:
            True when there is something.
        """
        return self._is_any(
            "any_planned",
            turn=self.turn,
            channel=channel,
            message_class=LANES[0],
            before=stamp(since) if since else _EVER,
        )

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

    def _is_any(self, query: str, **wanted: Any) -> bool:
        """Look before waiting for the pen: most looks find nothing, and writers wait in a queue."""
        with self.state.reading() as opened:
            return bool(opened.all(_SQL[query], **wanted))

    def _judge(
        self,
        opened: Transaction,
        rows: Sequence[Mapping[str, Any]],
        asks: Sequence[Ask],
        now: datetime,
    ) -> list[Verdict]:
        """Ask the gate; who belongs to a run called off meanwhile needs not be asked about."""
        called_off = self._called_off(opened, rows)
        if not called_off:
            return self.gate.judge(opened, asks, now=now)
        asked = [ask for ask in asks if ask.key not in called_off]
        judged = iter(self.gate.judge(opened, asked, now=now))
        return [
            Verdict("hold" if called_off[ask.key] == PAUSED else "skip", called_off[ask.key])
            if ask.key in called_off
            else next(judged)
            for ask in asks
        ]

    @staticmethod
    def _called_off(opened: Transaction, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Reason codes of rows whose run was cancelled, or whose campaign does not run, by key."""
        run_ids = sorted({row["run_id"] for row in rows})
        known = opened.all(_SQL["called_off"], run_ids=json.dumps(run_ids))
        if not known:
            return {}
        reasons = {
            (row["run_id"], row["step"]): row["cancelled"]
            or _REASON_BY_END.get(row["campaign_state"], PAUSED)
            for row in known
        }
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
                # A turn decides anew, and who resumes a campaign lets its contacts go; everybody
                # else is looked at again when the hold ends.
                is_open = self.turn or verdict.reason == PAUSED
                again = "" if is_open else stamp(max(until, now + timedelta(seconds=1)))
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
        called_off = self._called_off(opened, rows) if asks else {}
        for row, ask, verdict in zip(rows, asks, verdicts, strict=True):
            age = seconds_between(row["claimed_on"], self.pace.uptime())
            # By the clock on the wall only where there is no better one, and while it is trusted.
            is_back = age is None and row["reason"] == CLOCK_WENT_BACK
            is_back = is_back and key_seconds < LASTING_SECONDS
            if age is None:
                age = (now - datetime.fromisoformat(row["at"])).total_seconds()
            # What a pause found in the air still arrives.
            if called_off.get(ask.key, PAUSED) != PAUSED:
                found[called_off[ask.key]].append(ask.key)
            elif is_back:
                found[CLOCK_WENT_BACK].append(ask.key)
            elif verdict.decision != "allow":
                found[verdict.reason].append(ask.key)
            elif not key_is_known(age, key_seconds):
                found[KEY_EXPIRED].append(ask.key)
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
        with_offer = [one.contact.key for one in held if one.ask.offer_id]
        moved = opened.run(
            _SQL["sent"],
            keys=json.dumps(keys),
            provider_ids=json.dumps(named),
            owner=self.pace.owner,
            at=stamp(now),
        )
        coupons.confirm(opened, with_offer, now=now)
        return moved

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

    @staticmethod
    def _give_up(opened: Transaction, keys: Sequence[str], reason: str, now: datetime) -> int:
        moved = opened.run(
            _SQL["give_up"], keys=json.dumps(sorted(keys)), reason=reason, at=stamp(now)
        )
        coupons.doubt(opened, keys, now=now)
        return moved


def _keys(held: Sequence[Held]) -> str:
    return json.dumps(sorted(one.contact.key for one in held))
