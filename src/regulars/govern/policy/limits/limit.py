"""One limit: which contacts it bars, which count against it, and when there is room again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from regulars.govern.policy.asks import Ask

Per = Literal["customer", "sender", "sign"]
WhenFull = Literal["drop", "hold"]
Kind = Literal["limit", "forbidden", "grant"]


class Window(StrEnum):
    """Which stretch of time counts.

    ROLLING: the same time of day so many days ago until now; a contact late in the evening and
    one early the next morning count together. CALENDAR_DAY: today, or the days that end today.
    CALENDAR_MONTH: since the first of the month.
    """

    ROLLING = "rolling"
    CALENDAR_DAY = "calendar_day"
    CALENDAR_MONTH = "calendar_month"


class Counted(NamedTuple):
    """One contact that counts.

    Attributes:
        key: Key of the contact.
        at: Moment it was claimed, UTC ISO text.
        channel: Channel it took.
        message_class: marketing or transactional.
        topic: What it was about.
        sender: Who sent it on the platform.
        campaign_id: Its campaign, for contacts of the window that is being judged; "" for those
            of the past.
        customer_id: Whose it is, where that is not said beside it.
    """

    key: str
    at: str
    channel: str
    message_class: str
    topic: str
    sender: str
    campaign_id: str = ""
    customer_id: str = ""


@dataclass(frozen=True)
class Limit:
    """At most so many contacts of a kind within a window.

    Attributes:
        name: Shown after the reason code; "" for the limit everybody knows.
        contacts: Most contacts within the window; 0 forbids them.
        window: Which stretch of time counts.
        days: Length of the window in days, where it is not a calendar month.
        seconds: Length of a rolling window in seconds, instead of days; 0 for days.
        classes: Message classes it holds for; empty for all.
        channels: Channels it holds for; empty for all.
        topics: Topics it holds for; empty for all.
        per: What shares one allowance: all contacts of a customer, those of one sender, or those
            of one sign (what stands before the first slash of the sender).
        zone: IANA zone of its days and months; "" for the customer's own.
        when_full: Drop what is above, or hold it until there is room.
        is_platform: True for a rule of a platform, False for a cap of the workspace.
        kind: "limit"; "forbidden" and "grant" are rules of platforms that count nothing.
    """

    name: str
    contacts: int
    window: Window = Window.ROLLING
    days: int = 1
    seconds: int = 0
    classes: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    per: Per = "customer"
    zone: str = ""
    when_full: WhenFull = "drop"
    is_platform: bool = False
    kind: Kind = "limit"

    def covers(self, message_class: str, channel: str, topic: str) -> bool:
        """Tell whether contacts of a kind count, and are barred when it is full."""
        return (
            (not self.classes or message_class in self.classes)
            and (not self.channels or channel in self.channels)
            and (not self.topics or topic in self.topics)
        )

    def counted(self, contacts: Iterable[Counted], ask: Ask, *, start: str) -> list[Counted]:
        """Keep the contacts that count against one ask.

        Args:
            contacts: Contacts of its customer.
            ask: The contact that wants to go out; it does not count against itself.
            start: First moment of the window, as `start` gives it.

        Returns:
            Those within the window and of its kind, in the order given. Contacts of the future
            count: a clock set back opens nothing.
        """
        mine = self._share(ask.sender)
        return [
            one
            for one in contacts
            if one.at >= start
            and one.key != ask.key
            and self.covers(one.message_class, one.channel, one.topic)
            and (self.per == "customer" or self._share(one.sender) == mine)
        ]

    def start(self, now: datetime, *, zone: str) -> str:
        """Name the first moment that counts now.

        Args:
            now: Moment of the contact, aware.
            zone: IANA zone of the customer.

        Returns:
            UTC ISO text with microseconds.

        Example:
            >>> noon = datetime(2026, 3, 2, 4, tzinfo=UTC)
            >>> Limit("", 1, Window.CALENDAR_MONTH).start(noon, zone="Asia/Shanghai")
            '2026-02-28T16:00:00.000000+00:00'
        """
        if self.seconds:
            return _text(now - timedelta(seconds=self.seconds) + _NEXT)
        place = ZoneInfo(self.zone or zone)
        local = now.astimezone(place)
        if self.window is Window.ROLLING:
            # On the wall: ten o'clock is seven days after ten o'clock, whatever the clocks did.
            return _text(_earlier(local, self.days) + _NEXT)
        first = local.date() - timedelta(days=self.days - 1)
        if self.window is Window.CALENDAR_MONTH:
            first = local.date().replace(day=1)
        return _text(datetime.combine(first, time(), place))

    def free_at(self, counted: Iterable[Counted], now: datetime, *, zone: str) -> datetime | None:
        """Name the first moment with room for one more.

        Args:
            counted: What `counted` gave.
            now: The moment, aware.
            zone: IANA zone of the customer.

        Returns:
            The moment, aware UTC, later than `now`; None when there will never be room.
        """
        if self.contacts <= 0:
            return None
        moments = sorted(one.at for one in counted)
        leaves = datetime.fromisoformat(moments[len(moments) - self.contacts])
        if self.seconds:
            return max(leaves + timedelta(seconds=self.seconds), now + _NEXT).astimezone(UTC)
        place = ZoneInfo(self.zone or zone)
        local = leaves.astimezone(place)
        if self.window is Window.ROLLING:
            room = _later(local, self.days)
        elif self.window is Window.CALENDAR_DAY:
            room = datetime.combine(local.date() + timedelta(days=self.days), time(), place)
        else:
            month = local.date().replace(day=1) + timedelta(days=31)
            room = datetime.combine(month.replace(day=1), time(), place)
        return max(room.astimezone(UTC), now.astimezone(UTC) + _NEXT)

    def _share(self, sender: str) -> str:
        return sender.partition("/")[0] if self.per == "sign" else sender


_NEXT = timedelta(microseconds=1)


def _earlier(local: datetime, days: int) -> datetime:
    return (local - timedelta(days=days)).astimezone(UTC)


def _later(local: datetime, days: int) -> datetime:
    return (local + timedelta(days=days)).astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
