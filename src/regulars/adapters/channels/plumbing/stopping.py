"""The emergency stop, looked at while a window is handed over, however slow the provider."""

import time
from collections.abc import Callable

LOOKS_EVERY = 0.2


class StopLook:
    """Tells whether everything is stopped, asking at most some times a second.

    Args:
        ask: Asks whether everything is stopped.
        every: Seconds an answer holds.
        timer: Tells elapsed seconds.

    Example:
        >>> look = StopLook(lambda: True)
        >>> look()
        True
    """

    def __init__(
        self,
        ask: Callable[[], bool],
        *,
        every: float = LOOKS_EVERY,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet."""
        self._ask, self._every, self._timer = ask, every, timer
        self._said, self._until = False, float("-inf")

    def __call__(self) -> bool:
        """Tell whether everything is stopped, as of a moment ago."""
        now = self._timer()
        if now >= self._until:
            self._said, self._until = self._ask(), now + self._every
        return self._said


def never() -> bool:
    """Say that nothing is ever stopped, for channels opened beside a workspace.

    Returns:
        False.
    """
    return False
