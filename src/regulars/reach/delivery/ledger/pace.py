"""How fast and how stubbornly contacts are handed over: windows, leases, back-off, breaker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from regulars.reach.delivery.ledger.owners import is_alive, uptime
from regulars.settings import Sending, Settings

# Of the time a provider remembers a key, the part we rely on: clocks differ.
TRUSTED_SHARE = 0.8


@dataclass(frozen=True)
class Pace:
    """What one pass over the ledger keeps to.

    Attributes:
        sending: Settings of the executor.
        window_by_channel: Most contacts claimed at once, where a channel has its own number.
        senders: Senders at work at once on one channel.
        owner: Name of who claims; "" for a name of this process.
        is_alive: Tells whether who claims is still at work; None when it cannot be known.
        uptime: Tells machine and seconds it has been up.
        is_serial: True to work in the calling thread alone, one channel after the other.
        left_for: What customers wait for is left to another process for this long, except on
            channels where a crash leaves what is in the air unknown.
    """

    sending: Sending = Sending()
    window_by_channel: Mapping[str, int] = field(default_factory=dict)
    senders: int = 1
    owner: str = ""
    is_alive: Callable[[str], bool | None] = is_alive
    uptime: Callable[[], str] = uptime
    is_serial: bool = False
    left_for: timedelta = timedelta(0)

    def window(self, channel: str, *, is_careful: bool) -> int:
        """Most contacts of a channel in the air at once with one sender.

        Args:
            channel: The channel.
            is_careful: True where every contact in the air at a crash may be lost.

        Returns:
            1 or more.
        """
        usual = self.sending.careful_window if is_careful else self.sending.window
        return self.window_by_channel.get(channel) or usual


def pace_of(settings: Settings, *, senders: int = 1) -> Pace:
    """Give the pace a workspace is set to.

    Args:
        settings: Settings of the workspace.
        senders: Senders at work at once on one channel.

    Returns:
        The pace; a channel's own window wins.
    """
    windows = {name: part.window for name, part in settings.channels.items() if part.window}
    return Pace(settings.sending, windows, senders)


def wait_seconds(attempts: int, sending: Sending, *, asked: float = 0.0) -> float:
    """Say how long to wait before a contact is tried again.

    Args:
        attempts: Attempts made, 1 or more.
        sending: Settings of the executor.
        asked: Seconds the provider asked to wait.

    Returns:
        Seconds: doubling with every attempt, at least what was asked.

    Source:
        Ours, because a provider that is overwhelmed is not helped by being asked at once.

    Example:
        >>> [wait_seconds(n, Sending(retry_first_seconds=2)) for n in (1, 2, 3)]
        [2.0, 4.0, 8.0]
        >>> wait_seconds(1, Sending(), asked=90)
        90.0
    """
    doubled = sending.retry_first_seconds * 2.0 ** min(attempts - 1, 30)
    return float(max(asked, min(doubled, sending.retry_most_seconds)))


def may_try_again(attempts: int, first_at: datetime, again_at: datetime, sending: Sending) -> bool:
    """Tell whether a contact that was not taken is tried once more.

    Args:
        attempts: Attempts made.
        first_at: Moment of the first.
        again_at: Moment of the next.
        sending: Settings of the executor.

    Returns:
        True within the attempts and the horizon of the settings.

    Example:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> may_try_again(1, noon, noon, Sending()), may_try_again(99, noon, noon, Sending())
        (True, False)
    """
    horizon = first_at + timedelta(hours=sending.retry_hours)
    return attempts < sending.attempts and again_at <= horizon


def key_is_known(age_seconds: float, key_seconds: int) -> bool:
    """Tell whether a provider still remembers a key it may have been given.

    Args:
        age_seconds: Seconds since the contact was claimed.
        key_seconds: How long the provider remembers keys.

    Returns:
        True well before the provider forgets: sending again is harmless.

    Example:
        >>> key_is_known(600, 900), key_is_known(840, 900)
        (True, False)
    """
    return age_seconds < key_seconds * TRUSTED_SHARE
