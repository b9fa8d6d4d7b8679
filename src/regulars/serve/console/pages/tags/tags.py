"""Tags: those there are, and one as it is written, counted while it is."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import anchor
from regulars.serve.console.pages.tags.tag_draft import (
    EVENT,
    Draft,
    changed,
    draft_of,
    is_complete,
    read_draft,
    written,
)
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of, is_part
from regulars.serve.http.unify.tags import TagCount, Written, count_written, keep_written, tag_rows
from regulars.unify.tags.definitions import TagKind, scores
from regulars.unify.tags.rules import FIELDS
from regulars.unify.tags.service import delete_tag, find_tag, list_tags, read_tag, tag_versions

_UNNAMED = "counted"


class TagPages:
    """Handlers of the pages about tags.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/tags", self.tags, methods=["GET"]),
            Route("/tags/edit", self.edit, methods=["GET"]),
            Route("/tags/edit", self.change, methods=["POST"]),
            Route("/tags/count", self.count, methods=["POST"]),
            Route("/tags/save", self.save, methods=["POST"]),
            Route("/tags/delete", _delete, methods=["POST"]),
        ]

    def tags(self, request: Request) -> Response:
        """Every tag with its members."""
        caller = caller_of(request)
        return self._pages.page(
            request, "tags/list.html", tags=tag_rows(caller.workspace), today=caller.now.date()
        )

    def edit(self, request: Request) -> Response:
        """A new tag, or one there is."""
        name = request.query_params.get("name", "")
        state = caller_of(request).workspace.state
        return self._editor(request, draft_of(find_tag(state, name)) if name else Draft())

    def change(self, request: Request) -> Response:
        """The editor after one of its buttons; nothing is kept."""
        form = caller_of(request).form
        draft = read_draft(form)
        try:
            return self._editor(request, changed(draft, form.get("do", "")))
        except InputError as error:
            return self._editor(request, draft, problem=reason_of(error))

    def count(self, request: Request) -> Response:
        """How many customers the draft reaches."""
        counted, problem, draft = None, "", read_draft(caller_of(request).form)
        try:
            counted = _counted(request, draft) if is_complete(draft) else None
        except (InputError, UnknownName) as error:
            problem = reason_of(error)
        return self._pages.page(request, "tags/count.html", counted=counted, problem=problem)

    def save(self, request: Request) -> Response:
        """Keep the draft as a new tag, or as the next version of one there is."""
        draft = read_draft(caller_of(request).form)
        try:
            told = written(draft)
            read_tag(draft.name, told)
            keep_written(caller_of(request), draft.name, Written.model_validate(told))
        except (InputError, UnknownName) as error:
            return self._editor(request, draft, problem=reason_of(error), status=400)
        return RedirectResponse("/tags?said=tag_saved", 303)

    def _editor(
        self, request: Request, draft: Draft, *, problem: str = "", status: int = 200
    ) -> Response:
        state = caller_of(request).workspace.state
        known = {tag.name for tag in list_tags(state)}
        return self._pages.page(
            request,
            "tags/editor.html" if is_part(request) else "tags/edit.html",
            status=status,
            draft=draft,
            problem=problem,
            versions=tag_versions(state, draft.name) if draft.name in known else [],
            kinds=[kind.value for kind in TagKind],
            texts=[name for name, is_number in FIELDS.items() if not is_number],
            numbers=[name for name, is_number in FIELDS.items() if is_number],
            scores=[f"{table}.{column}" for table, names in scores().items() for column in names],
            counts_events=EVENT,
        )


def _counted(request: Request, draft: Draft) -> TagCount:
    tag = read_tag(draft.name or _UNNAMED, written(draft))
    return count_written(caller_of(request).workspace, tag)


def _delete(request: Request) -> Response:
    """Delete a tag; its versions stay readable."""
    caller = caller_of(request)
    state, name = caller.workspace.state, caller.form.get("name", "")
    delete_tag(state, name, actor=caller.actor, now=caller.now)
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return RedirectResponse("/tags?said=tag_deleted", 303)
