"""Take triggers in, many at once: each is one contact, however often it is told."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from regulars.errors import InputError, NotAllowed
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.definition import AudienceKind
from regulars.reach.campaigns.lifecycle import CampaignState
from regulars.reach.campaigns.running.members import run_for
from regulars.reach.campaigns.running.service import trigger_run
from regulars.reach.campaigns.service import CampaignRow, campaign_within
from regulars.reach.delivery.runs import Member, Run, cents_of, run_key
from regulars.reach.delivery.service import enrol, enrol_within
from regulars.settings import Settings

MOST_PROPERTIES = 50
MOST_LETTERS = 4000
_SQL = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something happened to a customer that a transactional campaign answers.

    Attributes:
        campaign_id: The campaign; it must be running.
        trigger_id: What names this happening; the same one again changes nothing.
        customer_id: Who.
        properties: What the message may say of it, such as order_id.
    """

    campaign_id: str
    trigger_id: str
    customer_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a trigger as it was taken in.

    Attributes:
        key: Key of the contact in the send ledger.
        is_new: False when it had been told before.
    """

    key: str
    is_new: bool


def take_triggers(
    state: State, triggers: Sequence[Trigger], *, settings: Settings, now: datetime
) -> list[Taken | Exception]:
    """Put triggers into the send ledger, all in one transaction.

    Args:
        state: The transactional store.
        triggers: What happened; one that cannot be used does not spoil the others.
        settings: Settings of the workspace: what channels cost.
        now: The moment, aware.

    Returns:
        One answer per trigger, in their order: what was taken, or the error that says why it
        cannot be used.
    """
    answers: list[Taken | Exception] = [InputError("not looked at")] * len(triggers)
    groups: dict[tuple[str, str], list[tuple[int, Trigger]]] = defaultdict(list)
    rows: dict[str, CampaignRow] = {}
    with state.transaction() as opened:
        for number, one in enumerate(triggers):
            try:
                row = rows.get(one.campaign_id) or _ready(opened, one.campaign_id, settings)
                rows[one.campaign_id] = row
                step, is_new = _noted(opened, checked(one), now)
            except (InputError, NotAllowed) as error:
                answers[number] = error
                continue
            groups[one.campaign_id, step].append((number, one))
            answers[number] = Taken(_key(one, step), is_new)
        for (campaign_id, step), found in sorted(groups.items()):
            given = _members(rows[campaign_id], step, [one for _, one in found], settings)
            enrol_within(opened, *given, now=now)
    return answers


def take_left(state: State, campaign_id: str, *, settings: Settings, now: datetime) -> int:
    """Enrol triggers an earlier version noted, that lost their process before they were enrolled.

    Args:
        state: The transactional store.
        campaign_id: The campaign.
        settings: Settings of the workspace.
        now: The moment, aware.

    Returns:
        How many there were.
    """
    with state.reading() as opened:
        row = campaign_within(opened, campaign_id)
        left = opened.all(_SQL["left"], campaign_id=campaign_id)
    by_step: dict[str, list[Trigger]] = defaultdict(list)
    for one in left:
        by_step[one["step"]].append(Trigger(campaign_id, one["trigger_id"], one["customer_id"]))
    for step, found in sorted(by_step.items()):
        enrol(state, *_members(row, step, found, settings), now=now)
    return len(left)


def properties_of(state: State, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give what triggers told, for whoever renders their messages.

    Args:
        state: The transactional store.
        keys: Keys of contacts.

    Returns:
        Properties by key; keys that no trigger made are left out.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["properties"], keys=json.dumps(list(keys)))
    return {row["contact_key"]: json.loads(row["properties"]) for row in rows}


def checked(trigger: Trigger) -> Trigger:
    """Check a trigger.

    Returns:
        The same trigger.

    Raises:
        InputError: A part of it cannot be used.

    Example:
        >>> checked(Trigger("receipt", "order-1", "ann")).customer_id
        'ann'
    """
    for name in ("trigger_id", "customer_id"):
        value = getattr(trigger, name)
        if not value or len(value) > 200 or not value.isprintable():
            raise InputError(f"{name} is {value!r}, must be 1 to 200 printable characters")
    if len(trigger.properties) > MOST_PROPERTIES:
        raise InputError(
            f"the trigger has {len(trigger.properties)} properties, must have at most "
            f"{MOST_PROPERTIES}"
        )
    if len(json.dumps(dict(trigger.properties), default=str)) > MOST_LETTERS:
        raise InputError(f"the properties are longer than {MOST_LETTERS} letters; send less")
    return trigger


def _ready(opened: Transaction, campaign_id: str, settings: Settings) -> CampaignRow:
    row = campaign_within(opened, campaign_id)
    if row.campaign.audience.kind is not AudienceKind.TRIGGER:
        raise InputError(
            f"campaign {campaign_id} has an audience of its own; only one with "
            "audience = 'trigger' takes triggers"
        )
    if row.state is not CampaignState.RUNNING:
        raise NotAllowed(
            "campaign-state",
            f"campaign {campaign_id} is {row.state}, must be running to take triggers; "
            f"run: regulars reach send {campaign_id}",
        )
    # A cost that cannot be counted is told to those who trigger this campaign, not to all.
    cents_of(row.campaign.channels[0], _cost(row, settings))
    return row


def _noted(opened: Transaction, trigger: Trigger, now: datetime) -> tuple[str, bool]:
    """Write a trigger down; gives which contact of the customer it is, and whether it is new."""
    names = {"campaign_id": trigger.campaign_id, "trigger_id": trigger.trigger_id}
    for row in opened.all(_SQL["known"], **names):
        return row["step"], False
    [before] = opened.all(
        _SQL["occurrences"], campaign_id=trigger.campaign_id, customer_id=trigger.customer_id
    )
    step = str(before["times"] + 1) if before["times"] else ""
    opened.run(
        _SQL["add"],
        **names,
        run_id=trigger_run(trigger.campaign_id),
        step=step,
        contact_key=_key(trigger, step),
        customer_id=trigger.customer_id,
        properties=json.dumps(dict(trigger.properties), ensure_ascii=False, default=str),
        at=now.astimezone(UTC).isoformat(timespec="microseconds"),
    )
    return step, True


def _members(
    row: CampaignRow, step: str, triggers: Sequence[Trigger], settings: Settings
) -> tuple[Run, list[Member]]:
    campaign = row.campaign
    channel, cost = campaign.channels[0], _cost(row, settings)
    run = run_for(campaign, trigger_run(campaign.id), channel, step=step, grows=True)
    customers = sorted({one.customer_id for one in triggers})
    members = [
        Member(one, "send", "triggered", channel=channel, offer_id=campaign.offer, cost=cost)
        for one in customers
    ]
    return run, members


def _cost(row: CampaignRow, settings: Settings) -> Decimal:
    given = row.campaign.cost
    return Decimal(settings.channels[row.campaign.channels[0]].cost if given is None else given)


def _key(trigger: Trigger, step: str) -> str:
    return run_key(trigger_run(trigger.campaign_id), step, trigger.customer_id)
