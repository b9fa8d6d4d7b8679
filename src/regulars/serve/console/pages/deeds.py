"""What is done by the press of a button, and where it leads: on, or back with the reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed, NotReady, RegularsError, UnknownName
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import caller_of
from regulars.serve.http.door.guard import Caller

if TYPE_CHECKING:
    from regulars.app import App

Act = Callable[["App", str, Mapping[str, str], dict[str, Any]], object]
"""Does it: in a workspace, to an id, with a form, by whom and when (actor and now)."""


@dataclass(frozen=True)
class Deed:
    """One thing that can be done.

    Attributes:
        said: Code of what the page says once it is done.
        act: Does it.
    """

    said: str
    act: Act


@dataclass(frozen=True)
class Deeds:
    """Everything that can be done with one kind of thing.

    Attributes:
        kind: What it is, as errors name it: campaign, journey.
        at: Address of the pages about it.
        by_verb: Deeds by the last part of their address.
        refused: Makes the page that says why a deed was refused.
    """

    kind: str
    at: str
    by_verb: Mapping[str, Deed]
    refused: Callable[[Request, str], Response]

    def routes(self) -> list[Route]:
        """Give a route per deed."""
        at = f"{self.at}/{{{self.kind}_id}}"
        return [
            Route(f"{at}/{verb}", self._doing(deed), methods=["POST"], name=verb)
            for verb, deed in self.by_verb.items()
        ]

    def _doing(self, deed: Deed) -> Callable[[Request], Response]:
        def do(request: Request) -> Response:
            caller, name = caller_of(request), request.path_params[f"{self.kind}_id"]
            by = {"actor": caller.actor, "now": caller.now}
            try:
                with caller.workspace.holding() as app:
                    deed.act(app, name, caller.form, by)
            except UnknownName as error:
                if error.kind == self.kind:
                    raise
                return self.refused(request, reason_of(error))
            except (InputError, NotAllowed, NotReady) as error:
                return self.refused(request, reason_of(error))
            caller.workspace.desk.wake.set()
            return RedirectResponse(f"{self.at}/{quote(name, safe='')}?said={deed.said}", 303)

        return do


def done_or_refused(
    request: Request, act: Callable[[Caller], str], refused: Callable[[str], Response]
) -> Response:
    """Do what a form asks and lead on, or show the form again with the reason.

    Args:
        request: What was sent.
        act: Does it for who asks; gives the address that leads on.
        refused: Makes the page that says why it was refused.

    Returns:
        A redirection to that address; the page with the reason where it was refused.
    """
    try:
        address = act(caller_of(request))
    except (RegularsError, ValidationError, ValueError) as error:
        return refused(reason_of(error))
    return RedirectResponse(address, 303)


def why(form: Mapping[str, str], otherwise: str) -> str:
    """Give the reason a form holds.

    Returns:
        What was written; `otherwise` where nothing was.

    Example:
        >>> why({"note": " wrong price "}, "paused"), why({}, "paused")
        ('wrong price', 'paused')
    """
    return form.get("note", "").strip() or otherwise
