"""Tags in the state: kept version by version, given to customers and taken from them by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.unify.tags.definitions import Tag, TagKind, checked
from regulars.unify.tags.tables import GIVEN, MARKS, REMOVED

MOST_AT_ONCE = 1_000_000
_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class TagVersion:
    """One line of a tag's history.

    Attributes:
        tag: The tag as it was.
        at: When it was kept, ISO 8601.
        actor: Who kept it.
        is_deleted: True for the line that deleted it.
    """

    tag: Tag
    at: str
    actor: str
    is_deleted: bool


def read_tag(name: str, given: Mapping[str, Any]) -> Tag:
    """Read a tag from JSON.

    Args:
        name: Its name.
        given: kind, definition, and perhaps description, owner, expires_on (YYYY-MM-DD) and
            keep_days.

    Returns:
        The tag, checked.

    Raises:
        InputError: A part cannot be used; the message says which and what is wanted.
        UnknownName: There is no such kind of tag.
    """
    known = {"kind", "definition", "description", "owner", "expires_on", "keep_days"}
    odd = sorted(set(given) - known)
    if odd:
        raise InputError(f"tag has {odd[0]!r}; known: {', '.join(sorted(known))}")
    kind = given.get("kind")
    if kind not in list(TagKind):
        raise UnknownName("kind of tag", str(kind), [one.value for one in TagKind])
    definition = given.get("definition", {})
    if not isinstance(definition, Mapping):
        raise InputError(f"definition is {definition!r}, must be an object")
    days = given.get("keep_days")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int)):
        raise InputError(f"keep_days is {days!r}, must be a whole number of days")
    return checked(
        Tag(
            name,
            TagKind(kind),
            dict(definition),
            str(given.get("description") or ""),
            str(given.get("owner") or ""),
            _day(given.get("expires_on")),
            days,
        )
    )


def keep_tag(state: State, tag: Tag, *, actor: str, now: datetime) -> Tag:
    """Keep a tag: a new one, or the next version of one there is.

    Args:
        state: The workspace's state.
        tag: The tag; its version is given here.
        actor: Who keeps it, for the audit log; the owner when it names none.
        now: The moment, aware.

    Returns:
        The tag with its version.
    """
    tag = checked(replace(tag, owner=tag.owner or actor))
    with state.transaction() as transaction:
        rows = transaction.all(_QUERIES["versions"], name=tag.name)
        made = replace(tag, version=len(rows) + 1)
        _keep(transaction, made, actor=actor, now=now, is_deleted=False)
    return made


def delete_tag(state: State, name: str, *, actor: str, now: datetime) -> None:
    """Delete a tag and what was given or removed by hand; its versions stay readable.

    Raises:
        UnknownName: There is no such tag.
    """
    with state.transaction() as transaction:
        tag = _known(transaction, name)
        transaction.run(_QUERIES["drop_marks"], name=name)
        last = replace(tag, version=tag.version + 1)
        _keep(transaction, last, actor=actor, now=now, is_deleted=True)


def list_tags(state: State) -> list[Tag]:
    """Give every tag there is now, by name."""
    with state.reading() as reading:
        return [_tag(row) for row in reading.all(_QUERIES["tags"])]


def find_tag(state: State, name: str) -> Tag:
    """Give one tag.

    Returns:
        Its newest version.

    Raises:
        UnknownName: There is no such tag.
    """
    with state.reading() as reading:
        return _known(reading, name)


def tag_versions(state: State, name: str) -> list[TagVersion]:
    """Give every version a tag has had, the oldest first; empty when there never was one."""
    with state.reading() as reading:
        rows = reading.all(_QUERIES["versions"], name=name)
    return [TagVersion(_tag(row), row["at"], row["actor"], bool(row["deleted"])) for row in rows]


def give(state: State, name: str, customers: Sequence[str], *, actor: str, now: datetime) -> int:
    """Give a tag to customers by hand, whatever it asks for.

    Args:
        state: The workspace's state.
        name: The tag.
        customers: Customer ids.
        actor: Who gives it.
        now: The moment, aware.

    Returns:
        Customers it was given to.

    Raises:
        UnknownName: There is no such tag.
        InputError: No customer was named, or too many at once.
    """
    return _mark(state, name, customers, GIVEN, actor, now)


def remove(state: State, name: str, customers: Sequence[str], *, actor: str, now: datetime) -> int:
    """Take a tag from customers; it stays away until it is given again by hand.

    Returns:
        Customers it was taken from.

    Raises:
        UnknownName: There is no such tag.
        InputError: No customer was named, or too many at once.
    """
    return _mark(state, name, customers, REMOVED, actor, now)


def mark_within(
    opened: Transaction,
    name: str,
    customers: Sequence[str],
    *,
    is_given: bool,
    actor: str,
    now: datetime,
) -> None:
    """Give a tag to customers or take it from them, within a transaction of somebody else.

    Args:
        opened: The write transaction.
        name: The tag.
        customers: Customer ids.
        is_given: False to take it away.
        actor: Who does it.
        now: The moment, aware.

    Raises:
        UnknownName: There is no such tag.
    """
    _known(opened, name)
    mark = GIVEN if is_given else REMOVED
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    opened.many(
        _QUERIES["mark"],
        [
            {"name": name, "customer_id": customer, "mark": mark, "at": at, "actor": actor}
            for customer in sorted(set(customers))
        ],
    )


def all_marks(state: State, *, zone: str, aliases: Mapping[str, str]) -> pa.Table:
    """Give what was given and removed by hand, told by the customers' present ids.

    Args:
        state: The workspace's state.
        zone: IANA zone a day is told in.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        One row per tag and customer (`MARKS`): the last word said by hand.
    """
    with state.reading() as reading:
        rows = reading.all(_QUERIES["marks"])
    newest = {}
    for row in sorted(rows, key=lambda one: (one["at"], one["customer_id"])):
        customer = aliases.get(row["customer_id"], row["customer_id"])
        newest[row["name"], customer] = (row["mark"], _local_day(row["at"], zone))
    return pa.Table.from_pylist(
        [
            {"tag": tag, "customer_id": customer, "mark": mark, "marked_on": day}
            for (tag, customer), (mark, day) in sorted(newest.items())
        ],
        schema=MARKS,
    )


def marks_of(state: State, nodes: Sequence[str], *, zone: str) -> dict[str, tuple[str, date]]:
    """Give what was given to or removed from one customer by hand.

    Args:
        state: The workspace's state.
        nodes: Every id that stands for the customer.
        zone: IANA zone a day is told in.

    Returns:
        "given" or "removed", and the day, by tag: the last word said.
    """
    with state.reading() as reading:
        rows = reading.all(_QUERIES["marks_of"], nodes=json.dumps(list(nodes)))
    return {row["name"]: (row["mark"], _local_day(row["at"], zone)) for row in rows}


def _mark(
    state: State, name: str, customers: Sequence[str], mark: str, actor: str, now: datetime
) -> int:
    named = sorted({customer.strip() for customer in customers} - {""})
    if not 1 <= len(named) <= MOST_AT_ONCE:
        raise InputError(f"{len(named)} customers were named, must be from 1 to {MOST_AT_ONCE}")
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    with state.transaction() as transaction:
        _known(transaction, name)
        transaction.many(
            _QUERIES["mark"],
            [
                {"name": name, "customer_id": customer, "mark": mark, "at": at, "actor": actor}
                for customer in named
            ],
        )
        detail = {"customers": len(named), **({"customer": named[0]} if len(named) == 1 else {})}
        _note(transaction, actor, f"tag.{mark}", name, now, detail)
    return len(named)


def _keep(
    transaction: Transaction, tag: Tag, *, actor: str, now: datetime, is_deleted: bool
) -> None:
    transaction.run(
        _QUERIES["keep"],
        name=tag.name,
        version=tag.version,
        kind=tag.kind.value,
        definition=json.dumps(tag.definition, ensure_ascii=False, sort_keys=True),
        description=tag.description,
        owner=tag.owner,
        expires_on=tag.expires_on.isoformat() if tag.expires_on else None,
        keep_days=tag.keep_days,
        at=now.astimezone(UTC).isoformat(timespec="seconds"),
        actor=actor,
        deleted=int(is_deleted),
    )
    action = "tag.delete" if is_deleted else "tag.keep"
    _note(transaction, actor, action, tag.name, now, {"version": tag.version})


def _note(
    transaction: Transaction,
    actor: str,
    action: str,
    subject: str,
    now: datetime,
    detail: Mapping[str, Any],
) -> None:
    record(transaction, actor=actor, action=action, subject=subject, detail=detail, at=now)


def _known(reading: Transaction, name: str) -> Tag:
    tags = {row["name"]: row for row in reading.all(_QUERIES["tags"])}
    if name not in tags:
        raise UnknownName("tag", name, tags)
    return _tag(tags[name])


def _tag(row: Mapping[str, Any]) -> Tag:
    return Tag(
        row["name"],
        TagKind(row["kind"]),
        json.loads(row["definition"]),
        row["description"],
        row["owner"],
        _day(row["expires_on"]),
        row["keep_days"],
        row["version"],
    )


def _local_day(at: str, zone: str) -> date:
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date()


def _day(text: Any) -> date | None:
    if text is None or text == "":
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise InputError(f"expires_on is {text!r}, must be a day such as 2026-12-31") from error
