"""`regulars govern access` and `erase`: what points, coupons and journeys keep of one customer."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"
app = typer.Typer()

CustomerId = Annotated[str, typer.Argument(help="The customer's id, or one it had before a merge.")]
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("access")
def access(customer: CustomerId, *, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show every row points, coupons and journeys keep of a customer; nothing else is covered."""
    from regulars.reach.rights.service import show_customer  # noqa: PLC0415

    shop, now = _open(folder), datetime.now(UTC)
    found = show_customer(shop.state, customer, actor=ACTOR, now=now)
    _anchor(shop, now)
    if print_json:
        _print({"rows": found})
        return
    for name, rows in found.items():
        for row in rows:
            typer.echo(f"{name}  {json.dumps(row, ensure_ascii=False, default=str)}")
    _tell({name: len(rows) for name, rows in found.items()}, "kept")


@app.command("erase")
def erase(
    customer: CustomerId,
    *,
    is_sure: Annotated[bool, typer.Option("--yes", help="Erase; it cannot be undone.")] = False,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Erase a customer from points, coupons and journeys for good; nothing else is covered."""
    from regulars.reach.rights.service import erase_customer  # noqa: PLC0415

    if not is_sure:
        raise InputError(
            "erasing cannot be undone; see what is kept with: regulars govern access, "
            "then say --yes"
        )
    shop, now = _open(folder), datetime.now(UTC)
    # The secret is kept nowhere: nobody can work the pseudonyms out again.
    rows = erase_customer(shop.state, customer, actor=ACTOR, secret=secrets.token_hex(32), now=now)
    _anchor(shop, now)
    if print_json:
        _print({"rows": rows})
        return
    _tell(rows, "erased")


def _print(found: Mapping[str, Any]) -> None:
    from regulars.reach.rights.declared import NOT_COVERED  # noqa: PLC0415

    told = {**found, "not_covered": NOT_COVERED}
    typer.echo(json.dumps(told, ensure_ascii=False, default=str))


def _tell(rows: Mapping[str, int], done: str) -> None:
    from regulars.reach.rights.declared import NOT_COVERED  # noqa: PLC0415

    for name, count in rows.items():
        typer.echo(f"{name:<24}{count:>8,} {done}")
    if not rows:
        typer.echo("points, coupons and journeys keep nothing of this customer")
    typer.echo(f"not covered: {'; '.join(NOT_COVERED)}")


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415

    return open_app(folder)


def _anchor(shop: "App", now: datetime) -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    anchor(shop.state, folder=shop.folder, at=now)
