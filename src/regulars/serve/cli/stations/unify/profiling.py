"""`regulars unify profile`: load what files tell, and show one online profile."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from regulars.errors import NotReady

app = typer.Typer(no_args_is_help=True, help="Profiles kept up online, event by event.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("load")
def load(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Load orders, products, customers, contacts and tags of the lake into the online profiles.

    Run it after importing files and after each turn; loading again changes nothing.
    """
    from regulars.app import open_app  # noqa: PLC0415 - slow to import
    from regulars.unify.identity.service import aliases  # noqa: PLC0415
    from regulars.unify.profiles.online.loading.service import load_facts  # noqa: PLC0415
    from regulars.unify.profiles.online.lookup.service import OnlineProfiles  # noqa: PLC0415

    shop = open_app(folder)
    zone = shop.settings.retailer.zone
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    loaded = load_facts(shop.engine, shop.profiles, zone=zone, as_of=today)
    online = OnlineProfiles(shop.profiles, margin_rate=shop.settings.loop.margin_rate)
    online.refresh_population(as_of=today, aliases=aliases(shop.state))
    if as_json:
        typer.echo(json.dumps(loaded))
    else:
        typer.echo(", ".join(f"{rows:,} {name}" for name, rows in loaded.items()))


@app.command("show")
def show(
    namespace: Annotated[str, typer.Argument(help="login, phone, email, cookie...")],
    value: Annotated[str, typer.Argument(help="The identifier, clear or a token.")],
    *,
    folder: Folder = Path(),
) -> None:
    """Show the online profile behind an identifier, as the API gives it."""
    from regulars.serve.http.door.workspaces import Workspace  # noqa: PLC0415 - slow to import
    from regulars.serve.http.unify.profiles import answer_for  # noqa: PLC0415

    found = answer_for(Workspace(folder, engines=1), namespace, value, now=datetime.now(UTC))
    if found is None:
        raise NotReady(f"nobody is known by this {namespace}; check the value")
    typer.echo(json.dumps(asdict(found), ensure_ascii=False, default=str, indent=2))
