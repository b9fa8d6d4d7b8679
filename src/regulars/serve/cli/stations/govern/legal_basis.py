"""`regulars govern legal-basis`: what allows sources of personal data to be read."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"
app = typer.Typer(no_args_is_help=True, help="What allows sources of personal data to be read.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("add")
def add(
    source: Annotated[str, typer.Argument(help="The source.")],
    *,
    kind: Annotated[
        str, typer.Option(help="ble, wifi, rfid, nfc, camera, voice, partner or social.")
    ],
    basis: Annotated[
        str,
        typer.Option(help="consent, separate_consent, contract, legal_duty or public_information."),
    ],
    evidence: Annotated[str, typer.Option(help="Where the proof is kept.")],
    article: Annotated[str, typer.Option(help="Article relied on, when another.")] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Record what allows a source to be read; the audit log keeps it."""
    from regulars.govern.legal_basis.service import add_legal_basis  # noqa: PLC0415

    shop = _open(folder)
    found = add_legal_basis(
        shop.state,
        source=source,
        kind=kind,
        basis=basis,
        evidence=evidence,
        article=article,
        actor=ACTOR,
        now=datetime.now(UTC),
    )
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    typer.echo(f"{found.source} ({found.kind}) may be read by {found.basis}, {found.article}")


@app.command("withdraw")
def withdraw(
    source: Annotated[str, typer.Argument(help="The source.")],
    *,
    folder: Folder = Path(),
) -> None:
    """End the legal basis of a source: it is refused from now on."""
    from regulars.govern.legal_basis.service import withdraw_legal_basis  # noqa: PLC0415

    shop = _open(folder)
    withdraw_legal_basis(shop.state, source=source, actor=ACTOR, now=datetime.now(UTC))
    _anchor(shop)
    typer.echo(f"{source} may no longer be read")


@app.command("list")
def list_bases(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List the legal bases recorded, withdrawn ones too."""
    from regulars.govern.legal_basis.service import legal_bases  # noqa: PLC0415

    found = legal_bases(_open(folder).state)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        ended = f"withdrawn {one.withdrawn_at}" if one.withdrawn_at else ""
        typer.echo(
            f"{one.source:<20} {one.kind:<8} {one.basis:<18} {one.article:<22} "
            f"{one.evidence} {ended}".rstrip()
        )
    if not found:
        typer.echo("no legal basis is recorded")


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _anchor(shop: "App") -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415 - slow to import

    anchor(shop.state, folder=shop.folder, at=datetime.now(UTC))
