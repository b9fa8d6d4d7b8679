"""`regulars collect plan`: what is to be sent, what came, and how far the two agree."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError
from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.files import text_in

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.collect.quality.plan import Plan

ACTOR = "command line"
_SHOWN = 40

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path | None, typer.Option(help="Write to this file instead of the screen.")]

plan = typer.Typer(no_args_is_help=True, help="The tracking plan: what is to be sent, what came.")


@plan.command("check")
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of events, one JSON object a line.")
    ] = None,
    *,
    folder: Folder = Path(),
    source: Annotated[str, typer.Option(help="Source the events are of.")] = "",
    as_json: AsJson = False,
) -> None:
    """Hold files of events against the plan; without files, tell which faults came.

    Ends with code 1 when an event of the files breaks the plan.
    """
    from regulars.collect.quality.plan import PlanChecks  # noqa: PLC0415 - slow to import
    from regulars.collect.quality.plan.service import fault_counts  # noqa: PLC0415

    app = _open(folder)
    in_force = _plan(app)
    if not files:
        counts = [asdict(one) for one in fault_counts(app.state)]
        _tell(counts, as_json, "{label}: {path} breaks {rule}, {seen:,} times ({source})")
        return
    checks = PlanChecks(in_force)
    found = [
        {"file": str(path), "line": number, **asdict(one)}
        for path in files
        for number, event in _events(path)
        for one in checks.check(event, source)
    ]
    _tell(
        found, as_json, "{file} line {line}: {path} breaks {rule}: found {found}, wanted {wanted}"
    )
    if found:
        raise typer.Exit(ExitCode.FAILED_CHECK)


@plan.command("suggest")
def suggest(
    *,
    folder: Folder = Path(),
    everything: Annotated[
        bool, typer.Option("--all", help="Also events the plan declares already.")
    ] = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Write a plan after what came: types, what is always there, values there are few of."""
    from regulars.collect.quality.plan import Plan, suggested_plan  # noqa: PLC0415
    from regulars.collect.quality.plan.reading import text_of_plan, written_plan  # noqa: PLC0415
    from regulars.collect.quality.plan.service import observed_events  # noqa: PLC0415

    app = _open(folder)
    known = _plan(app)
    whole = suggested_plan(observed_events(app.state), known)
    new = {name: rule for name, rule in whole.event.items() if name not in known.event}
    found = whole if everything else Plan(new)
    _write(text_of_plan(found) if as_json else written_plan(found), out)


@plan.command("diff")
def diff(
    old: Annotated[
        Path | None, typer.Argument(help="A plan; the one in force if left out.")
    ] = None,
    new: Annotated[
        Path | None, typer.Argument(help="A plan; the folder `plan/` if left out.")
    ] = None,
    *,
    folder: Folder = Path(),
    observed: Annotated[
        bool, typer.Option("--observed", help="Compare with what came instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what changed from one plan to another, and what old events may break."""
    from regulars.collect.quality.plan import (  # noqa: PLC0415
        differences,
        read_plan,
        suggested_plan,
    )
    from regulars.collect.quality.plan.service import (  # noqa: PLC0415
        adopted_plan,
        observed_events,
    )

    app = _open(folder)
    before = read_plan(old) if old else adopted_plan(app.state).plan
    if observed:
        after = suggested_plan(observed_events(app.state), before)
    else:
        after = read_plan(new) if new else _plan(app)
    found = [asdict(one) for one in differences(before, after)]
    _tell(found, as_json, "{change}: {event} {path} {what} {before!r} -> {after!r}")


@plan.command("coverage")
def coverage_(
    *,
    folder: Folder = Path(),
    source: Annotated[str, typer.Option(help="Look at this source alone.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell how much of what customers do is declared, and how much of that came."""
    from regulars.collect.quality.plan import coverage  # noqa: PLC0415
    from regulars.collect.quality.plan.service import observed_events  # noqa: PLC0415

    app = _open(folder)
    found = coverage(_plan(app), observed_events(app.state), source)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    typer.echo(f"{found.share_of_behaviours:.0%} of known behaviours are declared")
    typer.echo(f"{found.declared_seen} of {found.declared} declared events came")
    typer.echo(f"{found.share_of_events:.1%} of stored events are declared")
    for name in found.undeclared[:_SHOWN]:
        typer.echo(f"  not declared: {name}")


@plan.command("adopt")
def adopt_(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files to put into the plan first.")
    ] = None,
    *,
    folder: Folder = Path(),
    starting: Annotated[
        bool, typer.Option("--starting", help="Put the packaged plan into the folder first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put the plan in the workspace's folder `plan/` in force, as a new version."""
    from regulars.collect.quality.plan import read_plan  # noqa: PLC0415
    from regulars.collect.quality.plan.reading import FOLDER, starting_files  # noqa: PLC0415
    from regulars.collect.quality.plan.service import adopt  # noqa: PLC0415
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    app, now = _open(folder), datetime.now(UTC)
    place = folder / FOLDER
    added = {path.name: path.read_bytes() for path in files or []}
    if starting:
        added |= starting_files()
    for name, text in added.items():
        place.mkdir(exist_ok=True)
        if not (place / name).exists():
            (place / name).write_bytes(text)
        elif (place / name).read_bytes() != text:
            raise InputError(f"{place / name} is there already and differs; rename one of them")
    made = adopt(app.state, read_plan(place), actor=ACTOR, at=now)
    anchor(app.state, folder=folder, at=now)
    told = {"version": made.version, "digest": made.digest, "events": len(made.plan.event)}
    typer.echo(
        json.dumps(told) if as_json else f"plan version {made.version}: {told['events']} events"
    )


@plan.command("export")
def export_schema(*, folder: Folder = Path(), out: Out = None) -> None:
    """Write the plan as JSON Schema, one definition per event."""
    from regulars.collect.quality.plan.json_schema import schema_of_plan  # noqa: PLC0415

    schema = schema_of_plan(_plan(_open(folder)))
    _write(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", out)


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _plan(app: "App") -> "Plan":
    """The plan in the workspace's folder; the one in force where there is none."""
    from regulars.collect.quality.plan import read_plan  # noqa: PLC0415
    from regulars.collect.quality.plan.reading import FOLDER  # noqa: PLC0415
    from regulars.collect.quality.plan.service import adopted_plan  # noqa: PLC0415

    place = app.folder / FOLDER
    return read_plan(place) if place.is_dir() else adopted_plan(app.state).plan


def _events(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as lines:
        for number, data in enumerate(lines, 1):
            line = text_in(data, f"{path} line {number}")
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{path} line {number} is no JSON: {error.msg}") from error
            if not isinstance(event, dict):
                raise InputError(f"{path} line {number} is no JSON object; give one event a line")
            yield number, event


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {out}")


def _tell(rows: list[dict[str, Any]], as_json: bool, line: str) -> None:
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows[:_SHOWN]:
        typer.echo(line.format(**row))
    more = len(rows) - _SHOWN
    typer.echo(f"... and {more} more" if more > 0 else f"{len(rows)} in all")
