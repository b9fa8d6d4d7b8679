"""What JPush reports of notifications: arrived, opened, gone.

Source: docs.jiguang.cn, callback settings: Authorization is Basic base64(AppKey:MasterSecret). Web
push and FCM report nothing by themselves; an app reports what was opened as an event of its own.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.channels.plumbing.shared_word import rows_of
from regulars.errors import NotAllowed
from regulars.records.receipts import ParsedReceipt, ReceiptKind

_KINDS = {
    1: ReceiptKind.DELIVERED,
    2: ReceiptKind.CLICKED,
    4: ReceiptKind.DELIVERED,
    5: ReceiptKind.FAILED,
    6: ReceiptKind.CLICKED,
}


def parse_jpush(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[ParsedReceipt]:
    """Read a callback of JPush.

    Args:
        raw: The body.
        headers: Headers, names in lower case.
        secret: AppKey, colon, master secret.
        now: The moment.

    Returns:
        One receipt per row of a kind we know.

    Raises:
        NotAllowed: The login is wrong.
    """
    login = "Basic " + base64.b64encode(secret.encode()).decode()
    given = headers.get("authorization", "")
    if not secret or not hmac.compare_digest(given.encode(), login.encode()):
        raise NotAllowed(
            "receipt_signature",
            "Authorization is not that of our application; receipt_secret_env must hold "
            "AppKey:MasterSecret",
        )
    rows = rows_of(raw, what="JPush's callbacks")
    return [_receipt(row, now) for row in rows if _type(row) in _KINDS]


def _type(row: Mapping[str, Any]) -> int:
    told = row.get("type", row.get("callback_type", 0))
    return int(told) if str(told).isdigit() else 0


def _receipt(row: Mapping[str, Any], now: datetime) -> ParsedReceipt:
    name = str(row.get("msg_id") or row.get("msgid") or "")
    told = row.get("time") or row.get("itime") or row.get("timestamp") or 0
    seconds = float(told) if str(told).replace(".", "", 1).isdigit() else 0.0
    seconds = seconds / 1000 if seconds > 1e11 else seconds
    at = min(now, datetime.fromtimestamp(seconds, now.tzinfo)) if seconds else now
    device = str(row.get("registration_id", row.get("rid", "")))
    of = hashlib.blake2b(device.encode(), digest_size=8).hexdigest()
    return ParsedReceipt(
        kind=_KINDS[_type(row)],
        occurred_at=at,
        provider_id=name,
        detail=str(row.get("reason", "")),
        notice_id=f"{name}:{_type(row)}:{of}",
    )
