"""`regulars decide follow-plan`, `leave-plan`, `limit`: whether turns keep to the plan."""

import json
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from regulars.serve.cli.stations.decide.planning import (
    AsJson,
    Channel,
    Cost,
    Flexible,
    Folder,
    Offer,
    Reserve,
    Risk,
    Segment,
)

if TYPE_CHECKING:
    from regulars.app import App

app = typer.Typer()

Why = Annotated[str, typer.Option(help="The reason.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.")]


@app.command("follow-plan")
def follow_plan(
    *,
    why: Why,
    flexible: Flexible = 0.4,
    reserve: Reserve = 0.2,
    risk: Risk = 0.5,
    hurdle: Cost = 1.0,
    of_turn: Annotated[
        int, typer.Option(min=0, help="Keep to the plan of this turn; 0 for each turn's own.")
    ] = 0,
    until: Until = None,
    folder: Folder = Path(),
) -> None:
    """Let turns keep to the plan of the money."""
    from regulars.decide.budget.obeying.service import (  # noqa: PLC0415 - slow to import
        follow,
        planned_turns,
    )
    from regulars.decide.budget.planning import Guards  # noqa: PLC0415

    shop = _open(folder)
    follow(
        shop.state,
        Guards(flexible, reserve, risk, hurdle),
        why=why,
        actor="cli",
        now=datetime.now(UTC),
        of_turn=of_turn,
        planned=planned_turns(shop.engine) if of_turn else (),
        until=_end(shop, until),
    )
    typer.echo(f"turns keep to the plan{f' of turn {of_turn}' if of_turn else ''} from now on")


@app.command("leave-plan")
def leave_plan(*, why: Why, folder: Folder = Path()) -> None:
    """Let turns spend as they find best again; pins, floors and ceilings stay."""
    from regulars.decide.budget.obeying.service import leave  # noqa: PLC0415 - slow to import

    was_followed = leave(_open(folder).state, why=why, actor="cli", now=datetime.now(UTC))
    typer.echo("turns spend as they find best" if was_followed else "no plan was kept to")


@app.command("limit")
def limit(
    segment: Segment,
    channel: Channel,
    offer: Offer,
    *,
    why: Why,
    floor: Annotated[str, typer.Option(help="Least money of one turn.")] = "",
    ceiling: Annotated[str, typer.Option(help="Most money of one turn.")] = "",
    until: Until = None,
    folder: Folder = Path(),
) -> None:
    """Set a floor or a ceiling for a cell; turns and plans keep to it."""
    from regulars.decide.budget.curves import Cell  # noqa: PLC0415 - slow to import
    from regulars.decide.budget.obeying.service import CellLimit, limit_cell  # noqa: PLC0415

    shop, cell = _open(folder), Cell(segment, channel, offer)
    one = CellLimit(cell, _money(floor), _money(ceiling), why, "cli")
    limit_cell(shop.state, one, now=datetime.now(UTC), until=_end(shop, until))
    typer.echo(f"{cell} gets {floor or 0} to {ceiling or 'any amount'} a turn")


@app.command("unlimit")
def unlimit(segment: Segment, channel: Channel, offer: Offer, *, folder: Folder = Path()) -> None:
    """Take floor and ceiling of a cell away."""
    from regulars.decide.budget.curves import Cell  # noqa: PLC0415 - slow to import
    from regulars.decide.budget.obeying.service import unlimit_cell  # noqa: PLC0415

    cell = Cell(segment, channel, offer)
    is_gone = unlimit_cell(_open(folder).state, cell, actor="cli", now=datetime.now(UTC))
    typer.echo(f"{cell} has no limits" if is_gone else f"{cell} had no limits")


@app.command("followed")
def followed(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show whether turns keep to the plan, and what people set in it."""
    from regulars.decide.budget.obeying.service import told  # noqa: PLC0415 - slow to import

    found = told(_open(folder).state, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    held = found["followed"]
    typer.echo(f"kept to: {held['why']} ({held['actor']})" if held else "turns keep to no plan")
    for one in found["limits"]:
        typer.echo(f"{one['cell']}: {one['floor'] or 0} to {one['ceiling'] or '-'}, {one['why']}")


def _end(shop: "App", until: datetime | None) -> datetime | None:
    zone = ZoneInfo(shop.settings.retailer.zone)
    return datetime.combine(until, time.max, zone) if until else None


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _money(text: str) -> Decimal | None:
    from regulars.errors import InputError  # noqa: PLC0415

    try:
        return Decimal(text) if text else None
    except ArithmeticError as error:
        raise InputError(f"{text} is no amount of money; write it like 250.00") from error
