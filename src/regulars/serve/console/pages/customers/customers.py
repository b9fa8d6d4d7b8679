"""Customers: a list to search in, and one of them, contact data masked until uncovered."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.serve.console.drawing import spend_chart
from regulars.serve.console.rendering import Pages, caller_of, is_part
from regulars.serve.http.decide import decisions
from regulars.serve.http.reach.points.holding import holding
from regulars.serve.http.timeline import monthly_spend, timeline
from regulars.serve.http.understand.worth import worth
from regulars.serve.http.unify.customers import (
    CustomerPage,
    customer_profile,
    find_customers,
    uncovered,
)
from regulars.serve.http.unify.present import (
    find_customer,
    known_identity,
    present,
)
from regulars.serve.sending.explaining import explain
from regulars.unify.identity.service import members


class CustomerPages:
    """Handlers of the pages about customers.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/customers", self.customers, methods=["GET"]),
            Route("/customers/search", self.search, methods=["POST"]),
            Route("/customers/{customer_id}", self.customer, methods=["GET"]),
            Route("/customers/{customer_id}/reveal", self.reveal, methods=["POST"]),
        ]

    def customers(self, request: Request) -> Response:
        """A page of all customers."""
        query = request.query_params
        page = query.get("page", "1")
        workspace = caller_of(request).workspace
        with workspace.reading() as engine:
            found = find_customers(
                engine,
                sort=query.get("sort", "value"),
                page=int(page[:7]) if page.isdecimal() else 1,
                protector=workspace.protector,
            )
        return self._list(request, found, "")

    def search(self, request: Request) -> Response:
        """A page of the customers searched for."""
        form, workspace = caller_of(request).form, caller_of(request).workspace
        text, page = form.get("text", "")[:100], form.get("page", "1")
        with workspace.reading() as engine:
            found = find_customers(
                engine,
                text=text,
                sort=form.get("sort", "value"),
                page=int(page[:7]) if page.isdecimal() else 1,
                protector=workspace.protector,
            )
        met = find_customer(workspace, text) if text.strip() and not found.rows else None
        return self._list(request, found, text, met)

    def customer(self, request: Request) -> Response:
        """One customer, contact data masked."""
        return self._customer(request, is_masked=True)

    def reveal(self, request: Request) -> Response:
        """One customer, contact data clear; the look is recorded first."""
        return self._customer(request, is_masked=False)

    def _list(
        self, request: Request, found: CustomerPage, text: str, met: str | None = None
    ) -> Response:
        template = "customers/found.html" if is_part(request) else "customers/list.html"
        return self._pages.page(request, template, found=found, text=text, met=met)

    def _customer(self, request: Request, *, is_masked: bool) -> Response:
        caller, customer_id = caller_of(request), request.path_params["customer_id"]
        workspace = caller.workspace
        identity = known_identity(workspace, customer_id)
        if identity and identity.customer_id != customer_id:
            return RedirectResponse(f"/customers/{quote(identity.customer_id, safe='')}", 303)
        met = members(workspace.state, customer_id)
        with workspace.reading() as engine:
            profile = customer_profile(
                engine,
                customer_id,
                is_masked=is_masked,
                protector=workspace.protector,
                met=met,
            )
            months = monthly_spend(engine, customer_id)
            shown = worth(engine, customer_id)
            decided = decisions(workspace, engine, customer_id)
            happened = timeline(engine, customer_id, identifiers=met)
        if not is_masked:
            profile = uncovered(caller, profile)
        zone = workspace.settings.retailer.zone
        return self._pages.page(
            request,
            "customers/one.html",
            explained=explain(workspace.state, customer_id, zone=zone, limit=50),
            profile=profile,
            present=present(workspace, customer_id, identity, now=caller.now),
            chart=spend_chart(request, months),
            worth=shown,
            decisions=decided,
            timeline=happened,
            holding=holding(workspace.state, customer_id, now=caller.now),
        )
