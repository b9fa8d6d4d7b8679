"""Consent and facts of customers that files brought, adopted before anybody is contacted."""

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from regulars.decide.offers.keeping.step import adopt_offers
from regulars.govern.consent.step import adopt_consents
from regulars.reach.standing.facts.step import adopt_contact_facts
from regulars.records import Turn

if TYPE_CHECKING:
    from regulars.app import App


def adopt(app: "App", *, now: datetime) -> None:
    """Adopt what files said of consent, receipts, birthdays and offers; again changes nothing.

    A turn does the same at its start. A campaign must not wait for one: whoever withdrew in a
    file imported since then is not contacted, and whoever consented there may be.

    Args:
        app: The open workspace.
        now: The moment, aware; a grant dated later does not hold yet.
    """
    today = now.astimezone(ZoneInfo(app.settings.retailer.zone)).date()
    moment = Turn(0, today, now, app.settings.loop.seed)
    adopt_consents.run(app.bound(adopt_consents, 0), app.state, moment)
    adopt_contact_facts.run(app.bound(adopt_contact_facts, 0), app.state)
    zone = app.settings.retailer.zone
    adopt_offers.run(app.bound(adopt_offers, 0), app.state, moment, zone=zone)
