"""`regulars collect import`: files become typed facts."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from regulars.app import App
    from regulars.collect.sources.service import ImportResult, Progress


def import_(
    files: Annotated[list[str], typer.Argument(help="Files, folders or patterns.")],
    *,
    mapping: Annotated[
        Path | None,
        typer.Option(help="Which file feeds which table; without it, files named after tables."),
    ] = None,
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge every row and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """Import CSV, XLSX, Parquet and JSON files; bad rows go to quarantine, the rest lands.

    Importing a file again changes nothing.
    """
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.collect.sources import mapping_by_name, read_mapping  # noqa: PLC0415
    from regulars.collect.sources.step import import_sources  # noqa: PLC0415

    app_here = open_app(folder)
    chosen = read_mapping(mapping) if mapping else mapping_by_name()
    progress, bars = _progress_bar(is_silent=as_json)
    try:
        results = import_sources.run(
            app_here.lake,
            files,
            chosen,
            zone=app_here.settings.retailer.zone,
            progress=progress,
            dry_run=dry_run,
            protector=app_here.protector,
        )
    finally:
        bars.stop()
    if not dry_run:
        make_known(app_here, results)
    if as_json:
        found = [asdict(masked(result)) for result in results]
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
    else:
        _tell([masked(result) for result in results], dry_run=dry_run)


def make_known(app_here: "App", results: "list[ImportResult]") -> None:
    """Let what files say of members and of consent hold at once: a withdrawal waits for no turn."""
    from regulars.unify.identity.junk import junk_nodes  # noqa: PLC0415
    from regulars.unify.identity.step import adopt_members  # noqa: PLC0415

    if any(result.table == "customers" and result.stored and result.is_new for result in results):
        junk = junk_nodes(app_here.protector.token)
        adopt_members.run(app_here.engine, app_here.state, now=datetime.now(UTC), junk=junk)
    bearing = {"customers", "consents", "contact_outcomes"}
    if any(result.table in bearing and result.stored and result.is_new for result in results):
        from regulars.serve.sending.adopting import adopt  # noqa: PLC0415

        adopt(app_here, now=datetime.now(UTC))


def masked(result: "ImportResult") -> "ImportResult":
    """Cover what rows held back say of people."""
    from regulars.govern.protection.redaction import covered, redacted  # noqa: PLC0415

    problems = tuple(
        replace(problem, value=covered(problem.column, problem.value), raw=redacted(problem.raw))
        for problem in result.problems
    )
    return replace(result, problems=problems)


def _progress_bar(*, is_silent: bool) -> "tuple[Progress, RichProgress]":
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import Progress as Bars  # noqa: PLC0415
    from rich.progress import TaskID  # noqa: PLC0415

    console = Console(stderr=True)
    bars = Bars(console=console, disable=is_silent or not console.is_terminal, transient=True)
    tasks: dict[str, TaskID] = {}

    def progress(file: str, share: float) -> None:
        if file not in tasks:
            tasks[file] = bars.add_task(file, total=1.0)
        bars.update(tasks[file], completed=share)

    bars.start()
    return progress, bars


def _tell(results: "list[ImportResult]", *, dry_run: bool) -> None:
    heading = ("file", "table", "received", "stored", "duplicate", "quarantined")
    rows = [
        (r.file, r.table, f"{r.received:,}", f"{r.stored:,}", f"{r.duplicate:,}",
         f"{r.quarantined:,}" + ("" if r.is_new else "  (imported before)"))
        for r in results
    ]  # fmt: skip
    widths = [max(len(row[n]) for row in (heading, *rows)) for n in range(len(heading))]
    for row in (heading, *rows):
        cells = [
            cell.ljust(width) if n < 2 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())
    problems = [(r.file, problem) for r in results for problem in r.problems][:20]
    if problems:
        typer.echo("\nFirst rows held back:")
    for file, problem in problems:
        where = f", {problem.column} = {problem.value!r}" if problem.column else ""
        typer.echo(f"  {file} row {problem.row}: {problem.reason}{where}")
    if dry_run:
        typer.echo("\nNothing was written; run again without --dry-run to import.")
