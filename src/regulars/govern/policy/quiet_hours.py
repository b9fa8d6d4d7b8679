"""Quiet hours: is it too early or too late to disturb a customer, and until when."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.errors import InputError


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
