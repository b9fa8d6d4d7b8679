"""What the commands about audiences share: options, rule files, the moment."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError
from regulars.serve.cli.files import text_of

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.understand.segments.audiences.definition import Audience
    from regulars.understand.segments.audiences.judging.service import Place

ACTOR = "command line"

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RuleFile = Annotated[
    Path | None,
    typer.Option("--rule", help="TOML or JSON of the rule, or of an audience.", exists=True),
]
Name = Annotated[str, typer.Argument(help="What the audience is called.")]
Kept = Annotated[str, typer.Option("--name", help="An audience that was saved.")]
Moment = Annotated[
    datetime | None,
    typer.Option(
        "--now",
        formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"],
        help="The moment, such as 2026-03-01T09:00:00+08:00; UTC without an offset.",
    ),
]


def open_shop(folder: Path) -> "App":
    """Open the workspace.

    Returns:
        The open workspace.
    """
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def place_of(shop: "App", now: datetime | None) -> "Place":
    """Say where the workspace stands in time.

    Args:
        shop: The workspace.
        now: The moment; None for this one.

    Returns:
        The moment and the zone.
    """
    from regulars.understand.segments.audiences.judging.service import Place  # noqa: PLC0415

    settings = shop.settings
    return Place(settings.retailer.zone, settings.loop.turn_days, moment(now))


def moment(now: datetime | None) -> datetime:
    """Give the moment asked for, or this one; aware."""
    if now is None:
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def read_file(file: Path, name: str = "") -> "Audience":
    """Read a rule, or an audience, from a file.

    Args:
        file: TOML or JSON.
        name: Its name; that of the file when left out.

    Returns:
        The audience, checked.

    Raises:
        InputError: The file cannot be read, or the rule not be used.
    """
    from regulars.understand.segments.audiences.definition import read_audience  # noqa: PLC0415

    read = tomllib.loads if file.suffix == ".toml" else json.loads
    text = text_of(file)
    try:
        given: Any = read(text)
    except ValueError as error:
        kind = "TOML" if file.suffix == ".toml" else "JSON"
        raise InputError(f"{file} is not readable {kind}: {error}; mend it") from error
    if not isinstance(given, dict):
        raise InputError(f"{file} holds {type(given).__name__}, must hold one rule")
    return read_audience(name or file.stem[:64].strip() or "rule", given)


def chosen(shop: "App", rule: Path | None, name: str) -> "Audience":
    """Give the audience a command is about: a file's, or a saved one.

    Returns:
        The audience.

    Raises:
        InputError: Neither was given, or both.
    """
    from regulars.understand.segments.audiences.service import find_audience  # noqa: PLC0415

    if (rule is None) == (not name):
        raise InputError("give --rule FILE, or --name of a saved audience; one of them")
    return find_audience(shop.state, name) if rule is None else read_file(rule)


def tell_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def anchor_of(shop: "App", now: datetime) -> None:
    """Write the end of the audit log outside the store."""
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    anchor(shop.state, folder=shop.folder, at=now)


def _plain(value: object) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
