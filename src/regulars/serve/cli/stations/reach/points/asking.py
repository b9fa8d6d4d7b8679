"""`regulars reach points post`, `redeem`, `reverse`, `balance`, `history` and `expire`."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.reach.loyalty.ledger import Ask

points = typer.Typer(no_args_is_help=True, help="Points: post, redeem, reverse, look.")

Points = Annotated[int, typer.Option("--points", help="How many, 1 or more.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, as a word.")]
Reference = Annotated[str, typer.Option("--reference", help="What it is about, such as an order.")]


@points.command("post")
def post(
    *,
    customer: CustomerId,
    amount: Points,
    key: Key,
    reason: Reason = "goodwill",
    reference: Reference = "",
    lock_days: Annotated[int, typer.Option(min=0, help="Days until they can be spent.")] = 0,
    life_days: Annotated[int, typer.Option(min=0, help="Days until they expire; 0: never.")] = 0,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Give points to a customer; ends with 1 when they are refused."""
    from regulars.reach.loyalty.ledger import earn  # noqa: PLC0415

    shop = open_shop(folder)
    at = moment_of(now, shop)
    ask = earn(
        key,
        customer,
        amount,
        reason=reason,
        reference=reference,
        available_at=at + timedelta(days=lock_days) if lock_days else None,
        expires_at=at + timedelta(days=life_days) if life_days else None,
        actor=ACTOR,
    )
    _carry_out(shop, ask, at, print_json=print_json)


@points.command("redeem")
def redeem(
    *,
    customer: CustomerId,
    amount: Points,
    key: Key,
    reason: Reason = "reward",
    reference: Reference = "",
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Spend points of a customer, all or none; ends with 1 when there are not enough."""
    from regulars.reach.loyalty.ledger import redeem as asked  # noqa: PLC0415

    shop = open_shop(folder)
    ask = asked(key, customer, amount, reason=reason, reference=reference, actor=ACTOR)
    _carry_out(shop, ask, moment_of(now, shop), print_json=print_json)


@points.command("reverse")
def reverse(
    operation: Annotated[str, typer.Argument(help="Key of the earning or redemption.")],
    *,
    key: Key,
    amount: Annotated[
        int, typer.Option("--points", min=0, help="How many of its points; 0: all that is left.")
    ] = 0,
    reason: Reason = "correction",
    reference: Reference = "",
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Take an earning or a redemption back; ends with 1 when there is nothing to take back."""
    from regulars.reach.loyalty.ledger import reverse as asked  # noqa: PLC0415

    shop = open_shop(folder)
    ask = asked(key, operation, points=amount, reason=reason, reference=reference, actor=ACTOR)
    _carry_out(shop, ask, moment_of(now, shop), print_json=print_json)


@points.command("balance")
def balance(
    *,
    customer: CustomerId,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Show what a customer has: points to spend, points under lock, points owed."""
    from regulars.reach.loyalty.ledger import service  # noqa: PLC0415

    shop = open_shop(folder)
    found = service.balance(shop.state, customer, now=moment_of(now, shop))
    if print_json:
        typer.echo(as_json(found))
        return
    typer.echo(f"to spend    {found.active:>12,}")
    typer.echo(f"under lock  {found.pending:>12,}")
    typer.echo(f"owed        {found.owed:>12,}")
    if found.next_expiry:
        typer.echo(f"{found.expiring:,} expire on {found.next_expiry[:10]}")


@points.command("history")
def history(
    *,
    customer: CustomerId,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="Operations at most.")] = 50,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """List what happened to the points of a customer, the newest first."""
    from regulars.reach.loyalty.ledger import service  # noqa: PLC0415

    found = service.history(open_shop(folder).state, customer, most=most)
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found:
        typer.echo(
            f"{one.at[:16]} {one.kind:<9}{one.active:>+10,} to spend {one.pending:>+10,} "
            f"under lock  {one.reason} {one.reference}".rstrip()
        )
    if not found:
        typer.echo("no points yet")


@points.command("expire")
def expire(*, now: Moment = "", folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Let locks end and points expire that are due; every pass of `regulars reach tick` does it."""
    from regulars.reach.loyalty.ledger import service  # noqa: PLC0415

    shop = open_shop(folder)
    done = service.sweep(shop.state, now=moment_of(now, shop))
    say({"customers": done}, f"{done:,} customers", print_json=print_json)


def _carry_out(shop: "App", ask: "Ask", at: datetime, *, print_json: bool) -> None:
    from regulars.reach.loyalty.ledger import service  # noqa: PLC0415

    told = service.post_by_hand(shop.state, ask, actor=ACTOR, now=at)
    keep_anchor(shop)
    if print_json:
        typer.echo(as_json(told))
    elif told.refused:
        typer.echo(f"refused: {told.refused}; {told.customer_id or 'nobody'} has {told.active:,}")
    else:
        word = "done" if told.is_new else "done before"
        typer.echo(
            f"{word}: {told.points:,} points; {told.customer_id} has {told.active:,} to spend"
        )
    if told.refused:
        raise typer.Exit(ExitCode.FAILED_CHECK)
