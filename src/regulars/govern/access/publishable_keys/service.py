"""Publishable keys in the state: give out, find, list, revoke; everybody may read one."""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State

PREFIX = "pk_"

_KEY = re.compile(r"pk_[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# What a browser sends as Origin: scheme, host, and a port other than the usual one.
_ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9]\d{0,4})?")
_USUAL_PORT = {"http": ":80", "https": ":443"}
_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class PublishableKey:
    """One key. It stands in pages for everybody to read, so it is kept as it is.

    Attributes:
        name: Which site holds it.
        key: The key.
        origins: Origins whose pages may use it; never empty.
        created_at: When it was given out.
        created_by: Who gave it out.
        revoked_at: When it stopped working; None while it works.
    """

    name: str
    key: str
    origins: frozenset[str]
    created_at: str
    created_by: str
    revoked_at: str | None = None


def add_publishable_key(
    state: State, *, name: str, origins: Collection[str], actor: str, now: datetime
) -> PublishableKey:
    """Give out a key that pages may hold.

    Args:
        state: The workspace's state.
        name: Which site will hold it: 1 to 64 letters, digits and ._-.
        origins: Origins whose pages may use it, such as "https://shop.example"; at least one.
        actor: Who gives it out, for the audit log.
        now: The moment, aware.

    Returns:
        The key.

    Raises:
        InputError: The name is taken or cannot be one, or an origin is none.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"key name is {name!r}, must be 1 to 64 letters, digits or ._-, "
            "starting with a letter or digit"
        )
    allowed = frozenset(origin_of(one) for one in origins)
    if not allowed:
        raise InputError(
            "a publishable key is for the pages of named origins and none is given; "
            "give one such as https://shop.example"
        )
    made = PublishableKey(name, f"{PREFIX}{secrets.token_hex(16)}", allowed, _text(now), actor)
    joined = " ".join(sorted(allowed))
    with state.transaction() as transaction:
        if transaction.all(_QUERIES["key"], name=name):
            raise InputError(
                f"a publishable key named {name!r} was given out before; choose another name, "
                "so that the audit log stays clear"
            )
        transaction.run(
            _QUERIES["add"],
            name=name,
            key=made.key,
            origins=joined,
            created_at=made.created_at,
            created_by=actor,
        )
        record(
            transaction,
            actor=actor,
            action="publishable_key.add",
            subject=name,
            detail={"origins": joined},
            at=now,
        )
    return made


def list_publishable_keys(state: State) -> list[PublishableKey]:
    """Give every key ever given out.

    Returns:
        Keys by name, revoked ones too; empty in a new workspace.
    """
    with state.reading() as transaction:
        return [_key(row) for row in transaction.all(_QUERIES["keys"])]


def find_publishable_key(state: State, sent: str) -> PublishableKey | None:
    """Find whose key was sent.

    Args:
        state: The workspace's state.
        sent: What came in the request.

    Returns:
        None when it is no key of ours, or was revoked.
    """
    if not _KEY.fullmatch(sent):
        return None
    with state.reading() as transaction:
        rows = transaction.all(_QUERIES["find"], key=sent)
    return _key(rows[0]) if rows else None


def revoke_publishable_key(state: State, *, name: str, actor: str, now: datetime) -> None:
    """Stop a key from working, from the next request on; revoking it again changes nothing.

    Raises:
        UnknownName: No key of that name was given out.
    """
    with state.transaction() as transaction:
        if not transaction.all(_QUERIES["key"], name=name):
            known = [row["name"] for row in transaction.all(_QUERIES["keys"])]
            raise UnknownName("publishable key", name, known)
        if transaction.run(_QUERIES["revoke"], name=name, revoked_at=_text(now)):
            record(
                transaction,
                actor=actor,
                action="publishable_key.revoke",
                subject=name,
                detail={},
                at=now,
            )


def origin_of(text: str) -> str:
    """Write an origin as browsers send it.

    Args:
        text: Scheme and host, with a port where it is not the usual one.

    Returns:
        The origin in lower case, without a slash at its end and without the usual port.

    Raises:
        InputError: It has a path, a star, or is no web address.

    Source:
        RFC 6454, section 6.2.

    Example:
        >>> origin_of("https://Shop.example:443/"), origin_of("http://localhost:8080")
        ('https://shop.example', 'http://localhost:8080')
    """
    plain = text.strip().lower().removesuffix("/")
    if not _ORIGIN.fullmatch(plain):
        raise InputError(
            f"origin is {text!r}, must be scheme and host such as https://shop.example, "
            "without a path or a star"
        )
    return plain.removesuffix(_USUAL_PORT[plain.partition(":")[0]])


def _key(row: dict[str, Any]) -> PublishableKey:
    return PublishableKey(**{**row, "origins": frozenset(row["origins"].split())})


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
