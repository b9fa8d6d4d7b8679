"""Contents: the library by facet, the matrix of interests, and previews."""

from dataclasses import asdict
from typing import Any

from ibis import _
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import anchor
from regulars.ports.engine import Reader
from regulars.reach.content.service import content_versions, kept, preview
from regulars.reach.content.shelf.service import (
    FACETS,
    REVIEW_STATES,
    Wanted,
    matrix,
    search,
    set_facets,
)
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of

MOST_INTERESTS = 12


class ContentPages:
    """Handlers of the pages about contents.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/contents", self.shelf, methods=["GET"]),
            Route("/contents/{name}", self.content, methods=["GET"]),
            Route("/contents/{name}/facets", self.facets, methods=["POST"]),
        ]

    def shelf(self, request: Request) -> Response:
        """The contents looked for, and the matrix."""
        caller = caller_of(request)
        state = caller.workspace.state
        given = request.query_params
        wanted = Wanted(**{name: given.get(name, "")[:64] for name in asdict(Wanted())})
        with caller.workspace.reading() as engine:
            interests = _interests(engine)
        everything = search(state)
        return self._pages.page(
            request,
            "reach/contents/shelf.html",
            wanted=wanted,
            items=search(state, wanted),
            everything=everything,
            channels=sorted({one.kept.content.channel for one in everything}),
            locales=sorted({name for one in everything for name in one.kept.content.variants}),
            tags=sorted({tag for one in everything for tag in one.tags}),
            reviews=REVIEW_STATES,
            matrix=matrix(state, interests=interests),
        )

    def content(self, request: Request) -> Response:
        """One content as a real customer would get it, names covered; its facets and versions."""
        return self._one(request)

    def facets(self, request: Request) -> Response:
        """Keep the tags and interests of a content."""
        caller = caller_of(request)
        workspace, name = caller.workspace, request.path_params["name"]
        try:
            for kind in FACETS:
                words = caller.form.get(kind, "").replace("，", ",").split(",")
                set_facets(workspace.state, name, kind, words, actor=caller.actor, now=caller.now)
        except UnknownName:
            return RedirectResponse("/contents", 303)
        except InputError as error:
            return self._one(request, problem=reason_of(error))
        anchor(workspace.state, folder=workspace.folder, at=caller.now)
        return RedirectResponse(f"/contents/{name}?said=facets_kept", 303)

    def _one(self, request: Request, *, problem: str = "") -> Response:
        caller = caller_of(request)
        name = request.path_params["name"]
        customer = request.query_params.get("customer", "").strip()[:200]
        try:
            found = kept(caller.workspace.state, name)
        except (UnknownName, InputError):
            return RedirectResponse("/contents", 303)
        with caller.workspace.holding() as app:
            who = customer or _somebody(app.engine)
            shown = preview(app.content_tools, found.content, who, now=caller.now) if who else None
        [item] = [one for one in search(caller.workspace.state) if one.id == found.content.id]
        return self._pages.page(
            request,
            "reach/contents/one.html",
            status=400 if problem else 200,
            content=found.content,
            item=item,
            shown=shown,
            customer=who,
            versions=content_versions(caller.workspace.state, found.content.id),
            problem=problem,
        )


def _interests(engine: Reader) -> list[str]:
    """Name what customers buy most, by the newest profiles."""
    profiles = engine.table("profiles")
    known = profiles.filter(_.favourite_category.notnull(), _.favourite_category != "")
    counted = known.group_by("favourite_category").agg(customers=_.customer_id.nunique())
    first = counted.order_by(_.customers.desc(), _.favourite_category).limit(MOST_INTERESTS)
    rows: list[dict[str, Any]] = engine.rows(first)
    return [row["favourite_category"] for row in rows]


def _somebody(engine: Reader) -> str:
    """Choose a customer to show a content with; "" when nobody is known."""
    table = engine.table("profiles").select("customer_id").order_by("customer_id").limit(1)
    rows = engine.rows(table)
    return str(rows[0]["customer_id"]) if rows else ""
