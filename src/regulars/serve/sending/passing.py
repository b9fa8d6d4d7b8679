"""One pass: campaigns are taken on, what may go out goes out, gates are asked."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from regulars.adjust.rollout.service import Means, Move, advance
from regulars.errors import RegularsError
from regulars.ports.channels import Recovery
from regulars.reach.campaigns.definition import AudienceKind
from regulars.reach.campaigns.service import CampaignRow, list_campaigns
from regulars.reach.campaigns.triggers.service import take_left
from regulars.reach.delivery.ledger.pace import Pace
from regulars.reach.delivery.reports import TickReport
from regulars.reach.delivery.sending.service import is_careful
from regulars.reach.delivery.service import is_urgent_left, tick
from regulars.reach.loyalty.ledger.service import sweep as end_locks
from regulars.reach.receipts.service import settle_waiting
from regulars.reach.standing.gate import gate_of
from regulars.serve.sending.composing import Pen
from regulars.serve.sending.journeys.taking_on import Journeyed, take_on
from regulars.serve.sending.sources import keep_assignments, subject_now

if TYPE_CHECKING:
    from regulars.app import App

GATES_EVERY = 3.0
# What customers wait for is left to a process of its own for this long, where there is one.
LEFT_FOR = timedelta(seconds=5)
_LOG = logging.getLogger("regulars.serve.sending")


@dataclass(frozen=True)
class Pass:
    """What one pass did.

    Attributes:
        moves: What was done with campaigns.
        report: What was done with contacts.
        journeys: What was done with journeys.
    """

    moves: tuple[Move, ...]
    report: TickReport
    journeys: Journeyed = field(default_factory=Journeyed)


def one_pass(
    app: "App",
    *,
    now: datetime,
    only: str = "",
    with_campaigns: bool = True,
    pen: Pen | None = None,
    leaves_urgent: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Pass:
    """Take campaigns on, hand over what may go out, and ask the gates about what came back.

    Args:
        app: The open workspace.
        now: The moment, aware.
        only: Take on one campaign; "" for all and the journeys. Contacts of every run go out
            in any case.
        with_campaigns: False to hand contacts over and nothing else: no campaign or journey
            is taken on.
        pen: Who writes the messages; a new one for this pass when left out.
        leaves_urgent: True where another process hands over what customers wait for; all
            through the pass it is handed over here too once somebody has waited for seconds,
            and at once on careful channels, which no other process touches.
        pause: Waits for some seconds between attempts.

    Returns:
        What was done.
    """
    began = time.monotonic()
    gate = gate_of(app.settings, now=now)
    means = Means(
        app.settings,
        gate,
        partial(_subject, app, now),
        partial(_keep, app, now),
    )
    moves: list[Move] = []
    journeys = Journeyed()
    if with_campaigns:
        # A receipt may have come before the sender knew what the provider calls the contact.
        settle_waiting(app.state, now=now)
        # Locks of points end, and points expire, of customers nobody asks about too.
        end_locks(app.state, now=now)
        moves += advance(app.state, means, now=now, only=only)
    if with_campaigns and not only:
        journeys = take_on(app, now=now)
    # A long audience may have been written down meanwhile: leases and hours go by the time it is.
    moment = now + timedelta(seconds=time.monotonic() - began)
    pace = pace_of(app)
    if leaves_urgent:
        pace = replace(pace, left_for=LEFT_FOR)
    with _watched(app, means, moment, only, moves) if with_campaigns else nullcontext():
        report = tick(
            app.state,
            now=moment,
            channels=app.channels,
            gate=gate,
            compose=(pen or Pen(app)).compose,
            pace=pace,
            pause=pause,
        )
    if with_campaigns:
        moves += advance(app.state, means, now=now, only=only)
    return Pass(tuple(moves), report, journeys)


def enrol_left(app: "App", *, now: datetime) -> int:
    """Enrol triggers whose process died before it did; gives how many there were."""
    return sum(
        take_left(app.state, row.campaign.id, settings=app.settings, now=now)
        for row in list_campaigns(app.state)
        if row.campaign.audience.kind is AudienceKind.TRIGGER and row.state == "running"
    )


def pace_of(app: "App") -> Pace:
    """Give how fast the channels of a workspace take contacts."""
    sending = app.settings.sending
    windows = {name: part.window for name, part in app.settings.channels.items() if part.window}
    for row in app.describe_channels():
        if row.per_second and row.name not in windows:
            # What is claimed still goes out after an emergency stop: two seconds of it at most.
            is_careful = row.recovery == Recovery.HOLD_UNKNOWN.value
            usual = sending.careful_window if is_careful else sending.window
            windows[row.name] = max(1, min(usual, int(row.per_second * 2)))
    return Pace(sending, windows, senders=app.settings.compute.workers)


def careful_channels(app: "App") -> set[str]:
    """Name the channels only one process may hand over on: passes, also what is urgent.

    A crash leaves what is in the air on them unknown, and of that there is one window.

    Args:
        app: The open workspace.

    Returns:
        Names of the channels.
    """
    return {name for name, channel in app.channels.items() if is_careful(channel)}


def is_careful_waiting(app: "App", *, now: datetime) -> bool:
    """Tell whether customers wait for something on channels only passes hand over on.

    Args:
        app: The open workspace.
        now: The moment, aware.

    Returns:
        True when there is something.
    """
    gate = gate_of(app.settings, now=now)
    return is_urgent_left(app.state, sorted(careful_channels(app)), gate, since=now)


def is_anything_under_way(app: "App") -> bool:
    """Tell whether a campaign runs or is paused: whether passes have something to take on."""
    return any(row.state in {"running", "paused", "stopped"} for row in list_campaigns(app.state))


@contextmanager
def _watched(
    app: "App", means: Means, now: datetime, only: str, moves: list[Move]
) -> Generator[None]:
    """Ask the gates while contacts go out: a long pass must stop when much comes back."""
    ended, began = threading.Event(), time.monotonic()

    def watch() -> None:
        while not ended.wait(GATES_EVERY):
            moment = now + timedelta(seconds=time.monotonic() - began)
            try:
                moves.extend(advance(app.state, means, now=moment, only=only))
            except RegularsError as error:
                _LOG.warning("the gates could not be asked: %s", error)

    thread = threading.Thread(target=watch, name="gates", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _subject(app: "App", now: datetime, row: CampaignRow) -> Any:
    return subject_now(app, row, now=now)


def _keep(
    app: "App",
    now: datetime,
    row: CampaignRow,
    phase: str,
    members: Sequence[Mapping[str, Any]],
) -> None:
    keep_assignments(app, row, phase, members, now=now)
