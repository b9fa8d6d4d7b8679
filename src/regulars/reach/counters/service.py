"""Contacts that count, read and written in the transaction that claims them."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter

import msgspec

from regulars.errors import InputError, Permanent
from regulars.govern.policy.asks import Ask
from regulars.govern.policy.limits import Counted
from regulars.ports.state import Queries, State, Transaction

_SQL = Queries(__package__)
_COUNTED = msgspec.json.Decoder(list[Counted])


def alone_with(opened: Transaction, customers: str) -> None:
    """Wait until nobody else counts the contacts of these customers.

    Args:
        opened: The write transaction; others wait until it ends.
        customers: Customers as a JSON list.
    """
    opened.all(_SQL["pass_turnstile"], customers=customers)


def contacts(opened: Transaction, customers: str, *, since: str) -> dict[str, list[Counted]]:
    """Read the contacts of customers that may count.

    Args:
        opened: The transaction.
        customers: Customers as a JSON list, each once.
        since: Moment before which no contact counts, UTC ISO text.

    Returns:
        Contacts by customer; customers without any are not in it.
    """
    [row] = opened.all(_SQL["counted"], customers=customers, since=since)
    found: dict[str, list[Counted]] = {}
    for one in _COUNTED.decode(row["found"]):
        found.setdefault(one.customer_id, []).append(one)
    return found


def grants(opened: Transaction, customers: str) -> dict[tuple[str, str, str], int]:
    """Read how many messages customers have granted that were not sent yet.

    Returns:
        Messages left by customer, channel and sender.
    """
    [row] = opened.all(_SQL["grants"], customers=customers)
    return {
        (customer, channel, sender): left
        for customer, channel, sender, left in json.loads(row["found"])
    }


def stock(
    opened: Transaction, offers: Sequence[str], *, is_claiming: bool = False
) -> dict[str, int]:
    """Read how often offers may still be given.

    Args:
        opened: The transaction.
        offers: Offers asked about.
        is_claiming: True to be alone with them until the transaction ends.

    Returns:
        What remains, by offer with limited stock.
    """
    if not offers:
        return {}
    name = "stock_to_claim" if is_claiming else "stock"
    rows = opened.all(_SQL[name], offers=json.dumps(sorted(set(offers))))
    return {row["offer_id"]: int(row["remaining"]) for row in rows}


def given_out(state: State) -> dict[str, int]:
    """Count how often each offer was given, by offer."""
    with state.reading() as opened:
        return {row["offer_id"]: int(row["given"]) for row in opened.all(_SQL["given"])}


def reserve(
    opened: Transaction, asks: Sequence[Ask], *, now: datetime, granted: Sequence[Ask]
) -> None:
    """Count contacts against caps, quotas, grants and stock.

    Args:
        opened: The transaction that judged them.
        asks: The contacts allowed.
        now: Moment of the claim, aware.
        granted: Those among them that use a grant of the customer.

    Raises:
        Permanent: There is not enough stock or no grant left: they were judged in another
            transaction.
    """
    if not asks:
        return
    customer_by_key: dict[tuple[str, str, str, str], dict[str, str]] = {}
    # By customer, as the table is kept: the next row lies beside the last.
    for one in sorted(asks, key=attrgetter("customer_id", "key")):
        kind = (one.channel, one.message_class, one.topic, one.sender)
        customer_by_key.setdefault(kind, {})[one.key] = one.customer_id
    for kind in sorted(customer_by_key):
        opened.run(
            _SQL["count"],
            contacts=msgspec.json.encode(customer_by_key[kind]).decode(),
            at=stamp(now),
            channel=kind[0],
            message_class=kind[1],
            topic=kind[2],
            sender=kind[3],
        )
    taken = Counter(one.offer_id for one in asks if one.offer_id)
    for offer in sorted(taken):
        if not opened.run(_SQL["take_stock"], offer_id=offer, taken=taken[offer]) and (
            opened.all(_SQL["has_stock"], offer_id=offer)
        ):
            _refuse(f"offer {offer} has no stock for {taken[offer]} more")
    for one in sorted(granted, key=lambda ask: (ask.customer_id, ask.key)):
        if not opened.run(_SQL["use_grant"], **_grant(one)):
            _refuse(f"customer {one.customer_id} has no grant left")


def give_back(opened: Transaction, asks: Sequence[Ask], *, granted: Sequence[Ask]) -> None:
    """Take contacts that did not go out off the counters; give their offers back.

    Args:
        opened: The transaction.
        asks: The contacts; those that are not counted are passed over.
        granted: Those among them that used a grant of the customer.
    """
    if not asks:
        return
    pairs = sorted((one.customer_id, one.key) for one in asks)
    rows = opened.all(_SQL["uncount"], contacts=json.dumps(pairs))
    freed = {row["key"] for row in rows}
    returned = Counter(one.offer_id for one in asks if one.offer_id and one.key in freed)
    # In one order for everybody, so that no two wait for each other.
    opened.many(
        _SQL["return_stock"],
        [{"offer_id": offer, "returned": returned[offer]} for offer in sorted(returned)],
    )
    opened.many(_SQL["return_grant"], [_grant(one) for one in granted if one.key in freed])


def add_grants(
    state: State, customer_id: str, *, channel: str, sender: str = "", messages: int = 1
) -> None:
    """Note that a customer granted messages, as one-time subscribe notices need it.

    Args:
        state: The transactional store.
        customer_id: Who.
        channel: Channel the grant is for.
        sender: Who it is for, as contacts name their sender; "" for the channel as such.
        messages: Messages granted, 1 or more.

    Raises:
        InputError: The number of messages is no grant.
    """
    if messages < 1:
        raise InputError(f"messages is {messages}, must be 1 or more: a grant allows something")
    with state.transaction() as opened:
        grant_within(opened, customer_id, channel=channel, sender=sender, messages=messages)


def grant_within(
    opened: Transaction, customer_id: str, *, channel: str, sender: str = "", messages: int = 1
) -> None:
    """Note the same within a transaction that also keeps where it is known from."""
    opened.run(
        _SQL["add_grants"],
        customer_id=customer_id,
        channel=channel,
        sender=sender,
        granted=messages,
    )


def stamp(moment: datetime) -> str:
    """Write a moment as the state store keeps it.

    Returns:
        UTC ISO text with microseconds, so that text sorts as time does.

    Example:
        >>> stamp(datetime(2026, 3, 1, tzinfo=UTC))
        '2026-03-01T00:00:00.000000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _grant(ask: Ask) -> dict[str, str]:
    return {"customer_id": ask.customer_id, "channel": ask.channel, "sender": ask.sender}


def _refuse(what: str) -> None:
    raise Permanent(
        f"{what}: the contacts were reserved in another transaction than they were judged in; "
        "call judge and reserve within one"
    )
