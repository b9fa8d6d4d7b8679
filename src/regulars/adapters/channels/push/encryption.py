"""Encryption of web push messages: only the browser reads them, the push service does not.

Source: RFC 8291 (keys), RFC 8188 (aes128gcm). The numbers of RFC 8291, appendix A, are a test.
"""

import json
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from regulars.adapters.channels.push.jwt import unb64

_RECORD = 4096
# One record: 4,096 bytes less the tag, the delimiter and the header (RFC 8291, 4).
MOST_BYTES = 3993


@dataclass(frozen=True)
class Subscription:
    """Where a browser can be reached, as it told the page.

    Attributes:
        endpoint: Address at its push service.
        public: Its public key, 65 bytes.
        auth: Its secret, 16 bytes.
    """

    endpoint: str
    public: bytes = field(repr=False)
    auth: bytes = field(repr=False)


def subscription(address: str) -> Subscription | None:
    """Read a subscription as `JSON.stringify(subscription)` wrote it.

    Returns:
        The subscription; None when it is none.

    Example:
        >>> subscription("nonsense") is None
        True
    """
    try:
        said = json.loads(address)
        public, auth = unb64(said["keys"]["p256dh"]), unb64(said["keys"]["auth"])
        endpoint = str(said["endpoint"])
    except (ValueError, KeyError, TypeError):
        return None
    if len(public) != 65 or len(auth) != 16 or not endpoint.startswith(("https://", "http://")):
        return None
    return Subscription(endpoint, public, auth)


def encrypted(
    text: bytes,
    to: Subscription,
    *,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes = b"",
) -> bytes:
    """Encrypt one message.

    Args:
        text: What is said, 3,993 bytes at most.
        to: The subscription.
        own: Key for this message only; None for a new one.
        salt: 16 bytes for this message only; empty for new ones.

    Returns:
        The body, header included.
    """
    own, salt = own or ec.generate_private_key(ec.SECP256R1()), salt or os.urandom(16)
    public = own.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), to.public)
    shared = own.exchange(ec.ECDH(), theirs)
    secret = _derived(shared, to.auth, b"WebPush: info\0" + to.public + public, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(key).encrypt(nonce, text + b"\x02", None)
    return salt + _RECORD.to_bytes(4, "big") + bytes([len(public)]) + public + sealed


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
