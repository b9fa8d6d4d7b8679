"""`regulars run`: do one turn of the loop, or continue one that was interrupted."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer()

_STALE_DAYS = 92


@app.command()
def run(
    *,
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Last day whose facts are read; by default the last day with orders.",
        ),
    ] = None,
    contact: Annotated[
        bool, typer.Option(help="Decide and contact; otherwise only look and learn.")
    ] = True,
    workers: Annotated[
        int | None, typer.Option(help="Threads and senders, instead of the settings'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Do one turn of the loop.

    A turn that was interrupted continues; a turn that is done is reported again, not repeated.
    """
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.loop import run_turn  # noqa: PLC0415

    opened = open_app(folder, workers=workers)
    day = _day(opened, as_of.date() if as_of else None)
    told = (lambda _step: None) if as_json else (lambda step: typer.echo(f"  {step}", err=True))
    report = run_turn(opened, day, contact=contact, progress=told)
    _follow(opened)
    summary = _summary(opened, report.turn.number) if report.contacted else {}
    if as_json:
        said = {
            "turn": report.turn.number,
            "as_of": day.isoformat(),
            "contacted": report.contacted,
            "rows_by_step": dict(report.rows_by_step),
            **summary,
        }
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    typer.echo(f"Turn {report.turn.number}, as of {day}, is done.")
    for name, value in summary.items():
        typer.echo(f"  {name}: {value}")


def _follow(opened: Any) -> None:
    """Judge the audiences again on what the turn wrote."""
    from regulars.errors import Transient  # noqa: PLC0415
    from regulars.serve.sending.ticking.following import follow_audiences  # noqa: PLC0415

    try:
        follow_audiences(opened, now=datetime.now(UTC))
    except Transient as error:
        typer.echo(f"audiences are not refreshed yet: {error}", err=True)


def _summary(opened: Any, turn: int) -> dict[str, Any]:
    from regulars.rehearse.readings import fates_by_turn, programme  # noqa: PLC0415

    outbox = opened.folder / "outbox" / f"contacts-{turn}.parquet"
    found = dict(fates_by_turn(opened).get(turn, {}))
    return found | {"programme": programme(opened), "contacts_file": str(outbox)}


def _day(opened: Any, wanted: date | None) -> date:
    """Choose the day to look back from; a turn cannot be taken back, so a slip is refused."""
    from regulars.errors import InputError, NotReady  # noqa: PLC0415

    orders = opened.engine.table("orders")
    [row] = opened.engine.rows(orders.aggregate(day=orders.business_date.max()))
    if row["day"] is None:
        raise NotReady("there are no orders yet; run: regulars collect import FILES")
    last = date.fromisoformat(str(row["day"]))
    if wanted and wanted > last + timedelta(days=_STALE_DAYS):
        raise InputError(
            f"as-of {wanted} is more than {_STALE_DAYS} days after the last order ({last}); "
            "import the newer orders first, or correct the day"
        )
    return wanted or last
