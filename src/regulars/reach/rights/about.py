"""Whom a request is about: every id, token and name under which something is kept of him."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ERASED = "erased-"
_PSEUDONYM = re.compile(f"{ERASED}[0-9a-f]{{32}}")


@dataclass(frozen=True)
class About:
    """One person, as the tables know him.

    Attributes:
        ids: Every customer id that is his, in order; the one asked for among them.
        user_ids: What events of his carry as user id.
        cookies: What events of his carry as id of a browser or device.
        tokens: Tokens of his addresses.
        own_tokens: Those of them nobody else has.
        own_addresses: What he is known and reached by, nobody else, and is no token: an openid,
            the number of a card.
        name_by_id: Pseudonym by id; empty when nothing is to be erased.
        proof_by_id: The name proof stays under, by id.
        at: When his rows are erased, ISO 8601; "" when that is not to be noted.
        found: Keys of rows that had to be opened to see whose they are, by table.
    """

    ids: tuple[str, ...]
    user_ids: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    own_tokens: tuple[str, ...] = ()
    own_addresses: tuple[str, ...] = ()
    name_by_id: Mapping[str, str] = field(default_factory=dict)
    proof_by_id: Mapping[str, str] = field(default_factory=dict)
    at: str = ""
    found: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)


def pseudonym(secret: str, customer_id: str) -> str:
    """Work out the name the rows of an id stay under once it is erased.

    Args:
        secret: 64 random hexadecimal digits, thrown away afterwards: with them the pseudonyms
            could be worked out again.
        customer_id: The id.

    Returns:
        "erased-" and 32 hexadecimal digits.

    Example:
        >>> len(pseudonym("ab" * 32, "12"))
        39
    """
    return f"{ERASED}{covered(secret, customer_id)}"


def is_pseudonym(customer_id: str) -> bool:
    """Tell whether an id is what erasure left in place of one.

    Returns:
        False for any other id, however it begins.

    Example:
        >>> is_pseudonym(pseudonym("ab" * 32, "12")), is_pseudonym("erased-1")
        (True, False)
    """
    return _PSEUDONYM.fullmatch(customer_id) is not None


def covered(secret: str, text: str) -> str:
    """Give what stands for a text, and cannot be traced without the secret.

    Returns:
        32 hexadecimal digits.

    Example:
        >>> covered("ab" * 32, "12") == covered("ab" * 32, "12")
        True
    """
    return hashlib.sha256(f"{secret}\n{text}".encode()).hexdigest()[:32]
