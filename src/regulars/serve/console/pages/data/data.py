"""Data: where events come from, what came of them, how far to trust them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.collect.arriving import arriving, give_key, revoke_key
from regulars.serve.http.govern.publishing import publish_key, publishable_keys, unpublish_key

_NOTHING_SAID = {
    "key": "",
    "source": "",
    "problem": "",
    "published": None,
    "page_key": {"name": "", "origins": "", "problem": ""},
}


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
            Route("/data/publishable-keys", self.publish, methods=["POST"]),
            Route("/data/publishable-keys/revoke", _unpublish, methods=["POST"]),
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

    def publish(self, request: Request) -> Response:
        """Give out a key for pages, and show its secret this once."""
        form = caller_of(request).form
        name, origins = form.get("name", ""), form.get("page_origins", "")
        try:
            published = publish_key(caller_of(request), name, origins)
        except InputError as error:
            typed = {"name": name, "origins": origins, "problem": reason_of(error)}
            return self._page(request, status=400, page_key=typed)
        return self._page(request, published=published)

    def _page(self, request: Request, *, status: int = 200, **said: Any) -> Response:
        caller = caller_of(request)
        channels = caller.workspace.settings.channels
        return self._pages.page(
            request,
            "data/data.html",
            status=status,
            arriving=arriving(caller.workspace, now=caller.now),
            address=str(request.base_url).rstrip("/"),
            publishable=publishable_keys(caller.workspace),
            slots=[name for name, one in channels.items() if one.via == "onsite"],
            **_NOTHING_SAID | said,
        )


def _revoke(request: Request) -> Response:
    """Stop a key from working."""
    form = caller_of(request).form
    revoke_key(caller_of(request), form.get("source", ""), form.get("hint", ""))
    return RedirectResponse("/data?said=key_revoked#keys", 303)


def _unpublish(request: Request) -> Response:
    """Stop a key of pages from working."""
    unpublish_key(caller_of(request), caller_of(request).form.get("name", ""))
    return RedirectResponse("/data?said=key_revoked#page-keys", 303)
