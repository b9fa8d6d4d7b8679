"""Workspaces a rehearsal makes for itself."""

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomli_w

from regulars.app import App, open_app
from regulars.settings import FILE, Settings


def workspace(folder: Path, settings: Settings, *, workers: int) -> App:
    """Open a workspace with these settings; made when it is not there.

    Args:
        folder: The workspace folder.
        settings: What its `regulars.toml` says; an existing file is left alone.
        workers: Threads and senders.

    Returns:
        The open workspace.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    if not path.exists():
        part = path.with_suffix(".part")
        said = _plain(asdict(settings))
        said.pop("compute")
        part.write_text(tomli_w.dumps(said), encoding="utf-8")
        part.replace(path)
    return open_app(folder, workers=workers)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return str(value) if isinstance(value, Decimal) else value
