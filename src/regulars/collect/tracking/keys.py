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
        The key: Basic user, else the body's, else Bearer, else the query's.

    Raises:
        Refused: There is none.
    """
    kind, key = _of_header(request.headers.get("authorization", ""))
    if kind == "basic" and key:
        return key
    # Segment's clients that sign in send a token of their own beside the key of the body.
    for value in in_body:
        if isinstance(value, str) and value.strip():
            return value.strip()
    if key:
        return key
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
def _of_header(value: str) -> tuple[str, str]:
    kind, _, rest = value.strip().partition(" ")
    kind, rest = kind.lower(), rest.strip()
    if kind == "basic":
        try:
            rest = b64decode(rest + "==").decode().partition(":")[0].strip()
        except (Error, ValueError):
            rest = ""
    return (kind, rest) if kind in {"basic", "bearer"} else ("", "")
