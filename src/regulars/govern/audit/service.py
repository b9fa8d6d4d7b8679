"""The audit log in the state: record an entry, sign the head, verify all of it."""

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from regulars.errors import InputError, NotReady
from regulars.govern.audit.anchors import Anchor, first_bad_anchor, from_line, sign, to_line
from regulars.govern.audit.chain import Entry, Fault, first_fault, link
from regulars.govern.masking import redacted
from regulars.ports.state import Queries, State, Transaction

KEY_FILE = "audit-key.pem"
COPY_FILE = "audit-anchors.jsonl"
COPY_VARIABLE = "REGULARS_AUDIT_ANCHORS"
PAGE = 10_000

IN_OWN_WORDS = frozenset({"reason", "note", "why"})
"""Details that people write; a phone number in one could never be taken out again."""

_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class Verification:
    """What a walk through the log found.

    Attributes:
        entries: Number of the last entry.
        checked_from: First entry walked; 1 when all were.
        anchors: Signed anchors found.
        anchored_to: Last entry an anchor vouches for; later ones could be cut unseen.
        fault: The first thing wrong, or None.
    """

    entries: int
    checked_from: int
    anchors: int
    anchored_to: int
    fault: Fault | None

    @property
    def intact(self) -> bool:
        """True when nothing wrong was found."""
        return self.fault is None


def record(
    transaction: Transaction,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    at: datetime,
) -> int:
    """Add one entry to the audit log inside the caller's write transaction.

    Args:
        transaction: An open write transaction; the entry commits or vanishes with it.
        actor: Who acts: a user's name, "command line", a step's name.
        action: What is done, "noun.verb".
        subject: What it is done to.
        detail: What else is worth keeping; never a password, a token or a phone number. What
            people write in their own words is masked before it is kept.
        at: The moment, aware.

    Returns:
        The number of the entry.

    Raises:
        InputError: `at` names no time zone.
    """
    if at.tzinfo is None:
        raise InputError(f"at is {at!r} without a time zone; give an aware moment")
    rows = transaction.all(_QUERIES["head"])
    entry = link(
        Entry(**rows[0]) if rows else None,
        at=at.astimezone(UTC).isoformat(),
        actor=actor,
        action=action,
        subject=subject,
        detail={
            name: redacted(value) if name in IN_OWN_WORDS and isinstance(value, str) else value
            for name, value in detail.items()
        },
    )
    transaction.run(_QUERIES["add"], **asdict(entry))
    return entry.number


def anchor(state: State, *, folder: Path, at: datetime, copy: Path | None = None) -> Anchor | None:
    """Sign the last entry of the log, and copy the signature outside the state.

    Call it after a transaction that recorded entries has committed. The copy is written
    first: a crash in between leaves an anchor too many outside, which the next call adopts.

    Args:
        state: The workspace's state.
        folder: The workspace's folder, home of the key.
        at: The moment, aware.
        copy: Where the copy is; by default what REGULARS_AUDIT_ANCHORS says, or
            `audit-anchors.jsonl` in the folder. Best on another machine's disk.

    Returns:
        The anchor, or None when the last entry has one already.

    Raises:
        NotReady: Anchors exist but the key that signed them is gone.
    """
    path = _copy_path(folder, copy)
    with state.transaction() as transaction:
        rows = transaction.all(_QUERIES["head"])
        kept = [Anchor(**row) for row in transaction.all(_QUERIES["anchors"])]
        if not rows or (kept and kept[-1].number >= rows[0]["number"]):
            return None
        if kept and not (folder / KEY_FILE).exists():
            raise NotReady(
                f"{folder / KEY_FILE} is missing, but {len(kept)} anchors were signed with it; "
                "restore it from your backup"
            )
        copied = _read_copy(path)
        last = copied[-1] if len(copied) == len(kept) + 1 else None
        if last is None or last.number != rows[0]["number"] or last.hash != rows[0]["hash"]:
            if last is not None:
                transaction.run(_QUERIES["add_anchor"], **asdict(last))
            last = sign(
                _key(folder),
                number=rows[0]["number"],
                hash=rows[0]["hash"],
                at=at.astimezone(UTC).isoformat(),
            )
            _append(path, to_line(last))
        transaction.run(_QUERIES["add_anchor"], **asdict(last))
    return last


def verify(
    state: State, *, folder: Path, copy: Path | None = None, last: int | None = None
) -> Verification:
    """Find out whether anything in the log was edited, removed, added, moved or cut off.

    Args:
        state: The workspace's state.
        folder: The workspace's folder, home of the key.
        copy: Where the anchors copy is; as for `anchor`.
        last: Walk only so many of the newest entries; None walks all.

    Returns:
        What was found; `fault` names the first bad entry.
    """
    # The write lock, for a moment: an anchor being made must not look like one too many.
    with state.transaction() as transaction:
        head = transaction.all(_QUERIES["head"])
        kept = [Anchor(**row) for row in transaction.all(_QUERIES["anchors"])]
        copied = _read_copy(_copy_path(folder, copy))
        odd = transaction.all(_QUERIES["odd"])[0]["entries"]
    number = head[0]["number"] if head else 0
    entries = number if isinstance(number, int) else 0
    start = max(0, entries - last) if last else 0
    fault = _anchor_fault(kept, copied, folder)
    if fault is None and (odd or entries != number):
        fault = Fault(0, "missing", "entries were added under numbers no entry can have")
    if fault is None:
        hashes = {a.number: a.hash for a in copied if a and a.number > start}
        with state.reading() as transaction:
            before = transaction.all(_QUERIES["one"], number=start)
            fault, _ = first_fault(
                _entries(transaction, start, entries),
                hashes,
                after=Entry(**before[0]) if before else None,
            )
    anchored = max((a.number for a in copied if a), default=0)
    return Verification(entries, start + 1, len(kept), anchored, fault)


def newest(
    state: State,
    *,
    size: int = 50,
    before: int | None = None,
    named: Callable[[str], str] | None = None,
) -> list[Entry]:
    """Give the newest entries first.

    Args:
        state: The workspace's state.
        size: At most so many.
        before: Only entries with a smaller number.
        named: Gives the name an id was suppressed under when its customer was erased: where
            it was, entries say the name in place of the id. None shows entries as they are.

    Returns:
        Entries by falling number; empty past the first.
    """
    with state.reading() as transaction:
        rows = transaction.all(_QUERIES["newest"], before=before or 2**62, size=size)
        if named:
            known = {row["value"] for row in transaction.all(_QUERIES["erased"])}
            rows = [{**row, **_covered(row, known, named)} for row in rows]
    return [Entry(**row) for row in rows]


def _covered(
    row: Mapping[str, Any], erased: Collection[str], named: Callable[[str], str]
) -> dict[str, str]:
    """Put names in place of the ids of erased customers; the log itself stays as it is."""

    def one(value: Any) -> Any:
        if isinstance(value, str):
            return name if (name := named(value)) in erased else value
        if isinstance(value, list):
            return [one(part) for part in value]
        return {key: one(part) for key, part in value.items()} if isinstance(value, dict) else value

    if not erased:
        return {}
    detail = json.dumps(one(json.loads(row["detail"])), ensure_ascii=False, sort_keys=True)
    return {"subject": one(row["subject"]), "detail": detail}


def _entries(transaction: Transaction, after: int, last: int) -> Iterator[Entry]:
    while rows := transaction.all(_QUERIES["page"], after=after, last=last, size=PAGE):
        yield from (Entry(**row) for row in rows)
        after = rows[-1]["number"]


def _anchor_fault(kept: list[Anchor], copied: list[Anchor | None], folder: Path) -> Fault | None:
    if not kept and not copied and not (folder / KEY_FILE).exists():
        return None
    if not (folder / KEY_FILE).exists():
        return Fault(1, "anchor", f"{folder / KEY_FILE} is missing; anchors cannot be checked")
    if not kept and not copied:
        return Fault(1, "anchor", "the log was signed, but every anchor is gone")
    return first_bad_anchor(kept, copied, _key(folder).public_key())


def _copy_path(folder: Path, copy: Path | None) -> Path:
    return copy or Path(os.environ.get(COPY_VARIABLE) or folder / COPY_FILE)


def _read_copy(path: Path) -> list[Anchor | None]:
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    return [from_line(line) for line in whole.splitlines()]


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def _key(folder: Path) -> Ed25519PrivateKey:
    path = folder / KEY_FILE
    if path.exists():
        return _read_key(path)
    # Written whole under another name first: a crash must not leave half a key.
    half = path.with_suffix(".new")
    with os.fdopen(os.open(half, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(
            Ed25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )
        )
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    return _read_key(path)


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise InputError(
            f"{path} holds no usable key: {error}; restore it from your backup"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} holds another kind of key; restore the Ed25519 key it had")
    return key
