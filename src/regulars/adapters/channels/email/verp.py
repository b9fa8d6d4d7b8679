"""Return addresses that tell whose letter came back, and that nobody can make up.

Source: Bernstein, Variable Envelope Return Paths (1997); the tag is *ours*, because a forged bounce
would otherwise suppress any address.
"""

import hashlib
import hmac
import re

_KEY = re.compile(r"[a-z0-9]{1,40}")
_RETURN = re.compile(r"b-([a-z0-9]{1,40})-([0-9a-f]{12})@", re.IGNORECASE)


def return_address(key: str, *, domain: str, secret: str) -> str:
    """Give the address bounces of one contact go to.

    Args:
        key: Key of the contact.
        domain: Domain whose mail for b-... comes to us.
        secret: What the tag is made with.

    Returns:
        The address; "" for keys that do not fit one.

    Example:
        >>> return_address("00ab", domain="news.shop.example", secret="s")
        'b-00ab-4e8d5186cc07@news.shop.example'
    """
    if not _KEY.fullmatch(key):
        return ""
    return f"b-{key}-{_tag(key, secret)}@{domain}"


def returned_key(text: str, *, secret: str) -> str:
    """Find the key in a return address.

    Args:
        text: Where a return address may stand.
        secret: What its tag was made with.

    Returns:
        The key; "" when there is none, or its tag was made up.

    Example:
        >>> address = return_address("00ab", domain="news.shop.example", secret="s")
        >>> returned_key(f"To: {address}", secret="s"), returned_key(f"To: {address}", secret="t")
        ('00ab', '')
    """
    for found in _RETURN.finditer(text):
        key = found[1].lower()
        if hmac.compare_digest(found[2].lower(), _tag(key, secret)):
            return key
    return ""


def _tag(key: str, secret: str) -> str:
    return hmac.digest(secret.encode(), b"verp:" + key.encode(), hashlib.sha256).hex()[:12]
