"""The command `regulars`: which commands there are; each is imported only when it is called."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from regulars.govern.protection.redaction import mask_logs
from regulars.serve.cli.exits import ExitCode, exit_code, report


@dataclass(frozen=True)
class Entry:
    """One command, known by name and line of help before its module is imported.

    Attributes:
        help: The line `regulars --help` shows; the first line of the command's own help.
        is_group: True for a station with commands of its own.
    """

    help: str
    is_group: bool = False


COMMANDS = {
    "init": Entry("Make a folder a workspace."),
    "demo": Entry(
        "Turn the whole loop on real data and in a simulated retailer, and write a report."
    ),
    "run": Entry("Do one turn of the loop."),
    "serve": Entry("Serve the console, take events in, and hand over contacts that are due."),
    "doctor": Entry("Check a workspace and the machine, and say what to mend."),
    "collect": Entry("Events and files become typed facts.", is_group=True),
    "unify": Entry("Who is who, and what is known of them.", is_group=True),
    "understand": Entry(
        "Which groups customers form, what they are worth, and who may leave.", is_group=True
    ),
    "govern": Entry("Users, legal bases, consent and the audit log.", is_group=True),
    "decide": Entry("Offers, who gets what, and where the money goes.", is_group=True),
    "adjust": Entry(
        "What was changed and why, alerts, channels left alone, and which models serve.",
        is_group=True,
    ),
    "measure": Entry(
        "What contacts and experiments caused, and how the shop is doing.", is_group=True
    ),
    "reach": Entry("Campaigns, the send ledger and the emergency stop.", is_group=True),
}


class LazyGroup(TyperGroup):
    """A group whose commands are modules of this package, imported when called."""

    def __init__(self, **attributes: Any) -> None:
        """Know every command by name and help only; enough for the list of commands."""
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=e.help) for name, e in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is really called.

        Returns:
            Its name, the command, and the words after it.
        """
        name, _, rest = super().resolve_command(ctx, args)
        return name, name and load(name), rest


def load(name: str) -> Any:
    """Import one command.

    Args:
        name: A name in `COMMANDS`; its module exports `app`.

    Returns:
        The command, ready to be invoked.
    """
    room = "regulars.serve.cli.stations" if COMMANDS[name].is_group else "regulars.serve.cli"
    station = import_module(f"{room}.{name}").app
    station._add_completion = False
    get = typer.main.get_group if COMMANDS[name].is_group else typer.main.get_command
    return _plain(get(station))


def _plain(command: Any) -> Any:
    """Give the same command with help as plain text, which is faster and the same everywhere.

    Returns:
        The command and, for a group, all commands below it.
    """
    command.rich_markup_mode = None
    for part in getattr(command, "commands", {}).values():
        _plain(part)
    return command


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"regulars {version('regulars')}")
    except PackageNotFoundError:
        typer.echo("regulars, not installed; run: pip install -e .")
    raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done, 1 a check failed, 2 wrong input, 3 not allowed, 4 something must "
    "happen first, 5 try again, 6 mend the machine first, 130 interrupted."
)
def regulars(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Regulars (回头客): a closed-loop marketing system for retailers."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code.

    Args:
        arguments: Words after `regulars`; those of the process when left out.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    mask_logs()
    command = typer.main.get_command(app)
    try:
        code = command.main(words, prog_name="regulars", standalone_mode=False)
    except typer.TyperException as error:
        _show(error, as_json="--json" in words)
        code = ExitCode.INPUT
    except typer.Abort:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = ExitCode.OK
    except Exception as error:
        known = exit_code(error)
        if known is None:
            raise
        report(error, known, as_json="--json" in words)
        code = known
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


def _show(error: typer.TyperException, *, as_json: bool) -> None:
    if as_json:
        report(error, ExitCode.INPUT, as_json=True)
        return
    context = getattr(error, "ctx", None)
    typer.echo(f"Error: {error.format_message()}", err=True)
    if context is not None:
        typer.echo(f"See: {context.command_path} --help", err=True)
