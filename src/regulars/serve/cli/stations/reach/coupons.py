"""`regulars reach coupon`: make codes, give them, see what became of them."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.serve.cli.files import text_of
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
    from regulars.decide.offers.pricing import Basket
    from regulars.reach.coupons.redeeming.service import Quote

coupon = typer.Typer(no_args_is_help=True, help="Codes of offers.")

OfferId = Annotated[str, typer.Argument(help="Id of the offer.")]
Code = Annotated[str, typer.Argument(help="The code; case, spaces and dashes do not matter.")]
Codes = Annotated[list[str], typer.Argument(help="The codes, as the customer gave them.")]
BasketFile = Annotated[
    Path, typer.Option(help="JSON file of the order: order_id, customer_id, lines...", exists=True)
]
Ends = Annotated[
    str, typer.Option("--ends", help="When codes not given out end, ISO 8601; never when left out.")
]


@coupon.command("generate")
def generate(
    offer_id: OfferId,
    *,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many codes.")],
    ends: Ends = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Make codes for an offer, one per customer."""
    from regulars.reach.coupons.stocking import service  # noqa: PLC0415 - slow

    shop = open_shop(folder)
    made = service.generate(
        shop.state,
        offer_id,
        count,
        secret=secrets.token_bytes(32),
        actor=ACTOR,
        now=datetime.now(UTC),
        expires_at=_end(ends, shop),
    )
    keep_anchor(shop)
    say(made, f"{made.codes:,} codes in batch {made.batch_id}", print_json=print_json)


@coupon.command("import")
def import_file(
    offer_id: OfferId,
    file: Annotated[Path, typer.Argument(help="A text file, one code per line.", exists=True)],
    *,
    ends: Ends = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Take codes of somebody else, such as a partner's, one per customer."""
    from regulars.reach.coupons.stocking import service  # noqa: PLC0415

    shop = open_shop(folder)
    lines = [line for line in text_of(file).splitlines() if line.strip()]
    made = service.import_codes(
        shop.state,
        offer_id,
        lines,
        actor=ACTOR,
        now=datetime.now(UTC),
        expires_at=_end(ends, shop),
    )
    keep_anchor(shop)
    known = len(lines) - made.codes
    words = f"{made.codes:,} codes in batch {made.batch_id}, {known:,} were known"
    say(made, words, print_json=print_json)


@coupon.command("share")
def share(
    offer_id: OfferId,
    code: Code,
    *,
    uses: Annotated[int, typer.Option(help="Orders in all; 0 for any number.")] = 0,
    ends: Ends = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Make one code everybody may use, such as SPRING10."""
    from regulars.reach.coupons.stocking import service  # noqa: PLC0415

    shop = open_shop(folder)
    made = service.share_code(
        shop.state,
        offer_id,
        code,
        most_uses=uses or None,
        actor=ACTOR,
        now=datetime.now(UTC),
        expires_at=_end(ends, shop),
    )
    keep_anchor(shop)
    say(made, f"{code} is a code of {offer_id}", print_json=print_json)


@coupon.command("issue")
def issue(
    offer_id: OfferId,
    *,
    customer: CustomerId,
    key: Key,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Give one customer a code."""
    from regulars.reach.coupons.service import issue_coupon  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    with shop.state.sharing() as opened:
        code = issue_coupon(opened, offer_id, customer, key, moment)
    say({"code": code}, code, print_json=print_json)


@coupon.command("check")
def check(
    codes: Codes,
    *,
    basket: BasketFile,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Say what an order would come to with codes; nothing is used."""
    from regulars.decide.offers.pricing import Rules  # noqa: PLC0415
    from regulars.reach.coupons.redeeming import service  # noqa: PLC0415

    shop = open_shop(folder)
    quote = service.check(
        shop.state,
        _basket(basket),
        codes,
        now=moment_of(now, shop),
        rules=Rules.of(shop.settings.orders),
    )
    _show(quote, print_json=print_json)


@coupon.command("redeem")
def redeem(
    codes: Codes,
    *,
    basket: BasketFile,
    key: Key,
    expected: Annotated[str, typer.Option(help="Discount shown; another one uses nothing.")] = "",
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Use codes on an order: all of them or none, once per order."""
    from regulars.decide.offers.pricing import Rules  # noqa: PLC0415
    from regulars.reach.coupons.redeeming import service  # noqa: PLC0415

    shop = open_shop(folder)
    quote = service.redeem(
        shop.state,
        _basket(basket),
        codes,
        key=key,
        now=moment_of(now, shop),
        rules=Rules.of(shop.settings.orders),
        expected=Decimal(expected) if expected else None,
    )
    _show(quote, print_json=print_json)
    if not quote.is_redeemed:
        raise typer.Exit(1)


@coupon.command("reverse")
def reverse(
    key: Annotated[str, typer.Argument(help="Key the order was redeemed by.")],
    *,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Take a redemption back, as when the order is returned."""
    from regulars.reach.coupons.redeeming import service  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    done = service.reverse(shop.state, key, reverse_key=f"{ACTOR}/{key}", now=moment)
    words = "its codes may be used again" if done else "it was taken back before"
    say({"reversed": done}, words, print_json=print_json)


@coupon.command("void")
def void(
    code: Code,
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
    folder: Folder = Path(),
) -> None:
    """Make a code worthless."""
    from regulars.reach.coupons.stocking.service import void_code  # noqa: PLC0415

    shop = open_shop(folder)
    void_code(shop.state, code, reason=reason, actor=ACTOR, now=datetime.now(UTC))
    keep_anchor(shop)
    typer.echo(f"{code} is void")


@coupon.command("expire")
def expire(*, now: Moment = "", folder: Folder = Path(), print_json: AsJson = False) -> None:
    """End the codes whose time is over."""
    from regulars.reach.coupons.stocking.service import expire_codes  # noqa: PLC0415

    shop = open_shop(folder)
    ended = expire_codes(shop.state, now=moment_of(now, shop))
    say({"expired": ended}, f"{ended:,} codes ended", print_json=print_json)


@coupon.command("list")
def list_some(
    offer_id: Annotated[str, typer.Argument(help="Id of an offer; counts when left out.")] = "",
    *,
    state: Annotated[str, typer.Option(help="free, reserved, issued, redeemed...")] = "",
    most: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Count the codes of every offer by state, or list those of one."""
    from regulars.reach.coupons.stocking import service  # noqa: PLC0415

    shop = open_shop(folder)
    if not offer_id:
        counts = service.count_by_state(shop.state)
        say(counts, "\n".join(_counted(counts)), print_json=print_json)
        return
    rows = service.list_codes(shop.state, offer_id, of=state, most=most)
    if print_json:
        typer.echo(as_json(rows))
        return
    for row in rows:
        typer.echo(f"{row['shown']:<20} {row['state']:<9} {row['customer_id']:<20} {row['reason']}")
    if not rows:
        typer.echo("no codes")


@coupon.command("leakage")
def leakage(
    *,
    days: Annotated[int, typer.Option(min=1, help="Days looked back.")] = 90,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Report codes used against the rules, and discounts a holdout calls needless."""
    from regulars.reach.coupons.leakage import service  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    found = service.leakage(
        shop.state, since=moment - timedelta(days=days), now=moment, reader=shop.engine
    )
    if print_json:
        typer.echo(as_json(found))
        return
    typer.echo(f"{found.uses:,} codes used, {found.discount} taken off, {len(found.leaks)} leaks")
    for leak in found.leaks:
        typer.echo(f"{leak.kind:<16} {leak.offer_id:<20} {leak.amount:>10} {leak.detail}")
    for one in found.needless:
        typer.echo(f"needless         {one.campaign_id:<20} {one.needless:>10} of {one.discount}")


def _end(text: str, shop: "App") -> datetime | None:
    return moment_of(text, shop) if text else None


def _basket(file: Path) -> "Basket":
    from regulars.decide.offers.pricing import basket_from  # noqa: PLC0415
    from regulars.errors import InputError  # noqa: PLC0415

    try:
        given = json.loads(text_of(file), parse_float=str)
    except ValueError as error:
        raise InputError(f"{file.name} is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise InputError(f"{file.name} holds no order; write order_id and lines")
    return basket_from(given)


def _show(quote: "Quote", *, print_json: bool) -> None:
    if print_json:
        typer.echo(as_json(quote))
        return
    priced = quote.priced
    for one in priced.applied:
        gift = f", gift {one.gift}" if one.gift else ""
        typer.echo(f"{one.code:<16} {one.offer_id:<20} -{one.discount}{gift}")
    for code, why in priced.refused.items():
        typer.echo(f"{code:<16} refused: {why}")
    done = "redeemed" if quote.is_redeemed else "nothing is used"
    if quote.reason == "reversed":
        done += ": taken back before; redeem it under a new key"
    typer.echo(f"{priced.amount} + {priced.shipping} - {priced.discount} = {priced.to_pay}, {done}")


def _counted(counts: dict[str, dict[str, int]]) -> list[str]:
    lines = [
        f"{offer:<24} "
        + ", ".join(f"{codes:,} {state}" for state, codes in by_state.items() if codes)
        for offer, by_state in counts.items()
    ]
    return lines or ["no codes; run: regulars reach coupon generate OFFER --count 1000"]
