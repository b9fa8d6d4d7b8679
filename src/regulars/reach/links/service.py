"""Links: the signed addresses of a workspace are made and read; destinations are kept."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from regulars.errors import InputError
from regulars.govern.protection.keys import purpose_key
from regulars.ports.state import Queries, State
from regulars.reach.links.marking import checked_url
from regulars.reach.links.tokens import Claim, Purpose, Signer

DESTINATION = 16
NOWHERE = bytes(DESTINATION)
"""What stands for the destination of the link nobody sees."""

_SQL = Queries(__package__)


class Links:
    """Makes and reads the signed addresses of one workspace.

    Args:
        secret: The workspace's key.
        base_url: Address the workspace is reached at from outside, without a slash at the end;
            "" when there is none, and then no link can be made.
        number: Number of the key links are made with.
        oldest: Number of the oldest key whose links still count.
    """

    def __init__(self, secret: bytes, *, base_url: str, number: int = 1, oldest: int = 1) -> None:
        """Derive the keys; nothing is read yet."""
        self.base_url = checked_url(base_url).rstrip("/") if base_url else ""
        head = re.escape(self.base_url)
        self._signed = re.compile(rf"({head}/[a-z]/)[\w-]{{8,}}", re.A) if head else None
        self.signer = Signer(secret, number=number, oldest=oldest)
        self._short_key = purpose_key(secret, "link short")
        self._address_key = purpose_key(secret, "link address")

    def click_url(self, destination: str, key: str) -> str:
        """Give the address that leads to a destination and says which contact was clicked.

        Args:
            destination: Where it leads; `keep` must have been told of it.
            key: Key of the contact.

        Returns:
            An address that holds no personal data: two hashes and a signature.
        """
        return self.click_urls([destination_id(destination)], key)[0]

    def click_urls(self, destinations: Sequence[bytes], key: str) -> list[str]:
        """Give the addresses of one contact's links.

        Args:
            destinations: What `destination_id` gave for each.
            key: Key of the contact.

        Returns:
            One address each.
        """
        about, sign, head = key_bytes(key), self.signer.sign, f"{self.base_url}/r/"
        return [head + sign(Purpose.CLICK, one + about) for one in destinations]

    def trap_url(self, key: str) -> str:
        """Give the address of a link nobody sees: whoever follows it is a program."""
        return self.click_urls([NOWHERE], key)[0]

    def open_url(self, key: str) -> str:
        """Give the address of the picture that tells that a message was opened."""
        return f"{self.base_url}/o/{self.signer.sign(Purpose.OPEN, key_bytes(key))}"

    def unsubscribe_url(self, customer_id: str, channel: str, key: str = "") -> str:
        """Give the address of the page to say no; a POST there says it (RFC 8058).

        Args:
            customer_id: Who.
            channel: Channel the message goes by.
            key: Key of the contact; "" when none.

        Returns:
            An address in which the customer cannot be read.
        """
        token = self.signer.seal(Purpose.UNSUBSCRIBE, customer_id, channel, key)
        return f"{self.base_url}/u/{token}"

    def preferences_url(self, customer_id: str, key: str = "") -> str:
        """Give the address of the page to choose topics and channels on."""
        return f"{self.base_url}/p/{self.signer.seal(Purpose.PREFERENCES, customer_id, key)}"

    def survey_url(self, survey_id: str, customer_id: str, key: str = "") -> str:
        """Give the address of the page to answer a survey on."""
        token = self.signer.seal(Purpose.SURVEY, survey_id, customer_id, key)
        return f"{self.base_url}/s/{token}"

    def read(self, purpose: Purpose, token: str) -> Claim:
        """Read the token of an address somebody came with."""
        return self.signer.read(purpose, token)

    def shorten(self, state: State, urls: Iterable[str], *, now: datetime) -> dict[str, str]:
        """Give short forms of click addresses, for messages that are paid by the letter.

        Args:
            state: The workspace's state: a short form is looked up in it.
            urls: What `click_urls` gave.
            now: The moment, aware.

        Returns:
            Short address by long one; the same one has the same, always.
        """
        head, found, rows = f"{self.base_url}/r/", {}, []
        for url in dict.fromkeys(urls):
            token = url.removeprefix(head)
            code = self._code(token)
            found[url] = head + code
            rows.append({"code": code, "token": token, "at": _text(now)})
        with state.transaction() as opened:
            opened.many(_SQL["keep_short"], rows)
        return found

    def without_tokens(self, text: str) -> str:
        """Give a text with the signed part of our own addresses left out.

        A token is chance: read as words, one in some thousands says what copy may not say.

        Args:
            text: A rendered text.

        Returns:
            The text; addresses that are not ours stay as they are.

        Example:
            >>> links = Links(b"s" * 32, base_url="https://go.shop.example")
            >>> links.without_tokens("看 https://go.shop.example/u/AbNO1_cure-x 吧")
            '看 https://go.shop.example/u/ 吧'
        """
        return self._signed.sub(r"\1", text) if self._signed else text

    def hidden(self, address: str) -> str:
        """Give what stands for a network address: a keyed hash, the same for the same one."""
        return hmac.digest(self._address_key, address.encode(), "sha256").hex()[:16]

    def _code(self, token: str) -> str:
        digest = hmac.digest(self._short_key, token.encode(), "sha256")[:8]
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def destination_id(url: str) -> bytes:
    """Give the hash that stands for a destination in a signed address.

    Returns:
        16 bytes.

    Example:
        >>> destination_id("https://shop.example/").hex()[:8]
        '844e9be3'
    """
    return hashlib.blake2b(url.encode(), digest_size=DESTINATION).digest()


def keep(state: State, urls: Iterable[str], *, now: datetime) -> int:
    """Keep destinations, so that signed addresses can lead there.

    Args:
        state: The workspace's state.
        urls: Where links lead.
        now: The moment, aware.

    Returns:
        Destinations that are new.
    """
    rows = [
        {"destination_id": destination_id(url).hex(), "url": url, "at": _text(now)}
        for url in dict.fromkeys(urls)
    ]
    with state.transaction() as opened:
        return opened.many(_SQL["keep_destination"], rows)


def key_bytes(key: str) -> bytes:
    r"""Write a contact's key in few bytes: most are 32 hexadecimal digits.

    Returns:
        Bytes that `key_text` reads.

    Raises:
        InputError: The key is far too long.

    Example:
        >>> key_bytes("00ff"), key_text(key_bytes("turn/1"))
        (b'\x01\x00\xff', 'turn/1')
    """
    try:
        raw = bytes.fromhex(key)
        if raw.hex() == key:
            return b"\x01" + raw
    except ValueError:
        pass
    if len(key) > 200:
        raise InputError(f"the key of a contact has {len(key)} letters, must have at most 200")
    return b"\x00" + key.encode()


def key_text(raw: bytes) -> str:
    """Give the key that `key_bytes` wrote."""
    return raw[1:].hex() if raw[:1] == b"\x01" else raw[1:].decode()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
