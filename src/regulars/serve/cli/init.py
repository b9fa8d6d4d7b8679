"""`regulars init`: make a folder a workspace."""

import json
from pathlib import Path
from typing import Annotated

import typer

from regulars.errors import InputError
from regulars.serve.settings_file import settings_text
from regulars.settings import FILE, read_settings

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder; made when it is not there.")],
    *,
    name: Annotated[str, typer.Option(help="What the retailer is called.")] = "My shop",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of every sum.")] = "CNY",
    zone: Annotated[str, typer.Option(help="IANA zone that decides what a day is.")] = (
        "Asia/Shanghai"
    ),
    locale: Annotated[str, typer.Option(help="Language of reports: zh-CN or en.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a folder a workspace.

    A folder that is a workspace already stays as it is, but for newer tables of state.db.
    """
    made = make_workspace(
        folder, {"name": name, "currency": currency, "zone": zone, "locale": locale}
    )
    if as_json:
        typer.echo(json.dumps({"workspace": str(folder), "made": made}, ensure_ascii=False))
        return
    typer.echo(f"{folder} {'is now' if made else 'was already'} a workspace.")
    typer.echo(f"Next: read {folder / FILE}, then regulars collect import FILES --dir {folder}")


def make_workspace(folder: Path, retailer: dict[str, str]) -> bool:
    """Make the settings file, the folders and the newest state.db.

    Args:
        folder: The workspace folder.
        retailer: Values of the section `retailer` of the settings.

    Returns:
        True when the workspace is new, False when there was one.

    Raises:
        InputError: The folder holds other files, or a value cannot be used.
    """
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    settings = folder / FILE
    is_new = not settings.exists()
    if is_new:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"{folder} is not empty and holds no {FILE}; choose a new or empty folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        settings.write_text(settings_text({"retailer": retailer}), encoding="utf-8")
        try:
            read_settings(folder)
        except InputError:
            settings.unlink()
            raise
    for part in ("lake", "outbox"):
        (folder / part).mkdir(exist_ok=True)
    open_app(folder).state.close()
    return is_new
