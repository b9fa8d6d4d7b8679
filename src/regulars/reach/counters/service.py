"""Contacts that count, read and written in the transaction that claims them."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from regulars.govern.policy.asks import Ask
from regulars.ports.state import Queries, Transaction


@dataclass(frozen=True, slots=True)
class Counted:
    """One contact that counts.

    Attributes:
        key: Key of the contact.
        at: Moment it was claimed, UTC ISO text.
        channel: Channel it took.
        message_class: marketing or transactional.
        topic: What it was about.
        sender: Who sent it on the platform.
    """

    key: str
    at: str
    channel: str
    message_class: str
    topic: str
    sender: str


class Counters:
    """The counters of one state store.

    Args:
        dialect: Database spoken to: sqlite or postgresql.
    """

    def __init__(self, *, dialect: str = "sqlite") -> None:
        """Read the statements once."""
        self._sql = Queries(__package__, dialect=dialect)

    def alone_with(self, opened: Transaction, customers: str) -> None:
        """Wait until nobody else counts the contacts of these customers.

        Args:
            opened: The write transaction; others wait until it ends.
            customers: Customers as a JSON list.
        """
        opened.all(self._sql["pass_turnstile"], customers=customers)

    def contacts(
        self, opened: Transaction, customers: str, *, since: str
    ) -> dict[str, list[Counted]]:
        """Read the contacts of customers that may count.

        Args:
            opened: The transaction.
            customers: Customers as a JSON list.
            since: Moment before which no contact counts, UTC ISO text.

        Returns:
            Contacts by customer; customers without any are not in it.
        """
        [row] = opened.all(self._sql["counted"], customers=customers, since=since)
        found: dict[str, list[Counted]] = {}
        for customer, *contact in json.loads(row["found"]):
            found.setdefault(customer, []).append(Counted(*contact))
        return found

    def stock(self, opened: Transaction, offers: Sequence[str]) -> dict[str, int]:
        """Read how often offers may still be given.

        Returns:
            What remains, by offer with limited stock.
        """
        if not offers:
            return {}
        rows = opened.all(self._sql["stock"], offers=json.dumps(sorted(set(offers))))
        return {row["offer_id"]: int(row["remaining"]) for row in rows}

    def reserve(self, opened: Transaction, asks: Sequence[Ask], *, now: datetime) -> None:
        """Count contacts against caps, quotas and stock; a second time changes nothing but stock.

        Args:
            opened: The transaction that judged them.
            asks: The contacts allowed.
            now: Moment of the claim, aware.
        """
        if not asks:
            return
        rows = [
            (one.customer_id, one.key, one.channel, one.message_class, one.topic, one.sender)
            for one in asks
        ]
        opened.run(self._sql["count"], contacts=json.dumps(rows), at=stamp(now))
        taken = Counter(one.offer_id for one in asks if one.offer_id)
        opened.many(
            self._sql["take_stock"],
            [{"offer_id": offer, "taken": taken[offer]} for offer in sorted(taken)],
        )

    def give_back(self, opened: Transaction, asks: Sequence[Ask]) -> None:
        """Take contacts that did not go out off the counters; give their offers back.

        Args:
            opened: The transaction.
            asks: The contacts; those that are not counted are passed over.
        """
        for one in sorted(asks, key=lambda ask: (ask.customer_id, ask.key)):
            if opened.run(self._sql["uncount"], customer_id=one.customer_id, key=one.key):
                opened.run(self._sql["return_stock"], offer_id=one.offer_id)


def stamp(moment: datetime) -> str:
    """Write a moment as the state store keeps it.

    Returns:
        UTC ISO text with microseconds, so that text sorts as time does.

    Example:
        >>> stamp(datetime(2026, 3, 1, tzinfo=UTC))
        '2026-03-01T00:00:00.000000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
