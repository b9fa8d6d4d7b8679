"""Campaigns people write: a form that becomes a version, and what can be done with one."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed, RegularsError, UnknownName
from regulars.govern.audit.service import anchor
from regulars.govern.consent.declared import read_declared
from regulars.reach.campaigns.service import CampaignRow, find_campaign, versions_of
from regulars.reach.content.keeping.files import content_from
from regulars.reach.content.service import get_content, list_contents, preview, put_content
from regulars.serve.console.pages.reach.campaign_draft import (
    AUDIENCES,
    ROLL_OUTS,
    CampaignDraft,
    draft_of,
    read_draft,
    written_campaign,
    written_content,
)
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.measure import campaign_effects
from regulars.serve.sending import acting
from regulars.serve.sending.sources import dossier_of
from regulars.serve.sending.watching import campaign_view
from regulars.understand.segments.audiences.service import list_audiences
from regulars.unify.tags.service import list_tags

Act = Callable[[Any, str, str, Any], object]


class WritingPages:
    """Handlers of the pages on which campaigns are written and led.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/campaigns/edit", self.edit, methods=["GET"]),
            Route("/campaigns/edit", self.save, methods=["POST"]),
            Route("/campaigns/written/{campaign_id}", self.campaign, methods=["GET"]),
            Route("/campaigns/written/{campaign_id}/submit", self.submit, methods=["POST"]),
            Route("/campaigns/written/{campaign_id}/send", self.send, methods=["POST"]),
            Route("/campaigns/written/{campaign_id}/pause", self.pause, methods=["POST"]),
            Route("/campaigns/written/{campaign_id}/resume", self.resume, methods=["POST"]),
            Route("/campaigns/written/{campaign_id}/go-on", self.go_on, methods=["POST"]),
            Route("/campaigns/written/{campaign_id}/end", self.end, methods=["POST"]),
        ]

    def edit(self, request: Request) -> Response:
        """A new campaign, or one there is."""
        name = request.query_params.get("id", "")
        state = caller_of(request).workspace.state
        draft = draft_of(find_campaign(state, name).campaign) if name else CampaignDraft()
        return self._form(request, draft)

    def save(self, request: Request) -> Response:
        """Keep the form as a campaign, and its words as a content."""
        caller = caller_of(request)
        draft = read_draft(caller.form)
        try:
            row = _kept(caller, draft)
        except (InputError, UnknownName, NotAllowed) as error:
            return self._form(request, draft, problem=str(error), status=400)
        return RedirectResponse(_at(row.campaign.id, "campaign_saved"), 303)

    def campaign(self, request: Request) -> Response:
        """One campaign people wrote: what it says, what may be done, how everybody stands."""
        return self._campaign(request)

    def submit(self, request: Request) -> Response:
        """Ask for approval."""
        note = caller_of(request).form.get("note", "")
        return self._act(
            request,
            "submitted",
            lambda app, name, actor, now: acting.submit(app, name, actor=actor, now=now, note=note),
        )

    def send(self, request: Request) -> Response:
        """Start it; the ticker of the server hands its contacts over."""
        answer = self._act(
            request,
            "sending",
            lambda app, name, actor, now: acting.begin(app, name, actor=actor, now=now),
        )
        caller_of(request).workspace.desk.wake.set()
        return answer

    def pause(self, request: Request) -> Response:
        """Hold what has not gone out."""
        reason = caller_of(request).form.get("note", "").strip() or "paused on the page"
        return self._act(
            request,
            "paused",
            lambda app, name, actor, now: acting.pause(
                app, name, reason=reason, actor=actor, now=now
            ),
        )

    def resume(self, request: Request) -> Response:
        """Let it go on."""
        return self._act(
            request,
            "resumed",
            lambda app, name, actor, now: acting.resume(app, name, actor=actor, now=now),
        )

    def go_on(self, request: Request) -> Response:
        """Let the next phase begin."""
        note = caller_of(request).form.get("note", "")
        return self._act(
            request,
            "passed",
            lambda app, name, actor, now: acting.let_pass(
                app, name, actor=actor, now=now, note=note
            ),
        )

    def end(self, request: Request) -> Response:
        """End it for good."""
        reason = caller_of(request).form.get("note", "").strip() or "ended on the page"
        return self._act(
            request,
            "ended",
            lambda app, name, actor, now: acting.end(
                app, name, reason=reason, actor=actor, now=now
            ),
        )

    def _act(self, request: Request, said: str, act: Act) -> Response:
        caller, name = caller_of(request), request.path_params["campaign_id"]
        try:
            with caller.workspace.holding() as app:
                act(app, name, caller.actor, caller.now)
        except (InputError, NotAllowed) as error:
            return self._campaign(request, problem=str(error), status=400)
        return RedirectResponse(_at(name, said), 303)

    def _campaign(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        caller, name = caller_of(request), request.path_params["campaign_id"]
        with caller.workspace.holding() as app:
            view = campaign_view(app, name, now=caller.now)
            dossier, trouble = None, ""
            if not view.row.started_at:
                try:
                    dossier = dossier_of(app, name, now=caller.now)
                except RegularsError as error:
                    trouble = str(error)
            shown = _previews(app, view.row.campaign, caller.now)
            effect = next(iter(campaign_effects(app.engine, name)), None)
        return self._pages.page(
            request,
            "reach/campaigns/written.html",
            status=status,
            view=view,
            row=view.row,
            campaign=view.row.campaign,
            dossier=dossier,
            trouble=trouble,
            previews=shown,
            effect=effect,
            versions=versions_of(caller.workspace.state, name),
            problem=problem,
        )

    def _form(
        self, request: Request, draft: CampaignDraft, *, problem: str = "", status: int = 200
    ) -> Response:
        workspace = caller_of(request).workspace
        return self._pages.page(
            request,
            "reach/campaigns/edit.html",
            status=status,
            draft=draft,
            problem=problem,
            channels=list(workspace.settings.channels),
            contents=list_contents(workspace.state),
            topics=list(read_declared(workspace.folder).topics.values()),
            named=sorted({
                *(one.name for one in list_audiences(workspace.state)),
                *(tag.name for tag in list_tags(workspace.state)),
            }),
            audiences=AUDIENCES,
            roll_outs=list(ROLL_OUTS),
        )


def _kept(caller: Caller, draft: CampaignDraft) -> CampaignRow:
    """Keep the words of a draft as a content, and the draft as a campaign that sends it."""
    with caller.workspace.holding() as app:
        told = written_campaign(draft, draft.content)
        words = None if draft.content else written_content(draft)
        if words:
            content = content_from(words, "content")
            told["content"] = put_content(app.state, content, actor=caller.actor, at=caller.now)
        row = acting.put(app, told, actor=caller.actor, now=caller.now)
        anchor(app.state, folder=app.folder, at=caller.now)
        return row


def _previews(app: Any, campaign: Any, now: Any) -> list[Any]:
    """How some customer would get each content, names and address covered; [] when nobody is."""
    customers = app.engine.rows(app.engine.table("customers").limit(1))
    found = []
    for channel, name in sorted(campaign.content.items()):
        if customers:
            content = get_content(app.state, name)
            customer = customers[0]["customer_id"]
            found.append(preview(app.content_tools, content, customer, now=now, channel=channel))
    return found


def _at(campaign_id: str, said: str) -> str:
    return f"/campaigns/written/{quote(campaign_id, safe='')}?said={said}"
