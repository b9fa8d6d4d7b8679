"""DKIM: a signature by the domain over what must not be changed on the way.

Source: RFC 6376 (DKIM), RFC 8463 (Ed25519). Canonicalisation relaxed/relaxed. Fields of RFC 8058
are covered: a one-click link that is not signed is ignored by Gmail and Yahoo.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from regulars.adapters.channels.email.mime import Letter
from regulars.errors import InputError

SIGNED = (
    "from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type",
    "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
    "precedence", "x-regulars-key",
)  # fmt: skip
# Named once more than they are there, so that nobody adds another of them.
_SEALED = ("from", "to", "subject", "date")
_FOLDS = re.compile(r"\r\n[ \t]+")
_RUNS = re.compile(r"[ \t]+")
_LEAST_RSA_BITS = 1024


class Signer:
    """Signs letters of one domain.

    Args:
        key: Private key as PEM: RSA of 1024 bits or more, or Ed25519.
        domain: The domain that signs.
        selector: Name of the key: its public half is at <selector>._domainkey.<domain>.

    Raises:
        InputError: The key is none, or of another kind.
    """

    def __init__(self, key: bytes, *, domain: str, selector: str) -> None:
        """Read the key."""
        self._domain, self._selector = domain, selector
        self._key = _read(key)
        self._algorithm = "rsa-sha256" if isinstance(self._key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, letter: Letter) -> bytes:
        """Write a letter with its signature before it.

        Returns:
            The whole message.
        """
        digest = hashlib.sha256(letter.canonical).digest()
        names = [name.lower() for name, _ in letter.fields]
        covered = [name for name in SIGNED if name in names] + list(_SEALED)
        tags = (
            f"v=1; a={self._algorithm}; c=relaxed/relaxed; d={self._domain};\r\n"
            f" s={self._selector}; h={':'.join(covered)};\r\n"
            f" bh={base64.b64encode(digest).decode()};\r\n b="
        )
        signed = _canonical(letter.fields, covered) + f"dkim-signature:{_relaxed(tags)}"
        made = base64.b64encode(self._made(signed.encode())).decode()
        lines = "\r\n  ".join(made[at : at + 72] for at in range(0, len(made), 72))
        return letter.with_field("DKIM-Signature", tags + lines)

    def record(self) -> str:
        """Give what has to stand in DNS.

        Returns:
            Text of the TXT record at <selector>._domainkey.<domain>.
        """
        public = self._key.public_key()
        if isinstance(self._key, RSAPrivateKey):
            data = public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return f"v=DKIM1; k=rsa; p={base64.b64encode(data).decode()}"
        data = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(data).decode()}"

    def _made(self, signed: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(hashlib.sha256(signed).digest())


def signer(key: str, *, domain: str, selector: str) -> Signer:
    """Open a signer by what a variable holds: the PEM itself, or the path of its file.

    Returns:
        The signer.

    Raises:
        InputError: The key cannot be read; the message does not show it.
    """
    if key.lstrip().startswith("-----BEGIN"):
        return Signer(key.replace("\\n", "\n").encode(), domain=domain, selector=selector)
    try:
        return Signer(Path(key).read_bytes(), domain=domain, selector=selector)
    except OSError as error:
        raise InputError(
            "the variable dkim_key_env names holds neither a PEM key nor the path of one that can "
            f"be read ({error.strerror}); make one: openssl genrsa -out dkim.pem 2048"
        ) from None


def _read(key: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        found = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(
            "the DKIM key is no private key as PEM without a password; make one: "
            "openssl genrsa -out dkim.pem 2048"
        ) from None
    if isinstance(found, RSAPrivateKey) and found.key_size >= _LEAST_RSA_BITS:
        return found
    if isinstance(found, Ed25519PrivateKey):
        return found
    raise InputError("the DKIM key must be RSA of 1024 bits or more (best 2048) or Ed25519")


def _canonical(fields: Sequence[tuple[str, str]], covered: Sequence[str]) -> str:
    """RFC 6376, 5.4.2: fields from the bottom up; names that are not there count as nothing."""
    waiting: dict[str, list[str]] = {}
    for name, value in fields:
        waiting.setdefault(name.lower(), []).append(value)
    lines = []
    for name in covered:
        if waiting.get(name):
            lines.append(f"{name}:{_relaxed(waiting[name].pop())}\r\n")
    return "".join(lines)


def _relaxed(value: str) -> str:
    if "\r\n" in value:
        value = _FOLDS.sub(" ", value)
    if "  " in value or "\t" in value:
        value = _RUNS.sub(" ", value)
    return value.strip()
