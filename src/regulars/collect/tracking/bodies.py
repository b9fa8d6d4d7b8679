"""What a body holds is found by trying: packed or not, JSON or form, whatever the headers say."""

import json
import zlib
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from regulars.collect.tracking.depth import MOST_DEPTH, depth_of, without_deep
from regulars.collect.tracking.parsed import Refused

# The largest request a published client makes: PostHog sends 5 MiB, RudderStack 4 MB.
BODY_LIMIT = 6 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def unpack(body: bytes, limit: int = BODY_LIMIT) -> bytes:
    """Undo gzip or zlib where there is any, and make the text valid UTF-8.

    Args:
        body: The body as sent.
        limit: Most bytes it may unpack to; unpacking stops there.

    Returns:
        The plain bytes, valid UTF-8: what is not is replaced by U+FFFD.

    Raises:
        Refused: It is too large, or broken inside.
    """
    body = inflate(body, limit)
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode("utf-8", "replace").encode()
    return body.removeprefix(b"\xef\xbb\xbf")


def inflate(body: bytes, limit: int = BODY_LIMIT) -> bytes:
    """Undo gzip or zlib where there is any; other bytes pass as they are.

    Args:
        body: The body as sent.
        limit: Most bytes it may unpack to; unpacking stops there.

    Returns:
        The plain bytes, whatever they mean.

    Raises:
        Refused: It is too large, or broken inside.
    """
    plain = body
    if body[:2] == _GZIP or body[:2] in _ZLIB:
        try:
            plain = _inflated(body, limit)
        except zlib.error as error:
            said = f"the packed body is broken: {error}"
            raise Refused(400, "unreadable_body", said) from error
    if len(plain) > limit:
        said = f"the body is over {limit} bytes; send smaller batches"
        raise Refused(413, "too_large", said)
    return plain


def _inflated(body: bytes, limit: int) -> bytes:
    plain = b""
    while body and len(plain) <= limit:
        machine = zlib.decompressobj(47)
        plain += machine.decompress(body, limit + 1 - len(plain))
        if not machine.eof and len(plain) <= limit:
            raise zlib.error("it ends too early")
        # Members may follow one another; bytes of padding may follow the last.
        body = machine.unused_data if machine.unused_data[:2] == _GZIP else b""
    return plain


def read_json(text: bytes) -> Any:
    """Read JSON as clients write it: NaN and infinities become null, broken characters "?".

    Args:
        text: Valid UTF-8.

    Returns:
        Python values that can be written as JSON again.

    Raises:
        Refused: It is not JSON.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _read_patiently(text)


def read_body(text: bytes) -> Any:
    """Read the body of a request, in which one event nested too deep spoils no other.

    Args:
        text: Valid UTF-8.

    Returns:
        As `read_json` gives it; an element of a list that is nested too deep is its own text.

    Raises:
        Refused: It is not JSON.
    """
    try:
        return read_json(text)
    except Refused:
        if depth_of(text) <= MOST_DEPTH:
            raise
        return read_json(without_deep(text))


def _read_patiently(text: bytes) -> Any:
    try:
        found = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        return msgspec.json.decode(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        where = error.pos if isinstance(error, json.JSONDecodeError) else "unknown"
        said = f"the body is no JSON (at character {where}); send a JSON object"
        raise Refused(400, "unreadable_body", said) from error


def _finite(written: str) -> float | None:
    value = float(written)
    return value if value - value == 0 else None


def read_form(text: bytes) -> dict[str, str]:
    """Read a form: `data=...&gzip=1`.

    Args:
        text: The body of a form, or a query.

    Returns:
        Values by name; empty when it is no form.
    """
    try:
        pairs = parse_qsl(text.decode("utf-8", "replace"), max_num_fields=1000)
    except ValueError:
        return {}
    return dict(pairs)


def from_base64(value: str) -> bytes:
    """Undo base64 of either alphabet, padded or not.

    Args:
        value: The text; a blank stands for a plus sign that a client did not escape.

    Returns:
        The bytes.

    Raises:
        Refused: It is no base64.

    Example:
        >>> from_base64("aGVsbG8")
        b'hello'
    """
    text = unquote_plus(value) if "%" in value else value
    text = text.strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise Refused(400, "unreadable_body", "the data is no base64") from error
