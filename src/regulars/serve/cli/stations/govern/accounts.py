"""`regulars govern user|api-key|audit`: who may come in, and who did what."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.errors import InputError
from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.files import text_or_input

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"

user = typer.Typer(no_args_is_help=True, help="Who may sign in to the console.")
audit = typer.Typer(no_args_is_help=True, help="Who did what, and whether the log is whole.")
api_key = typer.Typer(no_args_is_help=True, help="Which other systems may call the API.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="Read the password from a file; - reads standard input."),
]


@user.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the user signs in with.")],
    *,
    role: Annotated[str, typer.Option(help="viewer, analyst, marketer, approver or admin.")],
    folder: Folder = Path(),
    locale: Annotated[str, typer.Option(help="Language they see: en or zh-CN.")] = "en",
    password_file: PasswordFile = None,
) -> None:
    """Let somebody new sign in; asks for the password."""
    from regulars.govern.access.roles import role_named  # noqa: PLC0415
    from regulars.govern.access.service import add_user  # noqa: PLC0415

    role_named(role)
    shop = _open(folder)
    password = _password(password_file)
    added = add_user(
        shop.state,
        name=name,
        role=role,
        password=password,
        actor=ACTOR,
        now=_now(),
        locale=locale,
    )
    _anchor(shop)
    typer.echo(f"added {added.name} as {added.role}")


@user.command("password")
def password(
    name: Annotated[str, typer.Argument(help="Whose password.")],
    *,
    folder: Folder = Path(),
    password_file: PasswordFile = None,
) -> None:
    """Give a user a new password; ends their sessions, lets a disabled user back in."""
    from regulars.govern.access.service import set_password  # noqa: PLC0415

    shop = _open(folder)
    set_password(shop.state, name=name, password=_password(password_file), actor=ACTOR, now=_now())
    _anchor(shop)
    typer.echo(f"{name} has a new password; their sessions ended")


@user.command("disable")
def disable(
    name: Annotated[str, typer.Argument(help="Who may not sign in any more.")],
    *,
    folder: Folder = Path(),
) -> None:
    """Bar a user; their sessions end at once."""
    from regulars.govern.access.service import disable_user  # noqa: PLC0415

    shop = _open(folder)
    disable_user(shop.state, name=name, actor=ACTOR, now=_now())
    _anchor(shop)
    typer.echo(f"{name} is disabled; their sessions ended")


@user.command("list")
def list_all(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List the users."""
    from regulars.govern.access.service import list_users  # noqa: PLC0415

    users = list_users(_open(folder).state)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in users], ensure_ascii=False))
        return
    for one in users:
        typer.echo(
            f"{one.name:<20} {one.role:<10} {'disabled' if one.is_disabled else ''}".rstrip()
        )
    if not users:
        typer.echo("no users; run: regulars govern user add NAME --role admin")


@api_key.command("add")
def add_api_key(
    name: Annotated[str, typer.Argument(help="Which system will hold the key.")],
    *,
    role: Annotated[str, typer.Option(help="viewer, analyst, marketer, approver or admin.")],
    owner: Annotated[
        str, typer.Option(help="User who answers for it, whose word its acts count as.")
    ] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Give out an API key; it is shown this once."""
    from regulars.govern.access.api_keys.service import add_key  # noqa: PLC0415

    shop = _open(folder)
    made, key = add_key(shop.state, name=name, role=role, actor=ACTOR, now=_now(), owner=owner)
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps({"name": made.name, "role": made.role, "key": key}))
        return
    typer.echo(key)
    typer.echo(f"Keep it now: only its hash is stored. Send it as: Bearer {made.hint}...", err=True)


@api_key.command("list")
def list_api_keys(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List the API keys, revoked ones too."""
    from regulars.govern.access.api_keys.service import list_keys  # noqa: PLC0415

    keys = list_keys(_open(folder).state)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in keys], ensure_ascii=False))
        return
    for one in keys:
        ended = f"revoked {one.revoked_at}" if one.revoked_at else ""
        typer.echo(f"{one.name:<20} {one.role:<10} {one.hint}... {ended}".rstrip())
    if not keys:
        typer.echo("no API keys; run: regulars govern api-key add NAME --role viewer")


@api_key.command("revoke")
def revoke_api_key(
    name: Annotated[str, typer.Argument(help="Whose key.")],
    *,
    folder: Folder = Path(),
) -> None:
    """Stop a key from working, at once and for good."""
    from regulars.govern.access.api_keys.service import revoke_key  # noqa: PLC0415

    shop = _open(folder)
    revoke_key(shop.state, name=name, actor=ACTOR, now=_now())
    _anchor(shop)
    typer.echo(f"the key of {name} is revoked")


@audit.command("verify")
def verify_log(
    *,
    folder: Folder = Path(),
    anchors: Annotated[
        Path | None, typer.Option(help="Copy of the anchors kept elsewhere.", exists=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry of the audit log; ends with exit code 1 when one was changed."""
    from regulars.govern.audit.service import verify  # noqa: PLC0415

    found = verify(_open(folder).state, folder=folder, copy=anchors)
    if as_json:
        typer.echo(json.dumps({"intact": found.intact, **asdict(found)}, ensure_ascii=False))
    elif found.fault:
        typer.echo(f"CHANGED: first bad entry {found.fault.number}: {found.fault.message}")
        typer.echo("Keep the folder as it is and compare it with your backup.")
    else:
        typer.echo(
            f"intact: {found.entries} entries, {found.anchors} signed anchors, "
            f"signed up to entry {found.anchored_to}"
        )
    if not found.intact:
        raise typer.Exit(ExitCode.FAILED_CHECK)


@audit.command("show")
def show(
    *,
    folder: Folder = Path(),
    last: Annotated[int, typer.Option(min=1, help="How many of the newest entries.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries of the audit log, the newest last."""
    from regulars.govern.audit.service import newest  # noqa: PLC0415

    shop = _open(folder)
    entries = newest(shop.state, size=last, named=shop.protector.hidden_name)[::-1]
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in entries], ensure_ascii=False))
        return
    for entry in entries:
        typer.echo(
            f"{entry.number:>6} {entry.at[:19]}Z {entry.actor:<16} {entry.action:<18} "
            f"{entry.subject} {entry.detail if entry.detail != '{}' else ''}".rstrip()
        )


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _anchor(shop: "App") -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    anchor(shop.state, folder=shop.folder, at=_now())


def _password(file: Path | None) -> str:
    """Take the password from a file, standard input or the terminal; never from arguments."""
    if file is None:
        if not sys.stdin.isatty():
            raise InputError("no terminal to ask for the password; give --password-file FILE or -")
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return text_or_input(file).rstrip("\n")


def _now() -> datetime:
    return datetime.now(UTC)
