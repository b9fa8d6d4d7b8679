"""Write keys in the state: give out, list, revoke; only their hashes are kept."""

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from regulars.collect.tracking.routes import DIALECTS
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State

PREFIX = "wk_"
HINT_LENGTH = len(PREFIX) + 6
SCOPES = ("events", "receipts")
# Takes in what clients sent that break on a refusal; no source can have this name.
UNKNOWN_SOURCE = "~unknown-key"

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]+", re.I)
_SOURCE = re.compile(r"\w[\w.-]{0,63}")
_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class WriteKey:
    """One write key, without the key itself.

    Attributes:
        source: The source whose events come with it.
        hint: Its first characters, to tell keys apart.
        scopes: What it may do: "events" sends, "receipts" asks what came of a request.
        origins: Origins browsers may send it from; empty for any. Other clients name none.
        dialects: Wire formats it may speak; empty for any.
        created_at: When it was given out.
        created_by: Who gave it out.
        revoked_at: When it stopped working; None while it works.
    """

    source: str
    hint: str
    scopes: frozenset[str]
    origins: frozenset[str]
    dialects: frozenset[str]
    created_at: str
    created_by: str
    revoked_at: str | None = None


@dataclass(frozen=True)
class Limits:
    """What a key is limited to.

    Attributes:
        scopes: Names in `SCOPES`.
        origins: Origins such as "https://shop.example"; empty for any.
        dialects: Wire formats; empty for any.
    """

    scopes: Collection[str] = SCOPES
    origins: Collection[str] = ()
    dialects: Collection[str] = ()


def add_write_key(
    state: State, *, source: str, actor: str, now: datetime, limits: Limits | None = None
) -> tuple[WriteKey, str]:
    """Give out a key for a source; earlier keys of it go on working.

    Args:
        state: The workspace's state.
        source: 1 to 64 letters, digits and ._-, in any script.
        actor: Who gives it out, for the audit log.
        now: The moment, aware.
        limits: What it is limited to; nothing when left out.

    Returns:
        The key's record, and the key: 128 random bits that are shown this once.

    Raises:
        InputError: The source cannot be named so, or an origin is none.
        UnknownName: There is no such scope or dialect.
    """
    limits = limits or Limits()
    if not _SOURCE.fullmatch(source):
        raise InputError(
            f"source is {source!r}, must be 1 to 64 letters, digits or ._-, "
            "starting with a letter or digit"
        )
    for scope in limits.scopes:
        if scope not in SCOPES:
            raise UnknownName("scope", scope, SCOPES)
    for dialect in limits.dialects:
        if dialect not in DIALECTS:
            raise UnknownName("dialect", dialect, DIALECTS)
    for origin in limits.origins:
        if not _ORIGIN.fullmatch(origin.rstrip("/")):
            raise InputError(
                f"origin is {origin!r}, must be scheme and host such as https://shop.example"
            )
    key = f"{PREFIX}{secrets.token_hex(16)}"
    row = {
        "source": source,
        "hint": key[:HINT_LENGTH],
        "scopes": _joined(limits.scopes),
        "origins": _joined(one.lower().rstrip("/") for one in limits.origins),
        "dialects": _joined(limits.dialects),
        "created_at": _text(now),
        "created_by": actor,
    }
    with state.transaction() as transaction:
        transaction.run(_QUERIES["add"], key_hash=hash_key(key), **row)
        record(
            transaction,
            actor=actor,
            action="write_key.add",
            subject=source,
            detail={"hint": row["hint"], "scopes": row["scopes"]},
            at=now,
        )
    return _key({**row, "revoked_at": None}), key


def list_write_keys(state: State) -> list[WriteKey]:
    """Give every key ever given out.

    Returns:
        Keys by source, oldest first, revoked ones too; empty in a new workspace.
    """
    return list(_by_hash(state).values())


def working_keys(state: State) -> dict[str, WriteKey]:
    """Give the keys that work, by hash.

    Returns:
        What `hash_key` makes of a key, and the key's record; empty when none was given out.
    """
    return {name: key for name, key in _by_hash(state).items() if key.revoked_at is None}


def revoke_write_keys(
    state: State, *, source: str, actor: str, now: datetime, hint: str = ""
) -> int:
    """Stop keys from working; revoking them again changes nothing.

    Args:
        state: The workspace's state.
        source: The source.
        actor: Who revokes, for the audit log.
        now: The moment, aware.
        hint: First characters of the one key meant; all keys of the source when empty.

    Returns:
        Keys that worked until now.

    Raises:
        UnknownName: The source has no such key.
    """
    found = [one for one in list_write_keys(state) if one.source == source]
    if not found:
        raise UnknownName("source", source, {one.source for one in list_write_keys(state)})
    if hint and hint not in {one.hint for one in found}:
        raise UnknownName("write key", hint, {one.hint for one in found})
    with state.transaction() as transaction:
        gone = transaction.run(_QUERIES["revoke"], source=source, hint=hint, revoked_at=_text(now))
        if gone:
            record(
                transaction,
                actor=actor,
                action="write_key.revoke",
                subject=source,
                detail={"hint": hint, "keys": gone},
                at=now,
            )
    return gone


def hash_key(key: str) -> str:
    """Give what is kept of a key; 128 random bits cannot be guessed, so a plain hash will do.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> hash_key("wk_")[:8]
        '040f9b1b'
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _by_hash(state: State) -> dict[str, WriteKey]:
    with state.reading() as transaction:
        rows = transaction.all(_QUERIES["keys"])
    return {row.pop("key_hash"): _key(row) for row in rows}


def _key(row: dict[str, str | None]) -> WriteKey:
    sets = {
        name: frozenset((row[name] or "").split()) for name in ("scopes", "origins", "dialects")
    }
    plain = {name: value for name, value in row.items() if name not in sets}
    return WriteKey(**plain, **sets)  # type: ignore[arg-type]


def _joined(names: Iterable[str]) -> str:
    return " ".join(sorted(set(names)))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
