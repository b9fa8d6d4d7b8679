"""Password hashes by scrypt, with their parameters stored beside them."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass

from regulars.errors import InputError

LEAST_LENGTH = 10
MOST_LENGTH = 1024


@dataclass(frozen=True)
class ScryptCost:
    """How much work one hash is.

    Attributes:
        n: Memory and time cost, a power of two.
        r: Block size; memory is 128 * n * r bytes.
        p: Rounds.

    Source:
        OWASP Password Storage Cheat Sheet: n=2^15, r=8, p=3 is one of its equal choices,
        the one that takes least memory (32 MB) when several people sign in at once.
    """

    n: int = 2**15
    r: int = 8
    p: int = 3


def hash_password(
    password: str, *, cost: ScryptCost | None = None, salt: bytes | None = None
) -> str:
    """Hash a password for keeping.

    Args:
        password: 10 characters or more.
        cost: Work of the hash; by default the recommended one.
        salt: 16 random bytes; by default drawn from the system.

    Returns:
        "scrypt$n$r$p$salt$hash".

    Raises:
        InputError: The password is too short or too long.

    Source:
        RFC 7914, "The scrypt Password-Based Key Derivation Function".

    Example:
        >>> kept = hash_password("correct horse", cost=ScryptCost(16, 1, 1), salt=b"salt")
        >>> kept
        'scrypt$16$1$1$c2FsdA==$QF6G9Qa5koBFKhSj5SQg6dTIHjDurrw5RxezFukxqSk='
        >>> is_password("correct horse", kept), is_password("wrong horse", kept)
        (True, False)
    """
    if not LEAST_LENGTH <= len(password) <= MOST_LENGTH:
        raise InputError(
            f"the password has {len(password)} characters, must have from {LEAST_LENGTH} "
            f"to {MOST_LENGTH}; choose another"
        )
    cost, salt = cost or ScryptCost(), salt or os.urandom(16)
    return "$".join([
        "scrypt",
        str(cost.n),
        str(cost.r),
        str(cost.p),
        base64.b64encode(salt).decode(),
        base64.b64encode(_derive(password, salt, cost)).decode(),
    ])


def is_password(password: str, kept: str) -> bool:
    """Tell whether a password is the one a hash was made from, in constant time.

    Args:
        password: What was typed.
        kept: What `hash_password` gave.

    Returns:
        True only for the same password.

    Raises:
        InputError: The kept hash is of another kind.
    """
    name, *parts = kept.split("$")
    if name != "scrypt" or len(parts) != 5:
        raise InputError(f"password hash is of kind {name!r}, must be scrypt; set a new password")
    n, r, p, salt, digest = parts
    derived = _derive(
        password[:MOST_LENGTH], base64.b64decode(salt), ScryptCost(*map(int, (n, r, p)))
    )
    return hmac.compare_digest(derived, base64.b64decode(digest))


def _derive(password: str, salt: bytes, cost: ScryptCost) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=cost.n,
        r=cost.r,
        p=cost.p,
        maxmem=256 * cost.n * cost.r + 2**20,
        dklen=32,
    )
