"""Which write key came with a request: the first that is present, in a fixed order."""

from base64 import b64decode
from binascii import Error
from functools import lru_cache
from typing import Any

from regulars.collect.tracking.parsed import Refused, Request


def write_key(request: Request, *in_body: Any) -> str:
    """Find the write key of a request.

    Args:
        request: The request.
        in_body: What the body says, most telling first.

    Returns:
        The key: Basic user, else Bearer, else the body's, else the query's.

    Raises:
        Refused: There is none.
    """
    key = _of_header(request.headers.get("authorization", ""))
    if key:
        return key
    for value in in_body:
        if isinstance(value, str) and value.strip():
            return value.strip()
    asked = request.asked()
    key = (asked.get("writeKey") or asked.get("write_key") or "").strip()
    if key:
        return key
    raise Refused(
        401,
        "missing_write_key",
        "no write key came with the request; send it as user of Basic authorization, "
        "as writeKey in the body, or as ?writeKey=",
    )


@lru_cache(maxsize=1024)
def _of_header(value: str) -> str:
    kind, _, rest = value.strip().partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() != "basic":
        return ""
    try:
        plain = b64decode(rest.strip() + "==").decode()
    except (Error, ValueError):
        return ""
    return plain.partition(":")[0].strip()
