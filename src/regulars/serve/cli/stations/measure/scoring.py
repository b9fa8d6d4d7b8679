"""`regulars measure scorecard`: how the shop is doing, beside the period before."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from regulars.app import App

app = typer.Typer()

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Language = Annotated[str, typer.Option("--lang", help="zh-CN or en: language of the words.")]


@app.command("scorecard")
def scorecard(
    *,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day of the period; yesterday by default."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Days of the period.")] = 28,
    rows: Annotated[
        str, typer.Option(help="An indicator: show the customers and orders that make it.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 100,
    language: Language = "en",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show the funnel and the health of the shop, each number beside the period before."""
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.measure.scorecard.service import last_whole_day  # noqa: PLC0415

    shop = open_app(folder)
    newest = last_whole_day(datetime.now(UTC), zone=shop.settings.retailer.zone)
    last = until.date() if until else newest
    place = {"zone": shop.settings.retailer.zone, "until": last, "days": days}
    if rows:
        _rows(shop, rows, place | {"limit": limit}, as_json=as_json)
    else:
        _scorecard(shop, place, language=language, as_json=as_json)


def _scorecard(shop: "App", place: dict[str, Any], *, language: str, as_json: bool) -> None:
    from regulars.measure.scorecard.service import shop_scorecard  # noqa: PLC0415 - slow to import
    from regulars.measure.scorecard.telling import told  # noqa: PLC0415

    found = told(
        shop_scorecard(shop.engine, shop.state, **place),
        locale=language,
        currency=shop.settings.retailer.currency,
    )
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    period, before = found["period"], found["before"]
    typer.echo(
        f"{period['first']} to {period['last']}, beside {before['first']} to {before['last']}"
    )
    for one in found["indicators"]:
        typer.echo(_line(one))
    index = found["index"]["value"]
    typer.echo(
        f"{'health':<20}{'unknown' if index is None else f'{index:.1f}':>14}  (100 = before)"
    )


def _line(one: dict[str, Any]) -> str:
    if one["value"] is None:
        since = f", {one['evidence']}" if one["evidence"] else ""
        return f"{one['key']:<20}{'unknown':>14}  ({one['why']}{since}) {one['todo']}"
    before = "unknown" if one["before"]["value"] is None else f"{one['before']['value']:,.4g}"
    parts = f"{one['numerator']:,.2f}"
    if one["denominator"] is not None:
        parts += f" / {one['denominator']:,}"
    if one["low"] is not None:
        parts += f"  ({one['low']:,.4g} to {one['high']:,.4g})"
    ends = f"  data ends {one['data_ends']}, not compared" if one["data_ends"] else ""
    return f"{one['key']:<20}{one['value']:>14,.4g}  before {before}  = {parts}{ends}"


def _rows(shop: "App", key: str, place: dict[str, Any], *, as_json: bool) -> None:
    from regulars.measure.scorecard.service import shop_rows  # noqa: PLC0415 - slow to import

    found = [
        row | {"day": row["day"].isoformat(), "amount": float(row["amount"])}
        for row in shop_rows(shop.engine, shop.state, key, **place)
    ]
    if as_json:
        typer.echo(json.dumps({"indicator": key, "rows": found}, ensure_ascii=False))
        return
    for row in found:
        order = row["order_id"] or "-"
        typer.echo(
            f"{row['day']}  {row['customer_id'] or '-':<24}{order:<24}{row['amount']:>14,.2f}"
            f"{row['weight']:>4}"
        )
