"""Access tokens: fetched once for all who need one, and again only when one was found stale."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from regulars.ports.channels import Answer

# A token is not used to its last second: the call it opens takes a while.
_SPARE = timedelta(minutes=5)


@dataclass(frozen=True)
class Token:
    """One token; shown nowhere.

    Attributes:
        value: The token.
        seconds: Seconds it is good for.
    """

    value: str
    seconds: float

    def __repr__(self) -> str:
        """Say how long it is good for, and no more."""
        return f"Token({self.seconds:g} seconds)"


class Tokens:
    """The token of one account.

    Args:
        fetch: Fetches a new one; gives an answer where it cannot be had.
        clock: Gives the moment.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[Token | Answer]], clock: Callable[[], datetime]
    ) -> None:
        """Fetch nothing yet."""
        self.fetched = 0
        self._fetch, self._clock = fetch, clock
        self._value, self._until = "", datetime.min
        self._alone: dict[int, asyncio.Lock] = {}

    async def get(self, *, stale: str = "") -> str | Answer:
        """Give the token.

        Args:
            stale: A token the provider just called stale; "" when none was. However many come
                with the same one, it is fetched again once.

        Returns:
            The token; or the answer every contact gets while there is none.
        """
        # A lock belongs to the loop of its process.
        async with self._alone.setdefault(os.getpid(), asyncio.Lock()):
            now = self._clock().replace(tzinfo=None)
            if self._value and self._value != stale and now < self._until:
                return self._value
            token = await self._fetch()
            if isinstance(token, Answer):
                return token
            self.fetched += 1
            spare = min(_SPARE, timedelta(seconds=token.seconds / 4))
            self._value, self._until = token.value, now + timedelta(seconds=token.seconds) - spare
            return self._value
