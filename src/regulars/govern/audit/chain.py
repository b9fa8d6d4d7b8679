"""A hash chain: every entry carries the hash of the entry before it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One entry of the audit log: who did what to whom, when.

    Attributes:
        number: 1 for the first entry, then up by one without gaps.
        at: The moment, ISO 8601 in UTC.
        actor: Who acted: a user of the console, a command, a step of the loop.
        action: What was done, such as "user.add" or "customer.reveal".
        subject: What it was done to.
        detail: Canonical JSON of what else is worth keeping.
        previous_hash: Hash of the entry before; 64 zeros for the first.
        hash: SHA-256 over everything above.
    """

    number: int
    at: str
    actor: str
    action: str
    subject: str
    detail: str
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Fault:
    """The first thing wrong with a log.

    Attributes:
        number: Number of the first bad (or missing) entry.
        problem: One of: missing, edited, unlinked, rewritten, truncated, anchor.
        message: The same in words.
    """

    number: int
    problem: str
    message: str


def canonical(value: Mapping[str, Any]) -> str:
    """Write a mapping as JSON in the one way that is hashed.

    Args:
        value: Names and values JSON can hold; anything else is written as its `repr`.

    Returns:
        JSON with sorted names, no spaces, no escapes beyond what JSON needs.

    Source:
        RFC 8785 in spirit: ours differs in writing floats as Python does, because nothing
        but this module ever reads the text back to hash it.

    Example:
        >>> canonical({"b": 1, "a": "客"})
        '{"a":"客","b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=repr
    )


def hash_of(entry: Entry) -> str:
    """Give the hash an entry must have.

    Args:
        entry: An entry; its own `hash` is not looked at.

    Returns:
        SHA-256 as 64 hexadecimal digits, over the canonical JSON of all other fields.

    Example:
        >>> hash_of(link(None, at="t", actor="a", action="b", subject="c", detail={}))[:12]
        '50aecca82aef'
    """
    parts = asdict(entry)
    del parts["hash"]
    return hashlib.sha256(canonical(parts).encode("utf-8", "surrogatepass")).hexdigest()


def link(
    previous: Entry | None,
    *,
    at: str,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> Entry:
    """Make the entry that follows another.

    Args:
        previous: The last entry so far, or None when there is none.
        at: The moment, ISO 8601 in UTC.
        actor: Who acted.
        action: What was done.
        subject: What it was done to.
        detail: What else is worth keeping; never a password or a token.

    Returns:
        The next entry, hashed.
    """
    number, before = (previous.number + 1, previous.hash) if previous else (1, GENESIS)
    entry = Entry(number, at, actor, action, subject, canonical(detail), before, "")
    return Entry(**(asdict(entry) | {"hash": hash_of(entry)}))


def first_fault(
    entries: Iterable[Entry], hash_by_anchor: Mapping[int, str], *, after: Entry | None = None
) -> tuple[Fault | None, int]:
    """Walk a chain and name the first entry that is not what it was.

    Args:
        entries: Entries in order of their number.
        hash_by_anchor: Hash signed earlier, by entry number.
        after: The entry before the first one, when the walk does not start at 1.

    Returns:
        The fault (None when there is none) and the number of the last entry walked.

    Example:
        >>> one = link(None, at="t", actor="a", action="b", subject="c", detail={})
        >>> first_fault([one], {1: one.hash})
        (None, 1)
        >>> first_fault([], {1: one.hash})[0].problem
        'truncated'
    """
    number, before = (after.number, after.hash) if after else (0, GENESIS)
    anchored = number
    for entry in entries:
        number += 1
        if entry.number != number:
            return Fault(number, "missing", f"entry {number} is missing"), number
        if hash_of(entry) != entry.hash:
            return Fault(number, "edited", f"entry {number} does not match its hash"), number
        if entry.previous_hash != before:
            return Fault(number, "unlinked", f"entry {number} does not follow the one before"), (
                number
            )
        before = entry.hash
        if number in hash_by_anchor:
            if hash_by_anchor[number] != before:
                says = f"entries {anchored + 1} to {number} were rewritten after they were signed"
                return Fault(anchored + 1, "rewritten", says), number
            anchored = number
    signed = max(hash_by_anchor, default=0)
    if signed > number:
        says = f"entries {number + 1} to {signed} were signed but are gone"
        return Fault(number + 1, "truncated", says), number
    return None, number
