"""A shared word in the address, for providers that sign nothing."""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from regulars.errors import InputError, NotAllowed

_CHINA = ZoneInfo("Asia/Shanghai")


def check_word(headers: Mapping[str, str], *, secret: str) -> None:
    """Refuse a call whose address lacks the word given to the provider.

    Args:
        headers: Headers, and the query under names that begin with "?".
        secret: The word, as in https://.../receipts/sms?key=WORD.

    Raises:
        NotAllowed: It is missing or another one, or none is set.

    Example:
        >>> check_word({"?key": "w"}, secret="w")
    """
    if not secret or not hmac.compare_digest(headers.get("?key", "").encode(), secret.encode()):
        raise NotAllowed(
            "receipt_signature",
            "the address lacks the right key=; give the provider the whole address that "
            "regulars reach channels shows",
        )


def rows_of(raw: bytes, *, what: str) -> list[dict[str, Any]]:
    """Read a body that is one object or a list of them.

    Returns:
        The objects.

    Raises:
        InputError: It is neither.
    """
    try:
        said = json.loads(raw)
    except ValueError:
        said = None
    rows = said if isinstance(said, list) else [said]
    if not all(isinstance(row, dict) for row in rows):
        raise InputError(f"the body is not JSON of {what}; see the provider's page of callbacks")
    return rows


def china_moment(text: str, *, now: datetime) -> datetime:
    """Read a moment without a zone, as providers in China write it; never after now.

    Returns:
        The moment; now where it cannot be read.

    Example:
        >>> from datetime import UTC
        >>> china_moment("2026-03-02 10:00:00", now=datetime(2026, 3, 2, 9, tzinfo=UTC)).isoformat()
        '2026-03-02T02:00:00+00:00'
    """
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return now
    return min(now, (at if at.tzinfo else at.replace(tzinfo=_CHINA)).astimezone(now.tzinfo))
