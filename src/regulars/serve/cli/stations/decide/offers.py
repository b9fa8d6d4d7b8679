"""`regulars decide offer`: keep, import, list and compare offers."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
)

if TYPE_CHECKING:
    from regulars.decide.offers.keeping.service import Kept

offer = typer.Typer(no_args_is_help=True, help="Offers, version by version.")

OfferId = Annotated[str, typer.Argument(help="Id of the offer.")]
Note = Annotated[str, typer.Option("--note", help="Why; kept in the history.")]
Since = Annotated[
    str, typer.Option("--from", help="Moment it holds from, ISO 8601; at once when left out.")
]


@offer.command("put")
def put(
    files: Annotated[list[Path], typer.Argument(help="TOML files.", exists=True)],
    *,
    note: Note = "",
    since: Since = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Keep offers; one that changed is a new version, one that did not is not."""
    from regulars.decide.offers.definition import read_offers  # noqa: PLC0415 - slow

    shop = open_shop(folder)
    zone = shop.settings.retailer.zone
    offers = [one for file in files for one in read_offers(file, zone=zone)]
    _keep(shop, offers, note=note, since=since, print_json=print_json)


@offer.command("import")
def import_rows(
    file: Annotated[Path, typer.Argument(help="A CSV file, as offers.csv.", exists=True)],
    *,
    note: Note = "",
    since: Since = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Keep the offers of a CSV file; corrected rows become new versions."""
    from regulars.decide.offers.definition import offer_of_row  # noqa: PLC0415

    shop = open_shop(folder)
    zone = shop.settings.retailer.zone
    rows = [_row(row) for row in csv.DictReader(io.StringIO(text_of(file), newline=""))]
    offers = [offer_of_row(row, zone=zone) for row in rows]
    _keep(shop, offers, note=note or file.name, since=since, print_json=print_json)


@offer.command("list")
def list_all(*, now: Moment = "", folder: Folder = Path(), print_json: AsJson = False) -> None:
    """List the offers that hold at a moment."""
    from regulars.decide.offers.keeping.service import offers_in_force  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    kept = offers_in_force(shop.state, at=moment)
    if print_json:
        typer.echo(as_json([_shown(one) for one in kept]))
        return
    for one in kept:
        made = one.offer
        stock = "any number" if made.stock is None else f"{made.stock:,} in all"
        runs = "runs" if made.runs_at(moment) else "does not run"
        typer.echo(
            f"{made.offer_id:<24} version {one.version:<3} {made.kind:<14} "
            f"floor {made.margin_floor:<6} {stock:<16} {runs}"
        )
    if not kept:
        typer.echo("no offers; run: regulars decide offer put offers.toml")


@offer.command("history")
def show_history(offer_id: OfferId, *, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show every version of an offer: from when to when it held, who kept it, what changed."""
    from regulars.decide.offers.keeping.service import difference, history  # noqa: PLC0415

    kept = history(open_shop(folder).state, offer_id)
    if print_json:
        typer.echo(as_json([_shown(one) for one in kept]))
        return
    for place, one in enumerate(kept):
        until = one.valid_to.isoformat() if one.valid_to else "now on"
        typer.echo(
            f"version {one.version} by {one.edited_by}, {one.valid_from.isoformat()} to {until}"
        )
        if one.note:
            typer.echo(f"  {one.note}")
        changed = difference(kept[place - 1].offer, one.offer) if place else {}
        for name, (before, after) in changed.items():
            typer.echo(f"  {name}: {before} -> {after}")


def _keep(shop: Any, offers: list[Any], *, note: str, since: str, print_json: bool) -> None:
    from regulars.decide.offers.keeping.service import put_offer  # noqa: PLC0415

    now = datetime.now(UTC)
    valid_from = moment_of(since, shop) if since else None
    kept = [
        put_offer(shop.state, one, actor=ACTOR, now=now, note=note, valid_from=valid_from)
        for one in offers
    ]
    keep_anchor(shop)
    names = [f"{one.offer.offer_id}@{one.version}" for one in kept]
    typer.echo(as_json({"kept": names}) if print_json else "\n".join(names))


def _row(row: dict[str, str]) -> dict[str, Any]:
    """Read the cells of one row; an empty cell says nothing."""
    found: dict[str, Any] = {name: text.strip() for name, text in row.items() if text and name}
    found.setdefault("planned_cost", "0")
    found.setdefault("margin_floor", "0")
    for name in ("discount_share", "discount_amount"):
        if not float(found.get(name) or 0):
            found.pop(name, None)
    return found


def _shown(kept: "Kept") -> dict[str, Any]:
    import msgspec  # noqa: PLC0415

    about = {
        "version": kept.version,
        "valid_from": kept.valid_from,
        "valid_to": kept.valid_to,
        "edited_by": kept.edited_by,
        "note": kept.note,
    }
    return about | dict(msgspec.to_builtins(kept.offer))
