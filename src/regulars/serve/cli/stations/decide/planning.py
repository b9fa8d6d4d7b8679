"""`regulars decide plan`, `pin`, `unpin` and `review`: where the money goes."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from regulars.serve.cli.files import open_table

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.decide.budget.planning.service import Planned

app = typer.Typer()

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Flexible = Annotated[
    float, typer.Option(min=0, max=1, help="Share that goes where it brings most.")
]
Reserve = Annotated[float, typer.Option(min=0, max=1, help="Share kept back.")]
Risk = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Most probability that the last flexible money in a cell loses."
    ),
]
Cost = Annotated[float, typer.Option(min=0, help="What a unit of money must bring.")]
Segment = Annotated[str, typer.Argument(help="Segment of the cell.")]
Channel = Annotated[str, typer.Argument(help="Channel of the cell.")]
Offer = Annotated[str, typer.Argument(help="Offer of the cell.")]


@app.command("plan")
def plan(
    *,
    points: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet file of measured points instead of a workspace: segment, channel, "
            "offer_id, spend, effect, standard_error (or low and high)."
        ),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet file: segment, channel, offer_id, floor, ceiling, base, pin."
        ),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Money of one turn; the workspace's by default.")
    ] = None,
    flexible: Flexible = 0.4,
    reserve: Reserve = 0.2,
    risk: Risk = 0.5,
    hurdle: Cost = 1.0,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Plan where the money of a turn goes, by what it caused so far.

    Rests on what the turns of a workspace measured, or on a file of points.
    """
    from regulars.decide.budget.planning import Guards, limits_of_table  # noqa: PLC0415 - slow
    from regulars.decide.budget.planning.service import plain  # noqa: PLC0415

    guards = Guards(flexible, reserve, risk, hurdle)
    given = dict(limits_of_table(open_table(limits))) if limits else {}
    if points is not None:
        found = _of_points(points, budget, guards, given)
    else:
        found = _of_workspace(folder, budget, guards, given)
    if as_json:
        typer.echo(json.dumps(plain(found), ensure_ascii=False))
        return
    _print(found)


@app.command("pin")
def pin(
    segment: Segment,
    channel: Channel,
    offer: Offer,
    amount: Annotated[str, typer.Argument(help="Money of one turn.")],
    *,
    why: Annotated[str, typer.Option(help="The reason.")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.")] = None,
    folder: Folder = Path(),
) -> None:
    """Decide yourself what a cell gets; plans keep to it."""
    from regulars.decide.budget.curves import Cell  # noqa: PLC0415 - slow to import
    from regulars.decide.budget.reviewing import service  # noqa: PLC0415

    shop, cell = _open(folder), Cell(segment, channel, offer)
    end = until and datetime.combine(until, time.max, ZoneInfo(shop.settings.retailer.zone))
    service.pin(
        shop.state, cell, _money(amount), why=why, actor="cli", now=datetime.now(UTC), until=end
    )
    typer.echo(f"{cell} gets {amount} a turn{f' until {until:%Y-%m-%d}' if until else ''}")


@app.command("unpin")
def unpin(segment: Segment, channel: Channel, offer: Offer, *, folder: Folder = Path()) -> None:
    """Take a pin away."""
    from regulars.decide.budget.curves import Cell  # noqa: PLC0415 - slow to import
    from regulars.decide.budget.reviewing.service import unpin as take_away  # noqa: PLC0415

    cell = Cell(segment, channel, offer)
    is_gone = take_away(_open(folder).state, cell, actor="cli", now=datetime.now(UTC))
    typer.echo(f"{cell} is pinned no more" if is_gone else f"{cell} was not pinned")


@app.command("review")
def review(
    kind: Annotated[str, typer.Argument(help="monthly, quarterly or annual.")] = "",
    *,
    note: Annotated[str, typer.Option(help="What else is to be kept.")] = "",
    flexible: Flexible = 0.4,
    reserve: Reserve = 0.2,
    risk: Risk = 0.5,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Review the budget of this month, quarter or year; without a kind, list reviews."""
    from regulars.decide.budget.planning import Guards  # noqa: PLC0415 - slow to import
    from regulars.decide.budget.reviewing.periods import due  # noqa: PLC0415
    from regulars.decide.budget.reviewing.service import keep_review, reviews  # noqa: PLC0415

    shop, now = _open(folder), datetime.now(UTC)
    today = now.astimezone(ZoneInfo(shop.settings.retailer.zone)).date()
    if kind:
        found = _of_workspace(folder, None, Guards(flexible, reserve, risk), {})
        keep_review(
            shop.state, kind, found.plan, list(found.tests),
            today=today, actor="cli", now=now, note=note,
        )  # fmt: skip
    kept = reviews(shop.state)
    missing = due([(one.kind, one.period) for one in kept], today)
    if as_json:
        told = {"reviews": [asdict(one) for one in kept], "due": missing}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in kept:
        typer.echo(f"{one.period} {one.kind} by {one.actor} at {one.made_at[:16]}: {one.note}")
    for wanted, period in missing:
        typer.echo(f"due: {wanted} review of {period}")


def _of_points(file: Path, budget: float | None, guards: Any, limits: Any) -> "Planned":
    from regulars.decide.budget.curves import fit_curves, points_of  # noqa: PLC0415 - slow
    from regulars.decide.budget.planning import next_tests, plan_budget  # noqa: PLC0415
    from regulars.decide.budget.planning.service import Planned  # noqa: PLC0415
    from regulars.errors import InputError  # noqa: PLC0415

    if budget is None:
        raise InputError("a file of points says nothing of the budget; give --budget")
    curves = fit_curves(points_of(open_table(file)))
    made = plan_budget(curves, budget=budget, guards=guards, limits=limits)
    tests = next_tests(curves, made, guards=guards)
    return Planned(tuple(curves), made, tuple(tests), max((c.points for c in curves), default=0))


def _of_workspace(folder: Path, budget: float | None, guards: Any, limits: Any) -> "Planned":
    from regulars.adjust.autotune.service import unlearned  # noqa: PLC0415 - slow to import
    from regulars.decide.budget.obeying.service import limits_of_people  # noqa: PLC0415 - slow
    from regulars.decide.budget.planning.service import plan_workspace  # noqa: PLC0415

    shop = _open(folder)
    wanted = float(shop.settings.loop.weekly_budget) if budget is None else budget
    said = limits_of_people(shop.state, now=datetime.now(UTC))
    left_out = {one.turn for one in unlearned(shop.state)}
    return plan_workspace(
        shop.engine, budget=wanted, guards=guards, limits={**limits, **said}, left_out=left_out
    )


def _print(found: "Planned") -> None:
    plan_ = found.plan
    typer.echo(
        f"{plan_.spend:,.2f} of {plan_.budget:,.2f} planned, {plan_.reserve:,.2f} kept back, "
        f"{plan_.expected:,.2f} margin expected, shadow price {plan_.shadow_price:.4f}"
    )
    for one in plan_.cells:
        typer.echo(
            f"{one.cell!s:<48}{one.spend:>12,.2f}  next brings {one.marginal:.3f}, "
            f"loses with {one.chance_of_loss:.0%}, by {one.bound_by}"
        )
    for test in found.tests[:3]:
        typer.echo(f"worth testing: {test.cell}, {test.net:,.2f} expected over 4 turns")


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _money(text: str) -> Decimal:
    from regulars.errors import InputError  # noqa: PLC0415

    try:
        return Decimal(text)
    except ArithmeticError as error:
        raise InputError(f"{text} is no amount of money; write it like 250.00") from error
