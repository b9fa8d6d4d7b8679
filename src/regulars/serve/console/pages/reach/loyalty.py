"""Loyalty: what the programme owes, what moves, who is in which tier, the rules and their price."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import RegularsError
from regulars.govern.audit.service import anchor
from regulars.reach.loyalty.draws.service import rounds, stock_of
from regulars.reach.loyalty.ledger.service import balance, history
from regulars.reach.loyalty.programme.service import find_programme, keep_programme, versions
from regulars.reach.loyalty.reporting.service import liability, months
from regulars.reach.loyalty.tiers.service import membership, tier_counts
from regulars.serve.console.drawing import points_chart
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of, say
from regulars.serve.console.words import N_
from regulars.serve.http.reach.points import simulated

MONTHS = timedelta(days=366)
MOST_LINES = 50


EXAMPLE = """\
name = "{name}"
starts_on = {day}
point_value = "0.01"

[ledger]
shortfall = "owe"

[earning]
per_unit = 1
lock_days = 14

[expiry]
method = "month_end"
after = 12
"""
"""A programme to begin with: a point per unit paid, worth a hundredth, good for a year."""
NAME = N_("Points")


def _example(request: Request) -> str:
    caller = caller_of(request)
    zone = ZoneInfo(caller.workspace.settings.retailer.zone)
    return EXAMPLE.format(name=say(request, NAME), day=caller.now.astimezone(zone).date())


class LoyaltyPage:
    """Handlers of the page about points.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/loyalty", self.loyalty, methods=["GET"]),
            Route("/loyalty/try", self.attempt, methods=["POST"]),
            Route("/loyalty/keep", self.keep, methods=["POST"]),
        ]

    def loyalty(self, request: Request) -> Response:
        """The programme at a glance; the ledger of one customer when asked for."""
        return self._page(request)

    def attempt(self, request: Request) -> Response:
        """What rules would have cost; nothing is kept."""
        body = caller_of(request).form.get("body", "")
        try:
            return self._page(request, body=body, found=simulated(request, body))
        except RegularsError as error:
            return self._page(request, body=body, wrong=reason_of(error), status=422)

    def keep(self, request: Request) -> Response:
        """Keep rules as a new version."""
        caller = caller_of(request)
        workspace, body = caller.workspace, caller.form.get("body", "")
        try:
            currency = workspace.settings.retailer.currency
            keep_programme(
                workspace.state, body, actor=caller.actor, now=caller.now, currency=currency
            )
        except RegularsError as error:
            return self._page(request, body=body, wrong=reason_of(error), status=422)
        anchor(workspace.state, folder=workspace.folder, at=caller.now)
        return RedirectResponse("/loyalty?said=rules_kept#rules", 303)

    def _page(self, request: Request, *, status: int = 200, **values: Any) -> Response:
        caller = caller_of(request)
        state = caller.workspace.state
        programme, kept = find_programme(state), versions(state)
        name = request.query_params.get("customer", "").strip()
        value = programme.point_value if programme else Decimal(0)
        moved = months(state, since=caller.now - MONTHS)
        shown = {
            "programme": programme,
            "owed": liability(state, point_value=value, now=caller.now),
            "chart": points_chart(request, moved),
            "tiers": tier_counts(state, programme.tiers) if programme else {},
            "stock": stock_of(state, programme.draw) if programme and programme.draw else {},
            "rounds": rounds(state)[:5],
            "customer": name,
            "has": balance(state, name, now=caller.now) if name else None,
            "member": membership(state, programme.tiers, name) if name and programme else None,
            "lines": history(state, name, most=MOST_LINES) if name else [],
            "body": kept[-1].body if kept else _example(request),
            "is_example": not kept,
            "found": None,
            "wrong": "",
        }
        return self._pages.page(
            request, "reach/loyalty/programme.html", status=status, **(shown | values)
        )
