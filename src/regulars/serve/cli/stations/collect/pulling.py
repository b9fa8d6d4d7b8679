"""`regulars collect sources`, `pull`: what can be connected, and reading what is."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.serve.cli.stations.collect.importing import make_known, masked

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.collect.connectors.service import Pulled

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def sources(
    kind: Annotated[str, typer.Argument(help="Show the sample files of this kind.")] = "",
    *,
    out: Annotated[
        Path | None, typer.Option(help="With a kind: write its sample files into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the kinds of sources: what each feeds, how it is read, what it needs first."""
    from regulars.collect.connectors import SOURCE_KINDS, source_kind  # noqa: PLC0415

    shown = [source_kind(kind)] if kind else list(SOURCE_KINDS.values())
    if kind and out:
        out.mkdir(parents=True, exist_ok=True)
        for sample in shown[0].samples:
            (out / sample.name).write_text(sample.text, encoding="utf-8")
            typer.echo(f"wrote {out / sample.name}")
        return
    if as_json:
        left_out = {"contract"}
        rows = [{k: v for k, v in vars(one).items() if k not in left_out} for one in shown]
        for row in rows:
            row["samples"] = [asdict(sample) for sample in row["samples"]]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in shown:
        gate = "  (needs a legal basis)" if one.gate else ""
        typer.echo(f"{one.name:<18} {' '.join(one.ways):<22} {' '.join(one.tables)}{gate}")
    for sample in shown[0].samples if kind else ():
        typer.echo(f"\n{sample.name}:\n{sample.text}")


def pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Sources of the settings; all when left out.")
    ] = None,
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Read what is new in the sources named in the settings.

    A source or a file that cannot be read is told of, the others are read all the same.
    """
    from regulars.app import open_app  # noqa: PLC0415 - slow to import
    from regulars.collect.connectors.service import Pull, pull_source  # noqa: PLC0415
    from regulars.errors import NotReady, RegularsError, UnknownName  # noqa: PLC0415
    from regulars.serve.cli.exits import ExitCode, exit_code, sentence  # noqa: PLC0415

    shop = open_app(folder)
    known = shop.settings.sources
    if not known:
        raise NotReady(f"{folder} names no source; add [sources.NAME] to its regulars.toml")
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise UnknownName("source", unknown[0], known)
    here = Pull(
        shop.folder,
        shop.lake,
        shop.state,
        shop.settings.retailer.zone,
        dict(os.environ),
        datetime.now(UTC),
        shop.protector,
    )
    failed: list[RegularsError] = []
    is_missing = False
    for name in names or sorted(known):
        try:
            pulled = pull_source(here, name, known[name])
        except RegularsError as error:
            failed.append(error)
            said = sentence(error)
            if as_json:
                typer.echo(json.dumps({"source": name, "error": said}, ensure_ascii=False))
            else:
                typer.echo(f"{name}: not read: {said}", err=True)
            continue
        make_known(shop, [masked(result) for result in pulled.results])
        is_missing |= bool(pulled.unreadable)
        _tell(shop, name, pulled, as_json=as_json)
    if failed:
        raise typer.Exit(exit_code(failed[0]) or ExitCode.INPUT)
    if is_missing:
        raise typer.Exit(ExitCode.INPUT)


def _tell(shop: "App", name: str, pulled: "Pulled", *, as_json: bool) -> None:
    """Say what a pull brought, and which files could not be read."""
    from regulars.collect.connectors.unreadable.service import file_of, reason_of  # noqa: PLC0415

    results = [masked(result) for result in pulled.results]
    apart = [
        {"file": file_of(one, shop.folder), "line": one.line, "reason": reason_of(one)}
        for one in pulled.unreadable
    ]
    if as_json:
        found = [asdict(result) for result in results]
        line = {"source": name, "results": found, "unreadable": apart}
        typer.echo(json.dumps(line, ensure_ascii=False, default=str))
        return
    for file in apart:
        where = f", line {file['line']}" if file["line"] else ""
        typer.echo(f"{name}  {file['file']}{where}: not read: {file['reason']}", err=True)
    for result in results:
        typer.echo(
            f"{name}  {result.file}  {result.table}: {result.stored:,} stored, "
            f"{result.duplicate:,} known, {result.quarantined:,} held back"
        )
    if not results and not apart:
        typer.echo(f"{name}: nothing new")
