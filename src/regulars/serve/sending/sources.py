"""What campaigns rest on, looked up where it is kept: content, findings, audience, assignments."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from regulars.govern.approvals.service import Subject
from regulars.govern.consent.declared import read_declared
from regulars.reach.campaigns.audiences.service import Found, resolve, tag_version
from regulars.reach.campaigns.definition import AudienceKind, Campaign
from regulars.reach.campaigns.reading import Ground
from regulars.reach.campaigns.reviewing.dossier import Dossier, Shown, make_dossier, subject_of
from regulars.reach.campaigns.reviewing.service import changes_since_approval
from regulars.reach.campaigns.running.service import run_of
from regulars.reach.campaigns.service import CampaignRow, find_campaign
from regulars.serve.sending.proofreading import findings_as_read, findings_as_written
from regulars.understand.segments.audiences.judging.service import Place

if TYPE_CHECKING:
    from regulars.app import App

TABLE = "campaign_assignments"


def ground_of(app: "App") -> Ground:
    """Give what a campaign is read against in a workspace."""
    settings = app.settings
    return Ground(
        tuple(settings.channels),
        settings.loop.campaign_holdout,
        settings.loop.window_days,
        settings.retailer.zone,
        tuple(read_declared(app.folder).topics),
    )


def shown_of(app: "App", campaign: Campaign, *, today: date) -> Shown:
    """Look up what a campaign rests on beside its own words, as it stands now.

    Args:
        app: The open workspace.
        campaign: The campaign.
        today: Day the rules of the copy review are taken of.

    Returns:
        Contents by name with their hash, findings, who wrote them, the tag's version.

    Raises:
        UnknownName: It names a content there is none of.
    """
    from regulars.reach.content.service import kept  # noqa: PLC0415 - slow to import

    names = sorted(set(campaign.content.values()))
    found = {name: kept(app.state, name) for name in names}
    contents = {name: one.content for name, one in found.items()}
    return Shown(
        {name: one.hash for name, one in found.items()},
        tuple(findings_as_written(app, contents, today=today) if contents else ()),
        tuple(sorted({one.actor for one in found.values()})),
        tag_version(app.state, campaign.audience),
    )


def subject_now(app: "App", row: CampaignRow, *, now: datetime) -> Subject:
    """Name a campaign with all it rests on, as it stands now."""
    return subject_of(row.campaign, row.version, shown_of(app, row.campaign, today=_day(app, now)))


def found_now(app: "App", campaign: Campaign, *, now: datetime) -> Found:
    """Find who a campaign is about now."""
    zone = app.settings.retailer.zone
    place = Place(zone, app.settings.loop.turn_days, now)
    return resolve(app.engine, app.state, campaign, zone=zone, place=place)


def dossier_of(app: "App", campaign_id: str, *, now: datetime) -> Dossier:
    """Put together what an approver is shown of a campaign as it stands now.

    Args:
        app: The open workspace.
        campaign_id: The campaign.
        now: The moment, aware.

    Returns:
        The dossier of its newest version.

    Raises:
        UnknownName: There is no such campaign, or it names a content, tag or segment there is
            none of.
    """
    row = find_campaign(app.state, campaign_id)
    campaign, settings = row.campaign, app.settings
    is_triggered = campaign.audience.kind is AudienceKind.TRIGGER
    customers = () if is_triggered else found_now(app, campaign, now=now).customers
    today = _day(app, now)
    as_read: list[dict[str, Any]] = []
    if campaign.content:
        as_read = findings_as_read(app, campaign, customers, now=now, today=today)
    return make_dossier(
        campaign,
        row.version,
        shown_of(app, campaign, today=today),
        changes=changes_since_approval(app.state, campaign),
        as_read=as_read,
        audience=None if is_triggered else len(customers),
        global_holdout=settings.loop.global_holdout,
        contact_cost=settings.channels[campaign.channels[0]].cost,
    )


def keep_assignments(
    app: "App",
    row: CampaignRow,
    phase: str,
    members: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Keep in the lake who of a phase was assigned to what; a second time changes nothing.

    Args:
        app: The open workspace.
        row: The campaign.
        phase: The phase.
        members: Its customers: customer_id, assignment, channel.
        now: When they were put into the send ledger, aware.
    """
    campaign, loop = row.campaign, app.settings.loop
    held = campaign.holdout if campaign.is_marketing else 0.0
    everywhere = loop.global_holdout if campaign.is_marketing else 0.0
    sent_to = (1 - held) * (1 - everywhere)
    chance = {
        "contact": sent_to,
        "campaign_holdout": held * (1 - everywhere),
        "global_holdout": everywhere,
    }
    rows = [
        {
            "campaign_id": campaign.id,
            "version": row.version,
            "phase": phase,
            "customer_id": one["customer_id"],
            "assignment": one["assignment"],
            "is_global_holdout": one["assignment"] == "global_holdout",
            "is_campaign_holdout": one["assignment"] == "campaign_holdout",
            "propensity": chance[one["assignment"]],
            "send_propensity": sent_to,
            "offer_id": campaign.offer or None,
            "channel": one["channel"] or None,
            "assigned_at": now,
            "business_date": _day(app, now),
            "window_days": campaign.window_days,
        }
        for one in members
    ]
    if rows:
        table = pa.Table.from_pylist(rows, schema=app.lake.schema(TABLE))
        app.lake.append(TABLE, table, application=run_of(campaign.id, phase), version=1)


def _day(app: "App", now: datetime) -> date:
    return now.astimezone(ZoneInfo(app.settings.retailer.zone)).date()
