"""The urgent lane: what customers wait for goes out at once, by a process that does nothing else.

Passes take long audiences on, walk journeys and render marketing; a receipt must not wait for them,
nor share an interpreter with them.
"""

import gc
import logging
import os
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from regulars.app import App, open_app
from regulars.govern.protection.redaction import mask_logs
from regulars.reach.delivery.service import hasten
from regulars.reach.standing.gate import gate_of
from regulars.serve.sending.composing import Pen
from regulars.serve.sending.passing import careful_channels, pace_of

_LOG = logging.getLogger("regulars.serve.urgent")
# Who hands a trigger in says so; others, such as a command, write without a word.
LOOKS_EVERY = 1.0
AGAIN_AFTER = 2.0
# Workspaces that cannot be opened are tried again after these seconds.
OPENED_EVERY = 30.0
# What comes within this of the last hand-over goes together: half the work, and nobody notices.
TOGETHER_SECONDS = 0.01
GRACE_SECONDS = 10.0
# Threads that wait for an answer are let in at once beside one that renders.
SWITCH_SECONDS = 0.0005


class UrgentLane:
    """Hands over what customers of one workspace wait for, each channel apart from the others.

    Channels where a crash leaves what is in the air unknown are left to passes: one window of
    theirs is in the air, and one process keeps to their rate.

    Args:
        folder: The workspace.
    """

    def __init__(self, folder: Path) -> None:
        """Get everything ready, then begin one thread per channel."""
        self._ending, self._said = threading.Event(), ""
        self._alone = threading.Lock()
        self._opened = _Opened(folder)
        app = self._opened.app
        self._wakes = {
            name: threading.Event() for name in set(app.channels) - careful_channels(app)
        }
        self._threads = [
            threading.Thread(target=self._work, args=[name], name=f"urgent {name}", daemon=True)
            for name in sorted(self._wakes)
        ]
        for one in self._threads:
            one.start()

    def wake(self) -> None:
        """Look now: something was written to the send ledger."""
        for one in self._wakes.values():
            one.set()

    def end(self) -> None:
        """Let what is being handed over be settled, for a while."""
        self._ending.set()
        self.wake()
        for one in self._threads:
            one.join(GRACE_SECONDS)

    def _work(self, channel: str) -> None:
        wake = self._wakes[channel]
        while not self._ending.is_set():
            wake.clear()
            opened = self._opened
            try:
                if self._look(opened, channel):
                    self._ending.wait(TOGETHER_SECONDS)
                self._said = ""
            except Exception as error:
                self._warn(channel, error)
                self._ending.wait(AGAIN_AFTER)
                self._renew(opened)
            wake.wait(LOOKS_EVERY)

    @staticmethod
    def _look(opened: "_Opened", channel: str) -> bool:
        """Hand over what waits on a channel; whether there was anything."""
        app, now = opened.app, datetime.now(UTC)
        if channel in careful_channels(app):
            # Its settings were changed meanwhile.
            return False
        report = hasten(
            app.state,
            channel,
            now=now,
            channels=app.channels,
            gate=gate_of(app.settings, now=now),
            compose=opened.pen.compose,
            pace=pace_of(app),
        )
        for name, error in report.errors.items():
            _LOG.warning("channel %s broke down: %s", name, error)
        return bool(report.count_by_end)

    def _warn(self, channel: str, error: Exception) -> None:
        """Say once what goes wrong, however often it goes wrong."""
        message = f"channel {channel}: {error}"
        if message != self._said:
            _LOG.warning("the urgent lane of %s", message)
        self._said = message

    def _renew(self, failed: "_Opened") -> None:
        """Open the workspace anew: settings may have been mended, a store may be back."""
        with self._alone:
            if self._opened is failed:
                try:
                    self._opened = _Opened(failed.app.folder)
                except Exception as error:  # noqa: BLE001 - its thread must not end of it
                    _LOG.warning("the workspace cannot be opened: %s", error)


class _Opened:
    """A workspace, and who writes its messages."""

    def __init__(self, folder: Path) -> None:
        self.app: App = open_app(folder)
        self.pen = Pen(self.app)
        self.pen.prepare()


def main(words: Sequence[str]) -> None:
    """Hand over what is urgent in workspaces until the parent ends; what it writes wakes all.

    Args:
        words: The workspace folders.
    """
    mask_logs()
    sys.setswitchinterval(SWITCH_SECONDS)
    lanes: list[UrgentLane] = []
    ended = threading.Event()
    left = _begun([Path(folder) for folder in words], lanes)
    opener = threading.Thread(target=_begin, args=[left, lanes, ended], name="opener", daemon=True)
    opener.start()
    # What exists now stays: the collector need not look at it again on every round.
    gc.collect()
    gc.freeze()
    # A bare read gives what is there; the parent's end closes the pipe.
    while os.read(sys.stdin.fileno(), 4096):
        for lane in tuple(lanes):
            lane.wake()
    ended.set()
    opener.join(GRACE_SECONDS)
    for lane in lanes:
        lane.end()


def _begun(folders: Sequence[Path], lanes: list[UrgentLane]) -> list[Path]:
    """Begin the lane of each workspace; gives those that cannot be opened, which end no other."""
    left = []
    for folder in folders:
        try:
            lanes.append(UrgentLane(folder))
        except Exception as error:  # noqa: BLE001 - one workspace must not end the lane of others
            _LOG.warning("the workspace %s cannot be opened: %s", folder, error)
            left.append(folder)
    return left


def _begin(left: Sequence[Path], lanes: list[UrgentLane], ended: threading.Event) -> None:
    """Try again those that could not be opened, until their settings are mended."""
    while left and not ended.wait(OPENED_EVERY):
        left = _begun(left, lanes)


if __name__ == "__main__":
    main(sys.argv[1:])
