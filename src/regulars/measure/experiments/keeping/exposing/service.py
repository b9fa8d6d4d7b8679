"""Gives variants of running experiments, and logs who got which without keeping anybody waiting."""

import logging
import threading
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from regulars.decide.assignment.dealing.giving import (
    Dealt,
    Given,
    Running,
    deal,
    variants_of,
)
from regulars.decide.assignment.dealing.service import expose, running_now
from regulars.errors import OutsideError
from regulars.ports.state import State

FRESH = timedelta(seconds=1)
"""How long another process may go on giving variants of an experiment that was stopped."""
PAUSE_SECONDS = 0.02
"""How long the log waits between two writes."""
MOST_KNOWN = 1_000_000
_LOG = logging.getLogger("regulars.experiments")
_Name = tuple[str, str]


class Exposing:
    """Gives variants in one process.

    An answer does not wait for the disk: who got what is written together by a thread of its
    own, and 20 ms pass before the next are, so a crash loses what was given during one write and
    those 20 ms. Whoever is not in the log is not counted, in any variant; asked again, he gets
    the same variant and is logged then.

    Args:
        state: The transactional store.
        seed: The workspace's seed.
        global_holdout: Share of customers the programme never contacts; they take part in nothing.
    """

    def __init__(self, state: State, *, seed: int, global_holdout: float) -> None:
        """Read nothing yet; the writer begins with the first variant given."""
        self._state, self._seed, self._global_holdout = state, seed, global_holdout
        self._lock = threading.Condition()
        self._running: Sequence[Running] = ()
        self._looked_at: datetime | None = None
        self._waiting: list[dict[str, str]] = []
        self._known: set[_Name] = set()
        self._writer: threading.Thread | None = None
        self._hurry = threading.Event()
        self._is_writing, self._is_closed = False, False

    def forget(self) -> None:
        """Look again at what runs when the next customer comes."""
        with self._lock:
            self._looked_at = None

    def given(self, customer_id: str, *, now: datetime) -> list[Given]:
        """Say which variants a customer has, and have it logged.

        Args:
            customer_id: Who, by the present id.
            now: The moment, aware.

        Returns:
            One per running experiment the customer takes part in.
        """
        running = self._runs(now)
        if not running:
            return []
        found = variants_of(
            customer_id, running, seed=self._seed, global_holdout=self._global_holdout
        )
        self.expose(customer_id, found, now=now)
        return found

    def dealt(self, customer_id: str, offers: Collection[str], *, now: datetime) -> Dealt:
        """Say which variants a customer has, as far as offers are concerned; nothing is logged.

        Args:
            customer_id: Who, by the present id.
            offers: The offers that may be given.
            now: The moment, aware.

        Returns:
            The variants, and for which offers they make a difference.
        """
        return deal(
            [customer_id],
            offers,
            self._runs(now),
            seed=self._seed,
            global_holdout=self._global_holdout,
        )

    def expose(self, customer_id: str, given: Sequence[Given], *, now: datetime) -> None:
        """Have it logged which variants a customer got.

        Args:
            customer_id: Who, by the present id.
            given: The variants.
            now: The moment, aware.
        """
        at = now.astimezone(UTC).isoformat()
        with self._lock:
            for one in given:
                name = (one.experiment_id, customer_id)
                if name not in self._known:
                    self._note(name, one.variant.name, at)

    def flush(self) -> None:
        """Wait until all that was given is in the log, or could not be written."""
        self._hurry.set()
        with self._lock:
            self._lock.wait_for(lambda: not self._waiting and not self._is_writing)
            if not self._is_closed:
                self._hurry.clear()

    def close(self) -> None:
        """Write what waits, and end the writer."""
        with self._lock:
            self._is_closed = True
            self._hurry.set()
            self._lock.notify_all()
        if self._writer is not None:
            self._writer.join()

    def _runs(self, now: datetime) -> Sequence[Running]:
        with self._lock:
            if self._looked_at is None or not timedelta(0) <= now - self._looked_at < FRESH:
                before = {one.id for one in self._running}
                self._running, self._looked_at = running_now(self._state), now
                if before - {one.id for one in self._running}:
                    self._known.clear()
            return self._running

    def _note(self, name: _Name, variant: str, at: str) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known.add(name)
        row = {"experiment_id": name[0], "customer_id": name[1], "variant": variant, "at": at}
        self._waiting.append(row)
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, daemon=True)
            self._writer.start()
        self._lock.notify_all()

    def _write(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._waiting or self._is_closed)
                rows, self._waiting = self._waiting, []
                if not rows:
                    return
                self._is_writing = True
            try:
                with self._state.transaction() as opened:
                    expose(opened, rows)
            except OutsideError as error:
                # Not counted, and asked for again by whoever comes back.
                _LOG.warning("%d exposures were not logged: %s", len(rows), type(error).__name__)
                with self._lock:
                    self._known -= {(row["experiment_id"], row["customer_id"]) for row in rows}
            finally:
                with self._lock:
                    self._is_writing = False
                    self._lock.notify_all()
            # What comes in meanwhile is written together, and wakes nobody one by one.
            self._hurry.wait(PAUSE_SECONDS)
