"""Hold the collector of cycles while a window is worked off."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Generator[None]:
    """Look for no cycles within the block; whoever found the collector at work lets it go on.

    The rows of a window are many and hold no cycles: looking through all of them again and again
    took a quarter of a window's time.

    Example:
        >>> with uncollected():
        ...     gc.isenabled()
        False
        >>> gc.isenabled()
        True
    """
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.enable()
