"""The protector of a workspace: tokens in, clear values into the vault, out again by role only."""

import base64
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import InputError, NotAllowed, NotReady
from regulars.govern.access.roles import Role, covers
from regulars.govern.audit.service import anchor, record
from regulars.govern.protection.declared import Declared, read_declared
from regulars.govern.protection.keys import FILE, FOLDER, Keys, derived, make_key, read_key
from regulars.govern.protection.rewriting import covered_id, rewritten
from regulars.govern.protection.sealing import seal, unseal
from regulars.govern.protection.tokens import (
    UNREADABLE,
    is_token,
    kind_of_token,
    mask,
    normalise,
    token_of,
)
from regulars.ports.state import Queries, State

VAULT_FILE = "vault.db"
LEAST_ROLE = Role.ANALYST
TAIL = 4
REMEMBERED = 65_536
_SEALED = "sealed1."
_HIDDEN = re.compile("proof-[0-9a-f]{32}")
_QUERIES = Queries(__package__)
_ID_SHAPE = r"[^@]@[^@]|^\s*(?:\+|00|\(|86|1)[0-9 ().+-]{6,20}$"


@dataclass(frozen=True)
class Looking:
    """Who wants to see clear values, and of whom.

    Attributes:
        actor: Who looks, for the audit log.
        role: Their role.
        subject: Whose values: a customer id.
        now: The moment, aware.
        reason: Why, in the actor's words.
    """

    actor: str
    role: Role
    subject: str
    now: datetime
    reason: str = ""


class Protector:
    """Turns direct identifiers into tokens and keeps their clear values in the vault.

    Args:
        keys: The workspace's keys.
        vault: Store of the encrypted values, tables made.
        folder: The workspace folder.
        declared: Which keys of an event hold what.
    """

    def __init__(
        self, keys: Keys, vault: State, folder: Path, declared: Declared | None = None
    ) -> None:
        """Keep the parts; nothing is read yet."""
        self._keys, self._vault, self._folder = keys, vault, folder
        self._declared = declared or read_declared()
        self._read = lru_cache(REMEMBERED)(self._read_value)

    def token(self, kind: str, text: str) -> str:
        """Give the token a value would have; nothing is kept.

        Args:
            kind: "phone", "email", "idcard", "bankcard", "address" or "name".
            text: The clear value.

        Returns:
            The token, of kind "text" when the value cannot be read as the kind; a token as it
            is.
        """
        return text if is_token(text) else self._read(kind, text)[0]

    def hidden_name(self, text: str) -> str:
        """Give a name for an id that only this workspace's key can work out again.

        Proof is kept under it after an erasure: whoever comes back with the id can be shown
        what was noted, and nobody reads the id from the rows.

        Args:
            text: The id.

        Returns:
            "proof-" and 32 hexadecimal digits; what is such a name already, as it is.
        """
        if _HIDDEN.fullmatch(text):
            return text
        return f"proof-{token_of(self._keys.token, 'id', text).rpartition('_')[2]}"

    def protect(self, rows: pa.Table) -> pa.Table:
        """Replace the direct identifiers of events by tokens.

        The clear values are in the vault, on disk, before this returns. Rows that hold none
        are neither parsed nor copied one by one.

        Args:
            rows: Events, columns payload, user_id and anonymous_id.

        Returns:
            The same table with tokens; protecting it again changes nothing.
        """
        found = _Found(self)
        for name in ("payload", "user_id", "anonymous_id"):
            column = rows.column(name)
            pattern = self._pattern if name == "payload" else _ID_SHAPE
            hits = pc.fill_null(pc.match_substring_regex(column, pattern), False)
            if not pc.any(hits).as_py():
                continue
            old = column.filter(hits).to_pylist()
            if name == "payload":
                new = [rewritten(text, self._declared, found.swap) for text in old]
            else:
                new = [covered_id(text, found.swap) for text in old]
            if new == old:
                continue
            replaced = _replaced(column, hits, new)
            rows = rows.set_column(rows.schema.get_field_index(name), rows.field(name), replaced)
        self._keep(found.clear_by_token)
        return rows

    def protect_column(self, kind: str, values: pa.Array) -> pa.Array:
        """Replace every value of a column that holds one kind of identifier.

        Args:
            kind: As for `token`.
            values: Clear values; empty ones and tokens stay as they are.

        Returns:
            Tokens, as long as the column; the clear values are in the vault.
        """
        found = _Found(self)
        tokens = _swapped(kind, values, found)
        self._keep(found.clear_by_token)
        return tokens

    def column_tokens(self, kind: str, values: pa.Array) -> pa.Array:
        """Give what `protect_column` would, and keep nothing."""
        return _swapped(kind, values, _Found(self))

    def masked(self, tokens: Iterable[str]) -> dict[str, str]:
        """Give what a page may show in place of tokens; nothing is decrypted.

        Returns:
            Covered value by token; tokens whose value was shredded are left out.
        """
        with self._vault.reading() as reading:
            found = reading.all(_QUERIES["masked"], tokens=_listed(tokens))
        return {row["token"]: row["masked"] for row in found}

    def ending(self, kind: str, tail: str) -> list[str]:
        """Find tokens by the last four characters of their value.

        Returns:
            Tokens in order; empty when no value ends so.
        """
        with self._vault.reading() as reading:
            found = reading.all(_QUERIES["ending"], kind=kind, tail=tail)
        return [row["token"] for row in found]

    def reveal(self, state: State, tokens: Sequence[str], looking: Looking) -> dict[str, str]:
        """Give clear values to somebody who may see them, once the look is in the audit log.

        Args:
            state: The workspace's state, home of the audit log.
            tokens: What to uncover.
            looking: Who looks, and why.

        Returns:
            Clear value by token; tokens whose value was shredded are left out.

        Raises:
            NotAllowed: The role may not see clear values.
            InputError: A value was not sealed with this workspace's key.
        """
        if not covers(looking.role, LEAST_ROLE):
            raise NotAllowed(
                "role",
                f"{looking.role.value} {looking.actor} may not see clear values; ask somebody "
                f"who is at least {LEAST_ROLE.value}",
            )
        kinds = sorted({kind_of_token(token) for token in tokens})
        with state.transaction() as transaction:
            record(
                transaction,
                actor=looking.actor,
                action="customer.reveal",
                subject=looking.subject,
                detail={"kinds": kinds, "values": len(tokens), "reason": looking.reason},
                at=looking.now,
            )
        anchor(state, folder=self._folder, at=looking.now)
        return self._opened(tokens)

    def clear_for_contact(self, tokens: Sequence[str]) -> dict[str, str]:
        """Give clear values to the machine that hands contacts over: nobody sees them.

        What is sent to whom stands in the send ledger; so no look is written to the audit log.

        Args:
            tokens: Tokens of the addresses and names one window of contacts needs.

        Returns:
            Clear value by token; tokens whose value was shredded are left out.
        """
        return self._opened(tokens) if tokens else {}

    def shred(self, tokens: Sequence[str]) -> int:
        """Delete values with their data keys; what is left of them can never be read again.

        Call it inside an erasure, which writes the audit log.

        Returns:
            Values deleted; 0 when they were unknown or shredded before.
        """
        with self._vault.transaction() as transaction:
            return transaction.run(_QUERIES["shred"], tokens=_listed(tokens))

    def seal(self, raw: bytes) -> str:
        """Encrypt something that is held back whole, such as a refused event.

        Returns:
            Text that `unseal` reads.
        """
        return _SEALED + base64.b64encode(seal(self._keys.seal, raw, place="raw")).decode()

    def unseal(self, text: str) -> bytes:
        """Decrypt what `seal` made.

        Returns:
            The clear bytes.

        Raises:
            InputError: The text was not sealed with this workspace's key.
        """
        if not text.startswith(_SEALED):
            raise InputError(f"{text[:8]!r}... is not sealed; give the text `seal` returned")
        try:
            sealed = base64.b64decode(text.removeprefix(_SEALED), validate=True)
        except ValueError as error:
            raise InputError("the sealed text is damaged; read it again from its table") from error
        return unseal(self._keys.seal, sealed, place="raw")

    @cached_property
    def _pattern(self) -> str:
        return self._declared.pattern

    def _read_value(self, kind: str, text: str) -> tuple[str, str, str]:
        """Token, kind and clear value as kept."""
        clear = normalise(kind, text)
        if clear is None:
            kind, clear = UNREADABLE, normalise(UNREADABLE, text) or text
        if kind in {"name", "address"}:
            return token_of(self._keys.token, kind, clear), kind, text.strip()
        return token_of(self._keys.token, kind, clear), kind, clear

    def _keep(self, clear_by_token: dict[str, tuple[str, str]]) -> None:
        if not clear_by_token:
            return
        with self._vault.reading() as reading:
            known = reading.all(_QUERIES["known"], tokens=_listed(clear_by_token))
        new = sorted(set(clear_by_token) - {row["token"] for row in known})
        if not new:
            return
        rows = [self._sealed(token, *clear_by_token[token]) for token in new]
        with self._vault.transaction() as transaction:
            transaction.many(_QUERIES["keep"], rows)

    def _sealed(self, token: str, kind: str, clear: str) -> dict[str, object]:
        data_key = os.urandom(32)
        return {
            "token": token,
            "kind": kind,
            "masked": mask(kind, clear),
            "tail": clear[-TAIL:] if kind == "phone" else "",
            "wrapped_key": seal(self._keys.wrap, data_key, place=token),
            "sealed": seal(data_key, clear.encode("utf-8", "surrogatepass"), place=token),
        }

    def _opened(self, tokens: Sequence[str]) -> dict[str, str]:
        with self._vault.reading() as reading:
            rows = reading.all(_QUERIES["sealed"], tokens=_listed(tokens))
        found = {}
        for row in rows:
            data_key = unseal(self._keys.wrap, row["wrapped_key"], place=row["token"])
            clear = unseal(data_key, row["sealed"], place=row["token"])
            found[row["token"]] = clear.decode("utf-8", "surrogatepass")
        return found


class _Found:
    """The values met in one table, by token."""

    def __init__(self, protector: Protector) -> None:
        self._read = protector._read
        self.clear_by_token: dict[str, tuple[str, str]] = {}

    def swap(self, kind: str, text: str) -> str:
        token, kind, clear = self._read(kind, text)
        self.clear_by_token[token] = kind, clear
        return token


def open_protector(folder: Path, vault: State) -> Protector:
    """Open the protector of a workspace; its key and its vault are made when there are none.

    Args:
        folder: The workspace folder.
        vault: Store at `vault.db` in it; opened for the first time here, so that the file is
            its owner's only.

    Returns:
        The protector.

    Raises:
        NotReady: The key is missing, or not the one the vault was made with.
    """
    path, secret = folder / VAULT_FILE, read_key(folder)
    where = folder / FOLDER / FILE
    if secret is None and path.exists() and path.stat().st_size:
        raise NotReady(
            f"{where} is missing, but {path} holds values encrypted with it; restore the key "
            "from your backup"
        )
    keys = derived(secret or make_key(folder))
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    with vault.reading() as reading:
        is_made = bool(reading.all(_QUERIES["is_made"]))
        kept = reading.all(_QUERIES["fingerprint"]) if is_made else []
    if not kept:
        with vault.transaction() as transaction:
            for name in ("make_values", "make_tails", "make_about"):
                transaction.run(_QUERIES[name])
            transaction.run(_QUERIES["keep_fingerprint"], value=keys.fingerprint)
            kept = transaction.all(_QUERIES["fingerprint"])
    if kept[0]["value"] != keys.fingerprint:
        raise NotReady(
            f"{where} is not the key {path} was made with; restore both from the same backup"
        )
    return Protector(keys, vault, folder)


def _listed(tokens: Iterable[str]) -> str:
    return json.dumps(sorted(set(tokens)))


def _replaced(column: pa.ChunkedArray, hits: pa.ChunkedArray, new: list[str]) -> pa.ChunkedArray:
    """Put new values where the hits are, in order."""
    parts, at = [], 0
    for chunk, hit in zip(column.chunks, hits.chunks, strict=True):
        count = pc.sum(hit).as_py() or 0
        values = pa.array(new[at : at + count], chunk.type)
        parts.append(pc.replace_with_mask(chunk, hit, values) if count else chunk)
        at += count
    return pa.chunked_array(parts, column.type)


def _swapped(kind: str, values: pa.Array, found: _Found) -> pa.Array:
    tokens = [
        found.swap(kind, text) if text and text.strip() and not is_token(text) else text
        for text in values.to_pylist()
    ]
    return pa.array(tokens, values.type)
