"""Users and their sessions in the state: add, disable, sign in, sign out."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from regulars.errors import InputError, UnknownName
from regulars.govern.access.passwords import ScryptCost, hash_password, is_password
from regulars.govern.access.roles import Role, role_named
from regulars.govern.access.throttle import FORGET_SECONDS, wait_seconds
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction

SESSION_HOURS = 12
LOCALES = ("en", "zh-CN")
FREE_FAILURES = {"pair": 5, "name": 50, "address": 100}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class User:
    """Somebody who may sign in.

    Attributes:
        name: What they sign in with.
        role: What they may do.
        locale: Language they see: "en" or "zh-CN".
        is_disabled: True when they may not sign in any more.
    """

    name: str
    role: Role
    locale: str
    is_disabled: bool = False


@dataclass(frozen=True)
class Session:
    """Somebody signed in.

    Attributes:
        user: Who.
        csrf_token: What every form of theirs must send back.
        expires_at: When they must sign in again, aware UTC.
    """

    user: User
    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True)
class SignIn:
    """The outcome of an attempt to sign in.

    Attributes:
        token: The session token to hand out, 256 random bits; None when refused. Only its
            hash is kept.
        user: Who signed in; None when refused.
        wait_seconds: How long to wait before the next attempt counts; 0 when not throttled.
    """

    token: str | None = None
    user: User | None = None
    wait_seconds: int = 0


def add_user(
    state: State,
    *,
    name: str,
    role: str,
    password: str,
    actor: str,
    now: datetime,
    locale: str = "en",
    cost: ScryptCost | None = None,
) -> User:
    """Let somebody new sign in.

    Args:
        state: The workspace's state.
        name: 1 to 64 letters, digits and ._@-; starts with a letter or digit.
        role: A role's name.
        password: 10 characters or more.
        actor: Who adds them, for the audit log.
        now: The moment, aware.
        locale: Language they see.
        cost: Work of the password hash.

    Returns:
        The user.

    Raises:
        InputError: The name is taken or cannot be one, or the password is too short.
        UnknownName: There is no such role or language.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"user name is {name!r}, must be 1 to 64 letters, digits or ._@-, "
            "starting with a letter or digit"
        )
    if locale not in LOCALES:
        raise UnknownName("language", locale, LOCALES)
    user = User(name, role_named(role), locale)
    kept = hash_password(password, cost=cost)
    with state.transaction() as transaction:
        if transaction.all(_QUERIES["user"], name=name):
            raise InputError(
                f"user {name!r} exists already; choose another name, or set a new password with: "
                f"regulars govern user password {name}"
            )
        transaction.run(
            _QUERIES["add_user"],
            name=name,
            role=user.role.value,
            password_hash=kept,
            locale=locale,
        )
        _note(transaction, actor, "user.add", name, now, role=user.role.value)
    return user


def list_users(state: State) -> list[User]:
    """Tell who may sign in, and who might again.

    Returns:
        Every user, by name; empty in a new workspace.
    """
    with state.reading() as transaction:
        rows = transaction.all(_QUERIES["users"])
    return [_user(row) for row in rows]


def set_password(
    state: State,
    *,
    name: str,
    password: str,
    actor: str,
    now: datetime,
    cost: ScryptCost | None = None,
) -> None:
    """Give a user a new password; every session of theirs ends, a disabled user is back."""
    kept = hash_password(password, cost=cost)
    with state.transaction() as transaction:
        _require_user(transaction, name)
        transaction.run(_QUERIES["set_password"], name=name, password_hash=kept)
        transaction.run(_QUERIES["end_sessions_of"], name=name)
        _note(transaction, actor, "user.password", name, now)


def disable_user(state: State, *, name: str, actor: str, now: datetime) -> None:
    """Bar a user; every session of theirs ends at once."""
    with state.transaction() as transaction:
        _require_user(transaction, name)
        transaction.run(_QUERIES["disable_user"], name=name)
        transaction.run(_QUERIES["end_sessions_of"], name=name)
        _note(transaction, actor, "user.disable", name, now)


def sign_in(state: State, *, name: str, password: str, address: str, now: datetime) -> SignIn:
    """Check a name and a password, and open a session.

    The attempt is counted as failed before the password is looked at, so that guesses sent
    at once cannot slip past the count; a success takes it back. An unknown name costs the
    same time as a known one.

    Args:
        state: The workspace's state.
        name: What was typed as name.
        password: What was typed as password.
        address: Where the attempt comes from.
        now: The moment, aware.

    Returns:
        The outcome; a session only when name and password are right and the user is not
        disabled.
    """
    subjects = _subjects(name, address)
    with state.transaction() as transaction:
        wait = _wait(transaction, subjects, now)
        if wait:
            return SignIn(wait_seconds=wait)
        for subject in subjects.values():
            transaction.run(_QUERIES["count_failure"], subject=subject, now=_text(now))
        rows = transaction.all(_QUERIES["user"], name=name)
    is_right = is_password(password, rows[0]["password_hash"] if rows else _nobody())
    if not rows or not is_right or rows[0]["disabled"]:
        with state.transaction() as transaction:
            known = rows[0]["name"] if rows else "unknown"
            _note(transaction, known, "session.refuse", known, now, address=address)
        return SignIn()
    token, expires = secrets.token_urlsafe(32), now + timedelta(hours=SESSION_HOURS)
    with state.transaction() as transaction:
        transaction.run(_QUERIES["clear_failures"], pair=subjects["pair"], name=subjects["name"])
        transaction.run(_QUERIES["uncount_failure"], subject=subjects["address"])
        transaction.run(_QUERIES["forget_expired"], now=_text(now))
        transaction.run(
            _QUERIES["add_session"],
            token_hash=_hash(token),
            user_name=name,
            csrf_token=secrets.token_urlsafe(32),
            user_version=rows[0]["version"],
            expires_at=_text(expires),
        )
        _note(transaction, name, "session.open", name, now, address=address)
    return SignIn(token, _user(rows[0]))


def find_session(state: State, token: str, *, now: datetime) -> Session | None:
    """Find who a session token belongs to.

    Returns:
        None when the session is unknown or over, or its user was disabled or has a new
        password since.
    """
    with state.reading() as transaction:
        rows = transaction.all(_QUERIES["session"], token_hash=_hash(token), now=_text(now))
    if not rows:
        return None
    return Session(
        _user(rows[0] | {"disabled": 0}),
        rows[0]["csrf_token"],
        datetime.fromisoformat(rows[0]["expires_at"]),
    )


def sign_out(state: State, token: str, *, actor: str, now: datetime) -> None:
    """End one session."""
    with state.transaction() as transaction:
        if transaction.run(_QUERIES["end_session"], token_hash=_hash(token)):
            _note(transaction, actor, "session.close", actor, now)


def _note(
    transaction: Transaction, actor: str, action: str, subject: str, now: datetime, **detail: str
) -> None:
    record(transaction, actor=actor, action=action, subject=subject, detail=detail, at=now)


def _require_user(transaction: Transaction, name: str) -> None:
    if not transaction.all(_QUERIES["user"], name=name):
        known = [row["name"] for row in transaction.all(_QUERIES["users"])]
        raise UnknownName("user", name, known)


def _subjects(name: str, address: str) -> dict[str, str]:
    # Hashed: people type passwords where names go, and neither belongs in a table.
    kinds = {"pair": f"{name}\n{address}", "name": name, "address": address}
    return {kind: f"{kind}:{_hash(text)}" for kind, text in kinds.items()}


def _wait(transaction: Transaction, subjects: dict[str, str], now: datetime) -> int:
    cutoff = now - timedelta(seconds=FORGET_SECONDS)
    transaction.run(_QUERIES["forget_failures"], cutoff=_text(cutoff))
    longest = 0
    for row in transaction.all(_QUERIES["failures"], **subjects):
        free = FREE_FAILURES[row["subject"].partition(":")[0]]
        since = (now - datetime.fromisoformat(row["last_at"])).total_seconds()
        longest = max(longest, round(wait_seconds(row["failures"], free=free) - since + 0.5))
    return longest


@cache
def _nobody() -> str:
    return hash_password(secrets.token_urlsafe(16))


def _user(row: dict[str, object]) -> User:
    return User(
        str(row["name"]), role_named(str(row["role"])), str(row["locale"]), bool(row["disabled"])
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
