"""Every rule of contact, asked of a window of contacts within the transaction that claims them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from regulars.govern.consent.rule import EVERY_CHANNEL, MARKETING, Status, newest_status
from regulars.govern.policy.asks import ALLOWED, TRANSACTIONAL_CLASS, Ask, Verdict
from regulars.govern.policy.quiet_hours import quiet_until
from regulars.govern.policy.reasons import Reason
from regulars.ports.state import Queries, Transaction
from regulars.reach.counters.service import Counters, stamp
from regulars.settings import Policy


class Gate:
    """The one place every contact passes on its way out.

    Args:
        policy: Settings of the rules.
        zone: IANA zone of the workspace.
        dialect: Database spoken to: sqlite or postgresql.
    """

    def __init__(self, policy: Policy, *, zone: str, dialect: str = "sqlite") -> None:
        """Read the statements once."""
        self._policy, self._zone = policy, zone
        self._sql = Queries(__package__, dialect=dialect)
        self._counters = Counters(dialect=dialect)

    def judge(self, opened: Transaction, asks: Sequence[Ask], *, now: datetime) -> list[Verdict]:
        """Judge contacts that want to go out now; they count against each other.

        Args:
            opened: The write transaction that will claim the allowed ones.
            asks: The contacts; of two that want the same room the higher priority gets it.
            now: Moment of the claim, aware.

        Returns:
            One verdict per ask, in their order.
        """
        customers = json.dumps(sorted({ask.customer_id for ask in asks}))
        self._counters.alone_with(opened, customers)
        refusals = self._standing_refusals(opened, asks, customers)
        since = now - timedelta(days=self._policy.cap_days)
        counted = self._counters.contacts(opened, customers, since=stamp(since))
        stock = self._counters.stock(opened, [ask.offer_id for ask in asks if ask.offer_id])
        policy = self._policy
        quiet = quiet_until(
            now, zone=self._zone, quiet_from=policy.quiet_from, quiet_to=policy.quiet_to
        )
        taken = {
            customer: sum(one.message_class != TRANSACTIONAL_CLASS for one in found)
            for customer, found in counted.items()
        }
        verdicts = [ALLOWED] * len(asks)
        order = sorted(range(len(asks)), key=lambda n: (-asks[n].priority, asks[n].key))
        for number in order:
            ask, reason = asks[number], refusals[number]
            is_free = ask.message_class == TRANSACTIONAL_CLASS
            if reason:
                verdicts[number] = Verdict("skip", reason)
            elif not is_free and taken.get(ask.customer_id, 0) >= policy.cap_contacts:
                verdicts[number] = Verdict("skip", Reason.FREQUENCY_CAP.value)
            elif not is_free and quiet:
                verdicts[number] = Verdict("hold", Reason.QUIET_HOURS.value, quiet)
            elif stock.get(ask.offer_id, 1) <= 0:
                verdicts[number] = Verdict("skip", Reason.OUT_OF_STOCK.value)
            else:
                taken[ask.customer_id] = taken.get(ask.customer_id, 0) + (not is_free)
                if ask.offer_id in stock:
                    stock[ask.offer_id] -= 1
        return verdicts

    def judge_again(
        self, opened: Transaction, asks: Sequence[Ask], *, now: datetime
    ) -> list[Verdict]:
        """Judge contacts that may have gone out already and are to be sent again.

        Args:
            opened: The transaction.
            asks: The contacts; they keep what they reserved.
            now: The moment, aware.

        Returns:
            One verdict per ask, in their order: only what no resend may break.
        """
        customers = json.dumps(sorted({ask.customer_id for ask in asks}))
        refusals = self._standing_refusals(opened, asks, customers)
        return [Verdict("skip", reason) if reason else ALLOWED for reason in refusals]

    def reserve(self, opened: Transaction, asks: Sequence[Ask], *, now: datetime) -> None:
        """Count the allowed contacts against caps, quotas and stock.

        Args:
            opened: The transaction that judged them.
            asks: The contacts allowed.
            now: Moment of the claim, aware.
        """
        self._counters.reserve(opened, asks, now=now)

    def give_back(self, opened: Transaction, asks: Sequence[Ask], *, at: datetime) -> None:
        """Free what contacts had reserved that the provider refused.

        Args:
            opened: The transaction that records the refusal.
            asks: The contacts.
            at: Moment they were claimed, aware.
        """
        self._counters.give_back(opened, asks)

    def _standing_refusals(
        self, opened: Transaction, asks: Sequence[Ask], customers: str
    ) -> list[str]:
        """Say what forbids each contact whatever the hour: a reason code or ""."""
        is_stopped = bool(opened.all(self._sql["stop"]))
        words: dict[str, list[dict[str, str]]] = {}
        [row] = opened.all(self._sql["words"], customers=customers)
        for customer, purpose, channel, status, at, _ in json.loads(row["found"]):
            if purpose == MARKETING:
                said = {"channel": channel, "status": status, "recorded_at": at}
                words.setdefault(customer, []).append(said)
        [row] = opened.all(self._sql["suppressions"], customers=customers)
        closed = {
            (customer, channel): reason for customer, channel, reason in json.loads(row["found"])
        }
        return [
            self._refusal(ask, is_stopped, words.get(ask.customer_id, []), closed) for ask in asks
        ]

    def _refusal(
        self,
        ask: Ask,
        is_stopped: bool,
        words: list[dict[str, str]],
        closed: dict[tuple[str, str], str],
    ) -> str:
        if ask.holdout:
            return ask.holdout
        if is_stopped:
            return Reason.EMERGENCY_STOP.value
        is_free = ask.message_class == TRANSACTIONAL_CLASS
        status = newest_status(words, channel=ask.channel)
        if not is_free and status in {Status.DENIED, Status.WITHDRAWN}:
            return f"consent_{status.value}"
        if not is_free and status is Status.NONE and self._policy.consent_required:
            return Reason.NO_CONSENT.value
        bars = {closed.get((ask.customer_id, name)) for name in (ask.channel, EVERY_CHANNEL)}
        bars -= {None, "opted_out"} if is_free else {None}
        return Reason.SUPPRESSED.value if bars else ""
