"""The step that plans the money of a turn, from the response its cells have shown so far."""

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

import pyarrow as pa
from ibis import _

from regulars.adjust.budgeting.rows import by_budget, feasible, of_people, of_plan, of_turn
from regulars.decide.budget.curves.curve import UNSCORED, Cell
from regulars.decide.budget.obeying.service import Following
from regulars.decide.budget.planning import Guards, Limits
from regulars.decide.budget.planning.service import plan_workspace
from regulars.decide.offers import arms_on
from regulars.decide.offers.keeping.service import Kept, catalogue_rows
from regulars.decide.policies.tables import latest
from regulars.errors import NotReady
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import TABLES, Turn
from regulars.settings import Loop


@step(
    reads="cell_effects parameters offers rfm_scores budget_plans",
    writes="budget_plans",
)
def plan_money(
    engine: Engine,
    turn: Turn,
    *,
    loop: Loop,
    channel_costs: Mapping[str, Decimal],
    catalogue: Sequence[Kept],
    following: Following | None,
    limits: Mapping[Cell, Limits],
    unlearned: Set[int] = frozenset(),
) -> int:
    """Plan the money of the turn about to decide.

    Where no plan is followed it is a proposal, but for what people pinned or limited.

    Args:
        engine: The engine bound to this step.
        turn: The turn about to decide.
        loop: Budget and exploration.
        channel_costs: Cost of one contact by channel.
        catalogue: Versions of offers in force, which hold instead of what was imported.
        following: What turns keep to; None when they spend as they find best.
        limits: Floors, ceilings and pins of people.
        unlearned: Turns nothing is to be learned from; the plan is that without them.

    Returns:
        Cells written; none before anything was measured or said.
    """
    money = float(loop.weekly_budget) * _share(engine, turn.number)
    guards = following.guards if following else Guards()
    held = feasible(limits, to_spend=money * (1 - guards.reserve))
    offers = catalogue_rows(engine.rows(engine.table("offers")), catalogue)
    cells = {
        Cell(segment, arm.channel, arm.offer_id): Limits()
        for segment in _segments(engine, turn.number)
        for arm in arms_on(offers, channel_costs, day=turn.now.date())
    }
    if following and following.of_turn:
        rows = of_turn(
            _planned(engine, following.of_turn),
            held,
            money=money,
            reserve=guards.reserve,
            cells=cells,
        )
    else:
        try:
            found = plan_workspace(
                engine,
                budget=money,
                guards=guards,
                limits=cells | held,
                tests=loop.exploration_floor,
                left_out=unlearned,
            )
            rows = of_plan(found, held, is_followed=following is not None)
        except NotReady:
            rows = of_people(held, money=money, to_spend=money)
    return _write(engine, by_budget(rows, limits, held))


def _write(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> int:
    names = [column for column in TABLES["budget_plans"].names if column != "turn"]
    return engine.write(
        "budget_plans", pa.table({name: [row[name] for row in rows] for name in names})
    )


def _planned(engine: Engine, turn: int) -> list[dict[str, Any]]:
    """Cells of the plan an earlier turn made."""
    table = engine.table("budget_plans").filter((_.turn == turn) & _.spend.notnull())
    return engine.rows(table.order_by("segment", "channel", "offer_id"))


def _share(engine: Engine, turn: int) -> float:
    """Share of the budget the evidence allows."""
    known = latest(engine.table("parameters"), turn).filter(_.name == "spend_share")
    return next((float(row["value"]) for row in engine.rows(known)), 1.0)


def _segments(engine: Engine, turn: int) -> list[str]:
    scored = engine.table("rfm_scores").filter(_.turn == turn).select("segment").distinct()
    return [UNSCORED, *(row["segment"] for row in engine.rows(scored.order_by("segment")))]
