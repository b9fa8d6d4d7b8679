"""Run one part of a rehearsal in a process of its own, beside the other parts."""

import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from typing import Any

from regulars.errors import Permanent, RegularsError

Told = Callable[[str, float], None]

_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl(2)."""


class Apart:
    """A part at work in a process of its own. It dies with the process that started it.

    Args:
        work: A function of a module, called as work(*inputs, progress); what it gives back
            must be on disk.
        inputs: Its arguments, plain values.
    """

    def __init__(self, work: Callable[..., None], *inputs: Any) -> None:
        """Start the process."""
        context = multiprocessing.get_context("spawn")
        self._said: SimpleQueue[tuple[str, float]] = context.SimpleQueue()
        self._process = context.Process(target=_run, args=(self._said, work, inputs))
        self._process.start()
        self._error = ""

    def relay(self, progress: Told) -> None:
        """Pass on what the part has said since the last time."""
        while not self._said.empty():
            what, share = self._said.get()
            if share < 0:
                self._error = what
            else:
                progress(what, share)

    def wait(self, progress: Told) -> None:
        """Wait until the part is done.

        Args:
            progress: Told what the part does.

        Raises:
            Permanent: The part failed; the message is its own.
        """
        while self._process.is_alive():
            self._process.join(timeout=0.5)
            self.relay(progress)
        self.relay(progress)
        if self._process.exitcode:
            raise Permanent(
                self._error
                or f"a part of the rehearsal ended with code {self._process.exitcode}; "
                "run the same command again, it continues"
            )


def _run(said: "SimpleQueue[tuple[str, float]]", work: Callable[..., None], inputs: Any) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    try:
        work(*inputs, lambda what, share: said.put((what, share)))
    except RegularsError as error:
        said.put((str(error), -1.0))
        sys.exit(1)
