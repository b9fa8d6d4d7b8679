"""Vouching: the shop's own server signs who is signed in, so that nobody can name another."""

import hmac
from datetime import datetime
from pathlib import Path

from regulars.errors import NotAllowed
from regulars.govern.protection.keys import make_key, purpose_key, read_key

LASTS_SECONDS = 3600
AHEAD_SECONDS = 300
MOST_LETTERS = 200


def vouching_secret(secret: bytes, key: str) -> str:
    """Derive what a shop's server signs customers with, for one publishable key.

    It is kept nowhere: it follows from the workspace's key, and a new publishable key has
    another one.

    Args:
        secret: The workspace's key, 32 random bytes.
        key: The publishable key.

    Returns:
        "ps_" and 64 hexadecimal digits; it must never be in a page.

    Source:
        HKDF (RFC 5869) with SHA-256.

    Example:
        >>> vouching_secret(bytes(32), "pk_0")[:8]
        'ps_e1b64'
    """
    return f"ps_{purpose_key(secret, f'publishable key {key}').hex()}"


def secret_of(folder: Path, key: str) -> str:
    """Derive it for a workspace on disk, whose key is made when there is none yet."""
    return vouching_secret(read_key(folder) or make_key(folder), key)


def vouch(secret: str, customer_id: str, *, at: int) -> str:
    """Sign who is signed in, as the shop's server does.

    Args:
        secret: What `vouching_secret` gave, all of it.
        customer_id: Who.
        at: Seconds since 1970 UTC.

    Returns:
        64 hexadecimal digits: HMAC-SHA-256 (RFC 2104) over the seconds, a dot and the id.

    Example:
        >>> vouch("ps_secret", "c42", at=1772416800)[:8]
        'e2727aab'
    """
    return hmac.digest(secret.encode(), f"{at}.{customer_id}".encode(), "sha256").hex()


def check_vouched(secret: str, customer_id: str, *, at: int, signature: str, now: datetime) -> None:
    """Refuse a customer nobody vouched for, or not lately.

    Args:
        secret: What `vouching_secret` gave.
        customer_id: Who it is said to be.
        at: Seconds since 1970 UTC, as signed.
        signature: As sent.
        now: The moment, aware.

    Raises:
        NotAllowed: The signature is not this key's, or over an hour old.
    """
    if not -AHEAD_SECONDS <= now.timestamp() - at <= LASTS_SECONDS:
        raise NotAllowed(
            "customer_signature",
            f"the customer was signed at {at}, must be within {LASTS_SECONDS // 60} minutes; "
            "sign again for every page, and set the clocks of both machines",
        )
    wanted = vouch(secret, customer_id, at=at)
    if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
        raise NotAllowed(
            "customer_signature",
            "the customer's signature does not match; sign the seconds, a dot and the id with "
            "the secret that came with this publishable key",
        )
