"""Receipts a system of the retailer's own posts back, signed as it gets its contacts.

Source: Standard Webhooks 1.0.0. One object or a list: kind, key or id, occurred_at, detail.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.channels.plumbing.shared_word import rows_of
from regulars.adapters.channels.webhook.signing import verify
from regulars.errors import InputError
from regulars.records.receipts import ParsedReceipt, ReceiptKind


def parse_webhook(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[ParsedReceipt]:
    """Read a signed post.

    Args:
        raw: The body.
        headers: Headers, names in lower case.
        secret: The shared secret.
        now: The moment.

    Returns:
        One receipt per object.

    Raises:
        InputError: An object names no kind of receipt, or no contact.
    """
    verify(headers, raw, secret=secret, now=now)
    rows = rows_of(raw, what="receipts")
    identity = headers.get("webhook-id", "")
    return [_receipt(row, f"{identity}:{number}", now) for number, row in enumerate(rows)]


def _receipt(row: Mapping[str, Any], notice: str, now: datetime) -> ParsedReceipt:
    kinds = {kind.value: kind for kind in ReceiptKind}
    kind = str(row.get("kind", row.get("type", ""))).rpartition(".")[2]
    if kind not in kinds or not (row.get("key") or row.get("id")):
        raise InputError(
            f"a receipt says kind {kind!r} of key {row.get('key')!r}; kind must be one of "
            f"{', '.join(sorted(kinds))}, and key that of a contact"
        )
    try:
        at = datetime.fromisoformat(str(row.get("occurred_at", "")))
    except ValueError:
        at = now
    if at.tzinfo is None:
        at = at.replace(tzinfo=now.tzinfo)
    return ParsedReceipt(
        kind=kinds[kind],
        occurred_at=min(now, at),
        key=str(row.get("key", "")),
        provider_id=str(row.get("id", "")),
        detail=str(row.get("detail", "")),
        is_permanent=row.get("is_permanent") is True,
        notice_id=notice,
    )
