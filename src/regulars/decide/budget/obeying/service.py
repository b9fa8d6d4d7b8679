"""What people say of the plan: keep to it or not, and floors and ceilings; all in the audit log."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ibis import _

from regulars.decide.budget.curves import Cell
from regulars.decide.budget.planning import Guards, Limits
from regulars.decide.budget.reviewing.service import pinned_limits
from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State

_SQL = Queries(__package__)
_NAMED = 8
_SHARES = ("flexible", "reserve", "risk", "hurdle")


@dataclass(frozen=True)
class Following:
    """What was last said of the plan.

    Attributes:
        is_followed: True when turns keep to the plan.
        guards: Shares, risk and hurdle of the plan.
        of_turn: Turn whose plan is kept to; 0 for the one each turn makes anew.
        why: The reason given.
        actor: Who said it.
        set_at: When, ISO 8601 in UTC.
        until: When it ends by itself; None for never.
    """

    is_followed: bool
    guards: Guards
    of_turn: int
    why: str
    actor: str
    set_at: str
    until: str | None


@dataclass(frozen=True)
class CellLimit:
    """A floor or ceiling a person set.

    Attributes:
        cell: Segment, channel and offer.
        floor: Least money of one turn; None for none.
        ceiling: Most; None for none.
        why: The reason given.
        actor: Who.
        set_at: When, ISO 8601 in UTC.
        until: When it ends by itself; None for never.
    """

    cell: Cell
    floor: Decimal | None
    ceiling: Decimal | None
    why: str
    actor: str
    set_at: str = ""
    until: str | None = None


def follow(
    state: State,
    guards: Guards,
    *,
    why: str,
    actor: str,
    now: datetime,
    of_turn: int = 0,
    planned: Collection[int] = (),
    until: datetime | None = None,
) -> None:
    """Let turns keep to the plan.

    Args:
        state: The transactional store.
        guards: Shares, risk and hurdle of the plans to come.
        why: The reason, not empty.
        actor: Who decides.
        now: The moment, aware.
        of_turn: Keep to the plan of this turn; 0 for the one each turn makes anew.
        planned: Turns there is a plan of, as `planned_turns` gives.
        until: When it ends; None for never.

    Raises:
        InputError: No reason is given, the turn planned nothing, or it has ended already.
    """
    if of_turn and of_turn not in planned:
        there_are = ", ".join(map(str, sorted(planned)[-_NAMED:])) or "none so far"
        raise InputError(
            f"turn {of_turn} has no plan to keep to; turns with a plan: {there_are}; "
            "give one of them, or 0 for each turn's own plan"
        )
    if until is not None and until <= now:
        raise InputError(f"it would end {until.isoformat()}, which is over; give a later day")
    end = _stamp(until) if until else None
    said = Following(True, guards, of_turn, why, actor, _stamp(now), end)
    _say(state, said, now)


def planned_turns(engine: Reader) -> list[int]:
    """List the turns that planned their money, by number; empty before the first."""
    table = engine.table("budget_plans").filter(_.spend.notnull())
    return [
        int(row["turn"]) for row in engine.rows(table.select("turn").distinct().order_by("turn"))
    ]


def leave(state: State, *, why: str, actor: str, now: datetime) -> bool:
    """Let turns spend as they find best again; pins, floors and ceilings stay.

    Args:
        state: The transactional store.
        why: The reason, not empty.
        actor: Who decides.
        now: The moment, aware.

    Returns:
        False when no plan was kept to.

    Raises:
        InputError: No reason is given.
    """
    held = followed(state, now=now)
    if held is None:
        return False
    said = replace(
        held, is_followed=False, why=why, actor=actor, set_at=_stamp(now), until=None, of_turn=0
    )
    _say(state, said, now)
    return True


def followed(state: State, *, now: datetime) -> Following | None:
    """Give what turns keep to; None when they spend as they find best."""
    newest = next(iter(sayings(state)), None)
    if newest is None or not newest.is_followed:
        return None
    return newest if newest.until is None or newest.until > _stamp(now) else None


def sayings(state: State) -> list[Following]:
    """List what was ever said of the plan, the newest first."""
    with state.reading() as opened:
        rows = opened.all(_SQL["said"])
    return [
        Following(
            bool(row["is_followed"]),
            Guards(**{name: float(row[name]) for name in _SHARES}),
            int(row["of_turn"]),
            *(row[name] for name in ("why", "actor", "set_at", "until")),
        )
        for row in rows
    ]


def limit_cell(
    state: State, one: CellLimit, *, now: datetime, until: datetime | None = None
) -> None:
    """Set a floor or a ceiling; turns and plans keep to it.

    Args:
        state: The transactional store.
        one: The limit; its moments are those of the arguments.
        now: The moment, aware.
        until: When it ends; None for never.

    Raises:
        InputError: Neither is given, a floor is above its ceiling or negative, no reason is
            given, or it has ended already.
    """
    require_limit(one)
    if until is not None and until <= now:
        raise InputError(f"the limit would end {until.isoformat()}, which is over")
    said: dict[str, Any] = {
        name: None if end is None else str(end)
        for name, end in (("floor", one.floor), ("ceiling", one.ceiling))
    }
    said |= {"why": _reason(one.why), "until": until and _stamp(until)}
    with state.transaction() as opened:
        opened.run(_SQL["limit"], **one.cell._asdict(), **said, actor=one.actor, set_at=_stamp(now))
        record(
            opened,
            actor=one.actor,
            action="budget.limit",
            subject=str(one.cell),
            detail=said,
            at=now,
        )


def require_limit(one: CellLimit) -> None:
    """Refuse what is no floor and no ceiling.

    Args:
        one: The limit.

    Raises:
        InputError: Neither is given, or a floor is above its ceiling or negative.
    """
    ends = [end for end in (one.floor, one.ceiling) if end is not None]
    if not ends or not all(end.is_finite() and end >= 0 for end in ends) or ends != sorted(ends):
        raise InputError(
            f"floor {one.floor} and ceiling {one.ceiling} are no limits; give 0 <= floor <= "
            "ceiling, or one of them"
        )


def unlimit_cell(state: State, cell: Cell, *, actor: str, now: datetime) -> bool:
    """Take floor and ceiling of a cell away.

    Returns:
        False when there was none.
    """
    with state.transaction() as opened:
        is_gone = opened.run(_SQL["unlimit"], **cell._asdict()) > 0
        if is_gone:
            record(
                opened, actor=actor, action="budget.unlimit", subject=str(cell), detail={}, at=now
            )
    return is_gone


def cell_limits(state: State, *, now: datetime) -> list[CellLimit]:
    """List floors and ceilings in force, by cell."""
    with state.reading() as opened:
        rows = opened.all(_SQL["limits"], at=_stamp(now))
    return [
        CellLimit(
            Cell(row["segment"], row["channel"], row["offer_id"]),
            None if row["floor"] is None else Decimal(row["floor"]),
            None if row["ceiling"] is None else Decimal(row["ceiling"]),
            *(row[name] for name in ("why", "actor", "set_at", "until")),
        )
        for row in rows
    ]


def limits_of_people(state: State, *, now: datetime) -> Mapping[Cell, Limits]:
    """Give floors, ceilings and pins in force; a pin stands in place of both."""
    found = {
        one.cell: Limits(
            float(one.floor or 0),
            float("inf") if one.ceiling is None else float(one.ceiling),
            why=f"{one.actor}: {one.why}",
        )
        for one in cell_limits(state, now=now)
    }
    return found | pinned_limits(state, now=now)


def told(state: State, *, now: datetime) -> dict[str, Any]:
    """Give what turns keep to, what was ever said, and floors and ceilings, as JSON has them."""
    held = followed(state, now=now)
    limits = [
        {
            "cell": str(one.cell),
            "floor": None if one.floor is None else str(one.floor),
            "ceiling": None if one.ceiling is None else str(one.ceiling),
            **{name: getattr(one, name) for name in ("why", "actor", "set_at", "until")},
        }
        for one in cell_limits(state, now=now)
    ]
    return {
        "followed": asdict(held) if held else None,
        "sayings": [asdict(one) for one in sayings(state)],
        "limits": limits,
    }


def _say(state: State, said: Following, now: datetime) -> None:
    shares = {name: repr(getattr(said.guards, name)) for name in _SHARES}
    row = {"of_turn": said.of_turn, "why": _reason(said.why), "until": said.until}
    with state.transaction() as opened:
        opened.run(
            _SQL["say"],
            **shares,
            **row,
            is_followed=int(said.is_followed),
            actor=said.actor,
            set_at=said.set_at,
        )
        action = "budget.follow" if said.is_followed else "budget.leave"
        detail = shares | row
        record(opened, actor=said.actor, action=action, subject="plan", detail=detail, at=now)


def _reason(text: str) -> str:
    if not text.strip():
        raise InputError("no reason is given; say why, it is kept beside the change")
    return text.strip()


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
