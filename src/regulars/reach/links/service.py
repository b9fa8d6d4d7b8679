"""Links at work: addresses are made, answered, and what people clicked becomes facts."""

import hashlib
import hmac
import json
import logging
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from regulars.errors import InputError, OutsideError
from regulars.govern.protection.keys import purpose_key
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State
from regulars.reach.links.marking import checked_url
from regulars.reach.links.scanners import CLICK, OPEN, TRAP, Click, read_rules, verdicts
from regulars.reach.links.tokens import Claim, Purpose, Signer, Standing

DESTINATION = 16
SHORT_LETTERS = 11
MOST_AGENT = 300
FACTS = "contact_outcomes"
APPLICATION = "links"
_NOWHERE = bytes(DESTINATION)
_KIND = {CLICK: "clicked", OPEN: "opened"}
_SQL = Queries(__package__)
_LOG = logging.getLogger("regulars.reach.links")


@dataclass(frozen=True)
class Request:
    """How somebody asked for a signed address.

    Attributes:
        at: The moment, aware.
        method: GET or HEAD.
        agent: User-Agent sent.
        address: Network address it came from.
        is_prefetch: True when the client said that it fetches ahead.
    """

    at: datetime
    method: str = "GET"
    agent: str = ""
    address: str = ""
    is_prefetch: bool = False


@dataclass(frozen=True)
class Answer:
    """What became of a request for a signed address.

    Attributes:
        standing: Whether the token was this workspace's.
        url: Where to send whoever asked; "" for nowhere.
    """

    standing: Standing
    url: str = ""


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
        about, sign, head = _key_bytes(key), self.signer.sign, f"{self.base_url}/r/"
        return [head + sign(Purpose.CLICK, one + about) for one in destinations]

    def trap_url(self, key: str) -> str:
        """Give the address of a link nobody sees: whoever follows it is a program."""
        return self.click_urls([_NOWHERE], key)[0]

    def open_url(self, key: str) -> str:
        """Give the address of the picture that tells that a message was opened."""
        return f"{self.base_url}/o/{self.signer.sign(Purpose.OPEN, _key_bytes(key))}"

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

    def hidden(self, address: str) -> str:
        """Give what stands for a network address: a keyed hash, the same for the same one."""
        return hmac.digest(self._address_key, address.encode(), "sha256").hex()[:16]

    def _code(self, token: str) -> str:
        digest = hmac.digest(self._short_key, token.encode(), "sha256")[:8]
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(frozen=True)
class LinkCount:
    """How one destination did.

    Attributes:
        destination_id: Hash of the address.
        url: Where it leads.
        requests: Everything that asked for it, programs too.
        clicks: What counts as a customer's click.
        contacts: Contacts with at least one.
    """

    destination_id: str
    url: str
    requests: int
    clicks: int
    contacts: int


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


def follow(state: State, links: Links, token: str, asked: Request) -> Answer:
    """Answer a request for a click address, and log it as it came.

    Args:
        state: The workspace's state.
        links: The workspace's links.
        token: What stood in the address, or its short form.
        asked: How it was asked for.

    Returns:
        Where it leads: nowhere but to what was signed.
    """
    if len(token) == SHORT_LETTERS:
        with state.reading() as opened:
            known = opened.all(_SQL["short"], code=token)
        token = known[0]["token"] if known else token
    claim = links.read(Purpose.CLICK, token)
    if claim.standing is not Standing.GENUINE:
        return Answer(claim.standing)
    wanted, key = claim.body[:DESTINATION], claim.body[DESTINATION:]
    if wanted == _NOWHERE:
        _log(state, links, TRAP, _key_text(key), "", asked)
        return Answer(claim.standing)
    with state.reading() as opened:
        known = opened.all(_SQL["destination"], destination_id=wanted.hex())
    # The table is not trusted: what it says must be what was signed.
    if not known or destination_id(known[0]["url"]) != wanted:
        return Answer(Standing.FOREIGN)
    _log(state, links, CLICK, _key_text(key), wanted.hex(), asked)
    return Answer(claim.standing, known[0]["url"])


def opened_by(state: State, links: Links, token: str, asked: Request) -> Standing:
    """Log that the picture of a message was asked for.

    Returns:
        Whether the token was this workspace's; nothing is logged otherwise.
    """
    claim = links.read(Purpose.OPEN, token)
    if claim.standing is Standing.GENUINE:
        _log(state, links, OPEN, _key_text(claim.body), "", asked)
    return claim.standing


def settle_clicks(state: State, lake: Lake, *, now: datetime) -> int:
    """Judge the clicks that are old enough, and make facts of those that count.

    Killed anywhere and called again it adds no fact twice: a batch is numbered before it is
    written to the lake, and the lake takes a number once.

    Args:
        state: The workspace's state.
        lake: Takes the facts `clicked` and `opened` of table `contact_outcomes`.
        now: The moment, aware.

    Returns:
        Facts written.
    """
    written = _publish(state, lake)
    until = now - timedelta(seconds=read_rules().settle_seconds)
    with state.transaction() as opened:
        rows = opened.all(_SQL["unsettled"], until=_text(until))
        if not rows:
            return written
        [last] = opened.all(_SQL["batch"])
        keys = sorted({row["contact_key"] for row in rows})
        at = {
            row["key"]: datetime.fromisoformat(row["at"])
            for row in opened.all(_SQL["handed_over"], keys=json.dumps(keys))
            if row["at"]
        }
        opened.many(_SQL["settle"], _judged(rows, at, until=until, batch=last["batch"] + 1))
    return written + _publish(state, lake)


def counts(state: State) -> list[LinkCount]:
    """Tell how every destination did, the most clicked first."""
    with state.reading() as opened:
        rows = opened.all(_SQL["by_destination"])
    return [LinkCount(**{**row, "clicks": int(row["clicks"] or 0)}) for row in rows]


def requests_by_verdict(state: State) -> list[dict[str, Any]]:
    """Count every request by kind and verdict: what was filtered, and why."""
    with state.reading() as opened:
        return opened.all(_SQL["by_verdict"])


def _judged(
    rows: Sequence[Mapping[str, Any]], at: Mapping[str, datetime], *, until: datetime, batch: int
) -> list[dict[str, Any]]:
    """Judge whole contacts; what was judged before stays as it is."""
    by_contact: dict[str, list[Click]] = {}
    for row in rows:
        by_contact.setdefault(row["contact_key"], []).append(_click(row))
    settled = {row["click_id"] for row in rows if row["batch"] is not None}
    found = []
    for key, clicks in by_contact.items():
        for click_id, verdict in verdicts(clicks, handed_over_at=at.get(key)).items():
            if click_id not in settled:
                found.append({"click_id": click_id, "verdict": verdict, "batch": batch})
    ripe = {row["click_id"] for row in rows if datetime.fromisoformat(row["at"]) <= until}
    return [row for row in found if row["click_id"] in ripe]


def _publish(state: State, lake: Lake) -> int:
    """Write the batches that were numbered and not yet written, in order."""
    with state.reading() as opened:
        [last] = opened.all(_SQL["batch"])
        done = opened.all(_SQL["last_settled"])
    first = int(done[0]["value"]) + 1 if done else 1
    written = 0
    for batch in range(first, last["batch"] + 1):
        with state.reading() as opened:
            rows = opened.all(_SQL["counted"], batch=batch)
        facts = [
            {
                "contact_key": row["contact_key"],
                "customer_id": row["customer_id"],
                "kind": _KIND[row["kind"]],
                "occurred_at": datetime.fromisoformat(row["at"]),
            }
            for row in rows
        ]
        if facts:
            data = pa.Table.from_pylist(facts, schema=lake.schema(FACTS))
            if lake.append(FACTS, data, application=APPLICATION, version=batch):
                written += len(facts)
        with state.transaction() as opened:
            opened.run(_SQL["move_settled"], value=str(batch))
    return written


def _log(state: State, links: Links, kind: str, key: str, destination: str, asked: Request) -> None:
    row = {
        "click_id": secrets.token_hex(10),
        "contact_key": key,
        "kind": kind,
        "destination_id": destination,
        "at": _text(asked.at),
        "method": asked.method,
        "agent": asked.agent[:MOST_AGENT],
        "address": links.hidden(asked.address),
        "is_prefetch": int(asked.is_prefetch),
    }
    try:
        with state.transaction() as opened:
            opened.run(_SQL["add_click"], **row)
    except OutsideError as error:
        # Whoever clicked must arrive, also while the store is busy.
        _LOG.warning("a %s was not kept: %s", kind, error)


def _click(row: Mapping[str, Any]) -> Click:
    return Click(
        row["click_id"],
        row["contact_key"],
        row["kind"],
        row["destination_id"],
        datetime.fromisoformat(row["at"]),
        row["method"],
        row["agent"],
        row["address"],
        bool(row["is_prefetch"]),
    )


def _key_bytes(key: str) -> bytes:
    """Write a contact's key in few bytes: most are 32 hexadecimal digits."""
    try:
        raw = bytes.fromhex(key)
        if raw.hex() == key:
            return b"\x01" + raw
    except ValueError:
        pass
    if len(key) > 200:
        raise InputError(f"the key of a contact has {len(key)} letters, must have at most 200")
    return b"\x00" + key.encode()


def _key_text(raw: bytes) -> str:
    return raw[1:].hex() if raw[:1] == b"\x01" else raw[1:].decode()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
