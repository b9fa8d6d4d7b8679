"""Rows of the ledger as rules judge them and channels take them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from regulars.govern.policy.asks import Ask
from regulars.ports.channels import Contact


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
                contact_of(row, ask, moment_of(row.get("at"), self.now), self.turn, costs),
                ask,
                row["attempts"],
                moment_of(row["first_at"], self.now),
                self.is_doubtful,
            )
            for row, ask in zip(self.rows, self.asks, strict=True)
        ]


def ask_of(row: Mapping[str, Any], channel: str, message_class: str) -> Ask:
    """Give a row as the rules of contact judge it."""
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


def contact_of(
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


def moment_of(text: str | None, otherwise: datetime) -> datetime:
    """Read a moment of the ledger."""
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
