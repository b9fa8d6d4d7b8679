"""Strikes: how often somebody came with a link, or a post, that is of no use, by the minute."""

from datetime import datetime

MOST_A_MINUTE = 60
MOST_CALLERS = 10_000


class Strikes:
    """Counts bad links and posts by network address, in memory only.

    A genuine one is never refused because of others: many customers share an address, and mail
    providers unsubscribe thousands from a few.

    Args:
        most: Bad ones a minute that are still answered in full.
    """

    def __init__(self, *, most: int = MOST_A_MINUTE) -> None:
        """Start with nobody counted."""
        self._most, self._minute = most, ""
        self._count: dict[str, int] = {}

    def strike(self, address: str, *, now: datetime) -> bool:
        """Count a bad link or post.

        Args:
            address: Network address it came from.
            now: The moment.

        Returns:
            True when there were too many of them this minute.

        Example:
            >>> strikes, now = Strikes(most=1), datetime(2026, 3, 1)
            >>> strikes.strike("203.0.113.7", now=now), strikes.strike("203.0.113.7", now=now)
            (False, True)
        """
        minute = now.strftime("%Y-%m-%dT%H:%M")
        if minute != self._minute or len(self._count) >= MOST_CALLERS:
            self._minute, self._count = minute, {}
        count = self._count[address] = self._count.get(address, 0) + 1
        return count > self._most
