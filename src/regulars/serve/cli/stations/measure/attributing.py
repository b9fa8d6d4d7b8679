"""`regulars measure attribution`: orders attributed to creators, by code or by link."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.reach.opening import (
    AsJson,
    Folder,
    Moment,
    as_json,
    moment_of,
    open_shop,
)

app = typer.Typer()


@app.command("attribution")
def attribution(
    *,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Days of orders.")] = 30,
    window: Annotated[
        int, typer.Option(min=1, max=90, help="Days before an order in which a link counts.")
    ] = 7,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Show the orders attributed to each creator: by the code on them, else the last link."""
    from regulars.measure.attribution.service import attribute_orders  # noqa: PLC0415 - slow

    shop = open_shop(folder)
    until = moment_of(now, shop)
    found = attribute_orders(
        shop.engine,
        shop.state,
        shop.settings,
        since=until - timedelta(days=days),
        until=until,
        window_days=window,
    )
    if print_json:
        typer.echo(as_json(found))
        return
    typer.echo(f"orders of {days} days; links count for {window} days; {found.rule}")
    for one in found.creators:
        typer.echo(
            f"{one.creator_id:<20} {one.clicks:>6,} clicks {one.by_code:>6,} by code "
            f"{one.by_link:>6,} by link {one.new_customers:>6,} new customers "
            f"{one.sales:>12} sales {one.margin:>12} margin"
        )
    if not found.creators:
        typer.echo("no creators; run: regulars reach creator put")
