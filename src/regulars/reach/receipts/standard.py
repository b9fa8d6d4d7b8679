"""Receipts as JSON, signed as Standard Webhooks: for senders that have no form of their own."""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.errors import InputError, NotAllowed
from regulars.records.receipts import ParsedReceipt, ReceiptKind

TOLERANCE_SECONDS = 300
MOST_RECEIPTS = 10_000
_TEXTS = ("key", "provider_id", "detail", "address", "agent")


def parse(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[ParsedReceipt]:
    """Read signed receipts.

    Args:
        raw: The body: one object, a list of them, or {"receipts": [...]}. Each has `id`, `kind`,
            `at` and `key` or `provider_id`; when wanted detail, is_permanent, address, agent.
        headers: Names in lower case: webhook-id, webhook-timestamp, webhook-signature.
        secret: What both sides know: "whsec_" and base64, or any words.
        now: The moment, aware.

    Returns:
        The receipts; empty for an empty list.

    Raises:
        NotAllowed: The signature is wrong, or more than five minutes old.
        InputError: The body holds no receipts.

    Source:
        Standard Webhooks 1.0.0, https://www.standardwebhooks.com: the id, the moment and the body
        joined by dots, HMAC-SHA256, base64, "v1," before it.
    """
    _verify(headers, raw, secret=secret, now=now)
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the receipts are no JSON: {error}; send an array of objects") from error
    if isinstance(found, dict):
        found = found.get("receipts", [found])
    if not isinstance(found, list) or len(found) > MOST_RECEIPTS:
        raise InputError(f"send a list of at most {MOST_RECEIPTS} receipts")
    return [_receipt(number, one) for number, one in enumerate(found, 1)]


def _receipt(number: int, given: Any) -> ParsedReceipt:
    if not isinstance(given, dict):
        raise InputError(f"receipt {number} is a {type(given).__name__}, must be an object")
    texts = {name: given.get(name) or "" for name in _TEXTS} | {"id": given.get("id") or ""}
    if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
        raise InputError(f"receipt {number}: {wrong[0]} must be text")
    if not texts["key"] and not texts["provider_id"] and not texts["address"]:
        raise InputError(f"receipt {number} names no contact; give key or provider_id")
    try:
        kind = ReceiptKind(str(given.get("kind")))
        at = datetime.fromisoformat(given.get("at") or "")
    except (ValueError, TypeError):
        at, kind = None, ReceiptKind.FAILED
    if at is None or at.tzinfo is None:
        raise InputError(
            f"receipt {number}: kind must be one of {', '.join(ReceiptKind)} and at a moment with "
            "its zone, such as 2026-03-01T10:00:00+08:00"
        )
    notice_id = texts.pop("id")
    is_permanent = given.get("is_permanent") is True
    return ParsedReceipt(kind, at, **texts, is_permanent=is_permanent, notice_id=notice_id)


def _verify(given: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> None:
    identity, moment = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    is_number = moment.isascii() and moment.isdigit() and len(moment) < 16
    if not is_number or abs(int(moment) - now.timestamp()) > TOLERANCE_SECONDS:
        raise NotAllowed(
            "receipt_signature",
            f"webhook-timestamp is {moment[:20]!r}, must be within {TOLERANCE_SECONDS} seconds of "
            "now; set the clocks of both machines",
        )
    signed = f"{identity}.{moment}.".encode() + body
    wanted = b"v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256"))
    offered = given.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(wanted, one.encode()) for one in offered):
        raise NotAllowed(
            "receipt_signature",
            "webhook-signature does not match; give both sides the same secret",
        )


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise InputError("a secret that begins with whsec_ must go on in base64") from None
