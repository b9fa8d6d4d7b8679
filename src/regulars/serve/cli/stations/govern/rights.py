"""`regulars govern access`, `erase`, `requests`: what is kept of one customer, shown and erased."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.reach.rights.requests.records import Preview, Request

ACTOR = "command line"
app = typer.Typer()

CustomerId = Annotated[str, typer.Argument(help="The customer's id, or one it had before a merge.")]
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Law = Annotated[str, typer.Option(help="Whose clock runs: cn or eu.")]


@app.command("access")
def access(
    customer: CustomerId,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder for data.json and data.html, for the customer.")
    ] = None,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Show every row kept of a customer, wherever it is; the audit log notes that it was asked."""
    from regulars.govern.access.roles import Role  # noqa: PLC0415
    from regulars.reach.rights.answering.service import give_access  # noqa: PLC0415
    from regulars.reach.rights.requests.records import Asking  # noqa: PLC0415
    from regulars.serve.rights import places_of  # noqa: I001, PLC0415

    shop, now = _open(folder), datetime.now(UTC)
    pack = give_access(places_of(shop), customer, role=Role.ADMIN, asking=Asking(ACTOR, now))
    _anchor(shop, now)
    if out:
        _write(out, pack, shop.settings.retailer.name)
    if print_json:
        typer.echo(json.dumps(pack, ensure_ascii=False, default=str))
        return
    for name, rows in pack["rows"].items():
        for row in rows if out is None else ():
            typer.echo(f"{name}  {json.dumps(row, ensure_ascii=False, default=str)}")
    for name, rows in pack["rows"].items():
        typer.echo(f"{name:<28}{len(rows):>8,} kept")
    if not pack["rows"]:
        typer.echo("nothing is kept of this customer")


@app.command("erase")
def erase(
    customer: Annotated[
        str, typer.Argument(help="The customer's id, or one it had before a merge.")
    ] = "",
    *,
    is_sure: Annotated[bool, typer.Option("--yes", help="Erase; it cannot be undone.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would go, and what stays; do nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with erasures that were interrupted.")
    ] = False,
    law: Law = "cn",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Erase a customer for good, wherever something is kept; what law lets keep is told."""
    from regulars.reach.rights.answering.service import preview  # noqa: PLC0415
    from regulars.serve.rights import places_of  # noqa: I001, PLC0415

    shop, now = _open(folder), datetime.now(UTC)
    if resume:
        _resume(shop, now, print_json=print_json)
        return
    if not customer:
        raise InputError("no customer is named; give an id, or --resume")
    if dry_run:
        _tell_preview(preview(places_of(shop), customer), print_json=print_json)
        return
    if not is_sure:
        raise InputError(
            "erasing cannot be undone; see what would go with --dry-run, then say --yes"
        )
    done = _erase(shop, customer, law, now)
    if print_json:
        typer.echo(json.dumps(_as_plain(done), ensure_ascii=False))
        return
    _tell_receipt(done)


@app.command("requests")
def requests(
    *,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those still to be answered, the first due first.")
    ] = False,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """List requests of customers about their own data, and by when each must be answered."""
    from regulars.reach.rights.requests.service import requests as listed  # noqa: PLC0415
    from regulars.serve.rights import places_of  # noqa: I001, PLC0415

    found = listed(places_of(_open(folder)), only_open=only_open)
    if print_json:
        typer.echo(json.dumps([_as_plain(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(
            f"{one.number:>5}  {one.kind:<7}{one.status:<10}due {one.due_on}  {one.asked_by}"
        )
    if not found:
        typer.echo("no requests")


def _erase(shop: "App", customer: str, law: str, now: datetime) -> "Request":
    """Erase at once: whoever works on the machine holds its keys, and is nobody by name."""
    from regulars.reach.rights.answering.service import past_erasure, preview  # noqa: PLC0415
    from regulars.reach.rights.requests.records import Asking  # noqa: PLC0415
    from regulars.reach.rights.requests.service import ask  # noqa: PLC0415
    from regulars.serve.rights import carry_out, places_of  # noqa: I001, PLC0415

    places, asking = places_of(shop), Asking(ACTOR, now)
    done = past_erasure(places, customer)
    if done and preview(places, customer).is_empty:
        return done
    known = ask(places, "erase", customer, law=law, asking=asking, is_decided=True)
    return carry_out(shop, known.number, asking=asking)


def _resume(shop: "App", now: datetime, *, print_json: bool) -> None:
    from regulars.reach.rights.requests.records import Asking, Status  # noqa: PLC0415
    from regulars.reach.rights.requests.service import requests as listed  # noqa: PLC0415
    from regulars.serve.rights import carry_out, places_of  # noqa: I001, PLC0415

    asking = Asking(ACTOR, now)
    waiting = [
        one for one in listed(places_of(shop), only_open=True) if one.status is Status.RUNNING
    ]
    done = [carry_out(shop, one.number, asking=asking) for one in waiting]
    if print_json:
        typer.echo(json.dumps([_as_plain(one) for one in done], ensure_ascii=False))
        return
    for one in done:
        _tell_receipt(one)
    if not done:
        typer.echo("no erasure was interrupted")


def _tell_preview(found: "Preview", *, print_json: bool) -> None:
    if print_json:
        told = {name: getattr(found, name) for name in found.__dataclass_fields__}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, count in found.rows.items():
        typer.echo(f"{name:<28}{count:>8,} would go")
    for name, kept in found.kept.items():
        typer.echo(f"{name:<28}{kept['rows']:>8,} stay: {kept['article']}")
    typer.echo(f"{found.values} clear values would become unreadable; {found.shared} are shared")


def _tell_receipt(done: "Request") -> None:
    told = done.receipt
    for name, count in told["rows"].items():
        typer.echo(f"{name:<28}{count:>8,} erased")
    for name, kept in told["kept"].items():
        typer.echo(f"{name:<28}{kept['rows']:>8,} kept: {kept['article']}")
    typer.echo(
        f"request {done.number}, done {done.done_at}, "
        f"left afterwards: {told['left'] or 'nothing'}; audit entry {told['audit_entry']}"
    )


def _as_plain(one: "Request") -> dict[str, Any]:
    return {
        "request": one.number,
        "kind": one.kind,
        "status": one.status,
        "asked_at": one.asked_at,
        "due_on": one.due_on,
        "asked_by": one.asked_by,
        "decided_by": one.decided_by,
        "done_at": one.done_at,
        "reason": one.reason,
        **one.receipt,
    }


def _write(out: Path, pack: dict[str, Any], retailer: str) -> None:
    from regulars.reach.rights.packing import DATA_FILE, PAGE_FILE, as_json, as_page  # noqa: PLC0415

    out.mkdir(parents=True, exist_ok=True)
    for name, text in ((DATA_FILE, as_json(pack)), (PAGE_FILE, as_page(pack, retailer=retailer))):
        # It holds clear values: its owner's only.
        handle = os.open(out / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        typer.echo(f"wrote {out / name}", err=True)


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415

    return open_app(folder)


def _anchor(shop: "App", now: datetime) -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    anchor(shop.state, folder=shop.folder, at=now)
