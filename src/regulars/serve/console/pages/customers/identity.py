"""What is done to one customer by hand: merged, taken apart, given a tag, relieved of one."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.console.words import N_
from regulars.serve.http.unify.identity import merge_by_hand, unmerge_by_hand
from regulars.serve.http.unify.present import find_customer, known_identity
from regulars.serve.http.unify.tags import mark

_AT = "/customers/{customer_id}"
NOBODY = N_("Nobody is known by this. Give the id, phone number or address whole.")
SAME = N_("That is the same customer already.")
NEVER = N_("These two are never merged.")


class IdentityPages:
    """Handlers of the forms on the page of one customer.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(f"{_AT}/merge", self.compare, methods=["POST"]),
            Route(f"{_AT}/merge/confirm", self.merge, methods=["POST"]),
            Route(f"{_AT}/unmerge", _unmerge, methods=["POST"]),
            Route(f"{_AT}/tags/give", _give, methods=["POST"]),
            Route(f"{_AT}/tags/remove", _remove, methods=["POST"]),
        ]

    def compare(self, request: Request) -> Response:
        """Two customers side by side, before they are made one."""
        workspace, customer_id = caller_of(request).workspace, request.path_params["customer_id"]
        other = find_customer(workspace, caller_of(request).form.get("other", "")[:200])
        if other is None:
            return self._refused(request, NOBODY)
        if other == customer_id:
            return self._refused(request, SAME)
        sides = [(one, known_identity(workspace, one)) for one in (customer_id, other)]
        return self._pages.page(
            request,
            "customers/merge.html",
            customer_id=customer_id,
            other=other,
            sides=sides,
            problem="",
            detail="",
        )

    def merge(self, request: Request) -> Response:
        """Make two customers one."""
        caller, customer_id = caller_of(request), request.path_params["customer_id"]
        other = find_customer(caller.workspace, caller.form.get("other", "")[:200])
        if other is None:
            return self._refused(request, NOBODY)
        try:
            line = merge_by_hand(caller, customer_id, other, caller.form.get("reason", "")[:500])
        except NotAllowed as error:
            return self._refused(request, NEVER, str(error))
        except InputError as error:
            return self._refused(request, SAME, str(error))
        return _to(line.survivor, "merged", "#merges")

    def _refused(self, request: Request, problem: str, detail: str = "") -> Response:
        return self._pages.page(
            request,
            "customers/merge.html",
            status=400,
            customer_id=request.path_params["customer_id"],
            other="",
            sides=[],
            problem=problem,
            detail=detail,
        )


def _unmerge(request: Request) -> Response:
    """Take a merge back."""
    caller, number = caller_of(request), caller_of(request).form.get("number", "")
    if not number.isdecimal():
        raise InputError("number is missing; take a merge back from the merge log")
    unmerge_by_hand(caller, int(number[:12]), caller.form.get("reason", "")[:500])
    return _to(request.path_params["customer_id"], "unmerged", "#merges")


def _give(request: Request) -> Response:
    """Give a tag by hand."""
    customer_id = request.path_params["customer_id"]
    caller = caller_of(request)
    mark(caller, caller.form.get("tag", ""), [customer_id], is_given=True)
    return _to(customer_id, "tag_given", "#tags")


def _remove(request: Request) -> Response:
    """Take a tag away; it stays away."""
    customer_id = request.path_params["customer_id"]
    caller = caller_of(request)
    mark(caller, caller.form.get("tag", ""), [customer_id], is_given=False)
    return _to(customer_id, "tag_removed", "#tags")


def _to(customer_id: str, said: str, place: str) -> Response:
    return RedirectResponse(f"/customers/{quote(customer_id, safe='')}?said={said}{place}", 303)
