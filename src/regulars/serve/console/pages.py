"""The pages: home, customers, one customer, campaigns, one campaign."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.serve.console.drawing import effects_chart, predictions_chart, spend_chart
from regulars.serve.console.rendering import Pages
from regulars.serve.http.collect.state import collected
from regulars.serve.http.decide import decisions
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.govern import audit_state
from regulars.serve.http.measure import (
    campaign,
    campaigns,
    decided_turns,
    programme,
    turn_effects,
)
from regulars.serve.http.reach import ledger
from regulars.serve.http.timeline import monthly_spend, timeline
from regulars.serve.http.turns import turns
from regulars.serve.http.understand import worth
from regulars.serve.http.unify.customers import (
    CustomerPage,
    customer_profile,
    find_customers,
    note_reveal,
)


class ConsolePages:
    """Handlers of the pages.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes of the pages.

        Returns:
            The routes.
        """
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/customers", self.customers, methods=["GET"]),
            Route("/customers/search", self.search, methods=["POST"]),
            Route("/customers/{customer_id}", self.customer, methods=["GET"]),
            Route("/customers/{customer_id}/reveal", self.reveal, methods=["POST"]),
            Route("/campaigns", self.campaigns, methods=["GET"]),
            Route("/campaigns/{campaign_id}", self.campaign, methods=["GET"]),
        ]

    def home(self, request: Request) -> Response:
        """Health, the last turn, the money caused."""
        workspace = _caller(request).workspace
        with workspace.reading() as engine:
            held, effects = collected(engine), turn_effects(engine)
            last_ledger, caused = ledger(engine), programme(engine)
        return self._pages.page(
            request,
            "home.html",
            turns=turns(workspace.state),
            collected=held,
            ledger=last_ledger,
            programme=caused,
            effects=effects,
            chart=effects_chart(request, effects),
            audit=audit_state(workspace),
        )

    def customers(self, request: Request) -> Response:
        """A page of all customers."""
        query = request.query_params
        page = query.get("page", "1")
        with _caller(request).workspace.reading() as engine:
            found = find_customers(
                engine,
                sort=query.get("sort", "value"),
                page=int(page[:7]) if page.isdecimal() else 1,
            )
        return self._list(request, found, "")

    def search(self, request: Request) -> Response:
        """A page of the customers searched for."""
        form = _caller(request).form
        text, page = form.get("text", "")[:100], form.get("page", "1")
        with _caller(request).workspace.reading() as engine:
            found = find_customers(
                engine,
                text=text,
                sort=form.get("sort", "value"),
                page=int(page[:7]) if page.isdecimal() else 1,
            )
        return self._list(request, found, text)

    def customer(self, request: Request) -> Response:
        """One customer, contact data masked."""
        return self._customer(request, is_masked=True)

    def reveal(self, request: Request) -> Response:
        """One customer, contact data clear; the look is recorded first."""
        return self._customer(request, is_masked=False)

    def campaigns(self, request: Request) -> Response:
        """The campaigns of one turn."""
        wanted = request.query_params.get("turn", "")
        with _caller(request).workspace.reading() as engine:
            known = decided_turns(engine)
            is_known = wanted.isdecimal() and int(wanted[:9]) in known
            turn = int(wanted) if is_known else known[0] if known else None
            found = campaigns(engine, turn=turn) if turn is not None else []
            counted = ledger(engine, turn=turn)
        return self._pages.page(
            request,
            "campaigns.html",
            turn=turn,
            turns=known,
            campaigns=found,
            ledger=counted,
            chart=predictions_chart(request, found),
        )

    def campaign(self, request: Request) -> Response:
        """One campaign."""
        with _caller(request).workspace.reading() as engine:
            found = campaign(engine, request.path_params["campaign_id"])
        return self._pages.page(request, "campaign.html", campaign=found)

    def _list(self, request: Request, found: CustomerPage, text: str) -> Response:
        is_part = request.headers.get("hx-request") == "true"
        template = "customers_found.html" if is_part else "customers.html"
        return self._pages.page(request, template, found=found, text=text)

    def _customer(self, request: Request, *, is_masked: bool) -> Response:
        caller = _caller(request)
        customer_id = request.path_params["customer_id"]
        with caller.workspace.reading() as engine:
            profile = customer_profile(engine, customer_id, is_masked=is_masked)
            months = monthly_spend(engine, customer_id)
            shown = worth(engine, customer_id)
            decided = decisions(caller.workspace, engine, customer_id)
            happened = timeline(engine, customer_id)
        if not is_masked:
            note_reveal(caller, customer_id)
        return self._pages.page(
            request,
            "customer.html",
            profile=profile,
            chart=spend_chart(request, months),
            worth=shown,
            decisions=decided,
            timeline=happened,
        )


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller
