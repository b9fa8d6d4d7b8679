"""Approvals: what waits for a second person, what is shown of it, and the decision."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.approvals.service import inbox, newest_requests
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.sending import acting

_PLACE = re.compile(r"\[(\d+)\]")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class ApprovalPages:
    """Handlers of the pages about approvals.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/approvals", self.approvals, methods=["GET"]),
            Route("/approvals/{number}", self.approval, methods=["GET"]),
            Route("/approvals/{number}/decide", self.decide, methods=["POST"]),
            Route("/approvals/{number}/comment", self.comment, methods=["POST"]),
        ]

    def approvals(self, request: Request) -> Response:
        """What waits for the reader, and what others decide or decided."""
        caller = caller_of(request)
        state = caller.workspace.state
        mine = inbox(state, caller.actor)
        numbers = {one.request_id for one in mine}
        others = [one for one in newest_requests(state) if one.request_id not in numbers]
        return self._pages.page(request, "reach/approvals/list.html", mine=mine, others=others)

    def approval(self, request: Request) -> Response:
        """One request."""
        return self._one(request)

    def decide(self, request: Request) -> Response:
        """Approve it, or ask for changes; never one's own."""
        caller, number = caller_of(request), _number(request)
        note = caller.form.get("note", "").strip()
        try:
            with caller.workspace.holding() as app:
                if caller.form.get("verdict") == "approve":
                    acting.approve(app, number, actor=caller.actor, now=caller.now, note=note)
                else:
                    acting.send_back(app, number, note, actor=caller.actor, now=caller.now)
        except (InputError, NotAllowed) as error:
            return self._one(request, problem=reason_of(error), status=400)
        return RedirectResponse(f"/approvals/{number}?said=decided", 303)

    def comment(self, request: Request) -> Response:
        """Say something about it, or take it back."""
        caller, number = caller_of(request), _number(request)
        note = caller.form.get("note", "").strip()
        try:
            with caller.workspace.holding() as app:
                if caller.form.get("verdict") == "withdraw":
                    acting.take_back(app, number, actor=caller.actor, now=caller.now, note=note)
                else:
                    acting.comment(app, number, note, actor=caller.actor, now=caller.now)
        except (InputError, NotAllowed) as error:
            return self._one(request, problem=reason_of(error), status=400)
        return RedirectResponse(f"/approvals/{number}?said=noted", 303)

    def _one(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        caller, number = caller_of(request), _number(request)
        with caller.workspace.holding() as app:
            found = acting.request_of(app, number)
        waits = {one.request_id for one in inbox(caller.workspace.state, caller.actor)}
        return self._pages.page(
            request,
            "reach/approvals/one.html",
            status=status,
            asked=found,
            changes=_changes(found.evidence.get("changes", [])),
            is_first=all(one["before"] is None for one in found.evidence.get("changes", [])),
            is_mine=found.request_id in waits,
            problem=problem,
        )


def _changes(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read what changed: the field without its places, which of several, values without hashes."""
    found = []
    for one in told:
        if one["before"] is None and one["after"] in (None, "", [], {}, 0):
            continue
        field, places = _PLACE.sub("", one["field"]), _PLACE.findall(one["field"])
        found.append({
            "field": field,
            "places": [int(place) + 1 for place in places],
            "before": _plain(one["before"]),
            "after": _plain(one["after"]),
        })
    return found


def _plain(value: Any) -> Any:
    """Write a value as people read it: lists without brackets, a fingerprint by its beginning."""
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, str) and _FINGERPRINT.fullmatch(value):
        return f"{value[:8]}…"
    return value


def _number(request: Request) -> int:
    text = str(request.path_params["number"])
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise UnknownName("request", text, [])
    return int(text)
