"""The inbox of receipts: each is kept once and has its effect once, in one transaction."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.govern.consent.rule import EVERY_CHANNEL
from regulars.govern.policy import Fate, Reason
from regulars.govern.protection.tokens import UNREADABLE, is_token, kind_of_token
from regulars.govern.suppression import Bar, SuppressionReason
from regulars.govern.suppression.service import lift_answered, suppress_in
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.counters.service import grant_within
from regulars.reach.delivery.service import settle_unknown
from regulars.reach.links.scanners import CLICK, OPEN, Click, verdicts
from regulars.reach.receipts.states import (
    KINDS,
    SOFT_BOUNCED,
    ContactState,
    kind_of,
    resting,
)
from regulars.records.identifiers import customer_id_of
from regulars.records.receipts import ParsedReceipt, ReceiptKind

ACTOR = "receipts"
FACTS = frozenset({
    ReceiptKind.DELIVERED,
    ReceiptKind.OPENED,
    ReceiptKind.CLICKED,
    ReceiptKind.BOUNCED,
    ReceiptKind.COMPLAINED,
    ReceiptKind.OPTED_OUT,
})
MOST_WAITING = 5000
WAITS = timedelta(days=7)
BODIES_KEPT = timedelta(days=30)
_BARRING = {
    ReceiptKind.OPTED_OUT.value: SuppressionReason.OPTED_OUT,
    ReceiptKind.COMPLAINED.value: SuppressionReason.COMPLAINED,
    ReceiptKind.BOUNCED.value: SuppressionReason.BOUNCED,
}
_BY_ADDRESS = "by_address"
_GRANTED = ReceiptKind.GRANTED.value
_NAMESPACES = ("openid", "unionid")
_OPEN = frozenset({"claimed", Fate.UNKNOWN.value})
_CLICKS = {ReceiptKind.CLICKED.value: CLICK, ReceiptKind.OPENED.value: OPEN}
_ANY_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130"
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Covering:
    """How the inbox keeps clear values out of the state.

    Attributes:
        token: Turns a kind and a clear value into a token.
        seal: Encrypts a whole body.
    """

    token: Callable[[str, str], str]
    seal: Callable[[bytes], str]


@dataclass(frozen=True)
class Taken:
    """What came of one post of receipts.

    Attributes:
        received: Receipts in it.
        again: Those the inbox had before; they changed nothing.
        waiting: Those whose contact nobody knows yet; they are tried again later.
        programs: Opens and clicks a program made; kept, not counted.
    """

    received: int
    again: int
    waiting: int
    programs: int


def take(
    state: State,
    channel: str,
    receipts: Sequence[ParsedReceipt],
    *,
    covering: Covering,
    now: datetime,
    raw: bytes = b"",
) -> Taken:
    """Take receipts in: inbox, state of the contact, suppressions and outcomes commit together.

    Whatever the order they come in, and however often, the same is known in the end. A hard
    bounce, a complaint and an opt-out bar the customer from that commit on.

    Args:
        state: The transactional store.
        channel: Channel they came for, which names their provider.
        receipts: What the parser read.
        covering: Makes tokens of addresses, and seals what came.
        now: The moment, aware.
        raw: The body as it came; kept encrypted for 30 days when it told something new.

    Returns:
        What came of them.
    """
    post_id = hashlib.sha256(channel.encode() + b"\0" + raw).hexdigest()[:32] if raw else ""
    rows = [_row(channel, one, covering, post_id=post_id, now=now) for one in receipts]
    # Writers wait for each other: who brings nothing new must not make them wait.
    with state.reading() as opened:
        if all(opened.all(_SQL["is_known"], **_name(row)) for row in rows):
            return Taken(len(rows), len(rows), 0, 0)
    with state.transaction() as opened:
        taker = _Taker(opened, now)
        found = [taker.take(row, agent=one.agent) for row, one in zip(rows, receipts, strict=True)]
        if raw and any(standing != "again" for standing in found):
            opened.run(
                _SQL["keep_post"],
                post_id=post_id,
                channel=channel,
                body=covering.seal(raw),
                received_at=_text(now),
            )
    return Taken(
        len(receipts), found.count("again"), found.count("waiting"), found.count("program")
    )


def settle_waiting(state: State, *, now: datetime, most: int = MOST_WAITING) -> int:
    """Try again the receipts whose contact nobody knew when they came.

    A provider may be faster than the sender, who learns the provider's name of a contact only
    with the answer. After a week nobody will: the receipt stays, as unknown; a grant waits again
    once its address is registered.

    Args:
        state: The transactional store.
        now: The moment, aware.
        most: Most receipts looked at.

    Returns:
        Receipts that had their effect now.
    """
    with state.reading() as opened:
        if not opened.all(_SQL["any_waiting"]):
            return 0
    with state.transaction() as opened:
        taker = _Taker(opened, now)
        opened.run(_SQL["give_up"], since=_text(now - WAITS))
        rows = opened.all(_SQL["waiting"], most=most)
        return sum(taker.settle(row) for row in rows)


def forget_posts(state: State, *, now: datetime) -> int:
    """Forget the bodies receipts came in 30 days ago or earlier; the receipts stay.

    Args:
        state: The transactional store.
        now: The moment, aware.

    Returns:
        Bodies forgotten.
    """
    since = _text(now - BODIES_KEPT)
    with state.reading() as opened:
        if not opened.all(_SQL["any_old_post"], since=since):
            return 0
    with state.transaction() as opened:
        return opened.run(_SQL["forget_posts"], since=since)


def contact_state(state: State, contact_key: str) -> ContactState | None:
    """Tell what is known of one contact.

    Returns:
        None when no receipt came for it.
    """
    with state.reading() as opened:
        return _known(opened, contact_key)


def outcomes_after(state: State, number: int, *, most: int) -> list[dict[str, Any]]:
    """Read outcomes in the order they committed.

    Args:
        state: The transactional store.
        number: Number of the last one known.
        most: Most outcomes given.

    Returns:
        Rows of the table `contact_outcomes`, each with its number.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["outcomes_after"], number=number, most=most)
    return [{**row, "occurred_at": datetime.fromisoformat(row["occurred_at"])} for row in rows]


def counts(state: State) -> list[dict[str, Any]]:
    """Count receipts by channel, kind and standing: counted, program, waiting, by_address."""
    with state.reading() as opened:
        return opened.all(_SQL["counts"])


def state_hash(state: State) -> str:
    """Give one hash over everything receipts have led to.

    Returns:
        SHA-256 over states, suppressions and outcomes; the same for the same set of receipts.
    """
    with state.reading() as opened:
        parts = [
            opened.all(_SQL[name])
            for name in ("all_states", "all_bars", "all_address_bars", "all_outcomes")
        ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class _Taker:
    """Takes receipts in within one transaction, alone."""

    def __init__(self, opened: Transaction, now: datetime) -> None:
        self._opened, self._now = opened, now
        [last] = opened.all(_SQL["last_number"])
        self._number = int(last["number"])

    def take(self, row: dict[str, Any], *, agent: str) -> str:
        """Keep a receipt, and see to its effect when it is new."""
        contact = self._contact(row)
        reason = _program(row, contact, agent)
        row["contact_key"] = contact["key"] if contact else row["contact_key"]
        row["is_scanner"] = int(bool(reason))
        row["standing"] = _standing(row, contact)
        if row["standing"] == _BY_ADDRESS and not self._is_somebody(row):
            row["standing"] = "waiting"
        if not self._opened.run(_SQL["keep_receipt"], **row):
            return "again"
        self._work(row, contact)
        return str(row["standing"])

    def settle(self, row: dict[str, Any]) -> bool:
        """See to a receipt that waited; False while nobody knows whom it is about."""
        contact = self._contact(row)
        if contact is None and not (row["address_token"] and self._is_somebody(row)):
            return False
        # Its agent was judged when it came; only how soon it came could not be.
        too_soon = bool(_program(row, contact, ""))
        row["is_scanner"] = int(too_soon or bool(row["is_scanner"]))
        row["contact_key"] = contact["key"] if contact else row["contact_key"]
        row["standing"] = _standing(row, contact) if contact else _BY_ADDRESS
        named = ("provider", "receipt_id", "contact_key", "is_scanner", "standing")
        self._opened.run(_SQL["settle"], **{name: row[name] for name in named})
        self._work(row, contact)
        return True

    def _contact(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = []
        if row["contact_key"]:
            found = self._opened.all(_SQL["contact_by_key"], key=row["contact_key"])
        if not found and row["provider_id"]:
            named = {"provider_id": row["provider_id"], "channel": row["channel"]}
            found = self._opened.all(_SQL["contact_by_provider"], **named)
        return found[0] if found else None

    def _work(self, row: Mapping[str, Any], contact: Mapping[str, Any] | None) -> None:
        kind, at = row["kind"], row["occurred_at"]
        if row["is_scanner"]:
            return
        if kind == _GRANTED:
            self._grant(row, contact)
            return
        if row["address_token"] and kind in _BARRING:
            for subject in self._subjects(row["address_token"]):
                self._bar(subject, row["channel"], kind, at)
        if contact is None:
            return
        customer_id, channel = contact["customer_id"], contact["channel"] or row["channel"]
        known = _known(self._opened, contact["key"]) or ContactState(
            contact["key"], customer_id, channel, {}
        )
        self._opened.run(_SQL["keep_state"], **_state_row(known.with_receipt(kind, at)))
        if contact["state"] in _OPEN:
            self._settle_fate(row, contact)
        if kind in FACTS:
            self._outcome(contact, kind, at)
        if kind in _BARRING:
            self._bar(customer_id, channel, kind, at)
        if kind == SOFT_BOUNCED:
            self._rest(customer_id, channel)

    def _subjects(self, address: str) -> list[str]:
        """Name who an address stands for: itself as a token, else the customers known by it."""
        return [address] if is_token(address) else self._customers(address)

    def _customers(self, address: str) -> list[str]:
        """Name the customers known by an address."""
        namespaces = (kind_of_token(address),) if is_token(address) else _NAMESPACES
        nodes = [customer_id_of(namespace, address) for namespace in namespaces]
        found = [row for node in nodes for row in self._opened.all(_SQL["known_by"], node=node)]
        found += self._opened.all(_SQL["registered_at"], address=address)
        return sorted({str(row["customer_id"]) for row in found})

    def _is_somebody(self, row: Mapping[str, Any]) -> bool:
        """Whether an address stands for whom a receipt needs; a grant needs a customer."""
        named = self._customers if row["kind"] == _GRANTED else self._subjects
        return bool(named(row["address_token"]))

    def _settle_fate(self, row: Mapping[str, Any], contact: Mapping[str, Any]) -> None:
        """Settle a contact nobody confirmed: whoever reports on it had been handed it."""
        settle_unknown(
            self._opened,
            contact["key"],
            is_sent=True,
            reason=Reason.HANDED_OVER.value,
            at=self._now,
            provider_id=row["provider_id"],
        )

    def _outcome(self, contact: Mapping[str, Any], kind: str, at: str) -> None:
        added = self._opened.run(
            _SQL["keep_outcome"],
            number=self._number + 1,
            contact_key=contact["key"],
            kind=kind,
            occurred_at=at,
            customer_id=contact["customer_id"],
        )
        self._number += int(bool(added))

    def _bar(self, subject: str, channel: str, kind: str, at: str) -> None:
        reason = _BARRING[kind]
        is_whole = reason is SuppressionReason.COMPLAINED
        bar = Bar(
            subject,
            reason.value,
            datetime.fromisoformat(at),
            EVERY_CHANNEL if is_whole else channel,
        )
        suppress_in(self._opened, [bar], actor=ACTOR, now=self._now)
        lift_answered(self._opened, actor=ACTOR, now=self._now, customer_id=subject)

    def _grant(self, row: Mapping[str, Any], contact: Mapping[str, Any] | None) -> None:
        """Note that one more message is allowed; by an address, to the one it belongs to."""
        known = [contact["customer_id"]] if contact else []
        if not known and row["address_token"]:
            known = self._customers(row["address_token"])
        for customer_id in known[:1]:
            grant_within(self._opened, customer_id, channel=row["channel"])

    def _rest(self, customer_id: str, channel: str) -> None:
        rows = self._opened.all(_SQL["soft_bounces"], customer_id=customer_id, channel=channel)
        found = resting([datetime.fromisoformat(row["soft_bounced_at"]) for row in rows])
        if found:
            reason = SuppressionReason.SOFT_BOUNCED.value
            bar = Bar(customer_id, reason, found[0], channel, found[1])
            suppress_in(self._opened, [bar], actor=ACTOR, now=self._now)


def _row(
    channel: str, receipt: ParsedReceipt, covering: Covering, *, post_id: str, now: datetime
) -> dict[str, Any]:
    token = _token(receipt.address, covering) if receipt.address else ""
    kind, at = kind_of(receipt), _text(receipt.occurred_at)
    said = [kind, receipt.key, receipt.provider_id, at, receipt.detail, token]
    own = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:32]
    return {
        "provider": channel,
        "receipt_id": f"{receipt.notice_id}:{kind}" if receipt.notice_id else own,
        "post_id": post_id,
        "channel": channel,
        "kind": kind,
        "contact_key": receipt.key,
        "provider_id": receipt.provider_id,
        "address_token": token,
        "detail": receipt.detail[:200],
        "is_permanent": int(receipt.is_permanent),
        "occurred_at": at,
        "received_at": _text(now),
    }


def _name(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"provider": row["provider"], "receipt_id": row["receipt_id"]}


def _token(address: str, covering: Covering) -> str:
    """Turn a phone number or an e-mail address into its token; ids of platforms stay."""
    token = covering.token("email" if "@" in address else "phone", address)
    return token if kind_of_token(token) not in {"", UNREADABLE} else address[:200]


def _standing(row: Mapping[str, Any], contact: Mapping[str, Any] | None) -> str:
    if row["is_scanner"] and contact:
        return "program"
    if contact:
        return "counted"
    names_contact = row["contact_key"] or row["provider_id"]
    return "waiting" if names_contact or not row["address_token"] else _BY_ADDRESS


def _program(row: Mapping[str, Any], contact: Mapping[str, Any] | None, agent: str) -> str:
    """Say why an open or a click is a program's; "" for a customer's, and for other kinds."""
    if row["kind"] not in _CLICKS:
        return ""
    at = datetime.fromisoformat(row["occurred_at"])
    click = Click(row["receipt_id"], "", _CLICKS[row["kind"]], "", at, agent=agent)
    sent = contact["at"] if contact else None
    sent_at = datetime.fromisoformat(sent) if sent else None
    reason = verdicts([click], handed_over_at=sent_at)[row["receipt_id"]]
    if reason != "no_agent":
        return reason
    # Most providers do not say: then only how soon it came tells.
    nobody = Click(row["receipt_id"], "", click.kind, "", at, agent=_ANY_BROWSER)
    return verdicts([nobody], handed_over_at=sent_at)[row["receipt_id"]]


def _known(opened: Transaction, contact_key: str) -> ContactState | None:
    rows = opened.all(_SQL["state_of"], contact_key=contact_key)
    if not rows:
        return None
    row = rows[0]
    first_at = {kind: row[f"{kind}_at"] for kind in KINDS if row[f"{kind}_at"]}
    return ContactState(row["contact_key"], row["customer_id"], row["channel"], first_at)


def _state_row(known: ContactState) -> dict[str, Any]:
    return {
        "contact_key": known.contact_key,
        "customer_id": known.customer_id,
        "channel": known.channel,
        "state": known.state,
    } | {f"{kind}_at": known.first_at.get(kind) for kind in KINDS}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
