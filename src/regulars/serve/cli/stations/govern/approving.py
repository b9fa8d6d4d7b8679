"""`regulars govern approve` and `approval`: what waits for a second person, and their word."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError, NotAllowed
from regulars.serve.cli.files import text_or_input

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"

app = typer.Typer()
approval = typer.Typer(no_args_is_help=True, help="Requests for approval: list, show, answer.")
app.add_typer(approval, name="approval")

Number = Annotated[int, typer.Argument(help="Number of the request.")]
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Said = Annotated[str, typer.Option("--note", help="What to say.")]
By = Annotated[str, typer.Option("--by", help="The user who says so; their password is asked.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="Read the password from a file; - reads standard input."),
]


@app.command("approve")
def approve(
    number: Number,
    *,
    by: By,
    note: Said = "",
    password_file: PasswordFile = None,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Approve a request, as a user who neither made nor asked for what it is about."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    shop = _open(folder)
    actor = _signed_in(shop, by, password_file)
    found = acting.approve(shop, number, actor=actor, now=_now(), note=note)
    _print(found, as_json=as_json, says=f"{found.subject.id} is approved by {actor}")


@approval.command("list")
def list_all(
    *,
    by: Annotated[str, typer.Option("--by", help="Only what waits for this user.")] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """List the requests, the newest first; with a user, those they may approve."""
    from regulars.govern.approvals.service import inbox, newest_requests  # noqa: PLC0415

    state = _open(folder).state
    found = inbox(state, by) if by else newest_requests(state)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(
            f"{one.request_id:>5} {one.status:<14} {one.subject.kind} {one.subject.id} "
            f"v{one.subject.version} asked by {one.requested_by}"
        )
    if not found:
        typer.echo("nothing waits")


@approval.command("show")
def show(number: Number, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show a request with what the approver is shown and what was said."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    found = acting.request_of(_open(folder), number)
    lines = [f"{one.at[:19]}Z {one.act} by {one.person} {one.note}".rstrip() for one in found.acts]
    evidence = json.dumps(found.evidence, ensure_ascii=False, indent=2)
    _print(found, as_json=as_json, says="\n".join([evidence, *lines]))


@approval.command("comment")
def comment(
    number: Number,
    *,
    note: Said,
    by: By,
    password_file: PasswordFile = None,
    folder: Folder = Path(),
) -> None:
    """Say something about a request."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    shop = _open(folder)
    acting.comment(shop, number, note, actor=_signed_in(shop, by, password_file), now=_now())
    typer.echo(f"said about request {number}")


@approval.command("ask-changes")
def ask_changes(
    number: Number,
    *,
    note: Said,
    by: By,
    password_file: PasswordFile = None,
    folder: Folder = Path(),
) -> None:
    """Send a request back with what is to be changed."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    shop = _open(folder)
    acting.send_back(shop, number, note, actor=_signed_in(shop, by, password_file), now=_now())
    typer.echo(f"request {number} was sent back")


@approval.command("withdraw")
def withdraw(number: Number, *, note: Said = "", folder: Folder = Path()) -> None:
    """Take back a request that was made on the command line."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    acting.take_back(_open(folder), number, actor=ACTOR, now=_now(), note=note)
    typer.echo(f"request {number} is withdrawn")


def _signed_in(shop: "App", name: str, password_file: Path | None) -> str:
    """Make sure who speaks: the two-person rule knows users, not terminals."""
    from regulars.govern.access.service import sign_in, sign_out  # noqa: PLC0415

    password = _password(name, password_file)
    found = sign_in(shop.state, name=name, password=password, address="command line", now=_now())
    if found.token is None:
        wait = f"; wait {found.wait_seconds} s" if found.wait_seconds else ""
        raise NotAllowed("sign-in", f"name or password is wrong, or {name} is disabled{wait}")
    sign_out(shop.state, found.token, actor=name, now=_now())
    return name


def _password(name: str, file: Path | None) -> str:
    if file is None:
        if not sys.stdin.isatty():
            raise InputError("no terminal to ask for the password; give --password-file FILE or -")
        return str(typer.prompt(f"Password of {name}", hide_input=True))
    return text_or_input(file).rstrip("\n")


def _print(found: Any, *, as_json: bool, says: str) -> None:
    typer.echo(json.dumps(asdict(found), ensure_ascii=False) if as_json else says)


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _now() -> datetime:
    return datetime.now(UTC)
