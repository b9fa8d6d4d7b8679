"""`regulars unify resolve`: give every row of a table its customer id."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from regulars.unify.matching.resolving import Told
    from regulars.unify.matching.service import Home

app = typer.Typer()


@app.command("resolve")
def resolve(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write it with customer_id.")],
    mapping: Annotated[
        Path | None,
        typer.Option(help="Which column is which; guessed by name without it."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="Workspace that remembers, so that ids stay the same."),
    ] = None,
    explain: Annotated[
        str, typer.Option(metavar="ID", help="Tell why this record or customer is who it is.")
    ] = "",
    objective: Annotated[
        str, typer.Option(help="precision, or f1: missed and wrong links weigh alike.")
    ] = "precision",
    precision: Annotated[
        float, typer.Option(help="Share of the links that must be expected to be right.")
    ] = 0.999,
    most: Annotated[int, typer.Option(min=2, help="Most rows one customer may have.")] = 200,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Judge all that is remembered again; ids stay.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Tell the identity graph; merges can be taken back.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Give every row of a table its customer id: rows of one person get the same.

    With --dir, new rows are compared with all that were resolved before, and ids stay.
    """
    from regulars.errors import InputError, UnknownName  # noqa: PLC0415 - slow to import
    from regulars.serve.cli.progress import stages  # noqa: PLC0415
    from regulars.unify.matching.mapping import read_roles  # noqa: PLC0415
    from regulars.unify.matching.resolving import OBJECTIVES, Wishes  # noqa: PLC0415
    from regulars.unify.matching.service import (  # noqa: PLC0415
        Asked,
        apply_matches,
        resolve_file,
    )

    if objective not in OBJECTIVES:
        raise UnknownName("objective", objective, OBJECTIVES)
    if apply and folder is None:
        raise InputError("--apply needs the workspace whose identity graph to tell: give --dir")
    if not 0.5 <= precision < 1:
        raise InputError(f"--precision is {precision:g}, must be at least .5 and below 1")
    wishes = Wishes(objective, precision, most)
    roles = read_roles(mapping) if mapping else None
    asked = Asked(roles, wishes, explain, fresh)
    home = _home(folder) if folder else None
    clock = _Clock()
    with stages(quiet=as_json) as shown:
        found = resolve_file(file, out, asked, home=home, told=clock.also(shown))
    report = found.as_dict() | {"out": str(out), "seconds": clock.seconds()}
    if apply and home:
        report["applied"] = apply_matches(home.state, found.matches, now=home.now)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _tell(report)


def _home(folder: Path) -> "Home":
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.unify.matching.service import Home  # noqa: PLC0415

    return Home(folder, open_app(folder).state, datetime.now(UTC))


class _Clock:
    """How long each phase took: from what the work tells of itself."""

    def __init__(self) -> None:
        self._marks: list[tuple[str, float]] = []

    def also(self, shown: "Told") -> "Told":
        def told(what: str, share: float) -> None:
            self._marks.append((what.partition(":")[0], time.perf_counter()))
            shown(what, share)

        return told

    def seconds(self) -> dict[str, float]:
        ends = [*(moment for _, moment in self._marks[1:]), time.perf_counter()]
        found: dict[str, float] = {}
        for (phase, start), end in zip(self._marks, ends, strict=True):
            found[phase] = found.get(phase, 0.0) + end - start
        return {phase: round(seconds, 3) for phase, seconds in found.items()}


def _tell(report: dict[str, Any]) -> None:
    kind = "guessed by name; say otherwise with --mapping" if report["guessed"] else "as mapped"
    typer.echo(f"Columns ({kind}):")
    for role, column in report["mapping"].items():
        typer.echo(f"  {role:<14} {column if isinstance(column, str) else ', '.join(column)}")
    typer.echo(
        f"{report['records']:,} records ({report['new']:,} new, {report['changed']:,} changed) "
        f"are {report['customers']:,} customers; {report['moved']:,} ids moved."
    )
    typer.echo(
        f"{report['pairs']:,} pairs compared, {report['links']:,} linked from probability "
        f"{report['threshold']:.4f}; expected precision {report['expected_precision']:.5f}, "
        f"recall among compared pairs {report['expected_recall']:.4f}."
    )
    typer.echo("Seconds: " + ", ".join(f"{k} {v:.1f}" for k, v in report["seconds"].items()))
    for reason, count in report.get("applied", {}).items():
        typer.echo(f"Identity graph: {count:,} {reason or 'joined'}")
    if report["explanation"]:
        _tell_why(report["explanation"])
    typer.echo(f"Written to {report['out']}")


def _tell_why(why: dict[str, Any]) -> None:
    typer.echo(f"\n{why['customer_id']} is records {', '.join(why['records'])}")
    for pair in why["pairs"]:
        held = pair["rule"] or "through others"
        typer.echo(f"  {pair['left']} and {pair['right']}: {pair['probability']:.6f} ({held})")
        for part in pair["parts"]:
            typer.echo(f"    {part['bits']:>8.2f}  {part['field']:<12} {part['says']}")
