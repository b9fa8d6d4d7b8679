"""Delivery: what goes out, what came of it, what nobody confirmed; and the stop of everything."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.govern.audit.service import anchor
from regulars.govern.policy.service import resume, stop
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.sending.explaining import call
from regulars.serve.sending.watching.monitoring import monitor


class DeliveryPage:
    """Handlers of the page about delivery.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/delivery", self.delivery, methods=["GET"]),
            Route("/delivery/stop", _stop, methods=["POST"]),
            Route("/delivery/resume", _resume, methods=["POST"]),
        ]

    def delivery(self, request: Request) -> Response:
        """What goes out and what came of it."""
        caller = caller_of(request)
        with caller.workspace.holding() as app:
            found = monitor(app, now=caller.now)
            shown = [one.run_id for one in found.runs]
            shown += [one["campaign_id"] for one in found.unknown_rows if one["campaign_id"]]
            names = call(app.state, shown)
        return self._pages.page(request, "reach/delivery/monitor.html", seen=found, called=names)


def _stop(request: Request) -> Response:
    """Stop every contact of the workspace."""
    caller = caller_of(request)
    workspace = caller.workspace
    reason = caller.form.get("reason", "").strip() or "stopped on the page"
    stop(workspace.state, reason, actor=caller.actor, at=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return RedirectResponse("/delivery?said=all_stopped", 303)


def _resume(request: Request) -> Response:
    """Let contacts go out again."""
    caller = caller_of(request)
    workspace = caller.workspace
    resume(workspace.state, actor=caller.actor, at=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return RedirectResponse("/delivery?said=all_resumed", 303)
