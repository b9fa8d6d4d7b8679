"""The journal of turns: which turn is open, and which of its steps are done."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from regulars.errors import InputError, Transient
from regulars.govern.audit.service import anchor, record
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State
from regulars.ports.steps import Step
from regulars.records import Turn

_SQL = Queries("regulars", file="journal.sql")


def begin_turn(state: State, as_of: date, *, moment: datetime, seed: int) -> tuple[Turn, str]:
    """Find the turn to continue, or open the next one.

    Args:
        state: The transactional store.
        as_of: Last day whose facts the turn may read.
        moment: When its contacts go out, should it be a new one.
        seed: Its seed, should it be a new one.

    Returns:
        The turn, and its status: open, looked or closed.

    Raises:
        InputError: An interrupted turn waits for another day, or the day is before that of
            the last turn.
    """
    number = 1
    with state.transaction() as opened:
        for last in opened.all(_SQL["last_turn"]):
            day, status = date.fromisoformat(last["as_of"]), last["status"]
            if day == as_of:
                known = datetime.fromisoformat(last["now"])
                return Turn(last["number"], as_of, known, last["seed"]), status
            if as_of < day:
                raise InputError(
                    f"as-of {as_of} is before turn {last['number']} of {day}; give a later day"
                )
            if status == "open":
                raise InputError(
                    f"turn {last['number']} of {day} was interrupted; "
                    f"run: regulars run --as-of {day}, then this day"
                )
            number = last["number"] + (status == "closed")
            opened.run(_SQL["forget_steps"], number=number)
        opened.run(
            _SQL["begin_turn"],
            number=number,
            as_of=as_of.isoformat(),
            now=moment.isoformat(),
            seed=seed,
        )
    return Turn(number, as_of, moment, seed), "open"


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Let one process at a time turn the loop of a workspace; a killed one lets go by itself.

    Args:
        folder: The workspace folder.

    Yields:
        Nothing.

    Raises:
        Transient: Another process is at work in the workspace.
    """
    with (folder / ".turn.lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise Transient(
                f"another run is at work in {folder}; wait until it has ended, then try again"
            ) from error
        yield


@contextmanager
def journaled(state: State, lake: Lake, step: Step, turn: Turn) -> Generator[list[int]]:
    """Skip a step that is done: the journal says so and the lake holds its commit of this turn.

    Args:
        state: The transactional store.
        lake: The tables.
        step: The step.
        turn: The turn.

    Yields:
        A list to put the rows written in; empty when the step is done.
    """
    done = step.name in rows_by_step(state, turn.number) and all(
        lake.committed(table, step.name) == turn.number for table in step.writes
    )
    rows = [] if done else [0]
    yield rows
    if rows:
        with state.transaction() as opened:
            opened.run(_SQL["step_done"], number=turn.number, step=step.name, rows=rows[-1])


def rows_by_step(state: State, number: int) -> dict[str, int]:
    """Give the rows written by each step of a turn that is done."""
    with state.reading() as opened:
        rows = opened.all(_SQL["done_steps"], number=number)
    return {row["step"]: row["rows_written"] for row in rows}


def end_turn(state: State, turn: Turn, *, status: str, folder: Path) -> None:
    """Close a turn and say so in the audit log, in one transaction; then anchor the log.

    Args:
        state: The transactional store.
        turn: The turn.
        status: "closed", or "looked" when nobody was contacted.
        folder: The workspace folder, home of the audit key.
    """
    detail = {"as_of": turn.as_of.isoformat(), "status": status}
    with state.transaction() as opened:
        opened.run(_SQL["end_turn"], number=turn.number, status=status)
        record(
            opened,
            actor="loop",
            action="turn",
            subject=str(turn.number),
            detail=detail,
            at=turn.now,
        )
    anchor(state, folder=folder, at=turn.now)


def next_turn(state: State) -> int:
    """Give the number of the turn that would be run next, or be continued.

    Returns:
        1 before the first turn.
    """
    with state.reading() as opened:
        for last in opened.all(_SQL["last_turn"]):
            is_over = bool(last["status"] == "closed")
            return int(last["number"]) + is_over
    return 1


def last_turn(state: State) -> Turn | None:
    """Give the newest turn, closed or not.

    Returns:
        None before the first turn.
    """
    with state.reading() as opened:
        for last in opened.all(_SQL["last_turn"]):
            day, now = date.fromisoformat(last["as_of"]), datetime.fromisoformat(last["now"])
            return Turn(last["number"], day, now, last["seed"])
    return None


def open_turn(state: State) -> Turn | None:
    """Give the turn that was begun and not ended.

    Returns:
        None when the newest one was ended, or there is none.
    """
    with state.reading() as opened:
        is_open = any(last["status"] == "open" for last in opened.all(_SQL["last_turn"]))
    return last_turn(state) if is_open else None
