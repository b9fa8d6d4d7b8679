"""Store what was taken in: run the drain of a workspace here, or wait for the one that runs."""

import gc
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep, time
from typing import TYPE_CHECKING

from regulars.errors import NotReady, Transient

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.collect.ingest.batch import Follower
    from regulars.collect.ingest.drain.service import Drain

PATIENCE_SECONDS = 300.0
RECORDS_BETWEEN_COLLECTIONS = 50_000
_LOOK_SECONDS = 0.2


def run_forever(folder: Path, stop: threading.Event) -> None:
    """Drain a workspace until told to stop.

    Args:
        folder: The workspace folder.
        stop: Set it to end after the current batch.
    """
    from regulars.app import open_app  # noqa: PLC0415 - slow to import
    from regulars.collect.ingest.drain.service import run_forever as run  # noqa: PLC0415

    app = open_app(folder)

    def opened() -> "Drain":
        drain = app.drain()
        # What exists now stays: the collector need not look at it again on every round.
        gc.collect()
        gc.freeze()
        # A batch makes tens of thousands of records and drops them: looking for cycles among
        # them every 700 is a quarter of what following costs.
        gc.set_threshold(RECORDS_BETWEEN_COLLECTIONS, 20, 20)
        return drain

    run(opened, stop=stop, now=now_micros)


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT, so that the current batch is finished."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())


def now_micros() -> int:
    """Give the moment in microseconds since 1970 UTC."""
    return int(time() * 1_000_000)


def settle(app: "App") -> None:
    """Store everything acknowledged before this call, and wait until followers have taken it in.

    What erasure deletes must not come back out of a batch that was decided before.

    Args:
        app: The workspace.

    Raises:
        Transient: The process that drains does not get there, or somebody who follows fails.
    """
    found = store_all(app, followers=app.followers)
    if found["not_followed"]:
        raise Transient(
            f"{found['not_followed']} batches of events were not taken in by all who follow them; "
            "see the messages of the drain, then run the same command again"
        )


def store_all(
    app: "App",
    partitions: list[int] | None = None,
    *,
    followers: "Sequence[Follower] | None" = None,
) -> dict[str, int]:
    """Store everything acknowledged before this call.

    Where another process drains the workspace, wait until it has.

    Args:
        app: The workspace.
        partitions: Only these; all when None.
        followers: Wait, too, until these have taken it in where another process drains; None
            not to wait for any.

    Returns:
        Events decided by this call, 0 when another process decided them; batches that
        followers still lack.

    Raises:
        Transient: The other process does not get there.
    """
    from regulars.collect.ingest.drain.lag import Passing  # noqa: PLC0415
    from regulars.collect.ingest.drain.partition import LOG_FOLDER  # noqa: PLC0415
    from regulars.collect.ingest.drain.service import drain_once  # noqa: PLC0415
    from regulars.collect.ingest.log.recovery import recover  # noqa: PLC0415

    recover(app.folder / LOG_FOLDER)
    passing = Passing(app.folder, LOG_FOLDER)
    until = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            opened = app.drain(partitions)
        except NotReady:
            is_over = passing.is_over()
            if is_over and followers is not None and passing.is_followed(followers):
                return {"events": 0, "not_followed": 0}
            if is_over and followers is None:
                return {"events": 0, "not_followed": passing.not_followed}
            if monotonic() > until:
                raise Transient(
                    "the drain that runs does not get through the log, or those who follow it "
                    "do not; see its messages, or end it and run the same command again"
                ) from None
            sleep(_LOOK_SECONDS)
            continue
        try:
            return drain_once(opened)
        finally:
            opened.close()
