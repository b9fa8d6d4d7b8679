"""Writers of SQLite in a queue: whoever has waited longest is next."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 60.0
"""Seconds a writer keeps its place in the queue."""

_SHORTEST, _LONGEST = 0.0002, 0.002
_HELD: set[int] = set()
"""Files open in this process; a forked one lets go of them, or its parent's place would be kept."""


def _let_go() -> None:
    for held in _HELD:
        with suppress(OSError):
            os.close(held)
    _HELD.clear()


os.register_at_fork(after_in_child=_let_go)


class WritersQueue:
    """Lets writers of one database in one after the other, across threads and processes.

    SQLite's own waiting looks again after up to a tenth of a second; beside writers that hardly
    pause it may look in vain for seconds. Here a writer first takes the head of the queue, then
    the pen, and gives the head up once it has the pen: whoever has just written cannot take the
    pen again before the one at the head. Both are locks on files of the kernel's, which end with
    their process, however it ends. SQLite's lock is what protects the data; this one only
    orders who waits for it, so a writer that does not know the queue does no harm. One who holds
    the pen and does not go on keeps the others for a minute since they came; then they try without
    it, and SQLite says that the database is locked.

    Args:
        database: File of the database; the queue's two files stand beside it.
    """

    def __init__(self, database: Path) -> None:
        """Name the files; they are made with the first writer."""
        self._head = database.with_name(f"{database.name}-head")
        self._pen = database.with_name(f"{database.name}-pen")

    @contextmanager
    def turn(self) -> Generator[None]:
        """Wait until it is this writer's turn, and keep it until the block ends."""
        deadline = time.monotonic() + PATIENCE
        head = _taken(self._head)
        try:
            pen = _taken_by(self._pen, deadline)
        finally:
            _released(head)
        try:
            yield
        finally:
            _released(pen)


def _taken(path: Path) -> int | None:
    """Wait for a lock; None where no such file can be made, and nobody waits in order."""
    opened = _opened(path)
    if opened is None:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
    except OSError:
        _released(opened)
        return None
    return opened


def _taken_by(path: Path, deadline: float) -> int | None:
    """Look for a lock until a moment; None when it has not come free: SQLite's waiting speaks."""
    # Only the writer at the head of the queue looks, so looking often costs little.
    opened, pause = _opened(path), _SHORTEST
    if opened is None:
        return None
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                _released(opened)
                return None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
        except OSError:
            _released(opened)
            return None
        else:
            return opened


def _opened(path: Path) -> int | None:
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    _HELD.add(opened)
    return opened


def _released(held: int | None) -> None:
    if held in _HELD:
        assert held is not None
        _HELD.discard(held)
        # Said aloud, because a forked process may hold a copy of the file for a moment.
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_UN)
        os.close(held)
