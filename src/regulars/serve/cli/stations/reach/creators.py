"""`regulars reach creator`: people who speak of the shop, their links, codes and what is due."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    Folder,
    Moment,
    as_json,
    keep_anchor,
    moment_of,
    open_shop,
)

creator = typer.Typer(no_args_is_help=True, help="Creators (KOC, KOL): links, codes, payouts.")


@creator.command("put")
def put(
    creator_id: Annotated[str, typer.Argument(help="Id of the creator.")],
    *,
    name: Annotated[str, typer.Option(help="What they are called in public.")],
    code: Annotated[str, typer.Option(help="Their code.")],
    target: Annotated[str, typer.Option(help="Page their link leads to.")],
    platform: Annotated[str, typer.Option(help="Where they speak, such as xiaohongshu.")],
    kind: Annotated[str, typer.Option(help="koc or kol.")] = "koc",
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of net sales due to them, 0 to 1.")
    ] = 0,
    offer: Annotated[str, typer.Option(help="Offer the code gives; none when left out.")] = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Keep a creator; prints the link, whose clicks are counted."""
    from regulars.reach.links.creators.service import (  # noqa: PLC0415
        Creator,
        creator_links,
        put_creator,
    )

    shop = open_shop(folder)
    made = Creator(creator_id, name, kind, platform, code, target, Decimal(str(share)), offer)
    moment = datetime.now(UTC)
    put_creator(shop.state, made, actor=ACTOR, now=moment)
    keep_anchor(shop)
    link = creator_links(shop.state, shop.links, [made], now=moment)[creator_id]
    told = {"creator": made, "url": made.url, "link": link}
    typer.echo(as_json(told) if print_json else link)


@creator.command("payouts")
def show_payouts(
    *,
    days: Annotated[int, typer.Option(min=1, help="Days of orders.")] = 30,
    hold: Annotated[int, typer.Option(min=0, help="Days an order may still come back.")] = 7,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Show what each creator brought and what is due, orders that may come back left out."""
    from regulars.reach.links.creators.service import payouts  # noqa: PLC0415

    shop = open_shop(folder)
    until = moment_of(now, shop) - timedelta(days=hold)
    found = payouts(shop.state, since=until - timedelta(days=days), until=until)
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found:
        typer.echo(
            f"{one.creator.creator_id:<20} {one.creator.code:<12} {one.orders:>6,} orders "
            f"{one.sales:>12} sales {one.due:>10} due"
        )
    if not found:
        typer.echo("no creators; run: regulars reach creator put")
