"""Callbacks of WeCom and official accounts: signed, encrypted, and not older than they may be.

Source: developer.work.weixin.qq.com, "加解密方案"; developers.weixin.qq.com, "消息加解密".
AES-256-CBC, PKCS#7 to 32 bytes, sixteen random bytes and a length before the text, the
receiver's id after it.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree import ElementTree as Tree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from regulars.errors import InputError, NotAllowed

TOLERANCE_SECONDS = 600
_BLOCK = 32


@dataclass(frozen=True)
class CallbackKeys:
    """What a callback address is set up with.

    Attributes:
        token: Token.
        aes_key: EncodingAESKey, 43 characters; "" for official accounts in plain mode.
        receiver: Corp id or app id.
    """

    token: str = field(repr=False)
    aes_key: str = field(default="", repr=False)
    receiver: str = ""


def keys_of(secret: str) -> CallbackKeys:
    """Read the keys as their variable holds them: token, EncodingAESKey and id, spaces between.

    Returns:
        The keys.

    Raises:
        InputError: They are not there.
    """
    words = secret.split()
    if not 1 <= len(words) <= 3 or (len(words) > 1 and len(words[1]) != 43):
        raise InputError(
            "receipt_secret_env must hold token, EncodingAESKey (43 characters) and corp or app "
            "id, with spaces between, as the callback page of the console shows them"
        )
    return CallbackKeys(*words)


def challenge(headers: Mapping[str, str], *, secret: str, now: datetime) -> str:
    """Answer the test of a new callback address.

    Args:
        headers: The query under names that begin with "?".
        secret: The keys.
        now: The moment.

    Returns:
        What has to be sent back as it is.
    """
    keys, echo = keys_of(secret), headers.get("?echostr", "")
    if "?msg_signature" in headers:
        _check(headers, keys, "?msg_signature", echo, now)
        return _opened(echo, keys).decode()
    _check(headers, keys, "?signature", "", now)
    return echo


def event_of(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[dict[str, str]]:
    """Open one callback.

    Args:
        raw: The body.
        headers: The query under names that begin with "?".
        secret: The keys.
        now: The moment.

    Returns:
        Its fields; one mapping per item where it holds a list, the others' fields in each.

    Raises:
        NotAllowed: It is not signed with our token, not encrypted, or stale.
    """
    keys = keys_of(secret)
    outer = _read(raw)
    sealed = outer.findtext("Encrypt") or ""
    if sealed:
        _check(headers, keys, "?msg_signature", sealed, now)
        outer = _read(_opened(sealed, keys))
    else:
        if keys.aes_key:
            raise NotAllowed("receipt_signature", "the callback is not encrypted; set safe mode")
        _check(headers, keys, "?signature", "", now)
    common = {part.tag: part.text or "" for part in outer if not len(part)}
    items = [
        common | {part.tag: part.text or "" for part in item} for item in outer.findall(".//List")
    ]
    return items or [common]


def _check(
    headers: Mapping[str, str], keys: CallbackKeys, name: str, sealed: str, now: datetime
) -> None:
    stamp, nonce = headers.get("?timestamp", ""), headers.get("?nonce", "")
    signed = "".join(sorted(part for part in (keys.token, stamp, nonce, sealed) if part))
    made = hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(made.encode(), headers.get(name, "").encode()):
        raise NotAllowed(
            "receipt_signature",
            f"{name.lstrip('?')} does not match; receipt_secret_env must hold the token of this "
            "callback address",
        )
    if not stamp.isdigit() or abs(int(stamp) - now.timestamp()) > TOLERANCE_SECONDS:
        raise NotAllowed(
            "receipt_signature",
            f"the callback is more than {TOLERANCE_SECONDS} seconds old; set the clock",
        )


def _opened(sealed: str, keys: CallbackKeys) -> bytes:
    try:
        key = base64.b64decode(keys.aes_key + "=")
        data = base64.b64decode(sealed, validate=True)
        opener = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = opener.update(data) + opener.finalize()
    except (ValueError, binascii.Error):
        raise NotAllowed("receipt_signature", "the callback cannot be decrypted") from None
    pad = plain[-1] if plain else 0
    end = 20 + int.from_bytes(plain[16:20], "big")
    receiver = plain[end : len(plain) - pad].decode("utf-8", "replace")
    if not 1 <= pad <= _BLOCK or (keys.receiver and receiver != keys.receiver):
        raise NotAllowed("receipt_signature", "the callback is for another corp or app")
    return plain[20:end]


def _read(raw: bytes) -> Tree.Element:
    # Entities could make a small body a very large one; no callback has any.
    if re.search(rb"<!(DOCTYPE|ENTITY)", raw, re.IGNORECASE):
        raise InputError("the callback declares entities; WeChat sends none")
    try:
        return Tree.fromstring(raw)
    except Tree.ParseError:
        raise InputError("the callback is no XML; see the console's page of callbacks") from None
