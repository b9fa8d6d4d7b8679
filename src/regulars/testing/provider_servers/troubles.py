"""What a provider may do wrong, one trouble per call, in the order given."""

import threading
from collections import deque
from collections.abc import Iterable
from enum import StrEnum


class Trouble(StrEnum):
    """How one call goes wrong."""

    NONE = "no trouble"
    RESET = "the connection is reset before anything was taken"
    RATE_LIMITED = "429 with Retry-After, nothing taken"
    DOWN = "503, nothing taken"
    ERROR = "500, nothing taken"
    LOST = "taken, then the connection is closed without an answer"
    HANG = "taken, then no answer ever"
    TRICKLE = "taken, then the answer comes byte by byte, for ever"
    EXPIRED = "the token is said to have expired"


class Troubles:
    """Troubles waiting for the calls to come.

    Args:
        planned: One per call, in order; calls beyond have none.

    Example:
        >>> troubles = Troubles([Trouble.NONE, Trouble.HANG])
        >>> [troubles.take().name for _ in range(3)]
        ['NONE', 'HANG', 'NONE']
    """

    def __init__(self, planned: Iterable[Trouble] = ()) -> None:
        """Queue them."""
        self._waiting = deque(planned)
        self._alone = threading.Lock()

    def plan(self, *planned: Trouble) -> None:
        """Queue more."""
        with self._alone:
            self._waiting.extend(planned)

    @property
    def is_silent(self) -> bool:
        """Whether one that waits is an answer that never comes or never ends."""
        with self._alone:
            return any(one in {Trouble.HANG, Trouble.TRICKLE} for one in self._waiting)

    def take(self) -> Trouble:
        """Take the next one.

        Returns:
            The trouble of this call.
        """
        with self._alone:
            return self._waiting.popleft() if self._waiting else Trouble.NONE
