"""`regulars govern suppress`: bar a customer, an address or a list; lift and show bars."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError
from regulars.serve.cli.exits import ExitCode

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"
SHOWN = 20
app = typer.Typer()


@app.command("suppress")
def suppress(
    customer: Annotated[str | None, typer.Argument(help="The customer's id.")] = None,
    *,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", help="phone:+8613800138000 or email:a@b.cn instead; - reads it from input."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A list instead: CSV or JSON.", exists=True)
    ] = None,
    channel: Annotated[str, typer.Option(help="Only this channel; all when left out.")] = "",
    reason: Annotated[
        str,
        typer.Option(help="opted_out, complained, bounced, soft_bounced, legal, manual, erased."),
    ] = "",
    until: Annotated[str, typer.Option(help="When it ends by itself.")] = "",
    note: Annotated[str, typer.Option(help="What else is worth knowing; no address.")] = "",
    is_lifted: Annotated[bool, typer.Option("--lift", help="Lift bars instead.")] = False,
    is_shown: Annotated[bool, typer.Option("--show", help="Change nothing; show bars.")] = False,
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bar a customer or an address from contact, for good or for a time; or lift bars."""
    from regulars.govern.suppression import Bar, service  # noqa: PLC0415

    shop, now = _open(folder), datetime.now(UTC)
    if sum(one is not None for one in (customer, address, file)) != 1:
        raise InputError("give one of CUSTOMER, --address KIND:ADDRESS and --file LIST")
    if file is not None:
        _import(shop, file, now=now, as_json=as_json)
        return
    subject = customer if customer is not None else _token(shop, address or "")
    changed = 0
    if is_lifted:
        changed = service.lift(
            shop.state, subject, actor=ACTOR, now=now, channel=channel, reason=reason, note=note
        )
    elif not is_shown:
        end = _moment(shop, until)
        bar = Bar(subject, reason or "manual", now, channel or "*", end, note)
        changed = service.suppress(shop.state, [bar], actor=ACTOR, now=now)
    _anchor(shop, now)
    _tell(shop, subject, changed, now=now, as_json=as_json)


def _tell(shop: "App", subject: str, changed: int, *, now: datetime, as_json: bool) -> None:
    from regulars.govern.suppression import service  # noqa: PLC0415

    bars = service.bars_of(shop.state, subject, now=now)
    if as_json:
        found: dict[str, Any] = {
            "subject": subject,
            "changed": changed,
            "bars": [asdict(bar) for bar in bars],
            "changes": [asdict(one) for one in service.changes_of(shop.state, subject)],
        }
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    for bar in bars:
        end = f" until {bar.until.isoformat()}" if bar.until else ""
        typer.echo(f"{subject} is suppressed on {bar.channel}: {bar.reason}{end}")
    if not bars:
        typer.echo(f"{subject} is not suppressed")


def _import(shop: "App", file: Path, *, now: datetime, as_json: bool) -> None:
    from regulars.govern.suppression.importing.service import import_bars  # noqa: PLC0415

    zone = shop.settings.retailer.zone
    found = import_bars(
        shop.state,
        file.read_bytes(),
        token=shop.protector.token,
        zone=zone,
        actor=ACTOR,
        now=now,
    )
    _anchor(shop, now)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        typer.echo(
            f"{found.received:,} rows, {found.changed:,} new, {len(found.refused):,} refused"
        )
        for one in found.refused[:SHOWN]:
            typer.echo(f"row {one.row}: {one.reason}")
    if found.refused:
        raise typer.Exit(ExitCode.FAILED_CHECK)


def _token(shop: "App", address: str) -> str:
    from regulars.govern.suppression.importing.service import subject_of  # noqa: PLC0415

    text = sys.stdin.readline().strip() if address == "-" else address
    kind, colon, clear = text.partition(":")
    if not colon:
        kind, clear = ("email" if "@" in text else "phone"), text
    return subject_of(shop.protector.token, kind, clear)


def _moment(shop: "App", text: str) -> datetime | None:
    from regulars.govern.lists import moment  # noqa: PLC0415

    return moment(text, zone=shop.settings.retailer.zone, name="--until") if text else None


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _anchor(shop: "App", now: datetime) -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415 - slow to import

    anchor(shop.state, folder=shop.folder, at=now)
