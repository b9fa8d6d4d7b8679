"""Sealing: encrypt a value so that only the holder of its key reads it, and only in its place."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from regulars.errors import InputError

NONCE = 12


def seal(key: bytes, clear: bytes, *, place: str) -> bytes:
    """Encrypt bytes.

    Args:
        key: 32 bytes.
        clear: What to encrypt.
        place: Where it will be kept; the same must be said to read it, so that nobody can
            move a sealed value to another customer's row.

    Returns:
        Nonce and ciphertext.

    Source:
        AES-256-GCM, NIST SP 800-38D.
    """
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, clear, place.encode())


def unseal(key: bytes, sealed: bytes, *, place: str) -> bytes:
    """Decrypt what `seal` made.

    Args:
        key: The key it was sealed with.
        sealed: What `seal` gave.
        place: What was said when it was sealed.

    Returns:
        The clear bytes.

    Raises:
        InputError: Another key, another place, or damaged.

    Example:
        >>> unseal(bytes(32), seal(bytes(32), b"ann", place="a"), place="a")
        b'ann'
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise InputError(
            f"the sealed value of {place} cannot be opened with this workspace's key; restore "
            "keys/workspace.key and vault.db from the same backup"
        ) from error
