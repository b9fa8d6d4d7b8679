"""Budget: where the money of a turn goes and why, what if, pins, reviews, what to find out."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.decide.budget.curves import Cell
from regulars.decide.budget.obeying.service import cell_limits, followed, sayings
from regulars.decide.budget.planning import Guards
from regulars.decide.budget.planning.service import Planned
from regulars.decide.budget.reviewing.service import pins
from regulars.decide.offers.keeping.service import offer_names_in_force
from regulars.errors import InputError, NotReady, RegularsError
from regulars.serve.console.drawing import curves_chart
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.decide.budget import (
    Followed,
    Limited,
    Pinned,
    Reviewed,
    follow_of,
    leave_of,
    limit_of,
    pin_of,
    planned,
    priced,
    review_of,
    reviews_of,
    unlimit_of,
    unpin_of,
)
from regulars.serve.http.door.guard import Caller

CURVES_SHOWN = 5
CELLS_SHOWN = 40
TESTS_SHOWN = 5
SAYINGS_SHOWN = 5
SHARES = ("flexible", "reserve", "risk")
LIMIT_FIELDS = ("segment", "channel", "offer_id", "floor", "ceiling", "until", "why")


class BudgetPage:
    """Handlers of the page about the budget.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/budget", self.budget, methods=["GET"]),
            Route("/budget/pin", self.pin, methods=["POST"]),
            Route("/budget/unpin", _unpin, methods=["POST"]),
            Route("/budget/limit", self.limit, methods=["POST"]),
            Route("/budget/unlimit", _unlimit, methods=["POST"]),
            Route("/budget/follow", self.follow, methods=["POST"]),
            Route("/budget/leave", self.leave, methods=["POST"]),
            Route("/budget/review", self.review, methods=["POST"]),
        ]

    def budget(self, request: Request) -> Response:
        """The plan; that of other shares beside it when asked for."""
        return self._page(request)

    def pin(self, request: Request) -> Response:
        """Decide what a cell gets."""
        caller = caller_of(request)
        form = {name: text.strip() for name, text in caller.form.items()}
        names = ("segment", "channel", "offer_id", "amount", "why")
        given = {name: form.get(name, "") for name in names}
        try:
            pin_of(caller, Pinned.model_validate(given | {"until": form.get("until") or None}))
        except (RegularsError, ValidationError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/budget?said=pinned#pins", 303)

    def limit(self, request: Request) -> Response:
        """Set a floor or a ceiling, or only show what it would cost."""
        caller = caller_of(request)
        form = {name: text.strip() for name, text in caller.form.items()}
        # An empty field says nothing; what must not be empty is refused as missing.
        given = {name: form.get(name) or None for name in LIMIT_FIELDS}
        try:
            said = Limited.model_validate(given)
            if form.get("do") != "keep":
                return self._page(request, limit=given, priced=priced(caller, said))
            limit_of(caller, said)
        except (RegularsError, ValidationError) as error:
            return self._page(request, limit=given, problem=reason_of(error), status=400)
        return RedirectResponse("/budget?said=limited#limits", 303)

    def follow(self, request: Request) -> Response:
        """Let turns keep to the plan."""
        caller = caller_of(request)
        form = {name: text.strip() for name, text in caller.form.items()}
        try:
            shares = {name: float(form[name]) / 100 for name in SHARES if form.get(name)}
            said = shares | {"why": form.get("why", ""), "until": form.get("until") or None}
            follow_of(caller, Followed.model_validate(said))
        except (RegularsError, ValidationError, ValueError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/budget?said=plan_followed#followed", 303)

    def leave(self, request: Request) -> Response:
        """Let turns spend as they find best again."""
        caller = caller_of(request)
        try:
            leave_of(caller, caller.form.get("why", ""))
        except RegularsError as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/budget?said=plan_left#followed", 303)

    def review(self, request: Request) -> Response:
        """Keep the review of a period."""
        caller = caller_of(request)
        asked = {name: caller.form.get(name, "").strip() for name in ("kind", "note")}
        try:
            review_of(caller, Reviewed.model_validate(asked))
        except (RegularsError, ValidationError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/budget?said=reviewed#reviews", 303)

    def _page(
        self,
        request: Request,
        *,
        problem: str = "",
        status: int = 200,
        limit: Mapping[str, str | None] | None = None,
        priced: tuple[Planned, Planned] | None = None,
    ) -> Response:
        caller = caller_of(request)
        asked = _asked(request)
        found: Planned | None = None
        tried: Planned | None = None
        try:
            found = planned(caller, None, Guards())
            if asked:
                tried = _tried(caller, asked)
        except NotReady:
            pass
        except InputError as error:
            problem, status = problem or reason_of(error), 400
        kept, missing = reviews_of(caller)
        with caller.workspace.reading() as engine:
            names = offer_names_in_force(engine, caller.workspace.state, now=caller.now)
        return self._pages.page(
            request,
            "money/budget.html",
            status=status,
            plan=found.plan if found else None,
            turns=found.turns if found else 0,
            chart=_chart(request, found, names),
            tried=tried.plan if tried else None,
            tried_spend={one.cell: one.spend for one in tried.plan.cells} if tried else {},
            asked=_filled(caller, asked),
            cells=found.plan.cells[:CELLS_SHOWN] if found else (),
            tests=found.tests[:TESTS_SHOWN] if found else (),
            known=_known(caller, found, names),
            followed=followed(caller.workspace.state, now=caller.now),
            sayings=sayings(caller.workspace.state)[:SAYINGS_SHOWN],
            limits=cell_limits(caller.workspace.state, now=caller.now),
            pins=pins(caller.workspace.state, now=caller.now),
            reviews=kept,
            due=missing,
            offer_names=names,
            limit=limit or dict.fromkeys(LIMIT_FIELDS),
            priced=tuple(one.plan for one in priced) if priced else None,
            problem=problem,
        )


def _unpin(request: Request) -> Response:
    """Take a pin away."""
    caller = caller_of(request)
    unpin_of(caller, Cell(*(caller.form.get(name, "") for name in Cell._fields)))
    return RedirectResponse("/budget?said=unpinned#pins", 303)


def _unlimit(request: Request) -> Response:
    """Take floor and ceiling of a cell away."""
    caller = caller_of(request)
    unlimit_of(caller, Cell(*(caller.form.get(name, "") for name in Cell._fields)))
    return RedirectResponse("/budget?said=unlimited#limits", 303)


def _asked(request: Request) -> dict[str, float]:
    """Read what if; what is no number is left out."""
    found = {}
    for name in ("budget", *SHARES):
        try:
            found[name] = float(request.query_params.get(name, ""))
        except ValueError:
            continue
    return found


def _tried(caller: Caller, asked: dict[str, float]) -> Planned:
    shares = {name: asked[name] / 100 for name in SHARES if name in asked}
    return planned(caller, asked.get("budget"), Guards(**shares))


def _filled(caller: Caller, asked: dict[str, float]) -> dict[str, float]:
    """Give what the form shows: what was asked, else what holds."""
    usual = Guards()
    holds = {name: 100 * getattr(usual, name) for name in SHARES}
    return holds | {"budget": float(caller.workspace.settings.loop.weekly_budget)} | asked


def _chart(request: Request, found: Planned | None, names: dict[str, str]) -> dict[str, Any] | None:
    """Draw the curves of the cells that get most, up to twice what the largest gets."""
    if found is None:
        return None
    rank = {one.cell: place for place, one in enumerate(found.plan.cells)}
    shown = sorted(found.curves, key=lambda curve: rank[curve.cell])[:CURVES_SHOWN]
    most = 2 * max((one.spend for one in found.plan.cells), default=0.0)
    return curves_chart(request, shown, most=most or found.plan.budget, offer_names=names)


def _known(caller: Caller, found: Planned | None, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Give the parts a pin may name."""
    cells = [curve.cell for curve in found.curves] if found else []
    return {
        "segment": sorted({cell.segment for cell in cells}),
        "channel": sorted({*caller.workspace.settings.channels, *(c.channel for c in cells)}),
        "offer_id": sorted({*names, *(cell.offer_id for cell in cells)}),
    }
