"""Notices published, listed, and the one shown now."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.govern.consent.declared import Declared, read_declared
from regulars.govern.consent.notices.notice import Notice
from regulars.govern.suppression.reasons import stamp
from regulars.ports.state import Queries, State, Transaction

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Published:
    """One notice as it was published.

    Attributes:
        version: Its name.
        effective_from: First moment it is shown.
        purposes: Purposes it tells of.
        asks_again: Purposes whose earlier grants it ends.
        text_zh: The text in Chinese.
        text_en: The same in English.
        text_hash: SHA-256 of both texts.
        actor: Who published it.
        published_at: When.
    """

    version: str
    effective_from: str
    purposes: tuple[str, ...]
    asks_again: tuple[str, ...]
    text_zh: str
    text_en: str
    text_hash: str
    actor: str
    published_at: str


def publish(
    state: State,
    notice: Notice,
    *,
    actor: str,
    now: datetime,
    declared: Declared | None = None,
) -> Published:
    """Publish a notice; the same one again changes nothing.

    From its moment on, grants of the purposes it asks again for hold only when they were given
    with it or with a later one.

    Args:
        state: The transactional store.
        notice: The notice.
        actor: Who publishes it, for the audit log.
        now: The moment, aware.
        declared: Purposes of the workspace; None for those of the package.

    Returns:
        The notice as published.

    Raises:
        InputError: Its version is taken by another text, or a purpose is asked again for that
            the notice does not tell of.
        UnknownName: It names a purpose there is none of.
    """
    known = declared or read_declared()
    for purpose in (*notice.purposes, *(notice.asks_again or ())):
        known.purpose(purpose)
    if more := sorted(set(notice.asks_again or ()) - set(notice.purposes)):
        raise InputError(f"asks_again names {more[0]}, which is not among its purposes; add it")
    with state.transaction() as opened:
        earlier = opened.all(_SQL["all"])
        taken = [row for row in earlier if row["version"] == notice.version]
        if taken and not _is_same(taken[0], notice):
            raise InputError(
                f"notice {notice.version} was published with another text; give a new version"
            )
        if not taken:
            _add(opened, notice, _asked(notice, earlier), actor=actor, now=now)
    return find_notice(state, notice.version)


def find_notice(state: State, version: str) -> Published:
    """Find a notice by its version.

    Returns:
        The notice.

    Raises:
        UnknownName: There is none.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["one"], version=version)
        if not rows:
            known = [str(row["version"]) for row in opened.all(_SQL["all"])]
            raise UnknownName("notice", version, known)
        return _published(opened, rows[0])


def notices(state: State) -> list[Published]:
    """Give every notice, the newest first."""
    with state.reading() as opened:
        return [_published(opened, row) for row in opened.all(_SQL["all"])]


def notice_now(state: State, purpose: str, *, now: datetime) -> Published | None:
    """Give the notice customers are shown now for a purpose.

    Returns:
        The newest one in effect that tells of the purpose; None when none was published.
    """
    moment = stamp(now)
    found = (
        one for one in notices(state) if one.effective_from <= moment and purpose in one.purposes
    )
    return next(found, None)


def _asked(notice: Notice, earlier: list[dict[str, Any]]) -> tuple[str, ...]:
    if notice.asks_again is not None:
        return notice.asks_again
    told = {purpose for row in earlier for purpose in json.loads(row["purposes"])}
    return tuple(purpose for purpose in notice.purposes if purpose in told)


def _add(
    opened: Transaction, notice: Notice, asked: tuple[str, ...], *, actor: str, now: datetime
) -> None:
    opened.run(
        _SQL["add"],
        version=notice.version,
        effective_from=notice.stamp,
        purposes=json.dumps(notice.purposes),
        text_zh=notice.zh,
        text_en=notice.en,
        text_hash=notice.text_hash,
        actor=actor,
        published_at=stamp(now),
    )
    opened.many(
        _SQL["add_floor"],
        [
            {"purpose": one, "effective_from": notice.stamp, "version": notice.version}
            for one in asked
        ],
    )
    record(
        opened,
        actor=actor,
        action="notice.publish",
        subject=notice.version,
        detail={"asks_again": list(asked), "hash": notice.text_hash, "from": notice.stamp},
        at=now,
    )


def _is_same(row: dict[str, Any], notice: Notice) -> bool:
    given = (notice.text_hash, notice.stamp, list(notice.purposes))
    return (row["text_hash"], row["effective_from"], json.loads(row["purposes"])) == given


def _published(opened: Transaction, row: dict[str, Any]) -> Published:
    floors = opened.all(_SQL["floors"], version=row["version"])
    asked = tuple(str(one["purpose"]) for one in floors)
    return Published(**row | {"purposes": tuple(json.loads(row["purposes"])), "asks_again": asked})
