"""The ticker beside the server: a process of its own, so that sending never slows a page."""

import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from regulars.serve.ingest.draining import Supervised
from regulars.serve.sending.ticking import ticker

LOOKS_EVERY = 1.0


@contextmanager
def ticking(
    places: Sequence[tuple[Path, threading.Event]], *, every: float = ticker.EVERY_SECONDS
) -> Generator[Supervised]:
    """Make passes over workspaces by a process beside this one, for as long as the block lasts.

    Args:
        places: Each workspace's folder, and the event set when something urgent was written
            to its send ledger.
        every: Seconds between passes that take campaigns on.

    Yields:
        The process.
    """
    folders = [str(folder.resolve()) for folder, _ in places]
    words = [sys.executable, "-m", ticker.__name__, str(every), *folders]
    beside, ended = Supervised(words, name="the ticker"), threading.Event()

    def watch(wake: threading.Event) -> None:
        while not ended.is_set():
            if wake.wait(LOOKS_EVERY):
                wake.clear()
                beside.nudge()

    watchers = [
        threading.Thread(target=watch, args=[wake], name="nudge", daemon=True) for _, wake in places
    ]
    for one in watchers:
        one.start()
    try:
        yield beside
    finally:
        ended.set()
        beside.end()
        for one in watchers:
            one.join()
