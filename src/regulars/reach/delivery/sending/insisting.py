"""What must be written down is written again when the store had no time for it."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from regulars.errors import Transient

TRIES = 6
FIRST_SECONDS = 0.05
Result = TypeVar("Result")
_LOG = logging.getLogger("regulars.reach.delivery")


def insist(
    write: Callable[[], Result],
    *,
    pause: Callable[[float], None] = time.sleep,
    tries: int = TRIES,
) -> Result:
    """Write, and again while the store says that it may pass.

    A provider has answered, and will not again: of two transactions that waited for each other a
    server ends one, and an answer lost with it would leave a contact in doubt that is not.

    Args:
        write: One whole transaction; it committed, or nothing of it is there.
        pause: Waits for some seconds.
        tries: How often to write at most.

    Returns:
        What `write` gave.

    Raises:
        Transient: The store said the same every time.

    Example:
        >>> answers = iter([Transient("deadlock detected"), "written"])
        >>> def write():
        ...     answer = next(answers)
        ...     if isinstance(answer, Transient):
        ...         raise answer
        ...     return answer
        >>> insist(write, pause=lambda seconds: None)
        'written'
    """
    for number in range(tries - 1):
        try:
            return write()
        except Transient as error:
            _LOG.warning("the send ledger is written again: %s", str(error).partition("\n")[0])
            pause(FIRST_SECONDS * 2**number)
    return write()
