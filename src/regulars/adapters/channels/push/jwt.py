"""Signed claims (JWT) as two push services ask for them.

Source: RFC 7519 (JWT), RFC 7518 (RS256, ES256: the signature is r and s side by side).
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Key = RSAPrivateKey | ec.EllipticCurvePrivateKey


def signed_claims(claims: Mapping[str, Any], key: Key, *, key_id: str = "") -> str:
    """Sign claims.

    Args:
        claims: What is claimed.
        key: RSA for RS256, or a key of P-256 for ES256.
        key_id: Name of the key; "" for none.

    Returns:
        Header, claims and signature in base64url, joined by dots.
    """
    is_rsa = isinstance(key, RSAPrivateKey)
    header = {"typ": "JWT", "alg": "RS256" if is_rsa else "ES256"} | (
        {"kid": key_id} if key_id else {}
    )
    signed = f"{_json(header)}.{_json(claims)}"
    if isinstance(key, RSAPrivateKey):
        made = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        made = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{signed}.{b64(made)}"


def b64(data: bytes) -> str:
    r"""Write bytes in base64url without padding.

    Returns:
        The text.

    Example:
        >>> b64(b"\xff\xfe"), unb64("__4")
        ('__4', b'\xff\xfe')
    """
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """Read base64url with or without padding.

    Returns:
        The bytes.
    """
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json(said: Mapping[str, Any]) -> str:
    return b64(json.dumps(said, separators=(",", ":")).encode())
