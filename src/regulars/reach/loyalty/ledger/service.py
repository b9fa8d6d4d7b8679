"""The points ledger in the state: accounts locked, operations carried out, written together."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from regulars.errors import Transient
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.loyalty.ledger.book import Book
from regulars.reach.loyalty.ledger.opening.service import read_lots
from regulars.reach.loyalty.ledger.owners.service import present_by_id
from regulars.reach.loyalty.ledger.records import (
    NEVER,
    Account,
    Ask,
    Kind,
    Lot,
    Outcome,
    Policy,
    check_hand_key,
    text_of,
)

_SQL = Queries(__package__)
_MERGES = 1_000
AT_ONCE = 2_000


@dataclass(frozen=True)
class Balance:
    """What a customer has at a moment.

    Attributes:
        customer_id: The customer, under the id he has now.
        active: Points that can be spent.
        pending: Points under lock.
        owed: Points owed, which later earnings pay.
        next_expiry: When points expire next, UTC ISO text; None when none will.
        expiring: How many expire then.
        next_available: When a lock ends next; None when none is under lock.
    """

    customer_id: str
    active: int
    pending: int
    owed: int
    next_expiry: str | None
    expiring: int
    next_available: str | None


@dataclass(frozen=True)
class Line:
    """One operation as its customer sees it.

    Attributes:
        key: The operation.
        kind: What it did.
        active: What it changed of the points that can be spent.
        pending: What it changed of those under lock.
        owed: What it changed of the debt; below zero when the debt grew.
        points: Points it was about.
        reversed: How many of them were reversed since.
        reason: Why.
        reference: What it was about.
        reverses: The operation it took back; "" for others.
        at: When, UTC ISO text.
        actor: Who asked; "" for a programme rule.
    """

    key: str
    kind: str
    active: int
    pending: int
    owed: int
    points: int
    reversed: int
    reason: str
    reference: str
    reverses: str
    at: str
    actor: str


def post(
    opened: Transaction, asks: Sequence[Ask], *, now: datetime, policy: Policy | None = None
) -> list[Outcome]:
    """Carry out operations in order, within a transaction of the caller.

    Args:
        opened: A write transaction; whoever else asks about the same customers waits for it.
        asks: The operations.
        now: The moment, aware.
        policy: What to do where more than one answer would be right.

    Returns:
        What came of each, in order. One that is refused leaves the others as they are.

    Raises:
        InputError: A key was used for another operation; nothing of the transaction may be kept.
        Transient: Somebody moved the same points meanwhile; the same call is safe to repeat.
    """
    follow_identity(opened, now=now)
    present = present_by_id(opened, {ask.customer_id for ask in asks if ask.customer_id})
    reversed_keys = sorted({ask.reverses for ask in asks if ask.reverses})
    before = _by_key(opened, reversed_keys) if reversed_keys else {}
    uses, customers, lots = _reversible(opened, reversed_keys)
    customers |= {present[ask.customer_id] for ask in asks if ask.customer_id}
    keys = {ask.key for ask in asks} | set(reversed_keys)
    accounts = _locked(opened, customers)
    spend = {present[ask.customer_id] for ask in asks if ask.kind is Kind.REDEEM}
    read = read_lots(opened, customers, at=text_of(now), spend=spend, also=lots)
    book = Book(accounts, read, known=_by_key(opened, keys), uses=uses, policy=policy)
    if any(key in book.operations and key not in before for key in reversed_keys):
        raise Transient("points were posted meanwhile; run the same command again")
    if any(one.customer_id not in customers for one in read.by_id.values()):
        raise Transient("points changed hands meanwhile; run the same command again")
    # Operations of ours that reverse one another are known once they are carried out.
    outcomes = [book.take(ask, present.get(ask.customer_id, ""), now=now) for ask in asks]
    _write(opened, book)
    return outcomes


def post_points(
    state: State, asks: Sequence[Ask], *, now: datetime, policy: Policy | None = None
) -> list[Outcome]:
    """Carry out operations in a transaction of their own: all of them, or none after an error.

    Args:
        state: The transactional store.
        asks: The operations.
        now: The moment, aware.
        policy: What to do where more than one answer would be right.

    Returns:
        What came of each, in order.

    Raises:
        InputError: A key was used for another operation; nothing was posted.
    """
    with state.sharing() as opened:
        return post(opened, asks, now=now, policy=policy)


def post_by_hand(
    state: State, ask: Ask, *, actor: str, now: datetime, policy: Policy | None = None
) -> Outcome:
    """Carry out one operation a person asks for, and write it to the audit log.

    Args:
        state: The transactional store.
        ask: The operation.
        actor: Who asks.
        now: The moment, aware.
        policy: What to do where more than one answer would be right.

    Returns:
        What came of it; a refusal is not in the audit log, for nothing changed.

    Raises:
        InputError: The key was used for another operation, or is one the programme may give.
    """
    check_hand_key(ask.key)
    with state.transaction() as opened:
        [told] = post(opened, [ask], now=now, policy=policy)
        if told.is_new:
            detail = {"key": ask.key, "points": told.points, "reason": ask.reason}
            action = f"points.{ask.kind}"
            record(
                opened, actor=actor, action=action, subject=told.customer_id, detail=detail, at=now
            )
    return told


def sweep(state: State, *, now: datetime, at_once: int = AT_ONCE) -> int:
    """Let locks end and points expire that are due, customer by customer.

    What is asked of a customer does so too; this is for those nobody asks about.

    Args:
        state: The transactional store.
        now: The moment, aware.
        at_once: Customers in one transaction.

    Returns:
        Customers whose points changed.
    """
    done = 0
    while True:
        with state.sharing() as opened:
            rows = opened.all(_SQL["due"], at=text_of(now), most=at_once)
            names = {row["customer_id"] for row in rows}
            if names:
                accounts = _locked(opened, names)
                book = Book(accounts, read_lots(opened, names, at=text_of(now)))
                for name in sorted(names):
                    book.bring_to(name, text_of(now))
                _write(opened, book)
        done += len(names)
        if len(names) < at_once:
            return done


def balance(state: State, customer_id: str, *, now: datetime) -> Balance:
    """Tell what a customer has at a moment; nothing is written.

    Args:
        state: The transactional store.
        customer_id: The customer, or an id he had before.
        now: The moment, aware: locks that end and points that expire by then count as such.

    Returns:
        The balance; nothing at all for somebody who never had points.
    """
    with state.reading() as opened:
        return balance_in(opened, customer_id, now=now)


def balance_in(opened: Transaction, customer_id: str, *, now: datetime) -> Balance:
    """Tell what a customer has, within a transaction.

    Returns:
        The balance.
    """
    at = text_of(now)
    name = present_by_id(opened, {customer_id})[customer_id]
    found = opened.all(_SQL["account_of"], customer_id=name)
    owed = int(found[0]["owed"]) if found else 0
    if others := _left_behind(opened, name):
        return _counted(opened, name, {name, *others}, owed=owed, at=at)
    [row] = opened.all(_SQL["balance_of"], customer_id=name, at=at, never=NEVER)
    return Balance(
        name,
        int(row["active"]),
        int(row["pending"]),
        owed,
        row["next_expiry"],
        int(row["expiring"]),
        row["next_available"],
    )


def _counted(
    opened: Transaction, name: str, holders: Collection[str], *, owed: int, at: str
) -> Balance:
    """Count lots one by one, while those of a merge have not followed yet."""
    rows = [
        row
        for one in sorted(holders)
        for row in opened.all(_SQL["lots_of"], customer_id=one)
        if present_by_id(opened, {row["earned_as"]})[row["earned_as"]] == name
    ]
    good = [row for row in rows if row["expires_at"] > at]
    free = [row for row in good if row["state"] == "active" or row["available_at"] <= at]
    locked = [row for row in good if row["state"] == "pending" and row["available_at"] > at]
    ends = min((row["expires_at"] for row in good if row["expires_at"] != NEVER), default=None)
    return Balance(
        name,
        sum(row["remaining"] for row in free),
        sum(row["remaining"] for row in locked),
        owed,
        ends,
        sum(row["remaining"] for row in good if row["expires_at"] == ends),
        min((row["available_at"] for row in locked), default=None),
    )


def history(state: State, customer_id: str, *, most: int = 200) -> list[Line]:
    """List what happened to the points of a customer, the newest first.

    Args:
        state: The transactional store.
        customer_id: The customer, or an id he had before.
        most: Operations at most.

    Returns:
        The operations; empty for somebody who never had points.
    """
    with state.reading() as opened:
        name = present_by_id(opened, {customer_id})[customer_id]
        rows = opened.all(_SQL["history"], customer_id=name, most=most)
    return [Line(**{one.name: row[one.name] for one in fields(Line)}) for row in rows]


def known_operation(opened: Transaction, key: str) -> dict[str, Any] | None:
    """Find an operation by its key.

    Returns:
        Its row; None when the key is free.
    """
    return _by_key(opened, [key]).get(key)


def follow_identity(opened: Transaction, *, now: datetime) -> int:
    """Let points follow customers who became one, or parted, since the last look.

    Points belong to whoever the id is now under which they were earned: a merge brings them
    together, and taking it back returns to each side what is left of its own.

    Args:
        opened: A write transaction.
        now: The moment, aware.

    Returns:
        Lines of the merge log looked at.

    Raises:
        Transient: Points were posted meanwhile; the same call is safe to repeat.
    """
    lines = opened.all(_SQL["merges_since"], most=_MERGES)
    if not lines or not opened.run(_SQL["mark_merges"], number=lines[-1]["number"]):
        return 0
    names = {row[side] for row in lines for side in ("survivor", "other")}
    rows = opened.all(_SQL["all_lots"], customers=json.dumps(sorted(names)))
    owners = present_by_id(opened, names | {row["earned_as"] for row in rows})
    concerned = names | set(owners.values())
    accounts = _locked(opened, concerned)
    read = read_lots(opened, concerned, at="", of=names)
    if any(one.earned_as not in owners for one in read.by_id.values()):
        raise Transient("points were earned meanwhile; run the same command again")
    book = Book(accounts, read)
    book.settle_owners(names, owners, text_of(now))
    _write(opened, book)
    return len(lines)


def _left_behind(opened: Transaction, name: str) -> Collection[str]:
    """Customers merged into one, or parted from it, whose points have not followed yet."""
    lines = opened.all(_SQL["merges_since"], most=_MERGES)
    sides = {row[side] for row in lines for side in ("survivor", "other")}
    return sides if name in sides else ()


def _by_key(opened: Transaction, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    rows = opened.all(_SQL["operations"], keys=json.dumps(sorted(keys)))
    return {row["key"]: row for row in rows}


def _reversible(
    opened: Transaction, keys: Sequence[str]
) -> tuple[dict[str, list[tuple[str, int]]], set[str], set[str]]:
    """Give what reversals need: uses by operation, customers concerned, lots concerned."""
    uses: dict[str, list[tuple[str, int]]] = {}
    if not keys:
        return uses, set(), set()
    asked = json.dumps(keys)
    customers = {row["customer_id"] for row in opened.all(_SQL["lot_owners"], lots=asked)}
    for row in opened.all(_SQL["uses"], keys=asked):
        uses.setdefault(row["key"], []).append((row["lot_id"], row["points"]))
        customers.add(row["customer_id"])
    lots = {lot for found in uses.values() for lot, _ in found} | set(keys)
    return uses, customers, lots


def _locked(opened: Transaction, customers: Collection[str]) -> list[Account]:
    """Open the accounts that are new and lock them all, in one order for everybody."""
    asked = json.dumps(sorted(customers))
    opened.run(_SQL["open_accounts"], customers=asked)
    return [
        Account(**row, stood=row["version"])
        for row in opened.all(_SQL["accounts"], customers=asked)
    ]


def _write(opened: Transaction, book: Book) -> None:
    changed = [one for one in book.accounts.values() if one.version != one.stood]
    _all(opened, "put_account", [_plain(one) for one in changed])
    lots = list(book.changed_lots.values())
    _all(opened, "add_lot", [_plain(lot) for lot in lots if lot.stood < 0])
    _all(opened, "put_lot", [_plain(lot) for lot in lots if lot.stood >= 0])
    _all(opened, "add_operation", book.new_operations)
    _all(opened, "add_entry", book.new_entries)
    _all(opened, "add_use", book.new_uses)
    ours = {row["key"] for row in book.new_operations}
    _all(
        opened,
        "put_reversed",
        [
            {"key": key, "reversed": book.operations[key]["reversed"], "stood": stood}
            for key, stood in sorted(book.reversed_before.items())
            if key not in ours
        ],
    )


def _all(opened: Transaction, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, each of which must take."""
    if rows and opened.many(_SQL[name], rows) != len(rows):
        raise Transient("points changed while they were being written; run the same command again")


def _plain(row: Account | Lot) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}
