"""Campaigns in the state: kept version by version, moved from state to state."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.approvals.service import requests_of, withdraw
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.changes import Change, changes
from regulars.reach.campaigns.definition import Campaign, as_plain, hash_of
from regulars.reach.campaigns.lifecycle import STARTED, CampaignState, checked_step
from regulars.reach.campaigns.reading import Ground, read_campaign
from regulars.reach.campaigns.restoring import restored

KIND = "campaign"
MOST_CUSTOMERS = 5_000_000
_SQL = Queries(__package__)


@dataclass(frozen=True)
class PhaseRow:
    """One phase of a campaign that was begun.

    Attributes:
        position: 0 for the first.
        name: What it is called.
        state: waiting, sending, passed or stopped.
        members: Customers in it, holdouts included.
        enrolled_at: When its members were enrolled; None before.
        judged_at: When it passed or stopped; None before.
        note: Why it waits or was stopped; "" otherwise.
    """

    position: int
    name: str
    state: str
    members: int
    enrolled_at: str | None
    judged_at: str | None
    note: str


@dataclass(frozen=True)
class CampaignRow:
    """A campaign as it stands.

    Attributes:
        campaign: The version that runs; the newest one before it was started.
        version: Its number.
        state: Where it stands.
        reason: Why it was paused or stopped; "" otherwise.
        audience: Customers in the snapshot; None before it was started.
        content_hash: Hash of the version.
        created_by: Who made the first version.
        edited_by: Who made this one.
        edited_at: When.
        started_at: When its audience was taken; None before.
        phases: Its phases; empty before it was started.
    """

    campaign: Campaign
    version: int
    state: CampaignState
    reason: str
    audience: int | None
    content_hash: str
    created_by: str
    edited_by: str
    edited_at: str
    started_at: str | None
    phases: tuple[PhaseRow, ...] = ()


@dataclass(frozen=True)
class Version:
    """One version of a campaign.

    Attributes:
        campaign: What it said.
        version: Its number.
        content_hash: Hash of it.
        edited_by: Who made it.
        edited_at: When, ISO 8601.
    """

    campaign: Campaign
    version: int
    content_hash: str
    edited_by: str
    edited_at: str


@dataclass(frozen=True)
class Task:
    """Something a person is to look at.

    Attributes:
        task_id: Its number.
        kind: rollout, approval...
        subject: What it is about.
        message: What is to be done, in words.
        created_at: Since when, ISO 8601.
    """

    task_id: int
    kind: str
    subject: str
    message: str
    created_at: str


def put_campaign(
    state: State, given: Mapping[str, Any], *, ground: Ground, actor: str, now: datetime
) -> CampaignRow:
    """Keep a campaign: a new one, or the next version of one there is.

    An edit makes an approval void: what was in review or approved is a draft again. The same
    words again make no new version.

    Args:
        state: The transactional store.
        given: What a file or a form says. `audience.customers` may be a list of ids; it is
            kept once under its hash.
        ground: What it is read against.
        actor: Who keeps it, for the audit log.
        now: The moment, aware.

    Returns:
        The campaign as it stands now.

    Raises:
        InputError: A part of it cannot be used.
        NotAllowed: It was started already.
    """
    given, ids = with_list(given)
    campaign = read_campaign(given, ground)
    plain = as_plain(campaign)
    with state.transaction() as opened:
        if ids is not None:
            opened.run(
                _SQL["add_list"],
                list_hash=campaign.audience.name,
                customers=len(ids),
                customer_ids="\n".join(ids),
            )
        if campaign.audience.kind == "list":
            list_of(opened, campaign.audience.name)
        _keep(opened, campaign.id, plain, actor=actor, now=now)
        return _row(opened, campaign.id)


def with_list(given: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str] | None]:
    """Put the hash of a list of customers in its place.

    Args:
        given: What a file or a form says.

    Returns:
        The same with `audience.list`, and the ids in order, each once; None when it names no
        list of customers.

    Raises:
        InputError: The list is empty, too long, or holds something else.
    """
    audience = given.get("audience")
    if not isinstance(audience, Mapping) or not isinstance(audience.get("customers"), list):
        return given, None
    if set(audience) != {"customers"}:
        raise InputError("audience has customers and more; give the list, or something else")
    named: Sequence[Any] = audience["customers"]
    if not all(isinstance(one, str) and "\n" not in one for one in named):
        raise InputError("audience.customers must be a list of customer ids as text")
    ids = sorted({one.strip() for one in named} - {""})
    if not 1 <= len(ids) <= MOST_CUSTOMERS:
        raise InputError(
            f"audience.customers names {len(ids)} customers, must be from 1 to {MOST_CUSTOMERS}"
        )
    return dict(given) | {"audience": {"list": hash_of(ids), "customers": len(ids)}}, ids


def list_campaigns(state: State) -> list[CampaignRow]:
    """Give every campaign, the one changed last first; phases are left out."""
    with state.reading() as opened:
        return [_of(row, ()) for row in opened.all(_SQL["campaigns"])]


def find_campaign(state: State, campaign_id: str) -> CampaignRow:
    """Give one campaign as it stands.

    Returns:
        The campaign with its phases.

    Raises:
        UnknownName: There is no such campaign.
    """
    with state.reading() as opened:
        return _row(opened, campaign_id)


def campaign_within(opened: Transaction, campaign_id: str) -> CampaignRow:
    """Give one campaign as it stands within a transaction.

    Returns:
        The campaign with its phases.

    Raises:
        UnknownName: There is no such campaign.
    """
    return _row(opened, campaign_id)


def versions_of(state: State, campaign_id: str) -> list[Version]:
    """Give every version of a campaign.

    Returns:
        Versions, the oldest first.

    Raises:
        UnknownName: There is no such campaign.
    """
    with state.reading() as opened:
        _row(opened, campaign_id)
        return versions_within(opened, campaign_id)


def versions_within(opened: Transaction, campaign_id: str) -> list[Version]:
    """Give every version of a campaign within a transaction, the oldest first."""
    return [
        Version(
            restored(json.loads(row["definition"])),
            row["version"],
            row["content_hash"],
            row["edited_by"],
            row["edited_at"],
        )
        for row in opened.all(_SQL["versions"], campaign_id=campaign_id)
    ]


def compare_versions(
    state: State, campaign_id: str, *, before: int | None = None, after: int | None = None
) -> list[Change]:
    """Tell what changed between two versions of a campaign.

    Args:
        state: The transactional store.
        campaign_id: The campaign.
        before: The earlier version; the one before `after` when left out.
        after: The later version; the newest when left out.

    Returns:
        One record per field that differs.

    Raises:
        UnknownName: There is no such campaign or version.
    """
    found = {one.version: one for one in versions_of(state, campaign_id)}
    last = max(found) if after is None else after
    first = last - 1 if before is None else before
    for wanted in (first, last):
        if wanted not in found and wanted != 0:
            raise UnknownName("version", str(wanted), map(str, found))
    old = as_plain(found[first].campaign) if first in found else {}
    return changes(old, as_plain(found[last].campaign))


def move(
    opened: Transaction,
    campaign_id: str,
    after: CampaignState,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
) -> CampaignState:
    """Take a campaign from one state to the next, with its line in the audit log.

    Args:
        opened: An open write transaction.
        campaign_id: The campaign.
        after: The state it is to have.
        actor: Who moves it.
        now: The moment, aware.
        reason: Why, when it is paused or stopped.

    Returns:
        The state it had.

    Raises:
        NotAllowed: No campaign may go from the one to the other.
        UnknownName: There is no such campaign.
    """
    before = _row(opened, campaign_id).state
    checked_step(campaign_id, before, after)
    done = opened.run(
        _SQL["move"],
        campaign_id=campaign_id,
        before=before.value,
        after=after.value,
        reason=reason,
        at=_stamp(now),
    )
    if done != 1:
        raise NotAllowed("campaign-state", f"campaign {campaign_id} moved meanwhile; look again")
    record(
        opened,
        actor=actor,
        action=f"campaign.{after.value}",
        subject=f"{KIND}/{campaign_id}",
        detail={"before": before.value} | ({"reason": reason} if reason else {}),
        at=now,
    )
    return before


def add_task(opened: Transaction, kind: str, subject: str, message: str, *, now: datetime) -> None:
    """Ask people to look at something; an open task of the same kind and subject stays as it is."""
    if not opened.all(_SQL["open_task"], kind=kind, subject=subject):
        number = opened.all(_SQL["next_task"])[0]["number"]
        opened.run(
            _SQL["add_task"],
            task_id=number,
            kind=kind,
            subject=subject,
            message=message,
            at=_stamp(now),
        )


def end_tasks(opened: Transaction, kind: str, subject: str, *, actor: str, now: datetime) -> int:
    """Close the open tasks of one kind about one thing; gives how many there were."""
    return opened.run(_SQL["end_tasks"], kind=kind, subject=subject, actor=actor, at=_stamp(now))


def open_tasks(state: State) -> list[Task]:
    """Give what people are to look at, the oldest first."""
    with state.reading() as opened:
        rows = opened.all(_SQL["tasks"])
    return [
        Task(row["task_id"], row["kind"], row["subject"], row["message"], row["created_at"])
        for row in rows
    ]


def list_of(opened: Transaction, list_hash: str) -> list[str]:
    """Give the customers of a kept list.

    Returns:
        Ids in order, each once.

    Raises:
        InputError: No such list was kept.
    """
    rows = opened.all(_SQL["list"], list_hash=list_hash)
    if not rows:
        raise InputError(
            f"audience.list is {list_hash!r}, which was never kept; give audience.customers"
        )
    return str(rows[0]["customer_ids"]).split("\n")


def _keep(
    opened: Transaction, campaign_id: str, plain: Mapping[str, Any], *, actor: str, now: datetime
) -> None:
    content_hash, version = hash_of(plain), 1
    rows = opened.all(_SQL["campaign"], campaign_id=campaign_id)
    if rows:
        state = CampaignState(rows[0]["state"])
        if rows[0]["content_hash"] == content_hash:
            return
        if state in STARTED:
            raise NotAllowed(
                "campaign-state",
                f"campaign {campaign_id} is {state} and cannot be edited; keep it under another id",
            )
        version = rows[0]["version"] + 1
        if state is not CampaignState.DRAFT:
            _end_review(opened, campaign_id, actor=actor, now=now)
            move(opened, campaign_id, CampaignState.DRAFT, actor=actor, now=now)
    else:
        opened.run(_SQL["add_campaign"], campaign_id=campaign_id, actor=actor, at=_stamp(now))
    opened.run(
        _SQL["add_version"],
        campaign_id=campaign_id,
        version=version,
        definition=json.dumps(plain, ensure_ascii=False, sort_keys=True),
        content_hash=content_hash,
        actor=actor,
        at=_stamp(now),
    )
    opened.run(_SQL["newest_version"], campaign_id=campaign_id, version=version, at=_stamp(now))
    record(
        opened,
        actor=actor,
        action="campaign.put",
        subject=f"{KIND}/{campaign_id}",
        detail={"version": version, "hash": content_hash},
        at=now,
    )


def _end_review(opened: Transaction, campaign_id: str, *, actor: str, now: datetime) -> None:
    for one in requests_of(opened, KIND, campaign_id):
        if one.status == "waiting":
            withdraw(opened, one.request_id, actor=actor, at=now, note="edited")


def _row(opened: Transaction, campaign_id: str) -> CampaignRow:
    rows = opened.all(_SQL["campaign"], campaign_id=campaign_id)
    if not rows:
        known = [row["campaign_id"] for row in opened.all(_SQL["ids"])]
        raise UnknownName("campaign", campaign_id, known)
    phases = opened.all(_SQL["phases"], campaign_id=campaign_id)
    return _of(
        rows[0],
        tuple(
            PhaseRow(
                row["position"],
                row["name"],
                row["state"],
                row["members"],
                row["enrolled_at"],
                row["judged_at"],
                row["note"],
            )
            for row in phases
        ),
    )


def _of(row: Mapping[str, Any], phases: tuple[PhaseRow, ...]) -> CampaignRow:
    return CampaignRow(
        campaign=restored(json.loads(row["definition"])),
        version=row["running_version"] or row["version"],
        state=CampaignState(row["state"]),
        reason=row["reason"],
        audience=row["audience"],
        content_hash=row["content_hash"],
        created_by=row["created_by"],
        edited_by=row["edited_by"],
        edited_at=row["edited_at"],
        started_at=row["started_at"],
        phases=phases,
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
