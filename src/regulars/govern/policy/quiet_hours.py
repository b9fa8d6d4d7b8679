"""Quiet hours: which hold for a contact, and until when it must wait."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.errors import InputError
from regulars.govern.policy.asks import TRANSACTIONAL_CLASS
from regulars.settings import Policy


def quiet_until(now: datetime, *, zone: str, quiet_from: int, quiet_to: int) -> datetime | None:
    """Tell until when a contact must wait.

    Quiet time runs from `quiet_from` o'clock to `quiet_to` o'clock on the wall of the zone,
    over midnight when it starts later than it ends. The clock on the wall decides, so nights
    are an hour shorter or longer when daylight saving changes.

    Args:
        now: Moment of the contact, aware.
        zone: IANA zone of the customer, or of the workspace when his is not known.
        quiet_from: Local hour quiet time starts, 0 to 23.
        quiet_to: Local hour quiet time ends, 0 to 23; the same hour means never quiet.

    Returns:
        The first moment that is not quiet, aware UTC; None when `now` is not quiet.

    Raises:
        InputError: `now` names no zone.

    Source:
        Ours, because no statute gives hours: carriers' practice is 21:00 to 08:00 local time.

    Example:
        >>> night = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
        >>> quiet_until(night, zone="Asia/Shanghai", quiet_from=21, quiet_to=8).isoformat()
        '2026-03-02T00:00:00+00:00'
    """
    if now.tzinfo is None:
        raise InputError(f"now is {now}, must name its zone; give an aware datetime such as UTC")
    local = now.astimezone(ZoneInfo(zone))
    over_midnight = quiet_from > quiet_to
    if over_midnight:
        quiet = local.hour >= quiet_from or local.hour < quiet_to
    else:
        quiet = quiet_from <= local.hour < quiet_to
    if not quiet:
        return None
    day = local.date() + timedelta(days=int(over_midnight and local.hour >= quiet_from))
    end = datetime(day.year, day.month, day.day, quiet_to, tzinfo=ZoneInfo(zone))
    return end.astimezone(UTC)


def hours_for(policy: Policy, *, message_class: str, channel: str, topic: str) -> tuple[int, int]:
    """Choose the quiet hours of a kind of contact: those of its topic, channel or class.

    Args:
        policy: Settings of the rules.
        message_class: marketing or transactional.
        channel: Channel it takes.
        topic: What it is about.

    Returns:
        Hours quiet time starts and ends. What is transactional is never quiet unless the
        settings say so of its class: who waits for a code waits at night too.

    Source:
        Ours, because an order's news is not advertising; what is more special is said last.

    Example:
        >>> hours_for(Policy(), message_class="marketing", channel="sms", topic="")
        (21, 8)
        >>> hours_for(Policy(), message_class="transactional", channel="sms", topic="")
        (0, 0)
    """
    said = {hours.scope: (hours.quiet_from, hours.quiet_to) for hours in policy.quiet}
    if message_class == TRANSACTIONAL_CLASS:
        return said.get("class:transactional", (0, 0))
    usual = (policy.quiet_from, policy.quiet_to)
    return said.get(f"topic:{topic}") or said.get(f"channel:{channel}") or usual
