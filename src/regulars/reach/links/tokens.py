"""Tokens of links: signed for one purpose, sealed where they name somebody, of one workspace."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from regulars.errors import InputError
from regulars.govern.protection.keys import purpose_key

MARK = 4
SIGNATURE = 16
HEAD = 1 + MARK
MOST_LETTERS = 2_000
"""Longer tokens are not looked at."""
_BETWEEN = "\x1f"


class Purpose(StrEnum):
    """What a token may be used for; a token of one purpose is nothing to another."""

    CLICK = "click"
    OPEN = "open"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    SURVEY = "survey"
    CONFIRM = "confirm"
    SLOT = "slot"


class Standing(StrEnum):
    """What a token proved to be.

    GENUINE: this workspace made it for this purpose. TAMPERED: it bears the workspace's mark
    and not its signature. FOREIGN: another workspace's, or no token at all.
    """

    GENUINE = "genuine"
    TAMPERED = "tampered"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Claim:
    """What a token says, once its signature was looked at.

    Attributes:
        standing: Whether to believe it.
        body: What was signed; empty unless genuine.
        texts: What was sealed, in order; empty unless genuine and sealed.
    """

    standing: Standing
    body: bytes = b""
    texts: tuple[str, ...] = ()


class Signer:
    """Makes and reads the tokens of one workspace.

    A token is one byte that numbers the key, four that mark the workspace, the body, and the
    first 128 bits of an HMAC-SHA-256 (RFC 2104) over all of it with a key of the purpose's own;
    written in base64url (RFC 4648). A body that names somebody is encrypted with AES-SIV
    (RFC 5297): whoever sees the address of a page learns nothing about the customer.

    Args:
        secret: The workspace's key.
        number: Number of the key tokens are made with, 1 to 255; a new number is a new key.
        oldest: Number of the oldest key whose tokens still count.
    """

    def __init__(self, secret: bytes, *, number: int = 1, oldest: int = 1) -> None:
        """Derive the keys."""
        if not 1 <= oldest <= number <= 255:
            raise InputError(
                f"links are signed with key {number} and read from key {oldest} on; give numbers "
                "from 1 to 255, the oldest not above the newest"
            )
        self._number = number
        self.mark = purpose_key(secret, "link mark")[:MARK]
        keys = {n: purpose_key(secret, "link signature", n) for n in range(oldest, number + 1)}
        self._key = {
            (n, purpose): hmac.digest(key, purpose.encode(), "sha256")
            for n, key in keys.items()
            for purpose in Purpose
        }
        self._seal = {n: AESSIV(purpose_key(secret, "link seal", n)) for n in keys}

    def sign(self, purpose: Purpose, body: bytes) -> str:
        """Sign what names nobody, such as a hash.

        Args:
            purpose: What the token may be used for.
            body: What it is to say.

        Returns:
            The token: letters, digits, - and _.

        Example:
            >>> signer = Signer(bytes(32))
            >>> token = signer.sign(Purpose.CLICK, b"x")
            >>> len(token), signer.read(Purpose.CLICK, token).body
            (30, b'x')
        """
        signed = bytes((self._number,)) + self.mark + body
        signature = hmac.digest(self._key[self._number, purpose], signed, "sha256")[:SIGNATURE]
        return urlsafe_b64encode(signed + signature).rstrip(b"=").decode("ascii")

    def seal(self, purpose: Purpose, *texts: str) -> str:
        """Encrypt and sign what names somebody.

        Args:
            purpose: What the token may be used for.
            *texts: What it is to say, such as a customer id; without control characters.

        Returns:
            The token; the same texts give the same token.

        Raises:
            InputError: A text holds the character that stands between two.

        Example:
            >>> signer = Signer(bytes(32))
            >>> token = signer.seal(Purpose.SURVEY, "nps", "c1")
            >>> signer.read(Purpose.SURVEY, token).texts
            ('nps', 'c1')
            >>> signer.read(Purpose.UNSUBSCRIBE, token).standing
            <Standing.TAMPERED: 'tampered'>
        """
        if any(_BETWEEN in text for text in texts):
            raise InputError("a link cannot hold the character U+001F; give an id without it")
        clear = _BETWEEN.join(texts).encode()
        return self.sign(purpose, self._seal[self._number].encrypt(clear, [purpose.encode()]))

    def read(self, purpose: Purpose, token: str, *, is_sealed: bool | None = None) -> Claim:
        """Read a token somebody came with.

        Args:
            purpose: What it is to be used for.
            token: As it stood in the address.
            is_sealed: True when its body was encrypted; by default what the purpose does:
                clicks and opens are signed only.

        Returns:
            What it says, and whether to believe it. A token of a key that no longer counts
            is tampered.
        """
        raw = _bytes_of(token)
        if raw is None or raw[1:HEAD] != self.mark:
            return Claim(Standing.FOREIGN)
        key = self._key.get((raw[0], purpose))
        signed, signature = raw[:-SIGNATURE], raw[-SIGNATURE:]
        wanted = hmac.digest(key, signed, "sha256")[:SIGNATURE] if key else b""
        if not key or not hmac.compare_digest(signature, wanted):
            return Claim(Standing.TAMPERED)
        body = signed[HEAD:]
        if not (purpose not in {Purpose.CLICK, Purpose.OPEN} if is_sealed is None else is_sealed):
            return Claim(Standing.GENUINE, body)
        try:
            clear = self._seal[raw[0]].decrypt(body, [purpose.encode()])
        except (InvalidTag, ValueError):
            return Claim(Standing.TAMPERED)
        return Claim(Standing.GENUINE, body, tuple(clear.decode().split(_BETWEEN)))


def mark_of(token: str) -> bytes:
    """Tell which workspace a token claims to be of, before anything is believed.

    Returns:
        Four bytes to compare with `Signer.mark`; empty for what is no token.

    Example:
        >>> mark_of(Signer(bytes(32)).sign(Purpose.OPEN, b"")) == Signer(bytes(32)).mark
        True
        >>> mark_of("no token")
        b''
    """
    raw = _bytes_of(token)
    return raw[1:HEAD] if raw else b""


def _bytes_of(token: str) -> bytes | None:
    """Decode a token; None for anything that was not written the one way tokens are."""
    if not token or len(token) > MOST_LETTERS or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    # Decoders pass over stray letters and spare bits; two spellings of one token are one too many.
    if len(raw) < HEAD + SIGNATURE or urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        return None
    return raw
