"""The drain beside the server: a process of its own, begun again when it dies, ending with it."""

import logging
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from pathlib import Path
from time import monotonic
from typing import Any

_LOG = logging.getLogger("regulars.serve")

FIRST_WAIT_SECONDS = 1.0
MOST_WAIT_SECONDS = 30.0
STEADY_SECONDS = 60.0
GRACE_SECONDS = 8.0


class Supervised:
    """Keeps a process running until told to end.

    The process gets the read end of a pipe as standard input; that ends when this process
    does, however it does, and is its sign to end as well.

    Args:
        command: The words of its command.
        first_wait: Seconds before it is begun again; doubled each time it dies soon.
        name: What it is, for the log.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        first_wait: float = FIRST_WAIT_SECONDS,
        name: str = "the drain",
    ) -> None:
        """Begin the process."""
        self._command, self._first_wait, self._name = list(command), first_wait, name
        self._ending = threading.Event()
        self._alone = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="drain-watch", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Its process id; None while it is not running."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def nudge(self) -> None:
        """Tell it that there is something to do; one that is not running looks when it begins."""
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError, ValueError):
                process.stdin.write(b"\n")
                process.stdin.flush()

    def end(self) -> None:
        """Let it finish what it is at, and insist when that takes long."""
        self._ending.set()
        with self._alone:
            process = self._process
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            if not _ended(process):
                process.terminate()
            if not _ended(process):
                process.kill()
        self._thread.join(GRACE_SECONDS)

    def _watch(self) -> None:
        wait = self._first_wait
        while not self._ending.is_set():
            began = monotonic()
            with self._alone:
                if self._ending.is_set():
                    return
                # What it prints goes to standard error: the server's output is one line.
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=_standard_error()
                )
            code = self._process.wait()
            if self._ending.is_set():
                return
            wait = self._first_wait if monotonic() - began > STEADY_SECONDS else wait
            _LOG.warning("%s ended with code %s; begun again in %.0f s", self._name, code, wait)
            self._ending.wait(wait)
            wait = min(wait * 2, MOST_WAIT_SECONDS)


def _standard_error() -> int:
    """Give the file standard error writes to; the null device where it writes to none."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        # Somebody reads it in memory, or there is none: that is no reason not to store events.
        return subprocess.DEVNULL


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def ends_with_parent(stop: threading.Event) -> None:
    """In the process supervised: set `stop` once the parent ends or says so."""

    def listen() -> None:
        while sys.stdin.buffer.read(1024):
            pass
        stop.set()

    threading.Thread(target=listen, name="parent-watch", daemon=True).start()


@contextmanager
def draining(folders: Sequence[Path]) -> Generator[Supervised]:
    """Store what is taken in, by a process beside this one, for as long as the block lasts.

    Args:
        folders: The workspaces.

    Yields:
        The process.
    """
    words = [sys.executable, "-m", __name__, *(str(one.resolve()) for one in folders)]
    beside = Supervised(words)
    try:
        yield beside
    finally:
        beside.end()


class _WithoutPandas(MetaPathFinder):
    """Keeps pandas out: pyarrow imports it where it is there, to recognise columns of pandas.

    The drain has none, and pandas would hold 40 MB for as long as it runs.
    """

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:  # noqa: PLR6301
        if fullname == "pandas":
            raise ModuleNotFoundError("the drain does without pandas", name=fullname)


def main(words: Sequence[str]) -> None:
    """Drain workspaces, one thread each, until the parent ends.

    Args:
        words: The workspace folders.
    """
    sys.meta_path.insert(0, _WithoutPandas())
    from regulars.serve.ingest.storing import run_forever, stop_on_signals  # noqa: PLC0415

    stop = threading.Event()
    stop_on_signals(stop)
    ends_with_parent(stop)
    threads = [
        threading.Thread(target=run_forever, args=(Path(word), stop), name=f"drain {word}")
        for word in words
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1:])
