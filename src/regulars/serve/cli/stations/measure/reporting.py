"""`regulars measure report`: a week, month, quarter or year, as HTML, PDF or workbook."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command("report")
def report(
    *,
    out: Annotated[Path, typer.Option(help="File to write, ending in .html, .pdf or .xlsx.")],
    week: Annotated[
        str,
        typer.Option(help="A week as 2026-W10, 2026-03, 2026-Q1 or 2026; the last whole week."),
    ] = "",
    language: Annotated[str, typer.Option("--lang", help="zh-CN or en.")] = "en",
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the report of a period: scorecard, effects, money, alerts, what comes next.

    A PDF is printed by the machine's Chromium.
    """
    from regulars.adjust.reporting.files import (  # noqa: PLC0415 - slow to import
        KINDS,
        report_file,
    )
    from regulars.adjust.reporting.service import gather  # noqa: PLC0415
    from regulars.adjust.reporting.span import last_week, span_of  # noqa: PLC0415
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.errors import InputError  # noqa: PLC0415
    from regulars.measure.scorecard.service import last_whole_day  # noqa: PLC0415

    kind = out.suffix.removeprefix(".")
    if kind not in KINDS:
        ends = out.suffix or "nothing"
        raise InputError(f"--out {out} ends in {ends}; give .html, .pdf or .xlsx")
    shop = open_app(folder)
    newest = last_whole_day(datetime.now(UTC), zone=shop.settings.retailer.zone)
    name = week or last_week(newest)
    period = span_of(name)
    if period.last > newest:
        raise InputError(f"{name} ends {period.last}, which is not over yet; give an earlier one")
    content = gather(shop.engine, shop.state, shop.settings, name=name, period=period)
    out.write_bytes(report_file(content, kind, locale=language))
    if as_json:
        told = {"report": name, "file": str(out), "bytes": out.stat().st_size}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(f"{out}: report of {name}, {period.first} to {period.last}")
