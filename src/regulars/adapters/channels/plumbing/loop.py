"""One event loop per process, in a thread of its own, on which every channel calls out."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

_alone = threading.Lock()
_running: dict[int, asyncio.AbstractEventLoop] = {}


def channel_loop() -> asyncio.AbstractEventLoop:
    """Give the loop of this process, started at first use; a forked process gets its own.

    Returns:
        A loop that runs in a daemon thread.
    """
    with _alone:
        loop = _running.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="channels", daemon=True).start()
            _running[os.getpid()] = loop
        return loop


def wait_for(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the loop and wait for what it gives.

    Returns:
        What the coroutine returned.
    """
    return asyncio.run_coroutine_threadsafe(work, channel_loop()).result()
