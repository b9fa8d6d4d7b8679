"""Strikes: how often somebody came with a link, or a post, that is of no use, by the minute."""

from datetime import datetime
from heapq import nlargest
from ipaddress import IPv6Address, ip_address

MOST_A_MINUTE = 60
MOST_CALLERS = 10_000


def network_of(address: str | None) -> str:
    """Give what one subscriber is counted by: an address, of IPv6 its network.

    Args:
        address: Network address a request came from; None when it is not known.

    Returns:
        The address; of IPv6 the first 64 bits, of which each subscriber has all the rest; ""
        for None, and what is no address as it is.

    Source:
        RFC 4291, section 2.5.1; RFC 6177.

    Example:
        >>> network_of("2001:db8:1:2:3:4:5:6"), network_of("::ffff:203.0.113.7")
        ('2001:db8:1:2::/64', '203.0.113.7')
    """
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or ""
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


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
            address: What `network_of` gave for the address it came from.
            now: The moment.

        Returns:
            True when there were too many of them this minute.

        Example:
            >>> strikes, now = Strikes(most=1), datetime(2026, 3, 1)
            >>> strikes.strike("203.0.113.7", now=now), strikes.strike("203.0.113.7", now=now)
            (False, True)
        """
        minute = now.strftime("%Y-%m-%dT%H:%M")
        if minute != self._minute:
            self._minute, self._count = minute, {}
        elif len(self._count) >= MOST_CALLERS and address not in self._count:
            # Whoever came most often stays counted, however many others come.
            most = nlargest(MOST_CALLERS // 2, self._count, key=self._count.__getitem__)
            self._count = {one: self._count[one] for one in most}
        count = self._count[address] = self._count.get(address, 0) + 1
        return count > self._most
