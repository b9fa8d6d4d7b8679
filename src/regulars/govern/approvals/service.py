"""Approvals in the state: ask, comment, ask for changes, approve, withdraw; what waits for whom."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.access import Role
from regulars.govern.access.roles import role_named
from regulars.govern.approvals.two_persons import LEAST_ROLE, Person, checked_approver
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction

MOST_NOTE = 2000
_KEY = "api-key:"
_SQL = Queries(__package__)


class Status(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    CHANGES_ASKED = "changes_asked"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Subject:
    """What is approved: one version of one thing, by what it says.

    Attributes:
        kind: What it is: campaign...
        id: Its id.
        version: Its version.
        content_hash: Hash of everything that was shown to the approver.
    """

    kind: str
    id: str
    version: int
    content_hash: str


@dataclass(frozen=True)
class Act:
    """Something somebody did about a request.

    Attributes:
        act: request, comment, ask_changes, approve, withdraw or supersede.
        actor: Who or what acted: a user's name, "api-key:NAME", "command line".
        person: Who stands behind it.
        at: When, ISO 8601.
        note: What they said.
    """

    act: str
    actor: str
    person: str
    at: str
    note: str


@dataclass(frozen=True)
class Request:
    """One request for an approval.

    Attributes:
        request_id: Its number.
        subject: What is to be approved.
        status: Where it stands.
        hands: Everybody who had a hand in the subject; none of them may approve.
        evidence: What the approver is shown: diff, findings, audience, cost, risks.
        requested_by: Who asked.
        requested_at: When, ISO 8601.
        decided_by: Who decided; None while it waits.
        decided_at: When; None while it waits.
        acts: What was done about it, the oldest first.
    """

    request_id: int
    subject: Subject
    status: Status
    hands: tuple[str, ...]
    evidence: Mapping[str, Any]
    requested_by: str
    requested_at: str
    decided_by: str | None
    decided_at: str | None
    acts: tuple[Act, ...] = ()


def person_of(opened: Transaction, actor: str) -> Person:
    """Tell who stands behind an actor.

    Args:
        opened: An open transaction.
        actor: As the audit log keeps it.

    Returns:
        The user; for an API key the one who made it or owns it, with the narrower role of
        the two. Role None for whoever is no user that may sign in.
    """
    least: Role | None = Role.ADMIN
    for _ in range(10):
        if not actor.startswith(_KEY):
            break
        found = opened.all(_SQL["key"], name=actor.removeprefix(_KEY))
        if not found or found[0]["revoked_at"]:
            return Person(actor, None)
        [key] = found
        least = _narrower(least, role_named(key["role"]))
        actor = key["created_by"]
    for user in opened.all(_SQL["user"], name=actor):
        if not user["disabled"]:
            return Person(actor, _narrower(least, role_named(user["role"])))
    return Person(actor, None)


def request(
    opened: Transaction,
    subject: Subject,
    *,
    hands: Collection[str],
    evidence: Mapping[str, Any],
    actor: str,
    at: datetime,
    note: str = "",
) -> int:
    """Ask for an approval; an older request about the same thing ends.

    Args:
        opened: An open write transaction.
        subject: What is to be approved.
        hands: Actors who wrote or edited it.
        evidence: What the approver is to see, as JSON values.
        actor: Who asks.
        at: The moment, aware.
        note: What they say.

    Returns:
        The number of the request.
    """
    person = person_of(opened, actor).name
    for row in opened.all(_SQL["requests_of"], kind=subject.kind, subject=subject.id):
        if row["status"] == Status.WAITING:
            _act(opened, row["request_id"], "supersede", actor=actor, at=at, note="")
    opened.run(
        _SQL["supersede"], kind=subject.kind, subject=subject.id, person=person, at=_stamp(at)
    )
    number = int(opened.all(_SQL["next_request"])[0]["number"])
    makers = {person_of(opened, one).name for one in hands}
    opened.run(
        _SQL["add_request"],
        request_id=number,
        kind=subject.kind,
        subject=subject.id,
        version=subject.version,
        content_hash=subject.content_hash,
        hands=json.dumps(sorted(makers), ensure_ascii=False),
        evidence=json.dumps(evidence, ensure_ascii=False, sort_keys=True, default=str),
        requested_by=person,
        requested_at=_stamp(at),
    )
    _act(opened, number, "request", actor=actor, at=at, note=note)
    return number


def comment(opened: Transaction, number: int, note: str, *, actor: str, at: datetime) -> None:
    """Say something about a request, decided or not.

    Raises:
        UnknownName: There is no such request.
        InputError: Nothing was said.
    """
    _known(opened, number)
    _act(opened, number, "comment", actor=actor, at=at, note=_said(note))


def ask_changes(opened: Transaction, number: int, note: str, *, actor: str, at: datetime) -> None:
    """Send a request back with what is to be changed.

    Raises:
        InputError: Nothing was said.
        NotAllowed: The request was decided, or the person may not decide about it.
    """
    found = _known(opened, number)
    person = person_of(opened, actor)
    checked_approver(person, hands=found.hands, requester=found.requested_by)
    note = _said(note)
    _decide(opened, found, Status.CHANGES_ASKED, person)
    _close(opened, found, Status.CHANGES_ASKED, person.name, at)
    _act(opened, number, "ask_changes", actor=actor, at=at, note=note)


def approve(
    opened: Transaction,
    number: int,
    *,
    current: Subject,
    actor: str,
    at: datetime,
    note: str = "",
) -> None:
    """Approve what was asked for, if it is still what was asked for.

    Args:
        opened: An open write transaction.
        number: The request.
        current: The subject as it stands now.
        actor: Who approves.
        at: The moment, aware.
        note: What they say.

    Raises:
        NotAllowed: The request was decided, the subject has changed since, or the two-person
            rule refuses the person.
        UnknownName: There is no such request.
    """
    found = _known(opened, number)
    person = person_of(opened, actor)
    checked_approver(person, hands=found.hands, requester=found.requested_by)
    _decide(opened, found, Status.APPROVED, person)
    if current != found.subject:
        raise NotAllowed(
            "approval",
            f"{found.subject.kind} {found.subject.id} has changed since request {number} was "
            "made; ask for approval again, so that what was read is what goes out",
        )
    _close(opened, found, Status.APPROVED, person.name, at)
    _act(opened, number, "approve", actor=actor, at=at, note=note)


def withdraw(opened: Transaction, number: int, *, actor: str, at: datetime, note: str = "") -> None:
    """Take a request back; those who made or asked for it may, and whoever may approve.

    Raises:
        NotAllowed: The request was decided, or the person has nothing to do with it.
    """
    found = _known(opened, number)
    person = person_of(opened, actor)
    is_theirs = person.name in {*found.hands, found.requested_by}
    if not is_theirs and (person.role is None or _narrower(person.role, LEAST_ROLE) != LEAST_ROLE):
        raise NotAllowed(
            "approval", f"{person.name} did not ask for request {number}; its requester may"
        )
    _decide(opened, found, Status.WITHDRAWN, person)
    _close(opened, found, Status.WITHDRAWN, person.name, at)
    _act(opened, number, "withdraw", actor=actor, at=at, note=note)


def approved(opened: Transaction, subject: Subject) -> int | None:
    """Tell whether exactly this was approved.

    Returns:
        The number of the request that was; None when none was for this very content.
    """
    rows = opened.all(
        _SQL["approved"],
        kind=subject.kind,
        subject=subject.id,
        version=subject.version,
        content_hash=subject.content_hash,
    )
    return int(rows[0]["request_id"]) if rows else None


def find_request(opened: Transaction, number: int) -> Request:
    """Give one request with everything done about it.

    Returns:
        The request, its acts the oldest first.

    Raises:
        UnknownName: There is no such request.
    """
    found = _known(opened, number)
    acts = tuple(
        Act(row["act"], row["actor"], row["person"], row["at"], row["note"])
        for row in opened.all(_SQL["acts"], request_id=number)
    )
    return replace(found, acts=acts)


def requests_of(opened: Transaction, kind: str, subject: str) -> list[Request]:
    """Give every request about one thing, the newest first."""
    return [_request(row) for row in opened.all(_SQL["requests_of"], kind=kind, subject=subject)]


def inbox(state: State, actor: str) -> list[Request]:
    """Give the requests that wait for somebody.

    Args:
        state: The transactional store.
        actor: Who looks.

    Returns:
        Requests they may approve, the oldest first; those they made or asked for are not
        among them. Empty for a role that approves nothing.
    """
    with state.reading() as opened:
        person = person_of(opened, actor)
        waiting = [find_request(opened, row["request_id"]) for row in opened.all(_SQL["waiting"])]
    return [one for one in waiting if _may_approve(person, one)]


def newest_requests(state: State, *, size: int = 50) -> list[Request]:
    """Give requests in any state, the newest first."""
    with state.reading() as opened:
        return [
            find_request(opened, row["request_id"]) for row in opened.all(_SQL["newest"], size=size)
        ]


def _may_approve(person: Person, found: Request) -> bool:
    try:
        checked_approver(person, hands=found.hands, requester=found.requested_by)
    except NotAllowed:
        return False
    return True


def _decide(opened: Transaction, found: Request, status: Status, person: Person) -> None:
    if found.status is not Status.WAITING:
        raise NotAllowed(
            "approval",
            f"request {found.request_id} is {found.status}, {person.name} cannot make it {status}; "
            "ask for approval again",
        )


def _close(opened: Transaction, found: Request, status: Status, person: str, at: datetime) -> None:
    done = opened.run(
        _SQL["decide"],
        request_id=found.request_id,
        status=status.value,
        person=person,
        at=_stamp(at),
    )
    if done != 1:
        raise NotAllowed("approval", f"request {found.request_id} was decided meanwhile; look")


def _act(
    opened: Transaction, number: int, act: str, *, actor: str, at: datetime, note: str
) -> None:
    if len(note) > MOST_NOTE:
        raise InputError(f"the note has {len(note)} characters, must have at most {MOST_NOTE}")
    found = _known(opened, number)
    person = person_of(opened, actor).name
    opened.run(
        _SQL["add_act"],
        request_id=number,
        act=act,
        actor=actor,
        person=person,
        at=_stamp(at),
        note=note,
    )
    record(
        opened,
        actor=actor,
        action=f"approval.{act}",
        subject=f"{found.subject.kind}/{found.subject.id}",
        detail={
            "request": number,
            "version": found.subject.version,
            "hash": found.subject.content_hash,
            "person": person,
        },
        at=at,
    )


def _said(note: str) -> str:
    if not note.strip():
        raise InputError("nothing was said; say what should be changed or why")
    return note.strip()


def _known(opened: Transaction, number: int) -> Request:
    rows = opened.all(_SQL["request"], request_id=number)
    if not rows:
        raise UnknownName(
            "request", str(number), [str(row["request_id"]) for row in opened.all(_SQL["waiting"])]
        )
    return _request(rows[0])


def _request(row: Mapping[str, Any]) -> Request:
    return Request(
        request_id=row["request_id"],
        subject=Subject(row["kind"], row["subject"], row["version"], row["content_hash"]),
        status=Status(row["status"]),
        hands=tuple(json.loads(row["hands"])),
        evidence=json.loads(row["evidence"]),
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
    )


def _narrower(one: Role | None, other: Role | None) -> Role | None:
    if one is None or other is None:
        return None
    order = list(Role)
    return min(one, other, key=order.index)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
