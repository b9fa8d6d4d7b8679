"""Bars set, lifted and asked for; every change stays readable, an address only as its token."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.govern.protection.tokens import is_token, kind_of_token
from regulars.govern.suppression.reasons import Bar, SuppressionReason, checked_bar, stamp
from regulars.ports.state import Queries, State, Transaction
from regulars.records.identifiers import customer_id_of

_SQL = Queries(__package__)
ACTOR_RECEIPTS = "receipts"


@dataclass(frozen=True)
class BarChange:
    """One change of a bar.

    Attributes:
        number: Its place in the history.
        subject: A customer id, or the token of an address.
        channel: The channel; "*" for all.
        reason: Why.
        change: suppressed, lifted, ended or answered (by a new grant).
        since: From when on the bar holds.
        until: When it ends by itself; None for never.
        note: What else was said.
        actor: Who did it.
        noted_at: When it was done.
    """

    number: int
    subject: str
    channel: str
    reason: str
    change: str
    since: str
    until: str | None
    note: str
    actor: str
    noted_at: str


def suppress(state: State, bars: Sequence[Bar], *, actor: str, now: datetime) -> int:
    """Bar customers or addresses; from the commit on nothing more is claimed for them.

    A bar on an address also bars every customer known to have it.

    Args:
        state: The transactional store.
        bars: The bars; all of them are kept, or none.
        actor: Who does it, for history and audit log.
        now: The moment, aware.

    Returns:
        Bars that were new, or newer than what was known.

    Raises:
        InputError: A bar cannot be used.
    """
    checked = [checked_bar(bar) for bar in bars]
    with state.transaction() as opened:
        changed = suppress_in(opened, checked, actor=actor, now=now)
        if changed:
            record(
                opened,
                actor=actor,
                action="customer.suppress",
                subject=checked[0].subject if len(checked) == 1 else f"{len(checked)} subjects",
                detail={
                    "reasons": sorted({str(bar.reason) for bar in checked}),
                    "channels": sorted({bar.channel for bar in checked}),
                    "changed": changed,
                },
                at=now,
            )
    return changed


def suppress_in(opened: Transaction, bars: Iterable[Bar], *, actor: str, now: datetime) -> int:
    """Bar within the caller's write transaction: it commits or vanishes with it.

    Args:
        opened: An open write transaction.
        bars: The bars, checked.
        actor: Who does it, for the history.
        now: The moment, aware.

    Returns:
        Bars that were new, or newer than what was known.
    """
    changed = 0
    for bar in bars:
        row = _row(bar)
        name = "bar_address" if bar.is_of_address else "bar_customer"
        if opened.run(_SQL[name], **row):
            changed += 1
            _keep(opened, row, "suppressed", note=bar.note, actor=actor, now=now)
        if bar.is_of_address:
            also = [
                Bar(customer, bar.reason, bar.since, bar.channel, bar.until, bar.note)
                for customer in customers_with(opened, bar.subject)
            ]
            suppress_in(opened, also, actor=actor, now=now)
    return changed


def lift(
    state: State,
    subject: str,
    *,
    actor: str,
    now: datetime,
    channel: str = "",
    reason: str = "",
    note: str = "",
) -> int:
    """Lift bars of a customer or an address.

    Args:
        state: The transactional store.
        subject: A customer id, or the token of an address.
        actor: Who does it, for history and audit log.
        now: The moment, aware.
        channel: Only bars on this channel; "" for whatever channel.
        reason: Only bars for this reason; "" for whatever reason.
        note: Why, in a person's words.

    Returns:
        Bars lifted; those of customers who were barred with the address are lifted too, and
        not counted.

    Raises:
        UnknownName: There is no such reason.
    """
    if reason and reason not in set(SuppressionReason):
        checked_bar(Bar(subject, reason, now))
    with state.transaction() as opened:
        lifted = 0
        for one in (subject, *(customers_with(opened, subject) if is_token(subject) else ())):
            found = [
                row
                for row in opened.all(_SQL["bars_of"], subject=one)
                if channel in {"", row["channel"]} and reason in {"", row["reason"]}
            ]
            _lift(opened, found, "lifted", note=note, actor=actor, now=now)
            lifted += len(found) if one == subject else 0
        if lifted:
            detail = {"channel": channel, "reason": reason, "lifted": lifted, "note": note}
            record(
                opened,
                actor=actor,
                action="customer.unsuppress",
                subject=subject,
                detail=detail,
                at=now,
            )
    return lifted


def end_expired(state: State, *, now: datetime) -> int:
    """Take away bars whose end has come; whoever reads them looks at their end anyway.

    Returns:
        Bars taken away.
    """
    with state.transaction() as opened:
        found = opened.all(_SQL["ended"], now=stamp(now))
        _lift(opened, found, "ended", note="", actor="time", now=now)
    return len(found)


def lift_answered(
    opened: Transaction, *, actor: str, now: datetime, customer_id: str | None = None
) -> int:
    """Lift opt-outs of a channel whose customer granted that very channel later.

    Args:
        opened: An open write transaction.
        actor: Who does it, for the history.
        now: The moment, aware.
        customer_id: Only this customer's; None for all.

    Returns:
        Bars lifted.
    """
    if customer_id is None:
        found = opened.all(_SQL["answered"])
    else:
        found = opened.all(_SQL["answered_by"], customer_id=customer_id)
    _lift(opened, found, "answered", note="", actor=actor, now=now)
    return len(found)


def barred_addresses(
    opened: Transaction, tokens: Collection[str], *, channel: str, now: datetime
) -> frozenset[str]:
    """Tell which addresses nothing may go to; asked where a message gets its address.

    Args:
        opened: An open transaction.
        tokens: Tokens of the addresses.
        channel: The channel it would take.
        now: The moment, aware.

    Returns:
        Tokens barred on the channel or on all; empty when none is.
    """
    asked = {"channel": channel, "now": stamp(now)}
    return frozenset(
        token
        for token in sorted(set(tokens))
        if opened.all(_SQL["address_bars"], token=token, **asked)
    )


def copy_bars(opened: Transaction, *, survivor: str, other: str, actor: str, now: datetime) -> int:
    """Bar a customer wherever the one who was merged into him was barred.

    Args:
        opened: The write transaction that merges.
        survivor: The id both are from now on.
        other: The id one of them had.
        actor: Who merges.
        now: The moment, aware.

    Returns:
        Bars that were new to the survivor.
    """
    found = [_bar(row) for row in opened.all(_SQL["bars_of"], subject=other)]
    moved = [replace(bar, subject=survivor, note=f"barred as {other}") for bar in found]
    return suppress_in(opened, moved, actor=actor, now=now)


def barred_among(opened: Transaction, subjects: Sequence[str]) -> set[str]:
    """Tell which customers or addresses have a bar, also one that has ended.

    Args:
        opened: Any transaction.
        subjects: Customers, or tokens of addresses.

    Returns:
        Those of them that have one.
    """
    rows = opened.all(_SQL["barred_among"], subjects=json.dumps(sorted(set(subjects))))
    return {row["subject"] for row in rows}


def bars_of(state: State, subject: str, *, now: datetime) -> list[Bar]:
    """Give the bars that hold for a customer or an address, by channel and reason."""
    with state.reading() as opened:
        rows = opened.all(_SQL["bars_of"], subject=subject)
    held = stamp(now)
    return [_bar(row) for row in rows if row["until"] is None or row["until"] > held]


def changes_of(state: State, subject: str) -> list[BarChange]:
    """Give every change of the bars of a customer or an address, the newest first."""
    with state.reading() as opened:
        return [BarChange(**row) for row in opened.all(_SQL["changes_of"], subject=subject)]


def customers_with(opened: Transaction, token: str) -> list[str]:
    """Name the customers an address is known to belong to.

    Args:
        opened: An open transaction.
        token: Token of the address.

    Returns:
        Customer ids; empty for an address nobody has, and for one that several people share.

    Raises:
        InputError: It is no token.
    """
    if not is_token(token):
        raise InputError(f"{token[:3]!r}... is no token; turn the address into one first")
    node = customer_id_of(kind_of_token(token), token)
    return [str(row["customer_id"]) for row in opened.all(_SQL["customer_of"], node=node)]


def _lift(
    opened: Transaction,
    found: Sequence[Mapping[str, Any]],
    change: str,
    *,
    note: str,
    actor: str,
    now: datetime,
) -> None:
    for row in found:
        which = {"subject": row["subject"], "channel": row["channel"], "reason": row["reason"]}
        opened.run(_SQL["lift_address" if is_token(row["subject"]) else "lift_customer"], **which)
        _keep(opened, row, change, note=note, actor=actor, now=now)


def _keep(
    opened: Transaction,
    row: Mapping[str, Any],
    change: str,
    *,
    note: str,
    actor: str,
    now: datetime,
) -> None:
    opened.run(
        _SQL["keep_change"],
        **row,
        change=change,
        note=note,
        actor=actor,
        noted_at=stamp(now),
    )


def _row(bar: Bar) -> dict[str, str | None]:
    return {
        "subject": bar.subject,
        "channel": bar.channel,
        "reason": str(bar.reason),
        "since": stamp(bar.since),
        "until": stamp(bar.until) if bar.until else None,
    }


def _bar(row: Mapping[str, Any]) -> Bar:
    until = datetime.fromisoformat(row["until"]) if row["until"] else None
    since = str(row["since"])
    return Bar(row["subject"], row["reason"], datetime.fromisoformat(since), row["channel"], until)
