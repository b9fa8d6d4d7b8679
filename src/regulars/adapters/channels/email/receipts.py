"""What comes back by e-mail: bounces and complaints, and what only looks like one.

Source: RFC 3464 (delivery status), RFC 3463 (status codes), RFC 5965 (complaints, ARF), RFC 3834
(automatic answers). An answer from a vacation program is no bounce: comparable systems have taken
people off their lists for going on holiday.
"""

import email
import email.policy
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime

from regulars.adapters.channels.email.verp import returned_key
from regulars.errors import InputError
from regulars.records.receipts import ParsedReceipt, ReceiptKind

# The address will never work; a full mailbox or a rule against us says nothing of the address.
_HARD = re.compile(r"5\.1\.(0|1|2|3|6|10)|5\.2\.1|5\.4\.4")
_NOBODY = re.compile(
    r"user unknown|unknown user|no such (user|recipient|mailbox|person)|does not exist|"
    r"unknown recipient|invalid recipient|recipient (address )?rejected: .*unknown|"
    r"mailbox (not found|unavailable)|用户不存在|收件人不存在",
    re.IGNORECASE,
)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_DAEMON = re.compile(r"mailer-daemon|postmaster|mail delivery (sub)?system", re.IGNORECASE)
_OPT_OUTS = {"opt-out", "opt-out-list", "unsubscribe"}
_NO_COMPLAINTS = {"not-spam", "dmarc", "auth-failure"}
_RETURNS = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")


def parse_email(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[ParsedReceipt]:
    """Read a letter that came to a return address.

    Anybody can write to a return address, and anybody can work out the key of a contact. A
    receipt counts when it names the contact by a return address with our tag, which only the
    letter itself held; what the headers sent back say, and an address alone, count when whoever
    hands it over knows the secret.

    Args:
        raw: The whole letter.
        headers: What it was handed over with: "?key" is the secret where it came by our own
            mail server.
        secret: What return addresses are tagged with.
        now: The moment.

    Returns:
        A receipt per recipient of a bounce, one of a complaint; empty for automatic answers,
        delays, letters from people and reports nobody vouches for.

    Raises:
        InputError: It is no letter.
    """
    is_ours = bool(secret) and hmac.compare_digest(
        headers.get("?key", "").encode(), secret.encode()
    )
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    if not isinstance(letter, EmailMessage) or not letter.keys():
        raise InputError("the body is no e-mail; post the letter as it came, headers first")
    kind = str(letter.get_param("report-type") or "").lower()
    if letter.get_content_type() == "multipart/report" and kind == "feedback-report":
        found = list(_complaint(letter, secret, now, is_ours=is_ours))
    elif letter.get_content_type() == "multipart/report" and kind == "delivery-status":
        found = list(_bounces(letter, secret, now, is_ours=is_ours))
    elif _is_automatic(letter) or not _is_from_a_daemon(letter):
        return []
    else:
        found = list(_free_form(letter, secret, now))
    return found if is_ours else _once([one for one in found if one.key])


def _once(found: Iterable[ParsedReceipt]) -> list[ParsedReceipt]:
    """Keep one receipt of each kind a contact can have, under a name nobody can vary."""
    # Whoever holds one letter knows its tag, and could fill the inbox with reports of it.
    by_name: dict[str, ParsedReceipt] = {}
    for one in found:
        name = f"tag:{one.key}:{'hard' if one.is_permanent else 'soft'}"
        by_name.setdefault(f"{name}:{one.kind}", replace(one, notice_id=name))
    return list(by_name.values())


def _bounces(
    letter: EmailMessage, secret: str, now: datetime, *, is_ours: bool
) -> Iterator[ParsedReceipt]:
    key, provider_id = _contact(letter, secret, is_ours=is_ours)
    for block in _fields(letter, "message/delivery-status"):
        action = str(block.get("Action", "")).strip().lower()
        found = _STATUS.search(str(block.get("Status", "")))
        told = " ".join(str(block.get("Diagnostic-Code", "")).split())
        status = _sharper(found[1] if found else "", told)
        if action == "delivered":
            kind = ReceiptKind.DELIVERED
        elif action == "failed" or (not action and status.startswith("5")):
            kind = ReceiptKind.BOUNCED
        else:
            continue
        is_hard = bool(_HARD.fullmatch(status)) or (
            status.startswith("5") and _NOBODY.search(told) is not None
        )
        address = str(block.get("Final-Recipient", "")).partition(";")[2].strip()
        yield ParsedReceipt(
            kind=kind,
            occurred_at=_when(letter, now),
            key=key,
            provider_id=provider_id,
            detail=status,
            is_permanent=kind is ReceiptKind.BOUNCED and is_hard,
            address="" if key or provider_id else address,
            notice_id=_name(letter, key or address),
        )


def _complaint(
    letter: EmailMessage, secret: str, now: datetime, *, is_ours: bool
) -> Iterator[ParsedReceipt]:
    key, provider_id = _contact(letter, secret, is_ours=is_ours)
    for block in _fields(letter, "message/feedback-report"):
        kind = str(block.get("Feedback-Type", "")).strip().lower()
        if not kind or kind in _NO_COMPLAINTS:
            continue
        if secret and not key:
            key = returned_key(str(block.get("Original-Mail-From", "")), secret=secret)
        address = str(block.get("Original-Rcpt-To", "")).strip("<> ")
        yield ParsedReceipt(
            kind=ReceiptKind.OPTED_OUT if kind in _OPT_OUTS else ReceiptKind.COMPLAINED,
            occurred_at=_when(letter, now),
            key=key,
            provider_id=provider_id,
            detail=kind,
            address="" if key or provider_id else address,
            notice_id=_name(letter, key or address),
        )


def _free_form(letter: EmailMessage, secret: str, now: datetime) -> Iterator[ParsedReceipt]:
    """Bounces in words only, as qmail and old Exchange write them; they need a return address."""
    key = _returned(letter, secret)
    if not key:
        return
    part = letter.get_body(("plain", "html"))
    text = str(part.get_content())[:20_000] if part is not None else ""
    found = _STATUS.search(text)
    status = found[1] if found else ""
    if status.startswith(("2", "4")):
        return
    is_hard = bool(_HARD.fullmatch(status)) or _NOBODY.search(text) is not None
    yield ParsedReceipt(
        kind=ReceiptKind.BOUNCED,
        occurred_at=_when(letter, now),
        key=key,
        detail=status,
        is_permanent=is_hard,
        notice_id=_name(letter, key),
    )


def _is_automatic(letter: EmailMessage) -> bool:
    submitted = str(letter.get("Auto-Submitted", "")).partition(";")[0].strip().lower()
    precedence = str(letter.get("Precedence", "")).strip().lower()
    return (
        submitted == "auto-replied"
        or precedence == "auto_reply"
        or any(
            name in letter for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")
        )
        and not _is_from_a_daemon(letter)
    )


def _is_from_a_daemon(letter: EmailMessage) -> bool:
    return _DAEMON.search(str(letter.get("From", ""))) is not None


def _contact(letter: EmailMessage, secret: str, *, is_ours: bool) -> tuple[str, str]:
    """Find whose letter it was: by the return address, else by the headers sent back."""
    # Those are whatever the report's sender wrote: nobody vouched for, they may only agree.
    key, provider_id = _returned(letter, secret), ""
    for part in letter.walk():
        if part.get_content_type() not in {"message/rfc822", "text/rfc822-headers"}:
            continue
        original = _original(part)
        told = str(original.get("Message-ID", "")).strip().strip("<>")
        if is_ours:
            key = key or str(original.get("X-Regulars-Key", "")).strip()
        if is_ours or (key and told.startswith(f"{key}@")):
            provider_id = told
        break
    return key, provider_id


def _original(part: Message) -> Message:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return payload[0]
    data = part.get_payload(decode=True)
    text = data if isinstance(data, bytes) else str(payload).encode()
    return email.message_from_bytes(text, policy=email.policy.compat32)


def _returned(letter: EmailMessage, secret: str) -> str:
    if not secret:
        return ""
    told = " ".join(str(value) for name in _RETURNS for value in letter.get_all(name, []))
    return returned_key(told, secret=secret)


def _fields(letter: EmailMessage, kind: str) -> Iterator[Message]:
    """Give the blocks of fields a report is made of, however the part was encoded."""
    for part in letter.walk():
        if part.get_content_type() != kind:
            continue
        payload = part.get_payload()
        if isinstance(payload, list):
            yield from (block for block in payload if isinstance(block, Message))
            continue
        data = part.get_payload(decode=True)
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else str(payload)
        for block in re.split(r"\r?\n\r?\n", text):
            yield email.message_from_string(block, policy=email.policy.compat32)


def _sharper(status: str, told: str) -> str:
    """Take the status the server gave where the report's own says only "failed"."""
    found = _STATUS.search(told)
    if found and (not status or status in {"5.0.0", "4.0.0"}) and found[1][0] != "2":
        return found[1]
    return status


def _when(letter: EmailMessage, now: datetime) -> datetime:
    try:
        at = parsedate_to_datetime(str(letter["Date"]))
    except (ValueError, TypeError):
        return now
    return min(now, at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC))


def _name(letter: EmailMessage, whose: str) -> str:
    own = str(letter.get("Message-ID", "")).strip().strip("<>")
    # One report may be of several; an address does not go on in clear.
    of = hashlib.blake2b(whose.encode(), digest_size=8).hexdigest()
    # A letter without a name, and perhaps without a date, is told again by what it says.
    return f"{own or hashlib.blake2b(letter.as_bytes(), digest_size=16).hexdigest()}:{of}"
