"""Crash points: every moment between two effects on the outside, and dying at one of them."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
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

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """Open a write transaction of the real store."""
        with self._state.transaction() as opened:
            yield _CrashingTransaction(opened, self._points)
            self._points.reach("before commit")
        self._points.reach("after commit")

    @contextmanager
    def sharing(self) -> Generator[Transaction]:
        """Open a write transaction of the real store beside others."""
        with self._state.sharing() as opened:
            yield _CrashingTransaction(opened, self._points)
            self._points.reach("before commit")
        self._points.reach("after commit")

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        """Open a read transaction of the real store."""
        with self._state.reading() as opened:
            yield opened
        if self._after_reads:
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
