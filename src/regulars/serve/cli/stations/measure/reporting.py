"""`regulars measure report`: a week or a month on one page, as HTML or PDF."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command("report")
def report(
    *,
    out: Annotated[Path, typer.Option(help="File to write, ending in .html or .pdf.")],
    week: Annotated[
        str, typer.Option(help="A week as 2026-W10 or a month as 2026-03; the last whole week.")
    ] = "",
    language: Annotated[str, typer.Option("--lang", help="zh-CN or en.")] = "en",
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the report of a week or a month: scorecard, effects, money, alerts, what comes next.

    A PDF is printed by the machine's Chromium.
    """
    from regulars.adjust.reporting.page import report_page  # noqa: PLC0415 - slow to import
    from regulars.adjust.reporting.printing import print_page  # noqa: PLC0415
    from regulars.adjust.reporting.service import gather  # noqa: PLC0415
    from regulars.adjust.reporting.span import last_week, span_of  # noqa: PLC0415
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.errors import InputError  # noqa: PLC0415
    from regulars.measure.scorecard.service import last_whole_day  # noqa: PLC0415

    if out.suffix not in {".html", ".pdf"}:
        raise InputError(f"--out {out} ends in {out.suffix or 'nothing'}; give .html or .pdf")
    shop = open_app(folder)
    newest = last_whole_day(datetime.now(UTC), zone=shop.settings.retailer.zone)
    name = week or last_week(newest)
    period = span_of(name)
    if period.last > newest:
        raise InputError(f"{name} ends {period.last}, which is not over yet; give an earlier one")
    content = gather(shop.engine, shop.state, shop.settings, name=name, period=period)
    page = report_page(content, locale=language)
    out.write_bytes(print_page(page) if out.suffix == ".pdf" else page.encode("utf-8"))
    if as_json:
        told = {"report": name, "file": str(out), "bytes": out.stat().st_size}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(f"{out}: report of {name}, {period.first} to {period.last}")
