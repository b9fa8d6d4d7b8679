"""Contents in the state: kept once, never changed; another text is another version."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.content.compiled import compiled
from regulars.reach.content.definition import Content, Slot, Variant, checked

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Kept:
    """One version of a content, with when and by whom it was kept.

    Attributes:
        content: The content.
        hash: Hash of all it says: the same texts, the same hash.
        at: When, ISO 8601.
        actor: Who.
    """

    content: Content
    hash: str
    at: str
    actor: str


def put_content(state: State, content: Content, *, actor: str, at: datetime) -> str:
    """Keep a content; the same text again is no new version.

    Args:
        state: The workspace's state.
        content: The content; its version is given here.
        actor: Who keeps it, for the audit log.
        at: The moment, aware.

    Returns:
        Its name: id@version.

    Raises:
        InputError: A part of it cannot be used; the message says which and what is wanted.
    """
    content = checked(content)
    for locale in content.variants:
        compiled(content, locale)
    body = _body(content)
    digest = hashlib.blake2b(body.encode(), digest_size=16).hexdigest()
    with state.transaction() as opened:
        rows = opened.all(_SQL["newest"], content_id=content.id)
        if rows and rows[0]["hash"] == digest:
            return f"{content.id}@{rows[0]['version']}"
        made = replace(content, version=rows[0]["version"] + 1 if rows else 1)
        opened.run(
            _SQL["keep"],
            content_id=made.id,
            version=made.version,
            channel=made.channel,
            message_class=made.message_class,
            body=body,
            hash=digest,
            at=at.astimezone(UTC).isoformat(timespec="microseconds"),
            actor=actor,
        )
        record(
            opened,
            actor=actor,
            action="content.keep",
            subject=made.name,
            detail={"hash": digest, "locales": sorted(made.variants)},
            at=at,
        )
    return made.name


def get_content(state: State, name: str) -> Content:
    """Give one version of a content.

    Args:
        state: The workspace's state.
        name: id@version, or the id alone for the newest.

    Returns:
        The content.

    Raises:
        UnknownName: There is no such content or version.
    """
    return kept(state, name).content


def kept(state: State, name: str) -> Kept:
    """Give one version of a content with when and by whom it was kept."""
    content_id, _sign, version = name.partition("@")
    with state.reading() as opened:
        if version and not version.isdigit():
            raise InputError(f"{name!r} names no version; write it like {content_id}@1")
        rows = (
            opened.all(_SQL["one"], content_id=content_id, version=int(version))
            if version
            else opened.all(_SQL["newest"], content_id=content_id)
        )
        if not rows:
            raise UnknownName("content", name, _names(opened))
    return _kept(rows[0])


def list_contents(state: State) -> list[Kept]:
    """Give the newest version of every content, by id."""
    with state.reading() as opened:
        return [_kept(row) for row in opened.all(_SQL["list"])]


def content_versions(state: State, content_id: str) -> list[Kept]:
    """Give every version a content has had.

    Returns:
        The versions, the oldest first.

    Raises:
        UnknownName: There is no such content.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["versions"], content_id=content_id)
        if not rows:
            raise UnknownName("content", content_id, _names(opened))
    return [_kept(row) for row in rows]


def body_of(content: Content) -> dict[str, Any]:
    """Give everything a content says, as JSON can hold it; without its version."""
    found = asdict(content)
    del found["version"]
    return found


def content_of(body: Mapping[str, Any], *, version: int = 0) -> Content:
    """Read what `body_of` gave."""
    given = dict(body)
    given["variants"] = {locale: Variant(**one) for locale, one in given["variants"].items()}
    given["products"] = tuple(
        Slot(**{**one, "ids": tuple(one["ids"])}) for one in given["products"]
    )
    given["uses"] = tuple(given["uses"])
    return Content(**given, version=version)


def _body(content: Content) -> str:
    return json.dumps(body_of(content), ensure_ascii=False, sort_keys=True)


def _names(opened: Transaction) -> list[str]:
    return [f"{row['content_id']}@{row['version']}" for row in opened.all(_SQL["list"])]


def _kept(row: Mapping[str, Any]) -> Kept:
    content = content_of(json.loads(row["body"]), version=row["version"])
    return Kept(content, row["hash"], row["at"], row["actor"])
