"""Take the journeys of a workspace on, once per pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from regulars.govern.policy.service import stopped
from regulars.reach.campaigns.splitting import CAMPAIGN_HOLDOUT, CONTACT, GLOBAL_HOLDOUT
from regulars.reach.journeys.advancing.service import Advanced, advance
from regulars.reach.journeys.entering.occasions.service import Calendar, take_occasions
from regulars.reach.journeys.keeping.service import list_journeys
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.running.webhooks.service import make_calls
from regulars.reach.journeys.telling.measuring.service import Assigned, tell_assigned
from regulars.serve.sending.journeys.means import Audiences, dates_of, means_of
from regulars.understand.segments.audiences.membership.service import last_refreshed

if TYPE_CHECKING:
    from regulars.app import App

TABLE = "campaign_assignments"
APPLICATION = "journeys"


@dataclass(frozen=True)
class Journeyed:
    """What one pass did with journeys.

    Attributes:
        entered: Customers who came in, those left alone for measuring included.
        told: Customers inside for whom an event counted.
        steps: Steps taken.
        contacts: Contacts handed to the send ledger.
        calls: Calls of webhooks by what became of them.
        errors: Why a journey could not go on, by its id; everybody stands where she stood.
    """

    entered: int = 0
    told: int = 0
    steps: int = 0
    contacts: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def take_on(app: "App", *, now: datetime) -> Journeyed:
    """Let customers in, walk whoever is due, call webhooks, tell who is left alone.

    Args:
        app: The open workspace.
        now: The moment, aware.

    Returns:
        What was done; nothing where no journey was ever published.
    """
    if not any(row.version is not None for row in list_journeys(app.state)):
        return Journeyed()
    shelf, means = Shelf(), means_of(app, now=now)
    assert isinstance(means.facts, Audiences)
    calendar = Calendar(
        app.settings,
        means.facts.members,
        dates_of(app),
        lambda name: last_refreshed(app.state).get(name, (0, ""))[1],
    )
    entered, errors = take_occasions(app.state, shelf, calendar, now=now)
    done: Advanced = advance(app.state, means, now=now, shelf=shelf)
    calls = {} if stopped(app.state) else make_calls(app.state, app.channels, now=now)
    tell_assigned(app.state, shelf, lambda found, number: _keep(app, found, number), now=now)
    return Journeyed(
        entered + done.entered,
        done.told,
        done.steps,
        done.contacts,
        {end: count for end, count in calls.items() if count},
        errors | done.errors,
    )


def _keep(app: "App", found: Sequence[Assigned], number: int) -> None:
    """Keep in the lake who of a journey was assigned to what, beside those of campaigns."""
    table = pa.Table.from_pylist([_row(app, one) for one in found], schema=app.lake.schema(TABLE))
    app.lake.append(TABLE, table, application=APPLICATION, version=number)


def _row(app: "App", one: Assigned) -> dict[str, Any]:
    journey = one.journey
    everywhere = app.settings.loop.global_holdout if journey.is_marketing else 0.0
    held = journey.holdout if journey.is_marketing else 0.0
    sent_to = (1 - held) * (1 - everywhere)
    chance = {
        CONTACT: sent_to,
        CAMPAIGN_HOLDOUT: held * (1 - everywhere),
        GLOBAL_HOLDOUT: everywhere,
    }
    there = ZoneInfo(app.settings.retailer.zone)
    return {
        "campaign_id": one.campaign_id,
        "version": one.version,
        "phase": "entered",
        "customer_id": one.customer_id,
        "assignment": one.assignment,
        "is_global_holdout": one.assignment == GLOBAL_HOLDOUT,
        "is_campaign_holdout": one.assignment == CAMPAIGN_HOLDOUT,
        "propensity": chance[one.assignment],
        "send_propensity": sent_to,
        "offer_id": None,
        "channel": None,
        "assigned_at": one.at,
        "business_date": one.at.astimezone(there).date(),
        "window_days": journey.window_days,
    }
