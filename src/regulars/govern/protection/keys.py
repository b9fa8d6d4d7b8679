"""The workspace's key: made once, kept in a file of its own, and the keys derived from it."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from regulars.errors import NotReady

FOLDER = "keys"
FILE = "workspace.key"
_HEAD = "regulars-key-1 "


@dataclass(frozen=True)
class Keys:
    """What is derived from the workspace's key, 32 bytes each but for the last.

    Attributes:
        token: Key of the tokens.
        wrap: Key that encrypts the data keys of subjects.
        seal: Key that encrypts what is held back whole.
        fingerprint: Tells keys apart without giving them away, 16 hexadecimal digits.
    """

    token: bytes
    wrap: bytes
    seal: bytes
    fingerprint: str


def derived(secret: bytes) -> Keys:
    """Derive the keys of a workspace.

    Args:
        secret: 32 random bytes.

    Returns:
        Keys that tell nothing of each other.

    Source:
        HKDF (RFC 5869) with SHA-256, one purpose per key.

    Example:
        >>> derived(bytes(32)).fingerprint
        '45d7d29308505463'
    """
    token, wrap, seal, fingerprint = (
        purpose_key(secret, purpose) for purpose in ("token", "wrap", "seal", "fingerprint")
    )
    return Keys(token, wrap, seal, fingerprint.hex()[:16])


def purpose_key(secret: bytes, purpose: str, number: int = 1) -> bytes:
    """Derive the key of one purpose.

    Args:
        secret: 32 random bytes: the workspace's key.
        purpose: What the key is for, in words.
        number: 1 for the first; another number gives another key, so that keys can be changed.

    Returns:
        32 bytes that tell nothing of the secret, nor of the key of any other purpose.

    Source:
        HKDF (RFC 5869) with SHA-256.

    Example:
        >>> purpose_key(bytes(32), "token") == purpose_key(bytes(32), "token", 2)
        False
    """
    info = f"regulars {purpose} {number}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def read_key(folder: Path) -> bytes | None:
    """Read the workspace's key.

    Args:
        folder: The workspace folder.

    Returns:
        32 bytes, or None when there is no key yet.

    Raises:
        NotReady: The file is no key.
    """
    path = folder / FOLDER / FILE
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotReady(f"{path} cannot be read: {error}; run as the user who owns it") from error
    try:
        secret = bytes.fromhex(text.removeprefix(_HEAD).strip()) if text.startswith(_HEAD) else b""
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise NotReady(f"{path} is no key of a workspace; restore it from your backup")
    return secret


def make_key(folder: Path) -> bytes:
    """Make the workspace's key; when another process was faster, give the key it made.

    The file appears whole or not at all, readable by its owner only.

    Args:
        folder: The workspace folder.

    Returns:
        32 bytes.

    Raises:
        NotReady: The file was removed at the same time.
    """
    home = folder / FOLDER
    home.mkdir(mode=0o700, exist_ok=True)
    draft = home / f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{_HEAD}{secrets.token_hex(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, home / FILE)
    finally:
        draft.unlink()
    _sync_folder(home)
    _sync_folder(folder)
    made = read_key(folder)
    if made is None:
        raise NotReady(f"{home / FILE} vanished while it was made; run the same command again")
    return made


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
