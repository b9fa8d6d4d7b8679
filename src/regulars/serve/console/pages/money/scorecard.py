"""The scorecard: the funnel and the health of the shop, and the rows behind each number."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.adjust.reporting.span import last_week
from regulars.errors import InputError
from regulars.measure.scorecard import INDICATORS, Scorecard
from regulars.measure.scorecard.service import shop_scorecard
from regulars.measure.scorecard.telling import told
from regulars.serve.console.drawing import history_chart
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.measure.scorecard import rows_for, until_of

PERIODS_SHOWN = 6
ROWS_SHOWN = 200
USUAL_DAYS = 28


class ScorecardPages:
    """Handlers of the scorecard and of the rows of one indicator.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/scorecard", self.scorecard, methods=["GET"]),
            Route("/scorecard/{indicator}", self.rows, methods=["GET"]),
        ]

    def scorecard(self, request: Request) -> Response:
        """Every indicator beside the period before."""
        caller = caller_of(request)
        until, days, problem = _asked(caller, request)
        found = _read(caller, until, days)
        shown = told(found, locale=caller.locale, currency=_currency(caller))
        charts = {
            key: history_chart(request, found, key)
            for key in ("revenue", "active_customers", "retained_share", "basket")
        }
        return self._pages.page(
            request,
            "money/scorecard.html",
            status=400 if problem else 200,
            card=shown,
            charts=charts,
            until=until.isoformat(),
            days=days,
            week=last_week(until),
            place=urlencode({"until": until.isoformat(), "days": days}),
            problem=problem,
        )

    def rows(self, request: Request) -> Response:
        """Which customers and orders make a number."""
        caller, key = caller_of(request), request.path_params["indicator"]
        until, days, problem = _asked(caller, request)
        rows = rows_for(caller, key, until=until, days=days, limit=ROWS_SHOWN + 1)
        shown = told(_read(caller, until, days), locale=caller.locale, currency=_currency(caller))
        return self._pages.page(
            request,
            "money/indicator.html",
            one=next(one for one in shown["indicators"] if one["key"] == key),
            is_ratio=INDICATORS[key].is_ratio,
            period=shown["period"],
            place=urlencode({"until": until.isoformat(), "days": days}),
            rows=rows[:ROWS_SHOWN],
            more=len(rows) > ROWS_SHOWN,
            problem=problem,
        )


def _read(caller: Caller, until: date, days: int) -> Scorecard:
    zone = caller.workspace.settings.retailer.zone
    with caller.workspace.reading() as engine:
        return shop_scorecard(
            engine,
            caller.workspace.state,
            zone=zone,
            until=until,
            days=days,
            periods=PERIODS_SHOWN,
        )


def _currency(caller: Caller) -> str:
    return str(caller.workspace.settings.retailer.currency)


def _newest_day(caller: Caller) -> str:
    """Give the newest day with orders that is over; "" where there are none."""
    with caller.workspace.reading() as engine:
        orders = engine.table("orders")
        over = orders.filter(orders.business_date <= until_of(caller, ""))
        [newest] = engine.rows(over.agg(day=over.business_date.max()))
    return newest["day"].isoformat() if newest["day"] else ""


def _asked(caller: Caller, request: Request) -> tuple[date, int, str]:
    """Read the period asked for; the usual one and what was wrong when it cannot be."""
    asked: Any = request.query_params
    try:
        until = until_of(caller, asked.get("until", "").strip() or _newest_day(caller))
        days = int(asked.get("days") or USUAL_DAYS)
    except (InputError, ValueError) as error:
        return until_of(caller, ""), USUAL_DAYS, reason_of(error)
    return until, min(max(days, 1), 366), ""
