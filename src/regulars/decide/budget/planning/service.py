"""The plan of a workspace: curves from what its turns measured, pins from its state."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from ibis import _

from regulars.decide.budget.curves import Cell, Curve, fit_curves, points_of
from regulars.decide.budget.planning.guards import Guards, Limits
from regulars.decide.budget.planning.next_test import InformationValue, next_tests
from regulars.decide.budget.planning.plan import Plan, plan_budget
from regulars.errors import InputError, NotReady
from regulars.ports.engine import Reader

_NONE = Limits()


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
    tests: float = 0.0,
    left_out: Collection[int] = (),
) -> Planned:
    """Plan the money of one turn from the effects its workspace measured.

    Args:
        engine: Reads the tables.
        budget: Money of one turn.
        guards: Shares, risk and hurdle.
        limits: Pins and other limits; a cell nobody has measured is believed what its segment,
            channel and offer say of it.
        segment: Only this segment's cells; "" for all.
        tests: Share of what may be spent that goes into the tests worth most, 0 to 1; cells
            with limits of their own are not tested.
        left_out: Measured turns nothing is learned from.

    Returns:
        The plan.

    Raises:
        NotReady: No turn has been measured by cell yet.
    """
    table = engine.table("cell_effects")
    if left_out:
        table = table.filter(_.measured_turn.notin(sorted(left_out)))
    if segment:
        table = table.filter(_.segment == segment)
    rows = engine.arrow(table.order_by("segment", "channel", "offer_id", "measured_turn"))
    if not rows.num_rows:
        raise NotReady("no turn has measured any cell yet; run: regulars run, twice or more")
    mine = {cell: one for cell, one in limits.items() if segment in {"", cell.segment}}
    curves = fit_curves(points_of(rows).including(mine))
    plan = plan_budget(curves, budget=budget, guards=guards, limits=mine)
    worth = next_tests(curves, plan, guards=guards)
    if tests > 0:
        enough = {one.cell: one.spend for one in plan.cells}
        wanted = [one for one in worth if enough[one.cell] < one.spend and one.net > 0]
        tested = _tested(wanted, mine, money=tests * plan.to_spend)
        # Floors and pins of people may leave nothing to test with.
        with suppress(InputError):
            plan = plan_budget(curves, budget=budget, guards=guards, limits=mine | tested)
    turns = len(set(rows["measured_turn"].to_pylist()))
    return Planned(tuple(curves), plan, tuple(worth), turns)


def _tested(
    worth: Sequence[InformationValue], limits: Mapping[Cell, Limits], *, money: float
) -> dict[Cell, Limits]:
    """Give floors that pay for the tests worth most, as far as the money goes."""
    found: dict[Cell, Limits] = {}
    for one in worth:
        part = min(one.spend, money)
        if limits.get(one.cell, _NONE) == _NONE and part > 0:
            found[one.cell] = Limits(floor=part)
            money -= part
    return found


def plain(found: Planned) -> dict[str, Any]:
    """Give a plan, its curves and the tests worth making as values JSON has.

    Returns:
        turns, the parts of the plan, cells, curves and next_tests; each cell by segment,
        channel and offer_id.
    """
    curves = [
        {
            **one.cell._asdict(),
            "first_return": one.first_return,
            "spread": one.spread,
            "saturation": one.saturation,
            "points": one.points,
            "most": one.most if one.most < float("inf") else None,
        }
        for one in found.curves
    ]
    whole = asdict(found.plan)
    whole["cells"] = [_flat(asdict(one), one.cell) for one in found.plan.cells]
    tests = [_flat(asdict(one), one.cell) for one in found.tests]
    return {"turns": found.turns, **whole, "curves": curves, "next_tests": tests}


def _flat(row: dict[str, Any], cell: Cell) -> dict[str, Any]:
    del row["cell"]
    return {**cell._asdict(), **row}
