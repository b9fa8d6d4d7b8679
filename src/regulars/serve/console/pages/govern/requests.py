"""Requests of customers about their own data: the log with due days, copies, erasures."""

from datetime import date
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import RegularsError
from regulars.reach.rights.law import answer_by, read_law
from regulars.reach.rights.packing import DATA_FILE, PAGE_FILE, as_json, as_page
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.govern.rights import (
    Asked,
    access_of,
    erase_approved,
    erase_asked,
    erase_refused,
    preview_of,
    requests_of,
)

LAWS = ("cn", "eu")


class RequestPages:
    """Handlers of the page about requests.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/requests", self.log, methods=["GET"]),
            Route("/requests/look", self.look, methods=["POST"]),
            Route("/requests/copy", self.copy, methods=["POST"]),
            Route("/requests/erase", self.erase, methods=["POST"]),
            Route("/requests/{number}/approve", self.approve, methods=["POST"]),
            Route("/requests/{number}/refuse", self.refuse, methods=["POST"]),
        ]

    def log(self, request: Request) -> Response:
        """Every request, and by when it must be answered."""
        return self._page(request, customer_id=request.query_params.get("customer", "")[:200])

    def look(self, request: Request) -> Response:
        """What is kept of a customer, in numbers, and what an erasure would do."""
        form = caller_of(request).form
        customer_id = form.get("customer_id", "").strip()
        if not customer_id:
            return RedirectResponse("/requests", 303)
        return self._page(request, customer_id=customer_id, is_looked=True)

    def copy(self, request: Request) -> Response:
        """A copy to be given to the customer, as a file."""
        caller = caller_of(request)
        try:
            told = access_of(caller, _asked(caller.form))
        except (RegularsError, ValidationError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        is_page = caller.form.get("form") == "page"
        name = PAGE_FILE if is_page else DATA_FILE
        retailer = caller.workspace.settings.retailer.name
        body = as_page(told["pack"], retailer=retailer) if is_page else as_json(told["pack"])
        return Response(
            body,
            media_type="text/html" if is_page else "application/json",
            headers={
                "content-disposition": f'attachment; filename="{name}"',
                "cache-control": "no-store",
            },
        )

    def erase(self, request: Request) -> Response:
        """Ask for an erasure; somebody else approves it."""
        caller = caller_of(request)
        try:
            erase_asked(caller, _asked(caller.form))
        except (RegularsError, ValidationError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        return _back("erasure_asked")

    def approve(self, request: Request) -> Response:
        """Approve an erasure, and carry it out."""
        caller, number = caller_of(request), _number(request)
        if caller.form.get("is_sure") != "on":
            return _back("erasure_unsure")
        try:
            erase_approved(caller, number)
        except RegularsError as error:
            return self._page(request, problem=reason_of(error), status=400)
        return _back("erasure_done")

    def refuse(self, request: Request) -> Response:
        """Refuse an erasure, with its reason."""
        caller, number = caller_of(request), _number(request)
        try:
            erase_refused(caller, number, caller.form.get("reason", "")[:500])
        except RegularsError as error:
            return self._page(request, problem=reason_of(error), status=400)
        return _back("erasure_refused")

    def _page(
        self,
        request: Request,
        *,
        customer_id: str = "",
        is_looked: bool = False,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        caller = caller_of(request)
        today = caller.now.astimezone(ZoneInfo(caller.workspace.settings.retailer.zone)).date()
        return self._pages.page(
            request,
            "customers/requests.html",
            status=status,
            found=requests_of(caller),
            today=today,
            laws=_laws(today),
            kept_by_name=read_law().kept_by_name,
            customer_id=customer_id,
            seen=preview_of(caller, customer_id) if is_looked else None,
            problem=problem,
        )


def _number(request: Request) -> int:
    given = str(request.path_params["number"])[:18]
    return int(given) if given.isdecimal() else 0


def _asked(form: dict[str, str]) -> Asked:
    return Asked(customer_id=form.get("customer_id", "").strip(), law=form.get("law", "cn"))


def _laws(today: date) -> list[dict[str, object]]:
    """Whose clocks there are, and what each would say today."""
    told = [(law, *answer_by(law, today)) for law in LAWS]
    return [{"law": law, "due_on": due, "article": clock.article} for law, due, clock in told]


def _back(said: str) -> Response:
    return RedirectResponse(f"/requests?{urlencode({'said': said})}", 303)
