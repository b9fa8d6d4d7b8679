"""Audiences: those there are, one as it is written and counted, one over time, exports."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotReady
from regulars.govern.consent.declared import read_declared
from regulars.serve.console.drawing import members_chart
from regulars.serve.console.pages.audiences.audience_draft import (
    WINDOWS,
    WORDS,
    Draft,
    changed,
    draft_of,
    read_draft,
    rule_of,
    with_rule,
)
from regulars.serve.console.pages.deeds import done_or_refused
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of, is_part
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.understand import segments as http
from regulars.understand.segments.audiences.definition import Audience, read_audience
from regulars.understand.segments.audiences.dimensions import DIMENSIONS, SOCIAL_EVENTS
from regulars.understand.segments.audiences.exporting.service import CONTACT, USUAL
from regulars.understand.segments.audiences.membership.service import history, last_refreshed
from regulars.understand.segments.audiences.rules import HAPPENINGS, score_fields
from regulars.understand.segments.audiences.service import (
    audience_versions,
    find_audience,
    list_audiences,
)
from regulars.understand.segments.audiences.starting import (
    ACTIVITIES,
    BUYING_TYPES,
    VALUES,
)
from regulars.unify.tags.service import list_tags

_UNNAMED = "draft"
_SHOP_EVENTS = (
    "Product Viewed", "Product List Viewed", "Products Searched", "Product Added",
    "Product Removed", "Cart Viewed", "Checkout Started", "Order Completed", "Order Refunded",
    "Product Added to Wishlist", "Coupon Applied",
)  # fmt: skip


class AudiencePages:
    """Handlers of the pages about audiences.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/audiences", self.audiences, methods=["GET"]),
            Route("/audiences/one", self.one, methods=["GET"]),
            Route("/audiences/edit", self.edit, methods=["GET"]),
            Route("/audiences/edit", self.change, methods=["POST"]),
            Route("/audiences/count", self.count, methods=["POST"]),
            Route("/audiences/overlap", self.overlap, methods=["POST"]),
            Route("/audiences/save", self.save, methods=["POST"]),
            Route("/audiences/undo", _undo, methods=["POST"]),
            Route("/audiences/delete", self.delete, methods=["POST"]),
            Route("/audiences/refresh", _refresh, methods=["POST"]),
            Route("/audiences/export", self.export, methods=["POST"]),
        ]

    def audiences(self, request: Request) -> Response:
        """Every audience with its members, and where a new one may begin."""
        return self._pages.page(
            request,
            "customers/audiences/list.html",
            audiences=http.audience_rows(caller_of(request).workspace),
            types=list(BUYING_TYPES),
            values=VALUES,
            activities=ACTIVITIES,
        )

    def one(self, request: Request) -> Response:
        """One audience: its members over time, its versions, who else has its customers."""
        return self._one(request, request.query_params.get("name", ""))

    def edit(self, request: Request) -> Response:
        """A new audience, from nothing or a starting point, or one there is."""
        asked = request.query_params
        name, start = asked.get("name", ""), asked.get("start", "")
        workspace = caller_of(request).workspace
        if name:
            return self._editor(request, draft_of(find_audience(workspace.state, name)))
        if not start:
            return self._editor(request, Draft())
        try:
            return self._editor(request, with_rule(Draft(), http.begun(workspace, start)))
        except NotReady as error:
            return self._editor(request, Draft(), problem=reason_of(error))

    def change(self, request: Request) -> Response:
        """The editor after one of its buttons; nothing is kept."""
        form = caller_of(request).form
        draft = read_draft(form)
        try:
            return self._editor(request, changed(draft, form.get("do", "")))
        except InputError as error:
            return self._editor(request, draft, problem=reason_of(error))

    def count(self, request: Request) -> Response:
        """How many customers the draft reaches, and a few of them."""
        look, problem, draft = None, "", read_draft(caller_of(request).form)
        try:
            look = http.look_at(caller_of(request), _audience(draft)) if draft.is_complete else None
        except InputError as error:
            problem = reason_of(error)
        return self._pages.page(
            request, "customers/audiences/count.html", look=look, problem=problem
        )

    def overlap(self, request: Request) -> Response:
        """How the draft lies with the audiences there are."""
        rows, draft = [], read_draft(caller_of(request).form)
        try:
            if draft.is_complete:
                caller = caller_of(request)
                rows = http.compared(caller, _audience(draft), leave_out=draft.name)
        except InputError:
            rows = []
        return self._pages.page(request, "customers/audiences/overlap.html", rows=rows)

    def save(self, request: Request) -> Response:
        """Keep the draft as a new audience, or as the next version of one there is."""
        draft = read_draft(caller_of(request).form)

        def kept(caller: Caller) -> str:
            http.keep_written(caller, _audience(draft, is_named=True))
            return _address(draft.name, "audience_saved")

        return done_or_refused(
            request, kept, lambda why: self._editor(request, draft, problem=why, status=400)
        )

    def delete(self, request: Request) -> Response:
        """Delete an audience; its versions stay readable."""
        name = caller_of(request).form.get("name", "")

        def deleted(caller: Caller) -> str:
            http.deleted(caller, name)
            return "/audiences?said=audience_deleted"

        return done_or_refused(
            request, deleted, lambda why: self._one(request, name, problem=why, status=400)
        )

    def export(self, request: Request) -> Response:
        """The customers of an audience as a file."""
        form = caller_of(request).form
        name = form.get("name", "")
        columns = [one for one in (*CONTACT, *_fields()) if form.get(f"column.{one}") == "yes"]
        wanted = http.Exported(
            columns=columns, clear=form.get("clear") == "yes", reason=form.get("reason", "")[:500]
        )
        try:
            return http.exported(caller_of(request), name, wanted)
        except InputError as error:
            return self._one(request, name, problem=reason_of(error), status=400)

    def _one(
        self, request: Request, name: str, *, problem: str = "", status: int = 200
    ) -> Response:
        workspace = caller_of(request).workspace
        audience = find_audience(workspace.state, name)
        with workspace.reading() as engine:
            lines = history(engine, name)
        return self._pages.page(
            request,
            "customers/audiences/one.html",
            status=status,
            audience=audience,
            problem=problem,
            size=last_refreshed(workspace.state).get(name),
            lines=lines[-200:],
            chart=members_chart(request, lines[-200:]),
            rows=http.compared(caller_of(request), audience, leave_out=name),
            versions=audience_versions(workspace.state, name),
            columns=[*CONTACT, "city", "orders", "monetary", "recency_days"],
            usual=USUAL,
        )

    def _editor(
        self, request: Request, draft: Draft, *, problem: str = "", status: int = 200
    ) -> Response:
        workspace = caller_of(request).workspace
        known = [one.name for one in list_audiences(workspace.state)]
        return self._pages.page(
            request,
            f"customers/audiences/{'editor' if is_part(request) else 'edit'}.html",
            status=status,
            draft=draft,
            problem=problem,
            versions=len(audience_versions(workspace.state, draft.name))
            if draft.name in known
            else 0,
            dimensions=DIMENSIONS,
            scores=list(score_fields()),
            group_words=WORDS,
            windows=WINDOWS,
            happenings=list(HAPPENINGS),
            events=[*_SHOP_EVENTS, *(e for e in SOCIAL_EVENTS if e not in HAPPENINGS)],
            tags=[tag.name for tag in list_tags(workspace.state)],
            others=[name for name in known if name != draft.name],
            purposes=list(read_declared(workspace.folder).purposes),
            channels=["*", *workspace.settings.channels],
        )


def _fields() -> list[str]:
    return [name for fields in DIMENSIONS.values() for name in fields]


def _audience(draft: Draft, *, is_named: bool = False) -> Audience:
    name = draft.name if is_named else draft.name or _UNNAMED
    told = {"rule": rule_of(draft), "description": draft.description, "owner": draft.owner}
    return read_audience(name, told)


def _undo(request: Request) -> Response:
    """Make an earlier version of an audience the newest again."""
    form = caller_of(request).form
    number = form.get("version", "")
    version = int(number) if number.isdecimal() else 0
    http.taken_back(caller_of(request), form.get("name", ""), version)
    return RedirectResponse(_address(form.get("name", ""), "audience_back"), 303)


def _refresh(request: Request) -> Response:
    """Judge an audience again, and note who entered and who left."""
    name = caller_of(request).form.get("name", "")
    find_audience(caller_of(request).workspace.state, name)
    http.refreshed(caller_of(request), [name])
    return RedirectResponse(_address(name, "audience_fresh"), 303)


def _address(name: str, said: str) -> str:
    return f"/audiences/one?name={quote(name, safe='')}&said={said}"
