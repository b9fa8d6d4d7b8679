"""The plan of a workspace: curves from what its turns measured, pins from its state."""

from collections.abc import Mapping
from dataclasses import dataclass

from ibis import _

from regulars.decide.budget.curves import Cell, Curve, fit_curves, points_of
from regulars.decide.budget.planning.guards import Guards, Limits
from regulars.decide.budget.planning.next_test import InformationValue, next_tests
from regulars.decide.budget.planning.plan import Plan, plan_budget
from regulars.errors import NotReady
from regulars.ports.engine import Reader


@dataclass(frozen=True)
class Planned:
    """A plan and what it was made of.

    Attributes:
        curves: Response of each cell.
        plan: Where the money goes.
        tests: What is worth finding out next, the most valuable first.
        turns: Measured turns behind it.
    """

    curves: tuple[Curve, ...]
    plan: Plan
    tests: tuple[InformationValue, ...]
    turns: int


def plan_workspace(
    engine: Reader,
    *,
    budget: float,
    guards: Guards,
    limits: Mapping[Cell, Limits],
    segment: str = "",
) -> Planned:
    """Plan the money of one turn from the effects its workspace measured.

    Args:
        engine: Reads the tables.
        budget: Money of one turn.
        guards: Shares, risk and hurdle.
        limits: Pins and other limits; those of cells nothing is known of are left out.
        segment: Only this segment's cells; "" for all.

    Returns:
        The plan.

    Raises:
        NotReady: No turn has been measured by cell yet.
    """
    table = engine.table("cell_effects")
    if segment:
        table = table.filter(_.segment == segment)
    rows = engine.arrow(table.order_by("segment", "channel", "offer_id", "measured_turn"))
    if not rows.num_rows:
        raise NotReady("no turn has measured any cell yet; run: regulars run, twice or more")
    curves = fit_curves(points_of(rows))
    known = {curve.cell for curve in curves}
    plan = plan_budget(
        curves,
        budget=budget,
        guards=guards,
        limits={cell: one for cell, one in limits.items() if cell in known},
    )
    turns = len(set(rows["measured_turn"].to_pylist()))
    tests = next_tests(curves, plan, guards=guards)
    return Planned(tuple(curves), plan, tuple(tests), turns)
