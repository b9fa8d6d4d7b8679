"""Campaigns and channels as they are watched: one record each, easy to show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from regulars.adjust.rollout.gates import Judgement
from regulars.adjust.rollout.service import gate_of
from regulars.ports.state import Queries
from regulars.reach.campaigns.changes import Change, changes
from regulars.reach.campaigns.definition import as_plain
from regulars.reach.campaigns.reading import read_campaign
from regulars.reach.campaigns.running.service import PhaseCount, count
from regulars.reach.campaigns.service import CampaignRow, find_campaign, with_list
from regulars.serve.sending.sources import ground_of

if TYPE_CHECKING:
    from regulars.app import App

_SQL = Queries(__package__)


@dataclass(frozen=True)
class CampaignView:
    """A campaign as it is watched.

    Attributes:
        row: The campaign as it stands.
        phases: How everybody stands, phase by phase.
        gates: What the gate says of each enrolled phase; under "" of one that is triggered.
    """

    row: CampaignRow
    phases: list[PhaseCount]
    gates: Mapping[str, Judgement]


@dataclass(frozen=True)
class ChannelRow:
    """A channel as it is watched.

    Attributes:
        name: What the settings call it.
        via: What carries it.
        message_class: Class of messages it carries.
        recovery: What may be done with contacts nobody confirmed.
        because: Why.
        missing: Variables that must be set and are not.
        problem: What keeps it from working; "" when nothing does.
        cost: Cost of one contact.
        sent: Contacts handed over so far.
        failures: Failures in a row.
        closed_until: Until when it is left alone; "" when it is not.
        reason: Why.
    """

    name: str
    via: str
    message_class: str
    recovery: str
    because: str
    missing: tuple[str, ...]
    problem: str
    cost: Decimal
    sent: int
    failures: int
    closed_until: str
    reason: str


def campaign_view(app: "App", campaign_id: str, *, now: datetime) -> CampaignView:
    """Give a campaign as it is watched.

    Returns:
        The campaign, its counts and its gates.

    Raises:
        UnknownName: There is no such campaign.
    """
    row = find_campaign(app.state, campaign_id)
    gates = gate_of(app.state, row, now=now) if row.started_at else {}
    return CampaignView(row, count(app.state, campaign_id), gates)


def compare_with(app: "App", given: Mapping[str, Any]) -> list[Change]:
    """Tell what a written campaign would change of the one kept under its id.

    Returns:
        One record per field that differs; a list of customers by its hash.
    """
    campaign = read_campaign(with_list(given)[0], ground_of(app))
    kept = as_plain(find_campaign(app.state, campaign.id).campaign)
    return changes(kept, as_plain(campaign))


def channel_rows(app: "App") -> list[ChannelRow]:
    """Give every channel of a workspace, in the order of the settings."""
    with app.state.reading() as opened:
        sent = {row["channel"]: row["contacts"] for row in opened.all(_SQL["sent"])}
        health = {row["channel"]: row for row in opened.all(_SQL["health"])}
    costs = {name: part.cost for name, part in app.settings.channels.items()}
    found = []
    for one in app.describe_channels():
        state = health.get(one.name, {})
        found.append(
            ChannelRow(
                one.name,
                one.via,
                one.message_class,
                one.recovery,
                one.because,
                one.missing,
                one.problem,
                costs[one.name],
                sent.get(one.name, 0),
                state.get("failures", 0),
                state.get("closed_until", ""),
                state.get("reason", ""),
            )
        )
    return found
