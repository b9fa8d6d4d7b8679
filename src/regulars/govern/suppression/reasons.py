"""Why a customer or an address is barred, and what ends it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from regulars.errors import InputError, UnknownName
from regulars.govern.protection.tokens import is_token

EVERY_CHANNEL = "*"
_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CUSTOMER = re.compile(r"[^\s\x00-\x1f]{1,200}")


class SuppressionReason(StrEnum):
    """Why somebody is barred.

    A soft bounce ends by itself; an opt-out ends when the customer grants that channel again;
    the others only when somebody lifts them.
    """

    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    SOFT_BOUNCED = "soft_bounced"
    LEGAL = "legal"
    MANUAL = "manual"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: nothing goes to its subject on its channel.

    Attributes:
        subject: A customer id, or the token of an address.
        reason: Why.
        since: From when on, aware.
        channel: The channel; "*" for all.
        until: When it ends by itself, aware; None for never.
        note: What else is worth knowing; never an address.
    """

    subject: str
    reason: str
    since: datetime
    channel: str = EVERY_CHANNEL
    until: datetime | None = None
    note: str = ""

    @property
    def is_of_address(self) -> bool:
        """True when the subject is an address, not a customer.

        Example:
            >>> Bar("c1", "manual", datetime(2026, 3, 1, tzinfo=UTC)).is_of_address
            False
        """
        return is_token(self.subject)


def checked_bar(bar: Bar) -> Bar:
    """Hold a bar against what can be said.

    Returns:
        The bar.

    Raises:
        InputError: Something about it cannot be used.
        UnknownName: There is no such reason.
    """
    if not _CUSTOMER.fullmatch(bar.subject):
        raise InputError(f"the subject is {bar.subject!r}, must be a customer id or an address")
    if bar.reason not in set(SuppressionReason):
        raise UnknownName("reason", bar.reason, [one.value for one in SuppressionReason])
    if bar.channel != EVERY_CHANNEL and not _CHANNEL.fullmatch(bar.channel):
        raise InputError(f"channel is {bar.channel!r}, must be a name such as sms, or *")
    if bar.since.tzinfo is None or (bar.until and bar.until.tzinfo is None):
        raise InputError("a moment names no zone; give it with one, such as +08:00")
    if bar.until is not None and bar.until <= bar.since:
        raise InputError(f"until is {bar.until}, must be later than {bar.since}")
    if bar.reason == SuppressionReason.SOFT_BOUNCED and bar.until is None:
        raise InputError("a soft bounce must end; give until, or reason bounced for good")
    return bar


def stamp(moment: datetime) -> str:
    """Write a moment as the state keeps it.

    Returns:
        ISO 8601 in UTC with microseconds, which sorts as text.

    Example:
        >>> stamp(datetime(2026, 3, 1, tzinfo=UTC))
        '2026-03-01T00:00:00.000000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
