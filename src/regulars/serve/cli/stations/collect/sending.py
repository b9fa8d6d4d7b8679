"""`regulars collect serve`, `key`, `keys`, `revoke-key`: who may send events, and where to."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.collect.ingest.keys.service import WriteKey

ACTOR = "command line"
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def serve(
    *,
    folder: Annotated[
        Path, typer.Option("--dir", help="A workspace, or a demo's folder.")
    ] = Path(),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    no_drain: Annotated[
        bool, typer.Option("--no-drain", help="Take events in but do not store them yet.")
    ] = False,
) -> None:
    """Take events in, without the console."""
    from regulars.serve.cli.serve import run_server  # noqa: PLC0415 - slow to import
    from regulars.serve.http.door.workspaces import open_site  # noqa: PLC0415

    run_server(open_site(folder), host=host, port=port, is_draining=not no_drain, has_console=False)


def key(
    source: Annotated[str, typer.Argument(help="The source: web, app, pos...")],
    *,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do: events, receipts. [default: both]")
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="An origin pages may use it from, such as https://shop.example."),
    ] = None,
    dialect: Annotated[
        list[str] | None, typer.Option(help="A wire format it may speak: segment, sensors...")
    ] = None,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Give out a write key for a source; it is shown this once.

    Earlier keys of the source go on working, so that clients can be moved one by one.
    """
    from regulars.collect.ingest.keys.service import (  # noqa: PLC0415 - slow to import
        SCOPES,
        Limits,
        add_write_key,
    )

    shop = _open(folder)
    limits = Limits(scope or SCOPES, origin or (), dialect or ())
    made, given = add_write_key(
        shop.state, source=source, actor=ACTOR, now=datetime.now(UTC), limits=limits
    )
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps({"source": made.source, "write_key": given}, ensure_ascii=False))
        return
    typer.echo(given)
    typer.echo("Keep it now: only its hash is stored.", err=True)


def keys(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List the write keys, revoked ones too."""
    from regulars.collect.ingest.keys.service import list_write_keys  # noqa: PLC0415

    found = list_write_keys(_open(folder).state)
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        ended = f"revoked {one.revoked_at}" if one.revoked_at else ""
        limits = " ".join(sorted(one.origins | one.dialects))
        typer.echo(
            f"{one.source:<20} {one.hint}... {' '.join(sorted(one.scopes)):<16} "
            f"{limits} {ended}".rstrip()
        )
    if not found:
        typer.echo("no write keys; run: regulars collect key NAME")


def revoke_key(
    source: Annotated[str, typer.Argument(help="Whose keys.")],
    *,
    hint: Annotated[
        str, typer.Option(help="First characters of the one key meant; all when left out.")
    ] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Stop write keys of a source from working, within a second and for good."""
    from regulars.collect.ingest.keys.service import revoke_write_keys  # noqa: PLC0415

    shop = _open(folder)
    gone = revoke_write_keys(
        shop.state, source=source, hint=hint, actor=ACTOR, now=datetime.now(UTC)
    )
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps({"source": source, "revoked": gone}, ensure_ascii=False))
        return
    typer.echo(f"write keys of {source} revoked: {gone}")


def _plain(one: "WriteKey") -> dict[str, object]:
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in asdict(one).items()
    }


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _anchor(shop: "App") -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415 - slow to import

    anchor(shop.state, folder=shop.folder, at=datetime.now(UTC))
