"""Data: where events come from, what came of them, how far to trust them."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.collect.arriving import arriving, give_key, revoke_key


class DataPage:
    """Handlers of the page about sources, keys and the ledger.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/data", self.data, methods=["GET"]),
            Route("/data/keys", self.give, methods=["POST"]),
            Route("/data/keys/revoke", _revoke, methods=["POST"]),
        ]

    def data(self, request: Request) -> Response:
        """Sources, keys, ledger, scores and the drain."""
        return self._page(request)

    def give(self, request: Request) -> Response:
        """Give out a key and show it this once."""
        form = caller_of(request).form
        source = form.get("source", "")
        try:
            key = give_key(caller_of(request), source, form.get("origins", ""))
        except InputError as error:
            return self._page(request, problem=reason_of(error), source=source, status=400)
        return self._page(request, key=key, source=source.strip())

    def _page(
        self,
        request: Request,
        *,
        key: str = "",
        source: str = "",
        problem: str = "",
        status: int = 200,
    ) -> Response:
        caller = caller_of(request)
        return self._pages.page(
            request,
            "data/data.html",
            status=status,
            arriving=arriving(caller.workspace, now=caller.now),
            address=str(request.base_url).rstrip("/"),
            key=key,
            source=source,
            problem=problem,
        )


def _revoke(request: Request) -> Response:
    """Stop a key from working."""
    form = caller_of(request).form
    revoke_key(caller_of(request), form.get("source", ""), form.get("hint", ""))
    return RedirectResponse("/data?said=key_revoked#keys", 303)
