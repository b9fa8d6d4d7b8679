"""`regulars reach journey simulate`: what a draft would have done, told from recorded history."""

import json
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.files import text_of
from regulars.serve.cli.stations.reach.opening import (
    AsJson,
    Folder,
    Moment,
    as_json,
    moment_of,
    open_shop,
)


def simulate(
    file: Annotated[Path, typer.Argument(help="TOML or JSON of one journey.", exists=True)],
    *,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Days of history.")] = 90,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Walk recorded history through a draft journey: volumes, holds, cost, expected effect."""
    from regulars.reach.journeys.definition.reading import parse  # noqa: PLC0415
    from regulars.serve.authoring.trying import try_journey  # noqa: PLC0415

    shop = open_shop(folder)
    given = parse(text_of(file), is_json=file.suffix == ".json")
    found = try_journey(shop, given, now=moment_of(now, shop), days=days)
    if print_json:
        typer.echo(as_json(found))
        return
    typer.echo(f"{found.journey}: {found.from_at} to {found.until_at}, nobody was contacted")
    typer.echo(
        f"{found.entered:,} of {found.customers:,} customers come in, {found.entries:,} times; "
        f"{found.held_out:,} are left alone to measure it, "
        f"{found.held_out_everywhere:,} by the programme"
    )
    for message in found.messages:
        why = ", ".join(f"{name} {n:,}" for name, n in message.skipped.items())
        held = ", ".join(f"{name} {n:,}" for name, n in message.held.items())
        told = f"; not sent: {why}" if why else ""
        told += f"; held first: {held}" if held else ""
        typer.echo(
            f"  {message.node} by {message.channel}: {message.sent:,} of {message.planned:,}{told}"
        )
    typer.echo(
        f"{found.goals:,} reach the goal, {found.inside:,} are inside in the end; "
        f"contacts cost {found.cost}, offers are planned at {found.offer_cost}"
    )
    expected = found.expected
    if expected.margin is None:
        typer.echo("expected effect: unknown; nothing like it was measured here yet")
    else:
        typer.echo(
            f"expected effect on margin: {expected.margin:,.2f} "
            f"({expected.low:,.2f} to {expected.high:,.2f}), by {expected.measured} measurements "
            f"of the same {expected.basis}"
        )
    for code in found.notes:
        typer.echo(f"note: {json.dumps(code)}")
