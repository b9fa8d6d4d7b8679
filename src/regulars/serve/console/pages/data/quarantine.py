"""Quarantine: why events were refused, one of them mended and decided again, or dismissed."""

from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError
from regulars.serve.console.rendering import Pages, caller_of, is_part
from regulars.serve.http.collect.quarantine import (
    STATUSES,
    covered_refused,
    find_refused,
    mend,
    put_aside,
    quarantine,
    replay,
    reveal_refused,
    take_back,
)

_AT = "/data/quarantine"


class QuarantinePages:
    """Handlers of the pages about refused events.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        one = f"{_AT}/{{refused_id}}"
        return [
            Route(_AT, self.all, methods=["GET"]),
            Route(f"{_AT}/replay", _replay_all, methods=["POST"]),
            Route(one, self.one, methods=["GET"]),
            Route(f"{one}/reveal", self.reveal, methods=["POST"]),
            Route(f"{one}/mend", self.mend, methods=["POST"]),
            Route(f"{one}/dismiss", _dismiss, methods=["POST"]),
            Route(f"{one}/reopen", _reopen, methods=["POST"]),
        ]

    def all(self, request: Request) -> Response:
        """Refused events by reason and source."""
        query = request.query_params
        status = query.get("status", "")
        looked_at = {
            "status": status if status in STATUSES else STATUSES[0],
            "source": query.get("source", ""),
            "reason": query.get("reason", ""),
        }
        found = quarantine(caller_of(request).workspace, **looked_at)
        return self._pages.page(
            request,
            "data/quarantine.html",
            found=found,
            looked_at=looked_at,
            statuses=[one for one in STATUSES if found.by_status.get(one) or one == STATUSES[0]],
        )

    def one(self, request: Request) -> Response:
        """One refused event, its values covered; as a part: how it stands."""
        found = find_refused(caller_of(request).workspace, request.path_params["refused_id"])
        if is_part(request):
            return self._pages.page(request, "data/refused_standing.html", one=found)
        return self._one(request)

    def reveal(self, request: Request) -> Response:
        """One refused event in clear, to be mended; the look is recorded first."""
        text = reveal_refused(caller_of(request), request.path_params["refused_id"])
        return self._one(request, text=text)

    def mend(self, request: Request) -> Response:
        """Put the mended event in place of the refused one, and decide it again."""
        refused_id, text = (
            request.path_params["refused_id"],
            caller_of(request).form.get("text", ""),
        )
        try:
            mend(caller_of(request), refused_id, text)
        except InputError as error:
            return self._one(request, text=text, problem=error, status=400)
        return _back(refused_id, "replay_asked")

    def _one(
        self,
        request: Request,
        *,
        text: str | None = None,
        problem: InputError | None = None,
        status: int = 200,
    ) -> Response:
        workspace, refused_id = caller_of(request).workspace, request.path_params["refused_id"]
        covered = covered_refused(workspace, refused_id) if text is None else ""
        return self._pages.page(
            request,
            "data/refused_event.html",
            status=status,
            one=find_refused(workspace, refused_id),
            covered=covered,
            text=text,
            problem=problem,
        )


def _back(refused_id: str, said: str) -> Response:
    return RedirectResponse(f"{_AT}/{quote(refused_id, safe='')}?said={said}", 303)


def _replay_all(request: Request) -> Response:
    """Decide all open events of one reason and source again."""
    caller = caller_of(request)
    source, reason = caller.form.get("source", ""), caller.form.get("reason", "")
    asked = replay(caller, source=source, reason=reason)
    said = "replay_asked" if asked else "nothing_to_replay"
    status = "requested" if asked else STATUSES[0]
    return RedirectResponse(f"{_AT}?{urlencode({'status': status, 'said': said})}", 303)


def _dismiss(request: Request) -> Response:
    """Leave the event where it is, for a reason."""
    refused_id = request.path_params["refused_id"]
    put_aside(caller_of(request), refused_id, caller_of(request).form.get("why", ""))
    return _back(refused_id, "dismissed")


def _reopen(request: Request) -> Response:
    """Take a dismissal back."""
    refused_id = request.path_params["refused_id"]
    take_back(caller_of(request), refused_id)
    return _back(refused_id, "reopened")
