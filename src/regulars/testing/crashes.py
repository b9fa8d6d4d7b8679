"""Crash points: every moment between two effects on the outside, and dying at one of them."""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from regulars.ports.channels import Answer, Channel, Contact, Recovery
from regulars.ports.state import State, Transaction


class Died(BaseException):
    """Stands for the death of the process where a test does not kill a real one."""


class CrashPoints:
    """Counts the moments passed, and lets the process die at one of them.

    Args:
        at: Number of the moment to die at, from 1; 0 for never.
        die: What dying means: raising `Died`, or a signal to the own process.
    """

    def __init__(self, at: int, die: Callable[[], None]) -> None:
        """Start before the first moment."""
        self.passed: list[str] = []
        self._at, self._die = at, die
        self._alone = threading.Lock()

    def reach(self, moment: str) -> None:
        """Pass one moment, or die at it."""
        with self._alone:
            self.passed.append(moment)
            number = len(self.passed)
        if number == self._at:
            self._die()


class CrashingState:
    """A state store with a crash point before every statement, before and after every commit.

    Args:
        state: The real store.
        points: Where to die.
        after_reads: True for one after every read transaction too: what it said may be old by
            the time somebody else goes on.
    """

    def __init__(self, state: State, points: CrashPoints, *, after_reads: bool = False) -> None:
        """Wrap the store."""
        self._state, self._points, self._after_reads = state, points, after_reads

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a write transaction of the real store."""
        return _Writing(self._state.transaction(), self._points)

    def sharing(self) -> AbstractContextManager[Transaction]:
        """Open a write transaction of the real store beside others."""
        return _Writing(self._state.sharing(), self._points)

    def reading(self) -> AbstractContextManager[Transaction]:
        """Open a read transaction of the real store."""
        opening = self._state.reading()
        return _Reading(opening, self._points) if self._after_reads else opening


class _Writing:
    """A write transaction with its crash points."""

    def __init__(self, opening: AbstractContextManager[Transaction], points: CrashPoints) -> None:
        self._opening, self._points = opening, points

    def __enter__(self) -> Transaction:
        return _CrashingTransaction(self._opening.__enter__(), self._points)

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            try:
                self._points.reach("before commit")
            except BaseException:
                # Whoever dies here has not committed.
                self._opening.__exit__(*sys.exc_info())
                raise
        self._opening.__exit__(*error)
        if error[0] is None:
            self._points.reach("after commit")


class _Reading:
    """A read transaction with a crash point after it."""

    def __init__(self, opening: AbstractContextManager[Transaction], points: CrashPoints) -> None:
        self._opening, self._points = opening, points

    def __enter__(self) -> Transaction:
        return self._opening.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._opening.__exit__(*error)
        if error[0] is None:
            self._points.reach("after reading")


class _CrashingTransaction:
    def __init__(self, opened: Transaction, points: CrashPoints) -> None:
        self._opened, self._points = opened, points

    def all(self, sql: str, /, **values: Any) -> list[dict[str, Any]]:
        return self._opened.all(sql, **values)

    def run(self, sql: str, /, **values: Any) -> int:
        self._points.reach("before statement")
        return self._opened.run(sql, **values)

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        self._points.reach("before statement")
        return self._opened.many(sql, rows)


class CrashingChannel:
    """A channel with a crash point before and after every call.

    Args:
        channel: The real channel.
        points: Where to die.
    """

    def __init__(self, channel: Channel, points: CrashPoints) -> None:
        """Wrap the channel."""
        self.recovery: Recovery = channel.recovery
        self.key_seconds: int = channel.key_seconds
        self.carries_messages: bool = channel.carries_messages
        self._channel, self._points = channel, points

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Send by the real channel.

        Returns:
            What the real channel answers.
        """
        self._points.reach("before send")
        answers = self._channel.send(contacts)
        self._points.reach("after send")
        return answers

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Ask the real channel.

        Returns:
            What the real channel answers.
        """
        self._points.reach("before find")
        answers = self._channel.find(keys)
        self._points.reach("after find")
        return answers

    def close_turn(self, turn: int, /) -> None:
        """Close the turn of the real channel."""
        self._points.reach("before close")
        self._channel.close_turn(turn)
        self._points.reach("after close")
