"""What the commands of `regulars reach` share: the workspace, the moment, printed records."""

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from regulars.errors import InputError

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Moment = Annotated[
    str, typer.Option("--now", help="The moment, ISO 8601; the clock's when left out.")
]
CampaignId = Annotated[str, typer.Argument(help="Id of the campaign.")]
CustomerId = Annotated[str, typer.Option("--customer", help="Id of the customer.")]
Key = Annotated[
    str, typer.Option("--key", help="Names the operation: the same key again gives the same again.")
]


def open_shop(folder: Path) -> "App":
    """Open a workspace.

    Returns:
        The open workspace.
    """
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    return open_app(folder)


def keep_anchor(shop: "App") -> None:
    """Sign the audit log as it stands."""
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    anchor(shop.state, folder=shop.folder, at=datetime.now(UTC))


def moment_of(text: str, shop: "App") -> datetime:
    """Read a moment, or take the clock's.

    Args:
        text: ISO 8601; without a zone in the workspace's; "" for the clock's.
        shop: The open workspace.

    Returns:
        The moment, aware UTC.

    Raises:
        InputError: It is no moment.
    """
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"--now is {text!r}, must be a moment such as 2026-12-01T10:00:00+08:00"
        ) from error
    zone = ZoneInfo(shop.settings.retailer.zone)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def as_json(value: Any) -> str:
    """Give records as one line of JSON."""
    return json.dumps(plain(value), ensure_ascii=False, default=str)


def say(told: Any, words: str, *, print_json: bool) -> None:
    """Print a record as JSON, or say it in words."""
    typer.echo(as_json(told) if print_json else words)


def plain(value: Any) -> Any:
    """Give records as plain values.

    Returns:
        Mappings and lists instead of records.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value
