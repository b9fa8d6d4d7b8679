"""Requests about one's own data: written down, decided, and how they stand."""

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.approvals.service import person_of
from regulars.govern.approvals.two_persons import checked_approver
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, Transaction
from regulars.reach.rights.law import answer_by
from regulars.reach.rights.requests.records import KINDS, Asking, Places, Request, Status

MOST_SHOWN = 200
_SQL = Queries(__package__)


def ask(
    places: Places,
    kind: str,
    customer_id: str,
    *,
    law: str,
    asking: Asking,
    is_decided: bool = False,
) -> Request:
    """Write a request down; its clock runs from now on.

    Args:
        places: Everywhere customers are kept.
        kind: "access" or "erase".
        customer_id: Whom it is about, once it is sure that it is him who asks.
        law: Whose clock runs: "cn" or "eu".
        asking: Who writes it down, and when.
        is_decided: True on the machine itself, where whoever asks holds all keys.

    Returns:
        The request. Access needs nobody's word; erasure waits for a second person. One for a
        copy that could not be answered is not written down twice: its clock runs on.

    Raises:
        UnknownName: There is no such kind or law.
        InputError: No customer is named.
    """
    if kind not in KINDS:
        raise UnknownName("kind of request", kind, KINDS)
    if not customer_id.strip():
        raise InputError("customer is empty; give the id of the customer who asks")
    day = asking.now.astimezone(ZoneInfo(places.zone)).date()
    due, clock = answer_by(law, day)
    with places.state.transaction() as opened:
        waiting = opened.all(_SQL["open_access"], customer_id=customer_id, law=law)
        if kind == "access" and waiting:
            return _request(waiting[0])
        [row] = opened.all(_SQL["next_number"])
        number = int(row["number"])
        opened.run(
            _SQL["add"],
            number=number,
            kind=kind,
            customer_id=customer_id,
            law=law,
            status=Status.APPROVED if is_decided or kind == "access" else Status.WAITING,
            asked_at=stamped(asking),
            due_on=due.isoformat(),
            asked_by=asking.actor,
        )
        detail = {"kind": kind, "due_on": due.isoformat(), "article": clock.article}
        note(opened, places, number, "ask", customer_id, asking, detail)
        return one_request(opened, number)


def approve(places: Places, number: int, *, asking: Asking) -> Request:
    """Let an erasure be carried out: somebody else than who wrote it down must.

    Args:
        places: Everywhere customers are kept.
        number: The request.
        asking: Who approves.

    Returns:
        The request, approved.

    Raises:
        UnknownName: There is no such request.
        InputError: It does not wait for approval.
        NotAllowed: The two-person rule, or a role below approver.
    """
    return _decide(places, number, Status.APPROVED, "", asking)


def refuse(places: Places, number: int, *, reason: str, asking: Asking) -> Request:
    """Refuse a request; the law wants a reason told (PIPL Art. 50).

    Args:
        places: Everywhere customers are kept.
        number: The request.
        reason: Why, as it is told to the customer.
        asking: Who refuses; the two-person rule holds as for approving.

    Returns:
        The request, refused.

    Raises:
        UnknownName: There is no such request.
        InputError: It waits for nothing any more, or the reason is empty.
        NotAllowed: The two-person rule, or a role below approver.
    """
    if not reason.strip():
        raise InputError("a refusal needs its reason; say why, as the customer will be told")
    return _decide(places, number, Status.REFUSED, reason.strip(), asking)


def requests(places: Places, *, only_open: bool = False) -> list[Request]:
    """List requests: those still to be answered by their due day, or the newest first.

    Args:
        places: Everywhere customers are kept.
        only_open: True for those still to be answered.

    Returns:
        At most 200.
    """
    with places.state.reading() as opened:
        name = "unfinished" if only_open else "newest"
        return [_request(row) for row in opened.all(_SQL[name], most=MOST_SHOWN)][:MOST_SHOWN]


def find_request(places: Places, number: int) -> Request:
    """Give one request.

    Returns:
        The request, with its receipt.

    Raises:
        UnknownName: There is no such request.
    """
    with places.state.reading() as opened:
        return one_request(opened, number)


def one_request(opened: Transaction, number: int) -> Request:
    """Give one request, within a transaction.

    Returns:
        The request, with its receipt.

    Raises:
        UnknownName: There is no such request.
    """
    rows = opened.all(_SQL["one"], number=number)
    if not rows:
        raise UnknownName("request", str(number), [])
    return _request(rows[0])


def note(
    opened: Transaction,
    places: Places,
    number: int,
    act: str,
    customer_id: str,
    asking: Asking,
    detail: Mapping[str, Any],
) -> int:
    """Write an act on a request into the audit log, which does not say of whom.

    Returns:
        Number of the entry.
    """
    return record(
        opened,
        actor=asking.actor,
        action=f"customer.{act}",
        subject=places.protector.hidden_name(customer_id),
        detail={"request": number, **detail},
        at=asking.now,
    )


def stamped(asking: Asking) -> str:
    """Give the moment as text, UTC."""
    return asking.now.astimezone(UTC).isoformat(timespec="seconds")


def _decide(places: Places, number: int, status: Status, reason: str, asking: Asking) -> Request:
    with places.state.transaction() as opened:
        known = one_request(opened, number)
        if known.status is not Status.WAITING:
            raise InputError(f"request {number} is {known.status}; only one that waits is decided")
        asker = person_of(opened, known.asked_by).name
        checked_approver(person_of(opened, asking.actor), hands=(), requester=asker)
        opened.run(
            _SQL["decide"], number=number, status=status, decided_by=asking.actor, reason=reason
        )
        act = "approve_erasure" if status is Status.APPROVED else "refuse"
        note(opened, places, number, act, known.customer_id, asking, {"reason": reason})
        return one_request(opened, number)


def require_kind(known: Request, kind: str, *statuses: Status) -> None:
    """Refuse to carry out what is something else, or not ready.

    Raises:
        InputError: It is of another kind.
        NotAllowed: It waits for approval, was refused or is done.
    """
    if known.kind != kind:
        raise InputError(f"request {known.number} asks for {known.kind}, not {kind}")
    if known.status not in statuses:
        raise NotAllowed(
            "request",
            f"request {known.number} is {known.status}; it must be "
            f"{' or '.join(statuses)} to be carried out",
        )


def _request(row: Mapping[str, Any]) -> Request:
    told = json.loads(row["receipt"]) if row["receipt"] else {}
    return Request(
        number=int(row["number"]),
        kind=row["kind"],
        customer_id=row["customer_id"],
        law=row["law"],
        status=Status(row["status"]),
        asked_at=row["asked_at"],
        due_on=row["due_on"],
        asked_by=row["asked_by"],
        decided_by=row["decided_by"] or "",
        done_at=row["done_at"] or "",
        reason=row["reason"],
        receipt=told,
    )
