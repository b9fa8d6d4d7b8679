"""Asks what staff did with their tasks (企业群发), and takes back what must not go out any more."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from regulars.errors import UnknownName
from regulars.govern.policy.service import stopped
from regulars.ports.state import Queries
from regulars.reach.receipts.service import Covering, take
from regulars.records.receipts import ParsedReceipt, ReceiptKind, StaffTask

if TYPE_CHECKING:
    from regulars.app import App

LOOKS_EVERY = timedelta(minutes=10)
# While everything is stopped, tasks that still wait for staff are looked for all the time.
LOOKS_EVERY_WHILE_STOPPED = timedelta(seconds=5)
LASTS = timedelta(days=7)
TAKEN_BACK = "taken_back"
# What a campaign or journey in one of these has handed over must not go out. One that is finished
# has handed over all it meant to; where its window closed, its run is cancelled too.
NOT_NOW = frozenset({"paused", "stopped"})
_SQL = Queries(__package__)


@runtime_checkable
class ByStaff(Protocol):
    """A channel whose contacts go out once staff confirm them."""

    def look(self, since: datetime, /) -> Iterator[StaffTask]:
        """Ask what staff did with the tasks made since a moment, one after the other."""

    def leave(self, msgid: str, /) -> None:
        """Ask about a task no more, as all it says is kept."""

    def cancel(self, msgid: str, /) -> bool:
        """Take back what staff have not sent yet; whether it was taken."""


@dataclass(frozen=True)
class Followed:
    """What one look at the tasks of staff came to.

    Attributes:
        receipts: Contacts something new was told of.
        taken_back: Tasks taken back, as everything or their campaign was stopped.
    """

    receipts: int = 0
    taken_back: int = 0


def follow_staff(app: "App", *, now: datetime) -> Followed:
    """Look at the tasks of every channel whose staff confirm, when it is time to.

    What staff sent, and what the provider would not let them send, become receipts. While
    everything is stopped, and for campaigns that were ended, tasks they have not sent yet are taken
    back: what waits on their telephones would go out otherwise. A task made by hand in the
    provider's own console is left alone.

    Args:
        app: The open workspace.
        now: The moment, aware.

    Returns:
        What came of it; nothing where no channel is confirmed by staff, or none is due.
    """
    by_staff = [(name, one) for name, one in app.channels.items() if isinstance(one, ByStaff)]
    is_stopped = bool(by_staff) and stopped(app.state) is not None
    every = LOOKS_EVERY_WHILE_STOPPED if is_stopped else LOOKS_EVERY
    receipts = taken_back = 0
    for name, channel in by_staff:
        if _is_due(app, name, every, now):
            done = _look(app, name, channel, is_stopped=is_stopped, now=now)
            receipts, taken_back = receipts + done.receipts, taken_back + done.taken_back
    return Followed(receipts, taken_back)


@runtime_checkable
class Reminding(ByStaff, Protocol):
    """A channel whose provider reminds staff of what they have not confirmed."""

    def remind(self, msgid: str, /) -> bool:
        """Remind staff who have not sent yet; whether it was taken."""


@dataclass(frozen=True)
class Reminder:
    """One task whose staff were reminded, or were not.

    Attributes:
        channel: The channel.
        task: The provider's name of the task.
        waiting: Contacts of ours in it that staff have not confirmed.
        did: reminded; refused where the provider did not take it, as after the third within a
            day; left where the task must not go out.
    """

    channel: str
    task: str
    waiting: int
    did: str


def remind_staff(app: "App", *, now: datetime, only: str = "") -> list[Reminder]:
    """Remind staff of every task of ours they have not confirmed.

    Tasks with a contact of a campaign or journey that is paused or was stopped, or of a run that
    was cancelled, and all of them while everything is stopped, are left alone: nobody is asked to
    send what must not go out. So are tasks made by hand.

    Args:
        app: The open workspace.
        now: The moment, aware; tasks of the last week are looked at.
        only: Name of one channel; "" for all.

    Returns:
        One per task that waits for staff; empty where none does.

    Raises:
        UnknownName: There is no such channel.
    """
    if only and only not in app.channels:
        raise UnknownName("channel", only, app.channels)
    is_stopped = stopped(app.state) is not None
    return [
        found
        for name, channel in app.channels.items()
        if isinstance(channel, Reminding) and only in {"", name}
        for task in channel.look(now - LASTS)
        if (found := _reminder(app, name, channel, task, is_stopped=is_stopped))
    ]


def _reminder(
    app: "App", name: str, channel: Reminding, task: StaffTask, *, is_stopped: bool
) -> Reminder | None:
    """Remind the staff of one task; None where none of our contacts waits in it."""
    ours = _ours(app, name, task.waiting)
    waiting = [row for row in ours.values() if not row["is_taken_back"]]
    if not waiting:
        return None
    # Staff confirm a task whole: one contact that must not go out keeps the others.
    may_go = not any(row["is_cancelled"] or row["campaign_state"] in NOT_NOW for row in waiting)
    if is_stopped or not may_go:
        return Reminder(name, task.name, len(waiting), "left")
    did = "reminded" if channel.remind(task.name) else "refused"
    return Reminder(name, task.name, len(waiting), did)


class Follower:
    """Follows the tasks of staff beside the passes, which a slow provider must not hold up."""

    def __init__(self) -> None:
        """Follow nothing yet."""
        self._thread: threading.Thread | None = None
        self._errors: list[Exception] = []

    def follow(self, app: "App", *, now: datetime) -> None:
        """Begin one look, unless the last one is still at work.

        Raises:
            Exception: What the last look failed with.
        """
        if self._thread is not None and self._thread.is_alive():
            return
        if self._errors:
            raise self._errors.pop()
        self._thread = threading.Thread(target=self._look, args=[app, now], daemon=True)
        self._thread.start()

    def _look(self, app: "App", now: datetime) -> None:
        try:
            follow_staff(app, now=now)
        except Exception as error:  # noqa: BLE001 - told with the next look
            self._errors.append(error)


def _is_due(app: "App", channel: str, every: timedelta, now: datetime) -> bool:
    """Whether a channel is to be looked at now; whoever finds so has the look."""
    name, at = f"staff_tasks/{channel}", now.astimezone(UTC).isoformat(timespec="microseconds")
    with app.state.reading() as opened:
        if not _is_over(opened.all(_SQL["looked_at"], name=name), every, now):
            return False
    with app.state.transaction() as opened:
        if not _is_over(opened.all(_SQL["looked_at"], name=name), every, now):
            return False
        opened.run(_SQL["set_looked_at"], name=name, value=at)
    return True


def _is_over(rows: list[dict[str, Any]], every: timedelta, now: datetime) -> bool:
    return not rows or abs(now - datetime.fromisoformat(rows[0]["value"])) >= every


def _look(app: "App", name: str, channel: ByStaff, *, is_stopped: bool, now: datetime) -> Followed:
    receipts = taken_back = 0
    for task in channel.look(now - LASTS):
        done = _see_to(app, name, channel, task, is_stopped=is_stopped, now=now)
        receipts, taken_back = receipts + done.receipts, taken_back + done.taken_back
        # Only now: what was not kept must be told once more.
        if task.is_over:
            channel.leave(task.name)
    return Followed(receipts, taken_back)


def _see_to(
    app: "App", name: str, channel: ByStaff, task: StaffTask, *, is_stopped: bool, now: datetime
) -> Followed:
    """Take one task back if it must not go out, before all else, and keep what it tells."""
    told = (receipt.provider_id for receipt in task.receipts)
    ours = _ours(app, name, [*told, *task.waiting])
    # Whose contact was taken back is shown as waiting for ever.
    waiting = [one for one in task.waiting if one in ours and not ours[one]["is_taken_back"]]
    must_not_go = is_stopped or _has_ended(ours, waiting)
    is_taken_back = bool(waiting) and must_not_go and channel.cancel(task.name)
    found = [one for one in task.receipts if one.provider_id in ours]
    if is_taken_back:
        found += [_taken_back(one, now) for one in waiting]
    if not found:
        return Followed()
    covering = Covering(app.protector.token, app.protector.seal)
    taken = take(app.state, name, found, covering=covering, now=now)
    return Followed(taken.received - taken.again, int(is_taken_back))


def _ours(app: "App", channel: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Give the state of their campaign or journey for those names that are contacts of ours."""
    asked = {
        "names": json.dumps(sorted(names)),
        "channel": channel,
        "taken_back": f":{TAKEN_BACK}:{ReceiptKind.FAILED.value}",
    }
    with app.state.reading() as opened:
        return {row["provider_id"]: row for row in opened.all(_SQL["ours"], **asked)}


def _has_ended(ours: Mapping[str, Mapping[str, Any]], waiting: Iterable[str]) -> bool:
    """Whether every campaign and journey of a task was ended: what was paused may go on."""
    return all(ours[name]["campaign_state"] == "stopped" for name in waiting)


def _taken_back(name: str, now: datetime) -> ParsedReceipt:
    return ParsedReceipt(
        ReceiptKind.FAILED,
        now,
        provider_id=name,
        detail=TAKEN_BACK,
        notice_id=f"{name}:{TAKEN_BACK}",
    )
