"""Live events: the newest as they are stored, searched in, and one of them whole."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.collect.ingest.drain.ledger.service import totals
from regulars.serve.console.rendering import Pages, caller_of, is_part
from regulars.serve.http.collect.arriving import drain_state
from regulars.serve.http.collect.events import CALLS, Sought, newest_events, read_event


class EventPages:
    """Handlers of the pages about stored events.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/data/events", self.stream, methods=["GET"]),
            Route("/data/events/search", self.search, methods=["POST"]),
            Route("/data/events/one", self.one, methods=["GET"]),
        ]

    def stream(self, request: Request) -> Response:
        """The newest events, with what to search by."""
        return self._stream(request, Sought(source=request.query_params.get("source", "")))

    def search(self, request: Request) -> Response:
        """The newest events of those searched for; ids travel in the body, not in the address."""
        form = caller_of(request).form
        names = ("event", "source", "type", "identifier")
        return self._stream(request, Sought(**{n: form.get(n, "")[:200] for n in names}))

    def one(self, request: Request) -> Response:
        """One event with all it says, direct identifiers covered."""
        query = request.query_params
        found = read_event(
            caller_of(request).workspace, query.get("source", ""), query.get("id", "")
        )
        template = "data/event_panel.html" if is_part(request) else "data/event.html"
        return self._pages.page(request, template, one=found)

    def _stream(self, request: Request, sought: Sought) -> Response:
        caller = caller_of(request)
        template = "data/events_found.html" if is_part(request) else "data/events.html"
        return self._pages.page(
            request,
            template,
            events=newest_events(caller.workspace, sought),
            sought=sought,
            is_searching=sought != Sought(),
            calls=CALLS,
            sources=sorted(totals(caller.workspace.state)["sources"]),
            drain=drain_state(caller.workspace, now=caller.now),
        )
