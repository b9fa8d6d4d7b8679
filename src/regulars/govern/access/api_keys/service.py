"""API keys in the state: give out, find, list, revoke; only their hashes are kept."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from regulars.errors import InputError, UnknownName
from regulars.govern.access.roles import Role, role_named
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State

PREFIX = "rk_"
HINT_LENGTH = len(PREFIX) + 4

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class ApiKey:
    """One key, without the key itself.

    Attributes:
        name: Which system holds it.
        role: What it may do.
        hint: Its first characters, to tell keys apart.
        created_at: When it was given out.
        created_by: Who gave it out, or the user it was given out for.
        revoked_at: When it stopped working; None while it works.
    """

    name: str
    role: Role
    hint: str
    created_at: str
    created_by: str
    revoked_at: str | None = None

    @property
    def actor(self) -> str:
        """The name the audit log keeps; no user can have it."""
        return f"api-key:{self.name}"


def add_key(
    state: State, *, name: str, role: str, actor: str, now: datetime, owner: str = ""
) -> tuple[ApiKey, str]:
    """Give out a key.

    Args:
        state: The workspace's state.
        name: Which system will hold it: 1 to 64 letters, digits and ._-.
        role: A role's name.
        actor: Who gives it out, for the audit log.
        now: The moment, aware.
        owner: User who answers for what it does, whose word its acts count as; the actor when
            left out.

    Returns:
        The key's record, and the key: 256 random bits that are shown this once.

    Raises:
        InputError: The name is taken or cannot be one.
        UnknownName: There is no such role or user.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"key name is {name!r}, must be 1 to 64 letters, digits or ._-, "
            "starting with a letter or digit"
        )
    key = f"{PREFIX}{secrets.token_urlsafe(32)}"
    made = ApiKey(name, role_named(role), key[:HINT_LENGTH], _text(now), owner or actor)
    with state.transaction() as transaction:
        users = [row["name"] for row in transaction.all(_QUERIES["users"])]
        if owner and owner not in users:
            raise UnknownName("user", owner, users)
        if transaction.all(_QUERIES["key"], name=name):
            raise InputError(
                f"an API key named {name!r} was given out before; choose another name, "
                "so that the audit log stays clear"
            )
        transaction.run(
            _QUERIES["add"],
            name=name,
            key_hash=_hash(key),
            role=made.role.value,
            hint=made.hint,
            created_at=made.created_at,
            created_by=made.created_by,
        )
        record(
            transaction,
            actor=actor,
            action="api_key.add",
            subject=name,
            detail={"role": made.role.value} | ({"owner": owner} if owner else {}),
            at=now,
        )
    return made, key


def list_keys(state: State) -> list[ApiKey]:
    """Give every key ever given out.

    Returns:
        Keys by name, revoked ones too; empty in a new workspace.
    """
    with state.reading() as transaction:
        return [_key(row) for row in transaction.all(_QUERIES["keys"])]


def find_key(state: State, sent: str) -> ApiKey | None:
    """Find whose key was sent.

    Args:
        state: The workspace's state.
        sent: What came in the request.

    Returns:
        None when it is no key of ours, or was revoked.
    """
    if not sent.startswith(PREFIX):
        return None
    with state.reading() as transaction:
        rows = transaction.all(_QUERIES["find"], key_hash=_hash(sent))
    return _key(rows[0]) if rows else None


def revoke_key(state: State, *, name: str, actor: str, now: datetime) -> None:
    """Stop a key from working, from the next request on; revoking it again changes nothing.

    Raises:
        UnknownName: No key of that name was given out.
    """
    with state.transaction() as transaction:
        if not transaction.all(_QUERIES["key"], name=name):
            known = [row["name"] for row in transaction.all(_QUERIES["keys"])]
            raise UnknownName("API key", name, known)
        if transaction.run(_QUERIES["revoke"], name=name, revoked_at=_text(now)):
            record(
                transaction, actor=actor, action="api_key.revoke", subject=name, detail={}, at=now
            )


def _key(row: dict[str, str]) -> ApiKey:
    return ApiKey(**{**row, "role": role_named(row["role"])})  # type: ignore[arg-type]


def _hash(key: str) -> str:
    # A plain hash will do: 256 random bits cannot be guessed, unlike a password.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
