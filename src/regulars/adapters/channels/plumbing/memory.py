"""What this process handed over lately: a provider is asked by address, the ledger asks by key."""

from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple

_MOST = 100_000


class Trace(NamedTuple):
    """Where a contact went and when."""

    address: str
    at: datetime


class Memory:
    """The last contacts handed over, in memory only: addresses are not written down for it.

    Example:
        >>> from datetime import UTC
        >>> memory = Memory(most=1)
        >>> for number in range(2):
        ...     memory.keep(f"key {number}", "+8613800000000", datetime(2026, 3, 2, tzinfo=UTC))
        >>> memory.get("key 0"), memory.get("key 1").at.year
        (None, 2026)
    """

    def __init__(self, most: int = _MOST) -> None:
        """Remember nothing yet."""
        self._kept: OrderedDict[str, Trace] = OrderedDict()
        self._most = most

    def keep(self, key: str, address: str, at: datetime) -> None:
        """Remember one contact, and forget the oldest."""
        self._kept[key] = Trace(address, at)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, key: str) -> Trace | None:
        """Give where a contact went; None when it is not remembered."""
        return self._kept.get(key)
