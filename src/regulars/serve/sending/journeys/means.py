"""What journeys ask and do in a workspace: audiences, decisions, tags, webhooks."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from regulars.decide.assignment.dealing.service import Dealer, expose, exposures
from regulars.reach.campaigns.audiences.service import members_now
from regulars.reach.campaigns.definition import Audience, hash_of
from regulars.reach.coupons.service import CouponRefused, issue_coupon
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.entering.occasions.points.service import points_expiring
from regulars.reach.journeys.entering.occasions.service import DateSource
from regulars.reach.journeys.running.service import Action, Means
from regulars.reach.journeys.running.webhooks.service import keep_calls
from regulars.reach.journeys.walking.cohort import Doing
from regulars.reach.loyalty.acting.service import points_action
from regulars.reach.standing.gate import dealer_of, gate_of
from regulars.serve.sending.journeys.deciding import Decisions
from regulars.unify.tags.service import mark_within

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.ports.state import Transaction

ACTOR = "journeys"


class Audiences:
    """Who is in which audience, looked up once per pass.

    Args:
        app: The open workspace.
    """

    def __init__(self, app: "App") -> None:
        """Look nothing up yet."""
        self._app = app
        self._found: dict[str, frozenset[str]] = {}

    def members(self, audience: Audience) -> frozenset[str]:
        """Give everybody in an audience.

        Returns:
            Customer ids.
        """
        name = hash_of([audience.kind, audience.name, dict(audience.rule)])
        if name not in self._found:
            app = self._app
            zone = app.settings.retailer.zone
            self._found[name] = members_now(app.engine, app.state, audience, zone=zone)
        return self._found[name]

    def belongs(self, audience: Audience, customers: Sequence[str], /) -> list[bool]:
        """Tell for each customer whether she is in an audience.

        Returns:
            One answer per customer, in their order.
        """
        members = self.members(audience)
        return [customer in members for customer in customers]


def means_of(app: "App", *, now: datetime) -> Means:
    """Give what the executor works with in a workspace.

    Args:
        app: The open workspace.
        now: The moment, aware: the rules of contact are those of it.

    Returns:
        The means; audiences are looked up once for as long as they are held.
    """
    return Means(
        app.settings,
        gate_of(app.settings, now=now),
        Audiences(app),
        Decisions(app),
        actions_of(app),
    )


def actions_of(app: "App") -> dict[NodeKind, Action]:
    """Give what carries out nodes that are no messages, by kind."""
    return {
        NodeKind.TAG: tag,
        NodeKind.POINTS: partial(points, zone=app.settings.retailer.zone),
        NodeKind.COUPON: partial(coupon, dealer=dealer_of(app.settings)),
        NodeKind.WEBHOOK: keep_calls,
    }


def dates_of(app: "App") -> dict[str, DateSource]:
    """Give whose day a day is, by field of an entry by date that is no birthday."""
    return {"points_expiring": partial(points_expiring, zone=app.settings.retailer.zone)}


def points(
    opened: "Transaction", doings: Sequence[Doing], now: datetime, *, zone: str
) -> list[str | None]:
    """Give points, in the transaction that writes the step.

    Args:
        opened: The write transaction.
        doings: To whom, and how many.
        now: The moment, aware.
        zone: IANA zone their expiry is counted in.

    Returns:
        "" for each; None where the ledger of points refused.
    """
    found: list[str | None] = []
    for one in doings:
        reason = one.settings["reason"] or "journey"
        told = points_action(
            opened,
            one.customer_id,
            one.settings["points"],
            reason,
            f"journey/{one.key}",
            now,
            zone=zone,
        )
        found.append(None if told.refused else "")
    return found


def tag(opened: "Transaction", doings: Sequence[Doing], now: datetime) -> list[str | None]:
    """Give tags to customers, or take them away.

    Returns:
        "" for each: there is nothing to keep.
    """
    groups: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for one in doings:
        is_given = one.settings["do"] == "add"
        groups[one.settings["tag"], is_given].append(one.customer_id)
    for (name, is_given), customers in sorted(groups.items()):
        mark_within(opened, name, customers, is_given=is_given, actor=ACTOR, now=now)
    return [""] * len(doings)


def coupon(
    opened: "Transaction", doings: Sequence[Doing], now: datetime, *, dealer: Dealer
) -> list[str | None]:
    """Give codes of an offer, in the transaction that writes the step.

    Who keeps to a variant of a running experiment that leaves the offer out gets none.

    Args:
        opened: The write transaction.
        doings: To whom, and of which offer.
        now: The moment, aware.
        dealer: Who deals out the variants.

    Returns:
        The code for each; None where the offer gives that customer none now.
    """
    asked = [(one.customer_id, one.settings["offer"]) for one in doings]
    dealt = dealer.dealt(opened, {who for who, _ in asked}, {offer for _, offer in asked})
    # Everybody who comes here, whatever comes of it: who is refused must not depend on the variant.
    exposed = [
        (customer, part.experiment_id, part.variant.name)
        for customer, offer in asked
        for part in dealt.exposed(customer, [offer])
    ]
    expose(opened, exposures(exposed, now=now))
    found: list[str | None] = []
    for one, (customer, offer) in zip(doings, asked, strict=True):
        is_left_out = dealt.withholds(customer, offer)
        try:
            found.append(
                None if is_left_out else issue_coupon(opened, offer, customer, one.key, now)
            )
        except CouponRefused:
            found.append(None)
    return found
