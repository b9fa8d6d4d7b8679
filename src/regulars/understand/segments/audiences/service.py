"""Audiences in the state: kept version by version, found by name, deleted, taken back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.understand.segments.audiences.definition import Audience, checked, expanded
from regulars.understand.segments.audiences.rules import AudienceRule, Included
from regulars.unify.tags.rules import asked

_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class AudienceVersion:
    """One line of an audience's history of versions.

    Attributes:
        audience: The audience as it was.
        at: When it was kept, ISO 8601.
        actor: Who kept it.
        is_deleted: True for the line that deleted it.
    """

    audience: Audience
    at: str
    actor: str
    is_deleted: bool


def keep_audience(state: State, audience: Audience, *, actor: str, now: datetime) -> Audience:
    """Keep an audience: a new one, or the next version of one there is.

    Args:
        state: The workspace's state.
        audience: The audience; its version is given here.
        actor: Who keeps it, for the audit log; the owner when it names none.
        now: The moment, aware.

    Returns:
        The audience with its version. The same rule, words and owner as the version before make
        no new one.

    Raises:
        InputError: Its rule cannot be used, or it names itself by way of others.
        UnknownName: Its rule names an audience there is none of.
    """
    audience = checked(replace(audience, owner=audience.owner or actor))
    with state.transaction() as opened:
        known = {one.name: one for one in _all(opened)}
        rules = {name: one.rule for name, one in known.items()} | {audience.name: audience.rule}
        expanded(audience.rule, rules, within=(audience.name,))
        before = known.get(audience.name)
        if before and replace(audience, version=before.version) == before:
            return before
        rows = opened.all(_QUERIES["versions"], name=audience.name)
        made = replace(audience, version=len(rows) + 1)
        _keep(opened, made, actor=actor, now=now, is_deleted=False)
    return made


def take_back(state: State, name: str, version: int, *, actor: str, now: datetime) -> Audience:
    """Make an earlier version of an audience the newest again, as a version of its own.

    Returns:
        The audience, with a new version number.

    Raises:
        InputError: It never had such a version.
    """
    versions = {one.audience.version: one for one in audience_versions(state, name)}
    wanted = versions.get(version)
    if wanted is None or wanted.is_deleted:
        known = ", ".join(str(n) for n, one in versions.items() if not one.is_deleted)
        raise InputError(f"audience {name} has no version {version}; it has: {known or 'none'}")
    return keep_audience(state, wanted.audience, actor=actor, now=now)


def delete_audience(state: State, name: str, *, actor: str, now: datetime) -> None:
    """Delete an audience; its versions and its history stay readable.

    Raises:
        UnknownName: There is no such audience.
        InputError: Another audience names it.
    """
    with state.transaction() as opened:
        known = {one.name: one for one in _all(opened)}
        audience = _found(known, name)
        for other in known.values():
            if ("audience", name) in _named_by(other.rule):
                raise InputError(
                    f"audience {name} is named by the rule of {other.name}; change that one first"
                )
        last = replace(audience, version=len(opened.all(_QUERIES["versions"], name=name)) + 1)
        _keep(opened, last, actor=actor, now=now, is_deleted=True)


def list_audiences(state: State) -> list[Audience]:
    """Give every audience there is now, by name."""
    with state.reading() as opened:
        return _all(opened)


def find_audience(state: State, name: str) -> Audience:
    """Give one audience.

    Returns:
        Its newest version.

    Raises:
        UnknownName: There is no such audience.
    """
    return _found({one.name: one for one in list_audiences(state)}, name)


def audience_versions(state: State, name: str) -> list[AudienceVersion]:
    """Give every version an audience has had, the oldest first; empty when it never was."""
    with state.reading() as opened:
        rows = opened.all(_QUERIES["versions"], name=name)
    return [
        AudienceVersion(_audience(row), row["at"], row["actor"], bool(row["deleted"]))
        for row in rows
    ]


def whole_rule(state: State, rule: AudienceRule) -> AudienceRule:
    """Put the rules of the audiences a rule names in their place.

    Returns:
        A rule that names none.

    Raises:
        UnknownName: It names an audience there is none of.
        InputError: An audience names itself.
    """
    return expanded(rule, {one.name: one.rule for one in list_audiences(state)})


def _keep(
    opened: Transaction, audience: Audience, *, actor: str, now: datetime, is_deleted: bool
) -> None:
    opened.run(
        _QUERIES["keep"],
        name=audience.name,
        version=audience.version,
        rule=json.dumps(audience.given, ensure_ascii=False, sort_keys=True),
        description=audience.description,
        owner=audience.owner,
        at=now.astimezone(UTC).isoformat(timespec="seconds"),
        actor=actor,
        deleted=int(is_deleted),
    )
    record(
        opened,
        actor=actor,
        action="audience.delete" if is_deleted else "audience.keep",
        subject=audience.name,
        detail={"version": audience.version},
        at=now,
    )


def _all(opened: Transaction) -> list[Audience]:
    return [_audience(row) for row in opened.all(_QUERIES["audiences"])]


def _named_by(rule: AudienceRule) -> set[tuple[str, str]]:
    return {(one.kind, one.name) for one in asked(rule) if isinstance(one, Included)}


def _found(known: Mapping[str, Audience], name: str) -> Audience:
    if name not in known:
        raise UnknownName("audience", name, known)
    return known[name]


def _audience(row: Mapping[str, Any]) -> Audience:
    return Audience(
        row["name"], json.loads(row["rule"]), row["description"], row["owner"], row["version"]
    )
