"""What other systems post is kept as it came, and read at the next pull."""

import hashlib
import json
import os
from pathlib import Path

from regulars.errors import InputError

INBOX = "inbox"
MOST_BYTES = 4 << 20


def receive(folder: Path, source: str, body: bytes) -> str:
    """Keep a posted body; the same body posted again is kept once.

    Args:
        folder: The workspace folder.
        source: A configured source.
        body: JSON: an object, a list of objects, or an object that holds one list.

    Returns:
        Name of the file, once it is on disk.

    Raises:
        InputError: The body is no JSON, or too large.
    """
    if len(body) > MOST_BYTES:
        raise InputError(f"the body holds {len(body):,} bytes, may hold {MOST_BYTES:,}; split it")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise InputError(f"the body is not JSON ({error}); post an object or a list") from error
    if not isinstance(found, dict | list) or not found:
        raise InputError("the body holds nothing; post an object or a list of objects")
    inbox = inbox_of(folder, source)
    inbox.mkdir(parents=True, exist_ok=True)
    name = f"{hashlib.blake2b(body, digest_size=16).hexdigest()}.json"
    path = inbox / name
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(inbox)
    return name


def inbox_of(folder: Path, source: str) -> Path:
    """Name the folder where a source's files wait."""
    return folder / INBOX / source


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
