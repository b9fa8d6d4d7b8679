"""The desk triggers are handed in at: those that wait together are written together."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from regulars.reach.campaigns.triggers.service import Taken, Trigger, take_triggers
from regulars.settings import Settings

if TYPE_CHECKING:
    from regulars.ports.state import State

MOST_AT_ONCE = 500
IDLE_SECONDS = 5.0
# What comes within this of the last batch is written together: less work, and nobody notices.
TOGETHER_SECONDS = 0.005


def _clock() -> datetime:
    return datetime.now(UTC)


class TriggerDesk:
    """Takes triggers in from many requests at once, in few transactions.

    Args:
        state: The transactional store.
        settings: Settings of the workspace.
        clock: Gives the moment, aware UTC.
    """

    def __init__(
        self, state: "State", settings: Settings, *, clock: Callable[[], datetime] = _clock
    ) -> None:
        """Remember the parts; a thread is begun with the first trigger."""
        self._state, self._settings, self._clock = state, settings, clock
        self._waiting: SimpleQueue[tuple[Trigger, Future[Taken]]] = SimpleQueue()
        self._alone = threading.Lock()
        self._thread: threading.Thread | None = None
        self.wake = threading.Event()

    def hand_in(self, trigger: Trigger) -> "Future[Taken]":
        """Hand a trigger in.

        Args:
            trigger: What happened.

        Returns:
            What became of it, once it is on disk and in the send ledger; the error when it
            cannot be used.
        """
        answer: Future[Taken] = Future()
        self._waiting.put((trigger, answer))
        with self._alone:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="triggers", daemon=True)
                self._thread.start()
        return answer

    def _work(self) -> None:
        while batch := self._batch():
            try:
                found = take_triggers(
                    self._state,
                    [trigger for trigger, _ in batch],
                    settings=self._settings,
                    now=self._clock(),
                )
            except Exception as error:  # noqa: BLE001 - told to everybody who waits for it
                for _, answer in batch:
                    answer.set_exception(error)
                continue
            # The senders are woken before the callers: they have the longer way.
            self.wake.set()
            for (_, answer), taken in zip(batch, found, strict=True):
                if isinstance(taken, Exception):
                    answer.set_exception(taken)
                else:
                    answer.set_result(taken)
            time.sleep(TOGETHER_SECONDS)

    def _batch(self) -> "list[tuple[Trigger, Future[Taken]]]":
        """Everything that waits; empty when nothing came for a while and the thread may end."""
        try:
            batch = [self._waiting.get(timeout=IDLE_SECONDS)]
        except Empty:
            with self._alone:
                if self._waiting.empty():
                    self._thread = None
                    return []
            batch = [self._waiting.get()]
        while len(batch) < MOST_AT_ONCE:
            try:
                batch.append(self._waiting.get_nowait())
            except Empty:
                break
        return batch
