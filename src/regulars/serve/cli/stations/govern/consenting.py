"""`regulars govern consent`: note, show, prove and import what customers allow."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.files import text_of

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"
SHOWN = 20
app = typer.Typer(no_args_is_help=True, help="What customers allow, with its proof.")

Customer = Annotated[str, typer.Argument(help="The customer's id.")]
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("set")
def set_one(
    customer: Customer,
    *,
    status: Annotated[str, typer.Option(help="granted, denied or withdrawn.")],
    purpose: Annotated[str, typer.Option(help="marketing, profiling, share:PARTNER...")] = (
        "marketing"
    ),
    channel: Annotated[str, typer.Option(help="A channel; * for all.")] = "*",
    topic: Annotated[str, typer.Option(help="A topic; * for all.")] = "*",
    notice: Annotated[str, typer.Option(help="Notice the customer had before him.")] = "",
    evidence: Annotated[str, typer.Option(help="How it can be proved.")] = "",
    at: Annotated[str, typer.Option(help="When the customer said so; now when left out.")] = "",
    guardian: Annotated[
        str, typer.Option(help="For a child: what proves that a guardian consented.")
    ] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Note what a customer said; the next contact goes by it."""
    from regulars.govern.consent.declared import read_declared  # noqa: PLC0415
    from regulars.govern.consent.service import set_consent  # noqa: PLC0415
    from regulars.govern.consent.word import Word  # noqa: PLC0415
    from regulars.govern.lists import moment  # noqa: PLC0415

    shop, now = _open(folder), _now()
    word = Word(
        customer,
        purpose,
        status,
        moment(at, zone=shop.settings.retailer.zone, name="--at") if at else now,
        channel=channel,
        topic=topic,
        notice_version=notice,
        source="command_line",
        evidence=evidence,
        guardian=guardian,
    )
    declared = read_declared(shop.folder)
    added = set_consent(shop.state, word, actor=ACTOR, now=now, declared=declared)
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps({"customer_id": customer, "added": added}))
        return
    typer.echo(f"noted: {customer} {status} {purpose} {channel}" if added else "noted before")


@app.command("show")
def show_one(
    customer: Customer,
    *,
    proof: Annotated[bool, typer.Option("--proof", help="Everything that proves it.")] = False,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what a customer allows, and every word that led there."""
    from regulars.govern.consent.proof.service import prove  # noqa: PLC0415
    from regulars.govern.consent.service import show  # noqa: PLC0415

    state, now = _open(folder).state, _now()
    if proof:
        found = asdict(prove(state, customer, now=now))
        typer.echo(
            json.dumps(found, ensure_ascii=False, default=str, indent=None if as_json else 2)
        )
        return
    known = show(state, customer, now=now)
    if as_json:
        typer.echo(json.dumps(asdict(known), ensure_ascii=False, default=str))
        return
    for one in known.in_force:
        stale = "  rests on an old notice: does not hold" if one.is_stale else ""
        about = f"{one.purpose:<18} {one.channel:<10} {one.topic:<12}"
        typer.echo(f"{about} {one.status:<10} {one.recorded_at[:19]}Z{stale}")
    for bar in known.bars:
        typer.echo(f"suppressed         {bar.channel:<10} {bar.reason}")
    if not known.in_force and not known.bars:
        typer.echo(f"{customer} never said anything")


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="CSV or JSON.", exists=True)],
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Note every word of a list; rows that cannot be used are named, and end with exit code 1."""
    from regulars.govern.consent.declared import read_declared  # noqa: PLC0415
    from regulars.govern.consent.importing.service import Reading, import_words  # noqa: PLC0415

    shop = _open(folder)
    reading = Reading(file.name, shop.settings.retailer.zone, read_declared(shop.folder))
    found = import_words(shop.state, file.read_bytes(), reading=reading, actor=ACTOR, now=_now())
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        typer.echo(
            f"{found.received:,} rows, {found.noted:,} noted, {len(found.refused):,} refused"
        )
        for one in found.refused[:SHOWN]:
            typer.echo(f"row {one.row}: {one.reason}")
    if found.refused:
        raise typer.Exit(ExitCode.FAILED_CHECK)


@app.command("notice")
def publish_one(
    file: Annotated[
        Path | None, typer.Argument(help="TOML of the notice; the notices when left out.")
    ] = None,
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Publish what customers are told from now on, or list what they were told."""
    from regulars.govern.consent.declared import read_declared  # noqa: PLC0415
    from regulars.govern.consent.notices import read_notice  # noqa: PLC0415
    from regulars.govern.consent.notices.service import notices, publish  # noqa: PLC0415

    shop = _open(folder)
    if file is not None:
        notice = read_notice(text_of(file))
        declared = read_declared(shop.folder)
        publish(shop.state, notice, actor=ACTOR, now=_now(), declared=declared)
        _anchor(shop)
    found = notices(shop.state)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        asks = f"asks again: {', '.join(one.asks_again)}" if one.asks_again else ""
        typer.echo(f"{one.version:<16} {one.effective_from[:19]}Z {asks}".rstrip())
    if not found:
        typer.echo("no notices; run: regulars govern consent notice FILE")


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _anchor(shop: "App") -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415 - slow to import

    anchor(shop.state, folder=shop.folder, at=_now())


def _now() -> datetime:
    return datetime.now(UTC)
