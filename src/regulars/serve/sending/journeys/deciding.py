"""What decide nodes ask in a workspace: the decision of `POST /api/decide`, for many at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from regulars.decide.assignment.dealing.giving import Dealt
from regulars.decide.assignment.dealing.service import expose, exposures
from regulars.decide.online.keeping.service import keep_decisions
from regulars.decide.online.together.service import Asking, decide_together
from regulars.errors import NotReady
from regulars.govern.policy.reasons import Reason
from regulars.reach.journeys.definition.nodes import Decide
from regulars.reach.journeys.walking.cohort import Decided
from regulars.reach.standing import standing_of
from regulars.reach.standing.gate import dealer_of, gate_of

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.decide.online.deciding import OnlineDecision
    from regulars.ports.state import Transaction


class Decisions:
    """Decides for customers of journeys.

    Args:
        app: The open workspace; what decisions rest on is read once per turn and day.
    """

    def __init__(self, app: "App") -> None:
        """Read nothing yet."""
        self._app = app

    def decide(
        self,
        opened: "Transaction",
        does: Decide,
        customers: Sequence[str],
        requests: Sequence[str],
        *,
        now: datetime,
    ) -> list[Decided | None]:
        """Decide, take the money, and keep each decision with its propensity.

        Customers keep to their variants of the experiments that run. Who has a channel open, and
        to whom it makes a difference which variant she has, is put down as exposed.

        Args:
            opened: The write transaction of the window.
            does: Offers and channels to choose from.
            customers: Who.
            requests: What asks, one per customer.
            now: The moment, aware.

        Returns:
            One decision per customer; None where nothing is worth it, nothing may go out,
            money or a limit has run out, or the customer is held out.
        """
        found = self._found(opened, does, customers, requests, now=now, takes=True)
        keep_decisions(opened, found)
        given = [
            (one.customer_id, experiment, told["variant"])
            for one in found
            for experiment, told in one.variants.items()
        ]
        expose(opened, exposures(given, now=now))
        return [_chosen(one) for one in found] or [None] * len(customers)

    def tried(
        self, does: Decide, customers: Sequence[str], requests: Sequence[str], *, now: datetime
    ) -> list[Decided | None]:
        """Decide the same way, keeping and taking nothing."""
        with self._app.state.reading() as opened:
            found = self._found(opened, does, customers, requests, now=now, takes=False)
        return [_chosen(one) for one in found] or [None] * len(customers)

    def _found(
        self,
        opened: "Transaction",
        does: Decide,
        customers: Sequence[str],
        requests: Sequence[str],
        *,
        now: datetime,
        takes: bool,
    ) -> "list[OnlineDecision]":
        """Decide for everybody; nothing before the first turn has decided."""
        app = self._app
        knowledge = app.known.at(now)
        if knowledge is None:
            return []
        known = app.settings.channels
        unknown = [channel for channel in does.channels if channel not in known]
        if unknown:
            raise NotReady(
                f"no channel {unknown[0]} in the settings; put it back, or change the node"
            )
        gate = gate_of(app.settings, now=now)
        left = {channel: "not_asked" for channel in known if channel not in does.channels}
        standing = standing_of(opened, gate, customers, channels=does.channels, now=now)
        dealt = dealer_of(app.settings).dealt(opened, customers, does.offers)
        asking = [
            Asking(
                one.customer_id,
                request,
                one.refusals | left | _closed(dealt, one.customer_id, does.offers),
                one.is_profiling_refused,
            )
            for one, request in zip(standing, requests, strict=True)
        ]
        found = decide_together(
            knowledge,
            asking,
            offers=frozenset(does.offers),
            now=now,
            opened=opened if takes else None,
            money=app.settings.loop.online_budget,
        )
        return [
            _told(made, dealt, does.offers)
            if any(not one.refusals.get(channel) for channel in does.channels)
            else made
            for made, one in zip(found, standing, strict=True)
        ]


def _closed(dealt: Dealt, customer_id: str, offers: Sequence[str]) -> dict[str, str]:
    """Give the offers a customer's variants leave out, with the reason."""
    closed = dealt.closed(customer_id, offers)
    return {f"offer/{offer}": Reason.EXPERIMENT.value for offer in closed}


def _told(made: "OnlineDecision", dealt: Dealt, offers: Sequence[str]) -> "OnlineDecision":
    """Put the variants that made a difference on a decision."""
    given = dealt.exposed(made.customer_id, offers)
    if not given:
        return made
    return msgspec.structs.replace(made, variants={one.experiment_id: one.told for one in given})


def _chosen(one: "OnlineDecision") -> Decided | None:
    if one.verdict != "send" or one.offer_id is None or one.channel is None:
        return None
    return Decided(one.offer_id, one.channel, one.propensity)
