"""Channels: what each can do for whom, by stage, learned or said by a person."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.decide.channels.capability import EVERY_STAGE
from regulars.decide.channels.service import ALL_MEASURES, overrides
from regulars.errors import RegularsError
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.console.words import STAGES
from regulars.serve.http.decide.channels import (
    Claimed,
    capabilities_of,
    override_of,
    restore_of,
)

PLACE = ("channel", "stage", "measure")


class ChannelsPage:
    """Handlers of the page about channels.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/channels", self.channels, methods=["GET"]),
            Route("/channels/override", self.override, methods=["POST"]),
            Route("/channels/restore", _restore, methods=["POST"]),
        ]

    def channels(self, request: Request) -> Response:
        """The matrix; that of one customer when asked for."""
        return self._page(request)

    def override(self, request: Request) -> Response:
        """Say what a channel can do, instead of what was learned."""
        caller = caller_of(request)
        form = {name: text.strip() for name, text in caller.form.items()}
        measure = form.get("measure", "")
        given = {"value": form.get("value", ""), "why": form.get("why", "")}
        try:
            said = Claimed.model_validate(given | {"until": form.get("until") or None})
            if measure != "cost":
                # The page asks for per cent.
                said.value /= 100
            place = (form.get("channel", ""), form.get("stage", EVERY_STAGE), measure)
            override_of(caller, place, said)
        except (RegularsError, ValidationError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/channels?said=overridden", 303)

    def _page(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        caller = caller_of(request)
        customer = request.query_params.get("customer", "").strip()
        return self._pages.page(
            request,
            "money/channels.html",
            status=status,
            matrix=capabilities_of(caller),
            customer=customer,
            hers=capabilities_of(caller, customer) if customer else [],
            said_of=overrides(caller.workspace.state, now=caller.now),
            channels=tuple(caller.workspace.settings.channels),
            stages=tuple(STAGES),
            measures=ALL_MEASURES,
            problem=problem,
        )


def _restore(request: Request) -> Response:
    """Go back to what was learned."""
    caller = caller_of(request)
    channel, stage, measure = (caller.form.get(name, "") for name in PLACE)
    restore_of(caller, (channel, stage, measure))
    return RedirectResponse("/channels?said=restored", 303)
