"""`regulars adjust models`: which model serves, promote one, go back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.understand.champions.service import Line

ACTOR = "command line"

models = typer.Typer(no_args_is_help=True, help="Which model serves, and who was tried against it.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Family = Annotated[str, typer.Argument(help="value, orders, churn or response.")]
Reason = Annotated[str, typer.Option(help="Why; it is shown and kept.")]


def _open(folder: Path) -> "tuple[App, int]":
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.journal import next_turn  # noqa: PLC0415

    shop = open_app(folder)
    return shop, next_turn(shop.state)


@models.command("list")
def list_models(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show what serves, since when, how good it is, and against whom it was tried."""
    from regulars.understand.champions.service import lines  # noqa: PLC0415 - slow to import

    shop, turn = _open(folder)
    found = lines(shop.state, turn=turn, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps({"models": [asdict(one) for one in found]}, ensure_ascii=False))
        return
    for line in found:
        _print(line)


@models.command("try")
def try_now(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Try every challenger now, on the newest 13 weeks of the last turn; nobody is promoted by it.

    The loop tries by itself every 13 turns, on weeks no trial has used, this one included.
    """
    from regulars.errors import NotReady  # noqa: PLC0415 - slow to import
    from regulars.journal import last_turn  # noqa: PLC0415
    from regulars.loop.trying import try_models  # noqa: PLC0415
    from regulars.understand.champions.service import lines  # noqa: PLC0415

    shop, turn = _open(folder)
    last = last_turn(shop.state)
    if last is None:
        raise NotReady("no turn was run yet, so nothing is fitted; run: regulars run")
    tried = try_models(shop, last, is_asked=True)
    if as_json:
        found = lines(shop.state, turn=turn, now=datetime.now(UTC))
        told = {"tried": tried, "models": [asdict(one) for one in found]}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    if not tried:
        typer.echo("nothing was tried: the orders reach back less than 13 weeks before the newest")
    for line in lines(shop.state, turn=turn, now=datetime.now(UTC)):
        _print(line)


@models.command("promote")
def promote_model(
    family: Family,
    version: Annotated[str, typer.Argument(help="The recipe; see: regulars adjust models list.")],
    *,
    reason: Reason,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Let a recipe serve from the next turn on."""
    from regulars.understand.champions.service import promote  # noqa: PLC0415 - slow to import

    shop, turn = _open(folder)
    promote(
        shop.state, family, version, turn=turn, actor=ACTOR, reason=reason, now=datetime.now(UTC)
    )
    _say(family, version, turn, as_json=as_json)


@models.command("rollback")
def rollback_model(
    family: Family, *, reason: Reason, folder: Folder = Path(), as_json: AsJson = False
) -> None:
    """Go back to the champion before, from the next turn on."""
    from regulars.understand.champions.service import rollback  # noqa: PLC0415 - slow to import

    shop, turn = _open(folder)
    again = rollback(
        shop.state, family, turn=turn, actor=ACTOR, reason=reason, now=datetime.now(UTC)
    )
    _say(family, again, turn, as_json=as_json)


def _say(family: str, version: str, turn: int, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"family": family, "champion": version, "from_turn": turn}))
    else:
        typer.echo(f"{version} serves for {family} from turn {turn} on")


def _print(line: "Line") -> None:
    since = f"since turn {line.from_turn}" if line.from_turn else "from the start"
    typer.echo(f"{line.family}: {line.champion} serves, {since}")
    for model in line.models:
        loss = model.metrics.get("loss")
        told = "not tried" if loss is None else f"loss {loss:.5g} on {model.customers:,} customers"
        held = f", {model.held_from} to {model.held_until}" if model.held_from else ""
        typer.echo(f"  {model.version:<16}{model.status:<12}{told}{held}")
    for trial in line.trials[:3]:
        typer.echo(f"  turn {trial['turn']}: {trial['challenger']} {_verdict(trial)}")


def _verdict(trial: Mapping[str, Any]) -> str:
    numbers = trial["metrics"]
    gap = ""
    if numbers.get("estimate") is not None:
        gap = f" {numbers['estimate']:+.4g} ({numbers['low']:+.4g} to {numbers['high']:+.4g})"
    says = f": {trial['says']}" if trial["says"] else ""
    return f"{trial['verdict'].replace('_', ' ')} than {trial['champion']}{gap}{says}"
