"""Signatures of webhooks, both ways.

Source: Standard Webhooks 1.0.0, https://www.standardwebhooks.com - the id, the moment and the body
joined by dots, HMAC-SHA256, base64, "v1," before it; several signatures while a secret is changed.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from regulars.errors import InputError, NotAllowed

TOLERANCE_SECONDS = 300


def signature(secret: str, *, identity: str, moment: int, body: bytes) -> str:
    """Sign one message.

    Args:
        secret: The shared secret: "whsec_" and base64, or any words.
        identity: Its id: the same when it is sent again.
        moment: Seconds since 1970 UTC.
        body: Its bytes.

    Returns:
        "v1," and the signature in base64.

    Example:
        >>> signature("whsec_c2VjcmV0", identity="msg_1", moment=1772416800, body=b"{}")
        'v1,dBf1kzES2zFO7gyG1n8kpkvNLG4mZoVgxnVHz7foqzc='
    """
    signed = f"{identity}.{moment}.".encode() + body
    made = hmac.digest(_key(secret), signed, hashlib.sha256)
    return "v1," + base64.b64encode(made).decode()


def headers(secret: str, *, identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """Give the three headers of a signed message.

    Returns:
        webhook-id, webhook-timestamp and webhook-signature.
    """
    moment = int(at.timestamp())
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(secret, identity=identity, moment=moment, body=body),
    }


def verify(given: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> None:
    """Refuse a message that was not signed by who knows the secret, or not lately.

    Args:
        given: Its headers, names in lower case.
        body: Its bytes.
        secret: The shared secret.
        now: The moment.

    Raises:
        NotAllowed: The signature is wrong, or more than five minutes old.
    """
    identity, moment = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not moment.isdigit() or abs(int(moment) - now.timestamp()) > TOLERANCE_SECONDS:
        raise NotAllowed(
            "receipt_signature",
            f"webhook-timestamp is {moment[:20]!r}, must be within {TOLERANCE_SECONDS} seconds of "
            "now; set the clocks of both machines",
        )
    wanted = signature(secret, identity=identity, moment=int(moment), body=body)
    offered = given.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in offered):
        raise NotAllowed(
            "receipt_signature",
            "webhook-signature does not match; give both sides the same secret",
        )


def _key(secret: str) -> bytes:
    if not secret:
        raise InputError("there is no secret to sign webhooks with; set the variable secret_env")
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise InputError("a secret that begins with whsec_ must go on in base64") from None
    return secret.encode()
