"""`regulars reach points rules`, `simulate`, `earn`, `liability` and `tiers`: the programme."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from regulars.serve.cli.files import text_of
from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    Folder,
    Moment,
    as_json,
    keep_anchor,
    moment_of,
    open_shop,
    say,
)
from regulars.serve.cli.stations.reach.points.asking import points

if TYPE_CHECKING:
    from regulars.app import App

rules = typer.Typer(no_args_is_help=True, help="The rules of the programme, version by version.")
points.add_typer(rules, name="rules")

RulesFile = Annotated[Path, typer.Argument(help="TOML file.", exists=True, dir_okay=False)]
Day = Annotated[
    str, typer.Option("--day", help="Last day read, ISO 8601; that of the newest order when empty.")
]


@rules.command("check")
def check(file: RulesFile, *, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Check a file of rules: every part, the odds of its draw and what the law says of prizes."""
    from regulars.reach.loyalty.programme import read_programme  # noqa: PLC0415

    currency = open_shop(folder).settings.retailer.currency
    made = read_programme(text_of(file), str(file), currency=currency)
    about = {"name": made.name, "starts_on": made.starts_on, "is_well": True}
    say(about, f"{made.name}: the rules can be kept", print_json=print_json)


@rules.command("put")
def put(file: RulesFile, *, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Keep a file of rules; one that changed is a new version, for orders that come from now on."""
    from regulars.reach.loyalty.programme.service import keep_programme  # noqa: PLC0415

    shop = open_shop(folder)
    made = keep_programme(
        shop.state,
        text_of(file),
        actor=ACTOR,
        now=moment_of("", shop),
        currency=shop.settings.retailer.currency,
    )
    keep_anchor(shop)
    about = {"name": made.name, "version": made.version}
    say(about, f"{made.name}, version {made.version}", print_json=print_json)


@rules.command("show")
def show(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show the rules in force as they were written."""
    from regulars.reach.loyalty.programme.service import versions  # noqa: PLC0415

    found = versions(open_shop(folder).state)
    words = found[-1].body if found else "no programme; run: regulars reach points rules put"
    say(found, words, print_json=print_json)


@points.command("simulate")
def simulate(
    file: RulesFile,
    *,
    day: Day = "",
    days: Annotated[int, typer.Option(min=1, max=3660, help="Days of orders.")] = 365,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Try a file of rules on past orders: points and what they are worth, beside those in force."""
    from regulars.reach.loyalty.programme import read_programme  # noqa: PLC0415
    from regulars.reach.loyalty.programme.service import find_programme  # noqa: PLC0415
    from regulars.reach.loyalty.simulating import service  # noqa: PLC0415
    from regulars.unify.identity.service import aliases  # noqa: PLC0415

    shop = open_shop(folder)
    proposed = read_programme(text_of(file), str(file), currency=shop.settings.retailer.currency)
    found = service.simulate(
        shop.engine,
        find_programme(shop.state),
        proposed,
        as_of=_last_day(shop, day),
        days=days,
        aliases=aliases(shop.state),
    )
    if print_json:
        typer.echo(as_json(found))
        return
    typer.echo(f"{found.orders:,} orders from {found.first} to {found.as_of}")
    typer.echo(f"in force  {found.points:>14,} points, worth {found.cost:>14,}")
    typer.echo(f"proposed  {found.proposed:>14,} points, worth {found.proposed_cost:>14,}")


@points.command("earn")
def earn(
    *, day: Day = "", now: Moment = "", folder: Folder = Path(), print_json: AsJson = False
) -> None:
    """Let new orders earn points now; every turn of the loop does it."""
    from regulars.reach.loyalty.earning.step import earn_points  # noqa: PLC0415

    shop = open_shop(folder)
    done = earn_points.run(
        shop.engine,
        shop.state,
        as_of=_last_day(shop, day),
        now=moment_of(now, shop),
        zone=shop.settings.retailer.zone,
    )
    words = f"{done.orders:,} orders: {done.earned:,} earned, {done.returned:,} taken back"
    say(done, words, print_json=print_json)


@points.command("liability")
def liability(*, now: Moment = "", folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show what the programme owes: points by month of expiry, and what they are worth."""
    from regulars.reach.loyalty.programme.service import need_programme  # noqa: PLC0415
    from regulars.reach.loyalty.reporting import service  # noqa: PLC0415

    shop = open_shop(folder)
    with shop.state.reading() as opened:
        value = need_programme(opened).point_value
    found = service.liability(shop.state, point_value=value, now=moment_of(now, shop))
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found.by_month:
        typer.echo(
            f"{one.month or 'never':<8}{one.active:>14,} to spend {one.pending:>14,} under lock "
            f"{one.amount:>14,} expected {one.expected:>14,}"
        )
    typer.echo(
        f"{found.active + found.pending:,} points of {found.holders:,} customers are worth "
        f"{found.amount:,}; {found.expected:,} is expected to be spent"
    )


@points.command("tiers")
def tiers(
    *,
    day: Annotated[
        str, typer.Option("--review", help="Review everybody as of this day first, ISO 8601.")
    ] = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Count the customers of each tier."""
    from regulars.reach.loyalty.programme.service import find_programme  # noqa: PLC0415
    from regulars.reach.loyalty.tiers.service import tier_counts  # noqa: PLC0415
    from regulars.reach.loyalty.tiers.step import review_tiers  # noqa: PLC0415
    from regulars.unify.identity.service import aliases  # noqa: PLC0415

    shop, moved = open_shop(folder), {}
    if day:
        moved = review_tiers.run(
            shop.engine, shop.state, as_of=_last_day(shop, day), aliases=aliases(shop.state)
        )
    programme = find_programme(shop.state)
    found = tier_counts(shop.state, programme.tiers) if programme else {}
    if print_json:
        typer.echo(as_json({"customers_by_tier": found, "reviewed": moved}))
        return
    for name, customers in found.items():
        typer.echo(f"{name:<20}{customers:>12,}")
    if not found:
        typer.echo("nobody has a tier yet")


def _last_day(shop: "App", text: str) -> date:
    from regulars.errors import InputError  # noqa: PLC0415
    from regulars.reach.loyalty.simulating.service import newest_day  # noqa: PLC0415

    if text:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise InputError(f"the day is {text!r}, must be one such as 2026-12-01") from error
    zone = ZoneInfo(shop.settings.retailer.zone)
    return newest_day(shop.engine) or moment_of("", shop).astimezone(zone).date()
