"""Push to browsers.

Source: RFC 8030 (web push), RFC 8291 (encryption), RFC 8292 (VAPID). Recovery: HOLD_UNKNOWN - push
services know no keys; the Topic header makes one that came twice replace the first while it waits,
and the tag in the message does so on the screen.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from regulars.adapters.channels.plumbing.answers import (
    MEND_SECONDS,
    accepted,
    refused,
    throttled,
)
from regulars.adapters.channels.plumbing.calling import Caller, Reply, Request, ending
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.push.encryption import MOST_BYTES, encrypted, subscription
from regulars.adapters.channels.push.jwt import b64, signed_claims, unb64
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message

_SECONDS_KEPT = 86_400
_PORTS = {"http": 80, "https": 443}
# Subscriptions come from browsers of strangers; only push services are called, nobody inside.
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
)


class WebPushChannel(WindowChannel):
    """Pushes to one browser by its subscription, as the page got it.

    Args:
        setup: `secret_env` holds the VAPID private key (32 bytes in base64url, or PEM), `sender`
            is the mailto: or https: address push services complain to.

    Raises:
        InputError: The key cannot be read, or the sender is missing.
    """

    def __init__(self, setup: Setup) -> None:
        """Read the key; call nobody yet."""
        super().__init__(setup, per_second=200.0)
        settings = setup.settings
        if not settings.sender.startswith(("mailto:", "https:")):
            raise InputError(
                f"channel {setup.name} (web_push): sender is {settings.sender!r}, must be a "
                "mailto: or https: address push services can write to"
            )
        self._key = vapid_key(setup.secret)
        self._caller = Caller(
            "", seconds=settings.timeout_seconds, connections=settings.connections
        )

    @property
    def public_key(self) -> str:
        """The public key a page hands to `pushManager.subscribe`."""
        return b64(_public(self._key))

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Push one message.

        Returns:
            ACCEPTED with the address of the message; REFUSED "unsubscribed" on 404 and 410.
        """
        to = subscription(message.address)
        if to is None or not is_push_service(to.endpoint, self.setup.settings.base_url):
            return refused("bad_address")
        body = _body(contact, message)
        if len(body) > MOST_BYTES:
            return refused("too_large")
        now = self.setup.clock()
        try:
            sealed = encrypted(body, to)
        except ValueError:
            return refused("bad_address")
        reply = await self._caller.call(
            Request(to.endpoint, headers=self._headers(contact, to.endpoint, now), body=sealed)
        )
        return _meaning(reply, now) if isinstance(reply, Reply) else reply

    def _headers(self, contact: Contact, endpoint: str, now: datetime) -> dict[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(now.timestamp()) + 12 * 3600,
            "sub": self.setup.settings.sender,
        }
        token = signed_claims(claims, self._key)
        topic = hashlib.blake2b(contact.key.encode(), digest_size=16).hexdigest()
        return {
            "authorization": f"vapid t={token}, k={self.public_key}",
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(_SECONDS_KEPT),
            "topic": topic,
            "urgency": "normal",
        }


def vapid_key(told: str) -> ec.EllipticCurvePrivateKey:
    """Read a VAPID key: 32 bytes in base64url, PEM, or the path of a PEM file.

    Returns:
        The key.

    Raises:
        InputError: It is none; the message does not show it.
    """
    try:
        if "-----BEGIN" not in told and len(told) in {43, 44}:
            return ec.derive_private_key(int.from_bytes(unb64(told), "big"), ec.SECP256R1())
        data = told.replace("\\n", "\n").encode() if "BEGIN" in told else Path(told).read_bytes()
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, OSError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InputError(
            "the VAPID key is neither 32 bytes in base64url nor a PEM key of P-256; make one: "
            "openssl ecparam -genkey -name prime256v1 -noout -out vapid.pem"
        )
    return key


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def is_push_service(endpoint: str, base_url: str) -> bool:
    """Say whether an endpoint is one of a push service's, and so may be called.

    Args:
        endpoint: Where a subscription leads; whoever subscribed wrote it.
        base_url: The only service there is; "" for those browsers use.

    Returns:
        False for other hosts and ports, names before an @, and ways out of the service's path.

    Example:
        >>> is_push_service("https://push.example/w/1", "https://push.example/w")
        True
        >>> is_push_service("https://push.example@10.0.0.1/w/1", "https://push.example")
        False
    """
    found = _place(endpoint)
    if found is None:
        return False
    scheme, host, port, path = found
    if base_url:
        own = _place(base_url)
        if own is None or found[:3] != own[:3]:
            return False
        inside = [part for part in own[3] if part]
        return path[1 : 1 + len(inside)] == inside
    known = any(host == s or (s[0] == "." and host.endswith(s)) for s in PUSH_SERVICES)
    return (scheme, port) == ("https", 443) and known


def _place(url: str) -> tuple[str, str, int, list[str]] | None:
    """Take an address apart: scheme, host, port, segments of the path; None for doubtful ones."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    # Parsers differ on these, and the one that calls may take them for another place.
    if not url.isprintable() or " " in url or "\\" in url or "@" in parts.netloc:
        return None
    path = unquote(parts.path).replace("\\", "/").split("/")
    if not parts.hostname or {".", ".."} & set(path):
        return None
    return parts.scheme, parts.hostname, port, path


def _body(contact: Contact, message: Message) -> bytes:
    said = {
        "title": message.subject,
        "body": message.text,
        "link": message.link,
        "tag": contact.key,
        "lang": message.locale,
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _meaning(reply: Reply, now: datetime) -> Answer:
    """Say what a push service's answer means."""
    end = ending(reply, is_keyed=False, now=now)
    if end is not None:
        return end
    if reply.status in {404, 410}:
        return refused("unsubscribed")
    if reply.status == 403:
        return throttled("bad_credentials", MEND_SECONDS)
    if reply.status >= 400:
        return refused("too_large" if reply.status == 413 else f"http_{reply.status}")
    return accepted(reply.headers.get("location", ""))
