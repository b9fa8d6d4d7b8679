"""Offers: the catalogue, its codes and stock, what an order would come to, and what leaks."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.decide.offers.keeping.service import (
    difference,
    history,
    offer_names_in_force,
    offers_in_force,
)
from regulars.decide.offers.pricing import Basket, Candidate, Rules, basket_from, price
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import anchor
from regulars.reach.counters.service import given_out
from regulars.reach.coupons.leakage.service import leakage
from regulars.reach.coupons.stocking.service import count_by_state, generate, list_codes
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.sending.explaining import call

LOOKED_BACK = timedelta(days=90)
SAMPLE = "320.00 180.00 tea\n40.00 22.00"
MOST_CODES = 10_000


@dataclass(frozen=True)
class Sample:
    """The order of the preview as somebody wrote it.

    Attributes:
        text: One line of the order per line: amount, cost, category.
        chosen: Offers brought to it.
    """

    text: str = SAMPLE
    chosen: tuple[str, ...] = ()


class OfferPages:
    """Handlers of the pages about offers.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/offers", self.offers, methods=["GET"]),
            Route("/offers/preview", self.preview, methods=["POST"]),
            Route("/offers/{offer_id}", self.offer, methods=["GET"]),
            Route("/offers/{offer_id}/codes", self.codes, methods=["POST"]),
        ]

    def offers(self, request: Request) -> Response:
        """The catalogue, what an order would come to, what leaks."""
        return self._page(request, Sample())

    def preview(self, request: Request) -> Response:
        """What a sample order would come to; nothing is kept."""
        form = caller_of(request).form
        kept = offers_in_force(caller_of(request).workspace.state, at=caller_of(request).now)
        names = [one.offer.offer_id for one in kept]
        chosen = tuple(name for name in names if f"offer:{name}" in form)
        sample = Sample(form.get("lines", "")[:4_000], chosen)
        by_name = {one.offer.offer_id: one.offer for one in kept}
        rules = Rules.of(caller_of(request).workspace.settings.orders)
        try:
            basket = _basket(sample.text)
            candidates = [Candidate(name, by_name[name]) for name in chosen]
            priced = price(basket, candidates, rules)
        except InputError as error:
            return self._page(request, sample, problem=reason_of(error), status=400)
        return self._page(request, sample, priced=priced)

    def offer(self, request: Request) -> Response:
        """One offer: what it says, version by version, and its codes."""
        return self._one(request, request.path_params["offer_id"])

    def codes(self, request: Request) -> Response:
        """Make codes for an offer."""
        caller = caller_of(request)
        workspace, name = caller.workspace, request.path_params["offer_id"]
        wanted = caller.form.get("count", "")
        if not wanted.isdigit() or not 1 <= int(wanted) <= MOST_CODES:
            return self._one(request, name, status=400)
        generate(
            workspace.state,
            name,
            int(wanted),
            secret=secrets.token_bytes(32),
            actor=caller.actor,
            now=caller.now,
        )
        anchor(workspace.state, folder=workspace.folder, at=caller.now)
        return RedirectResponse(f"/offers/{name}?said=codes_made", 303)

    def _page(
        self,
        request: Request,
        sample: Sample,
        *,
        priced: object = None,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        caller = caller_of(request)
        workspace = caller.workspace
        with workspace.reading() as engine:
            leaks = leakage(
                workspace.state, since=caller.now - LOOKED_BACK, now=caller.now, reader=engine
            )
            names = offer_names_in_force(engine, workspace.state, now=caller.now)
        return self._pages.page(
            request,
            "reach/offers/list.html",
            status=status,
            kept=offers_in_force(workspace.state, at=caller.now),
            counts=count_by_state(workspace.state),
            given=given_out(workspace.state),
            now=caller.now,
            sample=sample,
            priced=priced,
            problem=problem,
            leaks=leaks,
            names=names,
            called=call(
                workspace.state, [one.campaign_id for one in leaks.needless], offer_names=names
            ),
        )

    def _one(self, request: Request, name: str, *, status: int = 200) -> Response:
        caller = caller_of(request)
        state = caller.workspace.state
        try:
            kept = history(state, name)
        except UnknownName:
            return self._page(request, Sample(), status=404)
        changes = [
            difference(before.offer, after.offer)
            for before, after in zip(kept, kept[1:], strict=False)
        ]
        return self._pages.page(
            request,
            "reach/offers/one.html",
            status=status,
            kept=kept,
            newest=kept[-1],
            versions=list(zip(kept, [{}, *changes], strict=True)),
            counts=count_by_state(state).get(name, {}),
            given=given_out(state).get(name, 0),
            codes=list_codes(state, name, most=50),
            problem=status == 400,
            most=MOST_CODES,
        )


def _basket(text: str) -> Basket:
    """Read a sample order: one line per line, amount, cost and category."""
    lines: list[dict[str, Any]] = []
    for number, row in enumerate((row for row in text.splitlines() if row.strip()), 1):
        amount, *rest = row.split()
        try:
            money = [Decimal(word) for word in (amount, *rest[:1])]
        except InvalidOperation as error:
            raise InputError(f"line {number} is {row!r}; write amount, cost, category") from error
        cost = money[1] if len(money) > 1 else None
        about = {"line_id": str(number), "product_id": f"line {number}", "amount": money[0]}
        lines.append(about | {"cost": cost, "category": rest[1] if len(rest) > 1 else ""})
    return basket_from({"order_id": "sample", "lines": lines})
