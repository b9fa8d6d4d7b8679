"""`regulars govern publishable-key`: which pages may ask what to show there."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.govern.access.publishable_keys.service import PublishableKey

ACTOR = "command line"
app = typer.Typer(no_args_is_help=True, help="Which pages of a shop may ask what to show there.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Which site will hold the key.")],
    *,
    origin: Annotated[
        list[str], typer.Option(help="An origin whose pages may use it: https://shop.example.")
    ],
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Give out a key that pages may hold, and the secret the shop's server vouches with.

    The key is for everybody to read; the secret must never be in a page, and is shown this once.
    """
    from regulars.govern.access.publishable_keys.service import (  # noqa: PLC0415 - slow
        add_publishable_key,
    )
    from regulars.reach.links.vouching import secret_of  # noqa: PLC0415

    shop = _open(folder)
    made = add_publishable_key(shop.state, name=name, origins=origin, actor=ACTOR, now=_now())
    _ = shop.protector  # refuses a vault without its key, before a new key is made
    secret = secret_of(shop.folder, made.key)
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps({"name": made.name, "key": made.key, "secret": secret}))
        return
    typer.echo(made.key)
    typer.echo(f"Secret of the shop's server, shown this once: {secret}", err=True)


@app.command("list")
def list_all(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List the publishable keys, revoked ones too."""
    from regulars.govern.access.publishable_keys.service import (  # noqa: PLC0415 - slow
        list_publishable_keys,
    )

    found = list_publishable_keys(_open(folder).state)
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        ended = f"revoked {one.revoked_at}" if one.revoked_at else ""
        origins = " ".join(sorted(one.origins))
        typer.echo(f"{one.name:<20} {one.key} {origins} {ended}".rstrip())
    if not found:
        typer.echo(
            "no publishable keys; run: regulars govern publishable-key add NAME --origin ORIGIN"
        )


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="Whose key.")],
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Stop a key from working, and what was vouched for with it, at once and for good."""
    from regulars.govern.access.publishable_keys.service import (  # noqa: PLC0415 - slow
        revoke_publishable_key,
    )

    shop = _open(folder)
    revoke_publishable_key(shop.state, name=name, actor=ACTOR, now=_now())
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps({"name": name, "revoked": True}))
        return
    typer.echo(f"the publishable key of {name} is revoked")


def _plain(one: "PublishableKey") -> dict[str, object]:
    return asdict(one) | {"origins": sorted(one.origins)}


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _anchor(shop: "App") -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415 - slow to import

    anchor(shop.state, folder=shop.folder, at=_now())


def _now() -> datetime:
    return datetime.now(UTC)
