"""Senders at work: windows claimed, composed, handed over and settled, channel beside channel."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from regulars.errors import OutsideError, Transient
from regulars.ports.channels import Answer, Channel, Contact, Message, Outcome, Recovery
from regulars.reach.delivery.ledger.rows.service import Held, with_messages
from regulars.reach.delivery.ledger.service import AT_ONCE, Ledger
from regulars.reach.delivery.reports import Counts
from regulars.reach.delivery.runs import LANES, stamp
from regulars.reach.delivery.sending.insisting import insist

Compose = Callable[[Sequence[Contact]], dict[str, Message | str]]
Clock = Callable[[], datetime]

URGENT = LANES[:1]
_LOG = logging.getLogger("regulars.reach.delivery")
# A sender for what customers wait for looks again after these seconds while others are at work.
URGENT_LOOKS_EVERY = 0.1


@dataclass(frozen=True)
class Hands:
    """What every sender of a pass shares.

    Attributes:
        ledger: The rows.
        channels: Adapter of every channel.
        compose: Renders messages; asked only for channels that carry them.
        moment: Moment as the rules see it.
        clock: Moment leases and retries are held against.
        counts: Where senders report.
        raises: True when what a channel breaks down with ends the pass.
        ended: Set when nobody needs to go on.
    """

    ledger: Ledger
    channels: Mapping[str, Channel]
    compose: Compose
    moment: Clock
    clock: Clock
    counts: Counts
    raises: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


class Sender:
    """Works off one channel, or the urgent lane of it.

    Args:
        hands: What it shares with others.
        name: The channel.
    """

    def __init__(self, hands: Hands, name: str) -> None:
        """Remember the channel and start with a whole window."""
        self._hands, self._name = hands, name
        self._channel = hands.channels[name]
        self._most = hands.ledger.pace.window(name, is_careful=is_careful(self._channel))
        self._size = self._most
        self._failures, self._closed_until = hands.ledger.health(name)

    def recover(self) -> None:
        """Take up every claim of the channel that nobody holds, the urgent lane before each."""
        channel, hands = self._channel, self._hands
        while True:
            self.drain(URGENT)
            if self._is_closed():
                return
            window = hands.ledger.take_over(
                self._name,
                channel.recovery,
                channel.key_seconds,
                now=hands.moment(),
                due=hands.clock(),
            )
            if not window.looked:
                return
            hands.counts.add(self._name, dict(window.count_by_end), recovered=window.looked)
            if window.held and channel.recovery is Recovery.RECONCILE:
                self._ask_about(window.held)
            elif window.held:
                self._carry(window.held)

    def drain(self, lanes: Sequence[str]) -> bool:
        """Work off what may go out now, before each window the first lane first.

        Returns:
            True when anything moved.
        """
        moved = False
        while not self._hands.ended.is_set() and not self._is_closed():
            if not any(self._one_window(lane) for lane in lanes):
                break
            moved = True
        return moved

    def stand_by(self) -> None:
        """Work off the urgent lane until the pass has ended."""
        while not self._hands.ended.is_set():
            self.drain(URGENT)
            self._hands.ended.wait(URGENT_LOOKS_EVERY)

    def _one_window(self, lane: str) -> bool:
        hands = self._hands
        is_left = lane in URGENT and not is_careful(self._channel)
        window = hands.ledger.claim(
            self._name,
            lane,
            self._size,
            now=hands.moment(),
            left_for=hands.ledger.pace.left_for if is_left else AT_ONCE,
        )
        if window.looked:
            hands.counts.add(self._name, dict(window.count_by_end))
        if window.held:
            self._carry(window.held)
        return window.looked > 0

    def _carry(self, held: Sequence[Held]) -> None:
        """Compose, hand over, settle."""
        ready = self._composed(held)
        if not ready:
            return
        try:
            answers = self._channel.send([one.contact for one in ready])
        except Transient as error:
            self._settle(ready, {})
            self._failed(str(error))
        except Exception as error:
            if self._hands.raises:
                raise
            self._settle(ready, {})
            self._broke(error)
        else:
            self._settle(ready, answers)
            self._answered(ready, answers)

    def _composed(self, held: Sequence[Held]) -> list[Held]:
        if not self._channel.carries_messages:
            return list(held)
        hands = self._hands
        try:
            composed = hands.compose([one.contact for one in held])
        except Exception as error:
            # Nothing was handed over: what was claimed is planned again, and judged again.
            insist(partial(hands.ledger.unclaim, held))
            if hands.raises:
                raise
            self._broke(error)
            return []
        ready, without = with_messages(held, composed)
        if without:
            lacking = [one for one in held if one.contact.key in without]
            insist(partial(hands.ledger.refuse_claimed, lacking, without, now=hands.moment()))
            hands.counts.add(self._name, {"skipped": len(lacking)})
        return ready

    def _ask_about(self, held: Sequence[Held]) -> None:
        """Settle by what the provider says; what it never saw is planned again."""
        self._remind(held)
        try:
            answers = self._channel.find([one.contact.key for one in held])
        except OutsideError as error:
            self._settle(held, {})
            self._failed(str(error))
            return
        unseen = [
            one
            for one in held
            if one.contact.key in answers and answers[one.contact.key].outcome is Outcome.THROTTLED
        ]
        insist(partial(self._hands.ledger.unclaim, unseen))
        known = {one.contact.key for one in unseen}
        self._settle([one for one in held if one.contact.key not in known], answers)

    def _remind(self, held: Sequence[Held]) -> None:
        """Tell a channel whose provider is asked by address what a dead process handed over."""
        remember = getattr(self._channel, "remember", None)
        if remember is None:
            return
        try:
            composed = self._hands.compose([one.contact for one in held])
        except Exception as error:  # whoever has no message now cannot be asked about
            self._hands.counts.fail(self._name, error)
            return
        ready, _ = with_messages(held, composed)
        remember([one.contact for one in ready])

    def _settle(self, held: Sequence[Held], answers: Mapping[str, Answer]) -> None:
        settle = partial(
            self._hands.ledger.settle,
            held,
            answers,
            self._channel.recovery,
            self._channel.key_seconds,
            now=self._hands.clock(),
        )
        self._hands.counts.add(self._name, insist(settle))

    def _answered(self, held: Sequence[Held], answers: Mapping[str, Answer]) -> None:
        """Draw the consequences of a window for the next ones."""
        busy = [a for a in answers.values() if a.outcome is Outcome.THROTTLED]
        silent = len(held) - len(answers)
        silent += sum(a.outcome is Outcome.UNKNOWN for a in answers.values())
        if busy and len(busy) == len(held):
            self._size = max(1, self._size // 2)
            wait = max(1.0, *(answer.retry_seconds for answer in busy))
            self._close(wait, "throttled", failures=self._failures)
        elif silent == len(held):
            self._failed("no_answer")
        else:
            self._size = min(self._most, self._size * 2)
            if self._failures or self._closed_until:
                self._write(0, "", "")

    def _failed(self, reason: str) -> None:
        sending = self._hands.ledger.pace.sending
        failures = self._failures + 1
        if failures < sending.breaker_failures:
            self._write(failures, "", reason)
            return
        self._size = 1
        self._close(sending.breaker_seconds, reason, failures=failures)

    def _broke(self, error: BaseException) -> None:
        self._hands.counts.fail(self._name, error)
        sending = self._hands.ledger.pace.sending
        self._close(sending.breaker_seconds, str(error), failures=self._failures + 1)

    def _close(self, seconds: float, reason: str, *, failures: int) -> None:
        until = stamp(self._hands.clock() + timedelta(seconds=seconds))
        self._write(failures, until, reason)
        self._hands.counts.close(self._name, reason)

    def _write(self, failures: int, closed_until: str, reason: str) -> None:
        self._failures, self._closed_until = failures, closed_until
        self._hands.ledger.set_health(
            self._name, failures, closed_until, reason, now=self._hands.clock()
        )

    def _is_closed(self) -> bool:
        return bool(self._closed_until) and stamp(self._hands.clock()) < self._closed_until


def work_off(hands: Hands, names: Sequence[str]) -> None:
    """Let every channel work off what may go out, each beside the others.

    A channel that is slow or dead holds up nobody else. Senders that die of anything but a
    failing channel end the pass with it.

    Args:
        hands: What the senders share.
        names: Channels to work off.
    """
    pace = hands.ledger.pace
    if pace.is_serial:
        senders = [Sender(hands, name) for name in names]
        for sender in senders:
            sender.recover()
        for lanes in (URGENT, LANES):
            for sender in senders:
                sender.drain(lanes)
        return
    usual, standing_by = [], []
    for name in names:
        if is_careful(hands.channels[name]):
            # Where a crash leaves what is in the air unknown, one window is in the air and no more.
            worked_off = threading.Event()
            usual.append(partial(_whole, hands, name, True, worked_off))
            standing_by.append(partial(_stand_by, hands, name, worked_off))
        else:
            usual += [partial(_whole, hands, name, number == 0) for number in range(pace.senders)]
            standing_by.append(partial(_stand_by, hands, name))
    _beside(usual, [] if hands.ledger.turn else standing_by, hands)


def hasten(hands: Hands, name: str) -> None:
    """Hand over what customers wait for on one channel, and nothing else.

    Args:
        hands: What it claims and hands over with.
        name: The channel.
    """
    _beside([partial(Sender(hands, name).drain, URGENT)], [], hands)


def is_careful(channel: Channel) -> bool:
    """Tell whether a crash leaves what is in the air on a channel unknown.

    Args:
        channel: Its adapter.

    Returns:
        True where the provider neither knows keys nor can be asked.
    """
    return channel.recovery is Recovery.HOLD_UNKNOWN


def _whole(
    hands: Hands, name: str, is_first: bool, worked_off: threading.Event | None = None
) -> None:
    try:
        sender = Sender(hands, name)
        if is_first:
            sender.recover()
        sender.drain(LANES)
    finally:
        if worked_off is not None:
            worked_off.set()


def _stand_by(hands: Hands, name: str, after: threading.Event | None = None) -> None:
    """Work off the urgent lane of a channel, once its only other sender has ended."""
    if after is not None:
        after.wait()
    Sender(hands, name).stand_by()


def _beside(
    works: Sequence[Callable[[], object]], standing_by: Sequence[Callable[[], None]], hands: Hands
) -> None:
    """Run the works in threads of their own; those standing by end with the last of them."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
            hands.ended.set()

    threads = [threading.Thread(target=guarded, args=[work], daemon=True) for work in works]
    waiting = [threading.Thread(target=guarded, args=[work], daemon=True) for work in standing_by]
    beating = threading.Event()
    heart = threading.Thread(target=_renew, args=[hands, beating], daemon=True)
    for thread in (heart, *threads, *waiting):
        thread.start()
    for thread in threads:
        thread.join()
    hands.ended.set()
    beating.set()
    for thread in (heart, *waiting):
        thread.join()
    if errors:
        raise errors[0]


def _renew(hands: Hands, ended: threading.Event) -> None:
    """Keep the leases of a long pass alive: a call may take longer than a lease."""
    while not ended.wait(hands.ledger.pace.sending.lease_seconds / 3):
        try:
            hands.ledger.renew(now=hands.clock())
        except OutsideError as error:
            # The next beat comes before the lease ends; without a heart there would be none.
            _LOG.warning("leases were not renewed: %s", str(error).partition("\n")[0])
