"""The ticker: passes at fixed times, and at once when a trigger came in."""

import logging
import os
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from regulars.app import App, open_app
from regulars.errors import RegularsError
from regulars.govern.protection.redaction import mask_logs
from regulars.serve.sending.callbacks.staff_tasks import Follower
from regulars.serve.sending.composing import Pen
from regulars.serve.sending.passing import Pass, enrol_left, is_careful_waiting, one_pass
from regulars.serve.sending.ticking.following import EVERY_SECONDS as FOLLOWED_EVERY
from regulars.serve.sending.ticking.following import follow_audiences

_LOG = logging.getLogger("regulars.serve.ticker")
EVERY_SECONDS = 2.0
GRACE_SECONDS = 10.0
GIVES_WAY = 5


class Ticker:
    """Makes passes over one workspace until told to end.

    Args:
        folder: The workspace.
        wake: Set when something urgent was written to the send ledger.
        every: Seconds between passes that take campaigns on.
        leaves_urgent: True where another process hands over what customers wait for.
    """

    def __init__(
        self,
        folder: Path,
        wake: threading.Event,
        *,
        every: float = EVERY_SECONDS,
        leaves_urgent: bool = False,
    ) -> None:
        """Begin the thread."""
        self._folder, self._wake, self._every = folder, wake, every
        self._leaves_urgent = leaves_urgent
        self._ending = threading.Event()
        self.passes, self._said, self._audiences_due = 0, "", 0.0
        self._staff = Follower()
        self._thread = threading.Thread(target=self._work, name=f"ticker {folder}", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let the pass at work finish, for a while."""
        self._ending.set()
        self._wake.set()
        self._thread.join(GRACE_SECONDS)

    def _work(self) -> None:
        app = self._opened()
        if app is None:
            return
        pen = Pen(app)
        is_new, due = True, 0.0
        while not self._ending.is_set():
            self._wake.clear()
            is_due = monotonic() >= due
            try:
                if is_new:
                    enrol_left(app, now=datetime.now(UTC))
                if is_due or self._is_wanted(app):
                    self._work_once(app, pen, is_due=is_due)
                is_new, self._said = False, ""
            except RegularsError as error:
                self._warn(f"a pass failed: {error}")
                app = _again(app)
                pen = Pen(app)
            except Exception:
                _LOG.exception("a pass broke down; the next one tries again")
                app = _again(app)
                pen = Pen(app)
            self.passes += 1
            if is_due:
                due = monotonic() + self._every
            self._wake.wait(max(due - monotonic(), 0.01))

    def _opened(self) -> App | None:
        """Open the workspace, however long its settings cannot be used; None at the end."""
        while not self._ending.is_set():
            try:
                return open_app(self._folder)
            except Exception as error:  # noqa: BLE001 - told once; mended settings are read
                self._warn(f"the workspace {self._folder} cannot be opened: {error}")
                self._ending.wait(self._every)
        return None

    def _is_wanted(self, app: App) -> bool:
        """Whether a trigger is for a pass: there is no urgent lane, or it must leave this one."""
        return not self._leaves_urgent or is_careful_waiting(app, now=datetime.now(UTC))

    def _work_once(self, app: App, pen: Pen, *, is_due: bool) -> None:
        done = one_pass(
            app,
            now=datetime.now(UTC),
            with_campaigns=is_due,
            pen=pen,
            leaves_urgent=self._leaves_urgent,
        )
        self._tell(done)
        self._follow(app)

    def _follow(self, app: App) -> None:
        """Follow tasks of staff, and audiences when it is time; a failure waits for the next."""
        self._staff.follow(app, now=datetime.now(UTC))
        if monotonic() >= self._audiences_due:
            self._audiences_due = monotonic() + FOLLOWED_EVERY
            follow_audiences(app, now=datetime.now(UTC))

    def _warn(self, message: str) -> None:
        """Say once what goes wrong, however many passes it goes wrong in."""
        if message != self._said:
            _LOG.warning("%s", message)
        self._said = message

    @staticmethod
    def _tell(done: Pass) -> None:
        for move in done.moves:
            _LOG.info("%s %s: %s %s", move.campaign_id, move.phase, move.did, move.why)
        for journey, error in done.journeys.errors.items():
            _LOG.warning("journey %s stands still: %s", journey, error)
        for channel, error in done.report.errors.items():
            _LOG.warning("channel %s broke down: %s", channel, error)


def _again(app: App) -> App:
    """Open the workspace anew: settings may have been mended, a store may be back."""
    try:
        return open_app(app.folder)
    except Exception as error:  # noqa: BLE001 - a thread that ends here would end for good
        _LOG.warning("the workspace cannot be opened: %s", error)
        return app


def main(words: Sequence[str]) -> None:
    """Make passes over workspaces until the parent ends; what it writes wakes every ticker.

    Args:
        words: Seconds between passes, then the workspace folders.
    """
    mask_logs()
    # Long audiences have time: pages, triggers and the urgent lane get the cores first.
    os.nice(GIVES_WAY)
    wakes = [threading.Event() for _ in words[1:]]
    tickers = [
        Ticker(Path(folder), wake, every=float(words[0]), leaves_urgent=True)
        for folder, wake in zip(words[1:], wakes, strict=True)
    ]
    # A bare read gives what is there; the parent's end closes the pipe.
    while os.read(sys.stdin.fileno(), 4096):
        for wake in wakes:
            wake.set()
    for ticker in tickers:
        ticker.end()


if __name__ == "__main__":
    main(sys.argv[1:])
