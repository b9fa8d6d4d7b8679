"""What people say of channels: leave one alone, use one in spite of alerts, or neither."""

from collections.abc import Sequence
from datetime import datetime

from regulars.adjust.alerts.holding import Word
from regulars.adjust.alerts.watching import EVERY, Alert
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.service import Task, add_task, end_tasks, open_tasks

LONGEST = 520
"""Most turns a word may count for: ten years of weeks."""

TASK = "alert"

_SQL = Queries(__package__)


def words_of(state: State) -> list[Word]:
    """Give what people said of channels, those whose time is over included.

    Returns:
        By channel; empty when nobody said anything.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["said"])
    return [
        Word(row["channel"], bool(row["is_held"]), int(row["until_turn"]), row["reason"])
        for row in rows
    ]


def say(
    state: State, word: Word, *, turn: int, channels: Sequence[str], actor: str, now: datetime
) -> None:
    """Say that a channel is left alone, or used whatever alerts say, for some turns.

    Args:
        state: The transactional store.
        word: What is said; it stands in place of an earlier one about the same channel.
        turn: The next turn: the word counts from it on.
        channels: The channels of the workspace.
        actor: Who says so.
        now: The moment, aware.

    Raises:
        UnknownName: There is no such channel.
        InputError: No reason was given, or it is for less than one turn or more than 520.
    """
    if word.channel not in channels:
        raise UnknownName("channel", word.channel, channels)
    if not 1 <= word.until_turn - turn <= LONGEST:
        raise InputError(f"turns is {word.until_turn - turn}, must be 1 to {LONGEST}")
    if not word.reason.strip():
        raise InputError("no reason is given; say why, it is kept beside the change")
    with state.transaction() as opened:
        opened.run(
            _SQL["say"],
            channel=word.channel,
            is_held=int(word.is_held),
            until_turn=word.until_turn,
            reason=word.reason.strip(),
            actor=actor,
            at=now.isoformat(),
        )
        _note(opened, "hold" if word.is_held else "release", word, actor, now)
        end_tasks(opened, TASK, _subject(word.channel), actor=actor, now=now)


def take_back(state: State, channel: str, *, actor: str, now: datetime) -> None:
    """Take back what was said of a channel: the loop chooses again.

    Args:
        state: The transactional store.
        channel: The channel.
        actor: Who takes it back.
        now: The moment, aware.

    Raises:
        InputError: Nobody said anything about it.
    """
    said = {word.channel: word for word in words_of(state)}
    if channel not in said:
        raise InputError(
            f"nobody has said anything about channel {channel}; there is nothing to take back"
        )
    with state.transaction() as opened:
        opened.run(_SQL["take_back"], channel=channel)
        _note(opened, "undo", said[channel], actor, now)


def ask_people(state: State, alerts: Sequence[Alert], *, now: datetime) -> None:
    """Open a task for each alert that a guardrail leaves to people; one open per channel.

    Args:
        state: The transactional store.
        alerts: Alerts about which nothing was done.
        now: The moment, aware.
    """
    for one in alerts:
        place = one.place
        about = "all contacts" if one.channel == EVERY else f"channel {one.channel}"
        message = (
            f"{about}: {one.kind} of turn {one.measured_turn} is {place.share:.4g}, usually "
            f"{place.usual:.4g} ({place.low:.4g} to {place.high:.4g}); nothing was done by itself: "
            "hold or release the channel, or say that it was seen"
        )
        with state.transaction() as opened:
            add_task(opened, TASK, _subject(one.channel), message, now=now)


def alert_tasks(state: State) -> list[Task]:
    """Give the alerts that wait for a person, the oldest first."""
    return [one for one in open_tasks(state) if one.kind == TASK]


def seen(state: State, channel: str, *, actor: str, now: datetime) -> None:
    """Say that the alert about a channel was looked at and nothing more is to be done.

    Args:
        state: The transactional store.
        channel: The channel; "*" for the effect of all contacts.
        actor: Who looked.
        now: The moment, aware.

    Raises:
        UnknownName: No alert about it waits for a person.
    """
    waiting = [one.subject.partition("/")[2] for one in alert_tasks(state)]
    if channel not in waiting:
        raise UnknownName("alert that waits for a person", channel, waiting)
    with state.transaction() as opened:
        end_tasks(opened, TASK, _subject(channel), actor=actor, now=now)
        record(
            opened, actor=actor, action="alert.seen", subject=_subject(channel), detail={}, at=now
        )


def _subject(channel: str) -> str:
    return f"channel/{channel}"


def _note(opened: Transaction, verb: str, word: Word, actor: str, now: datetime) -> None:
    detail = {"is_held": word.is_held, "until_turn": word.until_turn, "reason": word.reason}
    record(
        opened,
        actor=actor,
        action=f"channel.{verb}",
        subject=f"channel/{word.channel}",
        detail=detail,
        at=now,
    )
