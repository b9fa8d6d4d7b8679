"""Beside the server: passes, and the urgent lane, each by a process of its own.

So sending never slows a page, and what we want to say never slows what customers wait for.
"""

import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from regulars.serve.ingest.draining import Supervised
from regulars.serve.sending.ticking import ticker, urgent

LOOKS_EVERY = 1.0


@contextmanager
def ticking(
    places: Sequence[tuple[Path, threading.Event]], *, every: float = ticker.EVERY_SECONDS
) -> Generator[tuple[Supervised, Supervised]]:
    """Make passes over workspaces by processes beside this one, for as long as the block lasts.

    Args:
        places: Each workspace's folder, and the event set when something urgent was written
            to its send ledger.
        every: Seconds between passes that take campaigns on.

    Yields:
        The process that makes passes, and the one of the urgent lane.
    """
    folders = [str(folder.resolve()) for folder, _ in places]
    passes = [sys.executable, "-m", ticker.__name__, str(every), *folders]
    lane = [sys.executable, "-m", urgent.__name__, *folders]
    both = Supervised(passes, name="the ticker"), Supervised(lane, name="the urgent lane")
    ended = threading.Event()

    def watch(wake: threading.Event) -> None:
        while not ended.is_set():
            if wake.wait(LOOKS_EVERY):
                wake.clear()
                for process in both:
                    process.nudge()

    watchers = [
        threading.Thread(target=watch, args=[wake], name="nudge", daemon=True) for _, wake in places
    ]
    for one in watchers:
        one.start()
    try:
        yield both
    finally:
        ended.set()
        for process in both:
            process.end()
        for one in watchers:
            one.join()
