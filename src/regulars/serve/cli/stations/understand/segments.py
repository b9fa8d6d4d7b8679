"""`regulars understand segment`: count whom a rule holds for."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Groups of customers, by rules written as data.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RuleFile = Annotated[Path, typer.Option("--rule", help="JSON of the rule.", exists=True)]


@app.callback()
def segment() -> None:
    """Groups of customers, by rules written as data."""


@app.command("count")
def count_members(*, rule: RuleFile, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Count whom a rule holds for, on the newest profiles."""
    from regulars.app import open_app  # noqa: PLC0415 - slow to import
    from regulars.unify.identity.service import aliases  # noqa: PLC0415
    from regulars.unify.tags.live.service import count  # noqa: PLC0415
    from regulars.unify.tags.service import read_tag  # noqa: PLC0415

    given = {"kind": "rule", "definition": {"rule": _read(rule)}}
    shop = open_app(folder)
    found = count(shop.engine, read_tag(rule.stem, given), aliases=aliases(shop.state))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str))
    else:
        typer.echo(f"{found.customers:,} of {found.known:,} customers, as of {found.as_of}")


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} is not readable JSON: {error}; mend it") from error
