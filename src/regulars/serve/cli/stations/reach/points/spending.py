"""`regulars reach points buy`, `check-in`, `task`, `refer`, `draw`, `reveal` and `prove-draw`."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    CustomerId,
    Folder,
    Key,
    Moment,
    as_json,
    keep_anchor,
    moment_of,
    open_shop,
    say,
)
from regulars.serve.cli.stations.reach.points.asking import points


@points.command("buy")
def buy(
    reward: Annotated[str, typer.Argument(help="Id of the reward.")],
    *,
    customer: CustomerId,
    key: Key,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Spend points of a customer on a reward: a coupon, or nothing; ends with 1 when refused."""
    from regulars.reach.coupons.service import issue_coupon  # noqa: PLC0415
    from regulars.reach.loyalty.acting.service import buy_reward  # noqa: PLC0415

    shop = open_shop(folder)
    at = moment_of(now, shop)
    with shop.state.transaction() as opened:
        told = buy_reward(
            opened, customer, reward, key, actor=ACTOR, now=at, issue_coupon=issue_coupon
        )
    keep_anchor(shop)
    say(told, told.code or f"refused: {told.outcome.refused}", print_json=print_json)
    if told.outcome.refused:
        raise typer.Exit(ExitCode.FAILED_CHECK)


@points.command("check-in")
def check_in(
    *,
    customer: CustomerId,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Check a customer in; once a day counts."""
    from regulars.reach.loyalty.visiting import service  # noqa: PLC0415

    shop = open_shop(folder)
    zone = shop.settings.retailer.zone
    at = moment_of(now, shop)
    told = service.check_in(shop.state, customer, actor=ACTOR, now=at, zone=zone)
    keep_anchor(shop)
    say(told, f"day {told.streak} in a row: {told.points:,} points", print_json=print_json)


@points.command("task")
def task(
    name: Annotated[str, typer.Argument(help="Id of the task.")],
    *,
    customer: CustomerId,
    key: Key,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Give the points of a task a customer did; ends with 1 when he did it often enough."""
    from regulars.reach.loyalty.visiting.service import complete_task  # noqa: PLC0415

    shop = open_shop(folder)
    at, zone = moment_of(now, shop), shop.settings.retailer.zone
    with shop.state.transaction() as opened:
        told = complete_task(opened, customer, name, key, actor=ACTOR, now=at, zone=zone)
    keep_anchor(shop)
    say(told, told.refused or f"{told.points:,} points", print_json=print_json)
    if told.refused:
        raise typer.Exit(ExitCode.FAILED_CHECK)


@points.command("refer")
def refer(
    *,
    customer: CustomerId,
    friend: Annotated[str, typer.Option(help="Id of the customer who was brought.")],
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Note that a customer brought a friend; both are paid after the friend's first order."""
    from regulars.reach.loyalty.referrals import service  # noqa: PLC0415

    shop = open_shop(folder)
    told = service.refer(shop.state, customer, friend, actor=ACTOR, now=moment_of(now, shop))
    keep_anchor(shop)
    say(told, f"{told.state} {told.reason}".strip(), print_json=print_json)


@points.command("draw")
def draw(
    *,
    customer: CustomerId,
    key: Key,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Let a customer draw once; ends with 1 when he may not."""
    from regulars.reach.coupons.service import issue_coupon  # noqa: PLC0415
    from regulars.reach.loyalty.draws.service import take_draw  # noqa: PLC0415

    shop = open_shop(folder)
    at, zone = moment_of(now, shop), shop.settings.retailer.zone
    with shop.state.transaction() as opened:
        told = take_draw(
            opened,
            customer,
            key,
            actor=ACTOR,
            now=at,
            zone=zone,
            new_seed=lambda: secrets.token_hex(32),
            issue_coupon=issue_coupon,
        )
    keep_anchor(shop)
    owed = "; its coupon is owed: ask again with the same key" if told.is_owed else ""
    words = f"refused: {told.refused}" if told.refused else f"{told.title}{owed}"
    say(told, words, print_json=print_json)
    if told.refused:
        raise typer.Exit(ExitCode.FAILED_CHECK)


@points.command("reveal")
def reveal(*, now: Moment = "", folder: Folder = Path(), print_json: AsJson = False) -> None:
    """End the round of draws that goes on, and show its seed."""
    from regulars.reach.loyalty.draws.service import end_round  # noqa: PLC0415

    shop = open_shop(folder)
    told = end_round(shop.state, actor=ACTOR, now=moment_of(now, shop))
    keep_anchor(shop)
    say(told, f"round {told.round}: seed {told.seed}", print_json=print_json)


@points.command("prove-draw")
def prove_draw(
    number: Annotated[int, typer.Argument(help="Number of a round that ended.")],
    *,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Work every draw of a round out again; ends with 1 when one does not come out."""
    from regulars.reach.loyalty.draws.service import check_round  # noqa: PLC0415

    found = check_round(open_shop(folder).state, number)
    for one in () if print_json else found:
        typer.echo(f"draw {one.number}: told {one.says}, the seed gives {one.gives}")
    if print_json:
        typer.echo(as_json({"round": number, "doubts": found}))
    elif not found:
        typer.echo(f"every draw of round {number} comes out as it was told")
    if found:
        raise typer.Exit(ExitCode.FAILED_CHECK)
