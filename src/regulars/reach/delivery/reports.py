"""What one pass over the ledger did, what came of one customer's contacts, and what is stuck."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class TickReport:
    """What one pass did.

    Attributes:
        count_by_end: Rows by the state the pass left them in: sent, failed, skipped, holdout,
            deferred, unknown, or claimed while it is not known whether they were taken.
        count_by_channel: Rows sent, by channel.
        recovered: Rows taken up that another process had left claimed.
        released: Held rows whose time had come.
        closed: Channels left alone for a while, with the reason.
        errors: What a channel or a content broke down with, by channel.
        next_at: When something is to be tried again; None for nothing.
    """

    count_by_end: dict[str, int]
    count_by_channel: dict[str, int]
    recovered: int
    released: int
    closed: dict[str, str]
    errors: dict[str, str]
    next_at: datetime | None

    @property
    def sent(self) -> int:
        """Contacts handed over."""
        return self.count_by_end.get("sent", 0)


@dataclass
class Counts:
    """What the senders of one pass report to, all at once.

    Attributes:
        ends: Rows by the state they were left in.
        sent: Rows sent, by channel.
        recovered: Rows taken up.
        closed: Channels left alone, with the reason.
        errors: What broke, by channel.
    """

    ends: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    recovered: int = 0
    closed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def add(self, channel: str, ends: dict[str, int], *, recovered: int = 0) -> None:
        """Count rows that moved."""
        with self._alone:
            self.ends.update(ends)
            self.sent[channel] += ends.get("sent", 0)
            self.recovered += recovered

    def close(self, channel: str, reason: str) -> None:
        """Note that a channel is left alone."""
        with self._alone:
            self.closed[channel] = reason

    def fail(self, channel: str, error: BaseException) -> None:
        """Note what broke; the first stays."""
        with self._alone:
            self.errors.setdefault(channel, error)


@dataclass(frozen=True)
class Attempt:
    """What became of one customer in one step of one run.

    Attributes:
        run_id: The run.
        step: Step of it.
        campaign_id: Campaign; "" when none was chosen.
        channel: Channel; "" when none was chosen.
        message_class: marketing or transactional.
        topic: What it was about.
        key: Key of the contact.
        fate: Fate, or planned or claimed while it has none.
        reason: Reason code.
        attempts: How often the channel was asked.
        planned_at: Moment it was planned.
        at: Moment it was claimed; None when it was not.
        settled_at: Moment it got its fate; None while it has none.
        hold_until: Moment a hold ends; None when it is not held.
        provider_id: Name the provider gave it; "" for none.
        offer_id: Offer it carried; "" for none.
    """

    run_id: str
    step: str
    campaign_id: str
    channel: str
    message_class: str
    topic: str
    key: str
    fate: str
    reason: str
    attempts: int
    planned_at: datetime | None
    at: datetime | None
    settled_at: datetime | None
    hold_until: datetime | None
    provider_id: str
    offer_id: str


@dataclass(frozen=True)
class Alert:
    """Something that should have moved and has not.

    Attributes:
        kind: waiting (planned, and nobody claims it), claimed (a process fell silent),
            held (a hold has ended), closed (a channel is left alone) or unknown.
        channel: The channel.
        count: Contacts it concerns.
        since: Moment of the oldest.
        advice: What to do.
    """

    kind: str
    channel: str
    count: int
    since: datetime
    advice: str
