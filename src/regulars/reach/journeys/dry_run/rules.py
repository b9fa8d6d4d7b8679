"""What the rules of contact would have made of the messages: consent, quiet hours, caps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from regulars.govern.policy.limits import Limit, Window
from regulars.reach.journeys.dry_run.history import Booleans, Integers
from regulars.reach.journeys.walking.moments import moment_of

DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
Names = NDArray[np.object_]


@dataclass
class Asked:
    """Messages that would go out, as columns of one length.

    Attributes:
        customer: Place of the customer.
        at: When it would go out, milliseconds.
        channel: Channel it takes.
        message_class: marketing or transactional.
        topic: What it is about.
        reason: Why it would not go out; "" where nothing stands against it.
        held: What made it wait; "" for nothing.
        is_past: True for contacts that really went out: they count, and nobody judges them.
    """

    customer: Integers
    at: Integers
    channel: Names
    message_class: Names
    topic: Names
    reason: Names
    held: Names
    is_past: Booleans

    def __len__(self) -> int:
        """Give how many there are."""
        return len(self.at)

    def chosen(self, which: Integers) -> "Asked":
        """Give some of them, in the order given."""
        return Asked(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def offsets(at: Integers, zones: Sequence[str]) -> Integers:
    """Give by how much local clocks are ahead of UTC.

    Args:
        at: Moments, milliseconds.
        zones: IANA zone of each.

    Returns:
        Milliseconds; taken at noon of the day, so an hour wrong on days the clocks change.

    Example:
        >>> (offsets(np.array([0]), ["Asia/Shanghai"]) // 3_600_000).tolist()
        [8]
    """
    names, which = np.unique(np.asarray(zones, dtype=object), return_inverse=True)
    found = np.zeros(len(at), dtype=np.int64)
    for number, name in enumerate(names):
        mine = np.flatnonzero(which == number)
        days, of = np.unique(at[mine] // DAY_MS, return_inverse=True)
        zone = ZoneInfo(str(name))
        ahead = [_ahead(moment_of(int(day) * DAY_MS + DAY_MS // 2), zone) for day in days]
        found[mine] = np.array(ahead, dtype=np.int64)[of]
    return found


def _ahead(moment: datetime, zone: ZoneInfo) -> int:
    return (moment.astimezone(zone).utcoffset() or timedelta()) // timedelta(milliseconds=1)


def wait_for_day(
    asked: Asked, ahead: Integers, hours: Mapping[tuple[str, str, str], tuple[int, int]]
) -> None:
    """Move messages of the night to its end.

    Args:
        asked: The messages; brought up to date.
        ahead: By how much each customer's clock is ahead of UTC, milliseconds.
        hours: First and last hour of quiet by class, channel and topic.
    """
    kinds = list(zip(asked.message_class, asked.channel, asked.topic, strict=True))
    begins = np.array([hours[kind][0] for kind in kinds], dtype=np.int64) * _HOUR_MS
    ends = np.array([hours[kind][1] for kind in kinds], dtype=np.int64) * _HOUR_MS
    local = (asked.at + ahead) % DAY_MS
    over = begins > ends
    quiet = np.where(over, (local >= begins) | (local < ends), (local >= begins) & (local < ends))
    quiet &= ~asked.is_past & (asked.reason == "")
    wait = np.where(over & (local >= begins), DAY_MS - local + ends, ends - local)
    asked.at += np.where(quiet, wait, 0)
    asked.held = np.where(quiet, "quiet_hours", asked.held)


def fill_limits(asked: Asked, ahead: Integers, limits: Sequence[Limit]) -> Asked:
    """Let messages count against each other in the order they go out.

    Args:
        asked: The messages.
        ahead: By how much each customer's clock is ahead of UTC, milliseconds.
        limits: Caps and quotas, in the order they are asked.

    Returns:
        The messages in the order of customers and moments, with the reason `frequency_cap` or
        `platform_quota` where there was no room. What a limit holds is counted as held and
        takes no later room.

    Source:
        Ours: the n-th contact of every customer is judged at once, so that a pass costs as many
        steps as the most contacted customer has contacts.
    """
    order = np.lexsort((~asked.is_past, asked.at, asked.customer))
    asked, ahead = asked.chosen(order), ahead[order]
    size = len(asked)
    if not size:
        return asked
    begins = np.flatnonzero(np.r_[True, asked.customer[1:] != asked.customer[:-1]])
    rank = np.arange(size) - np.repeat(begins, np.diff(np.r_[begins, size]))
    covered = [_covered(limit, asked) for limit in limits]
    starts = [_starts(limit, asked.at, ahead) for limit in limits]
    counts = asked.is_past | (asked.reason == "")
    for place in range(1, int(rank.max()) + 1):
        now = np.flatnonzero((rank == place) & ~asked.is_past & (asked.reason == ""))
        for limit, covers, start in zip(limits, covered, starts, strict=True):
            mine = now[covers[now] & counts[now]]
            full = mine[_counted(asked, counts & covers, start, mine, place) >= limit.contacts]
            _refuse(asked, limit, full)
            counts[full] = False
    for limit, covers in zip(limits, covered, strict=True):
        if limit.contacts <= 0:
            _refuse(asked, limit, np.flatnonzero(covers & ~asked.is_past & (asked.reason == "")))
    return asked


def _counted(
    asked: Asked, counts: Booleans, start: Integers, mine: Integers, place: int
) -> Integers:
    """Count earlier contacts of the same customers within the window."""
    found = np.zeros(len(mine), dtype=np.int64)
    for back in range(1, place + 1):
        before = mine - back
        is_in = asked.at[before] > start[mine]
        if not is_in.any():
            break
        found += is_in & counts[before]
    return found


def _refuse(asked: Asked, limit: Limit, full: Integers) -> None:
    reason = "platform_quota" if limit.is_platform else "frequency_cap"
    if limit.when_full == "hold":
        asked.held[full] = reason
    else:
        asked.reason[full] = reason


def _covered(limit: Limit, asked: Asked) -> Booleans:
    kinds = zip(asked.message_class, asked.channel, asked.topic, strict=True)
    known: dict[tuple[str, str, str], bool] = {}
    found = [known[k] if k in known else known.setdefault(k, limit.covers(*k)) for k in kinds]
    return np.array(found, dtype=bool)


def _starts(limit: Limit, at: Integers, ahead: Integers) -> Integers:
    """Give the moment after which contacts count against one at each moment."""
    if limit.seconds:
        return at - limit.seconds * 1000
    if limit.window is Window.ROLLING:
        return at - limit.days * DAY_MS
    local_day = (at + ahead) // DAY_MS
    if limit.window is Window.CALENDAR_DAY:
        return (local_day - limit.days + 1) * DAY_MS - ahead - 1
    months = local_day.astype("datetime64[D]").astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    return np.asarray(first * DAY_MS - ahead - 1, dtype=np.int64)
