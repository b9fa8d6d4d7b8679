"""Ids of events and of people: what counts as one, and what stands in when there is none."""

import re
from hashlib import blake2b
from secrets import token_hex
from typing import Any

import msgspec

# Values programs send where an id should be (reference lists of Segment and RudderStack, ours).
JUNK = frozenset({
    "", "null", "none", "undefined", "nil", "nan", "0", "-1", "guest", "anonymous",
    "anon", "unknown", "n/a", "na", "true", "false", "[]", "{}", "[object object]",
    "13800138000", "+8613800138000",
})  # fmt: skip
_ZEROS = re.compile(r"[0:_-]+")
# Rewritten by clients each time they send the same event.
UNSTABLE = frozenset({
    "_flush_time", "lib", "sentAt", "_metadata", "writeKey", "messageId", "#uuid", "stm",
})  # fmt: skip


def is_junk(value: str) -> bool:
    """Tell whether a value stands for no one, or for everyone.

    Returns:
        True for placeholders and for zeros only.

    Example:
        >>> is_junk(" Guest "), is_junk("0000-0000"), is_junk("m-1001")
        (True, True, False)
    """
    plain = value.strip().lower()
    return plain in JUNK or _ZEROS.fullmatch(plain) is not None


def text_id(value: Any) -> str | None:
    """Give an id as text: numbers are written out, blanks around it go.

    Returns:
        The id; None when the value is no id: null, blank, true, a list, an object.

    Example:
        >>> text_id(1001), text_id(" a "), text_id(12.0), text_id(True), text_id("")
        ('1001', 'a', '12', None, None)
    """
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if float(value).is_integer() else str(value)


def own_id(event: dict[str, Any]) -> str:
    """Give an id to an event in Segment form that came without one.

    Args:
        event: The event.

    Returns:
        Its content's id when it says when it happened, since then only the same event looks the
        same; otherwise an id never given before: somebody who looks at a product twice has
        looked twice, and a client that tries again without any id is counted twice.

    Example:
        >>> own_id({"event": "Seen"}) == own_id({"event": "Seen"})
        False
        >>> own_id({"timestamp": "2026-11-21"}) == own_id({"timestamp": "2026-11-21"})
        True
    """
    has_moment = event.get("timestamp") or event.get("originalTimestamp")
    return content_id(event) if has_moment else token_hex(16)


def content_id(event: Any) -> str:
    """Give the id of an event that has none: a hash of what it says.

    The same event sent again has the same id, because what clients rewrite on each try is left
    out; two events that differ in anything else have different ids.

    Args:
        event: The event in the vendor's form.

    Returns:
        32 hexadecimal digits.

    Source: ours, because Sensors and ThinkingData clients send no id and try again.

    Example:
        >>> content_id({"b": 1, "a": 2, "_flush_time": 3}) == content_id({"a": 2, "b": 1})
        True
    """
    if isinstance(event, dict):
        event = {name: value for name, value in event.items() if name not in UNSTABLE}
    return blake2b(msgspec.json.encode(event, order="sorted"), digest_size=16).hexdigest()
