"""Campaigns people write: a form that becomes a version, and what can be done with one."""

from dataclasses import replace
from itertools import chain, count
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.decide.offers.keeping.service import offer_names_in_force
from regulars.errors import InputError, NotAllowed, RegularsError, UnknownName
from regulars.govern.audit.service import anchor
from regulars.govern.consent.declared import read_declared
from regulars.reach.campaigns.service import (
    CampaignRow,
    find_campaign,
    list_campaigns,
    versions_of,
)
from regulars.reach.content.keeping.files import content_from
from regulars.reach.content.service import get_content, list_contents, preview, put_content
from regulars.serve.console.pages.deeds import Deed, Deeds, why
from regulars.serve.console.pages.reach.campaign_draft import (
    AUDIENCES,
    ROLL_OUTS,
    CampaignDraft,
    draft_of,
    read_draft,
    written_campaign,
    written_content,
)
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.measure import campaign_effects
from regulars.serve.sending import acting
from regulars.serve.sending.sources import dossier_of
from regulars.serve.sending.watching import campaign_view
from regulars.understand.segments.audiences.service import list_audiences
from regulars.unify.tags.service import list_tags

DEEDS = {
    "submit": Deed(
        "submitted",
        lambda app, name, form, by: acting.submit(app, name, note=form.get("note", ""), **by),
    ),
    "send": Deed("sending", lambda app, name, form, by: acting.begin(app, name, **by)),
    "pause": Deed(
        "paused",
        lambda app, name, form, by: acting.pause(
            app, name, reason=why(form, "paused on the page"), **by
        ),
    ),
    "resume": Deed("resumed", lambda app, name, form, by: acting.resume(app, name, **by)),
    "go-on": Deed(
        "passed",
        lambda app, name, form, by: acting.let_pass(app, name, note=form.get("note", ""), **by),
    ),
    "end": Deed(
        "ended",
        lambda app, name, form, by: acting.end(
            app, name, reason=why(form, "ended on the page"), **by
        ),
    ),
}
"""By verb; the ticker of the server hands over what is sent."""


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
            *Deeds("campaign", "/campaigns/written", DEEDS, self._refused).routes(),
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
        if not draft.id:
            draft = replace(draft, id=_free_id(caller))
        try:
            row = _kept(caller, draft)
        except (InputError, UnknownName, NotAllowed) as error:
            return self._form(request, draft, problem=reason_of(error), status=400)
        return RedirectResponse(_at(row.campaign.id, "campaign_saved"), 303)

    def campaign(self, request: Request) -> Response:
        """One campaign people wrote: what it says, what may be done, how everybody stands."""
        return self._campaign(request)

    def _refused(self, request: Request, problem: str) -> Response:
        return self._campaign(request, problem=problem, status=400)

    def _campaign(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        caller, name = caller_of(request), request.path_params["campaign_id"]
        with caller.workspace.holding() as app:
            view = campaign_view(app, name, now=caller.now)
            dossier, trouble = None, ""
            if not view.row.started_at:
                try:
                    dossier = dossier_of(app, name, now=caller.now)
                except RegularsError as error:
                    trouble = reason_of(error)
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
        workspace, now = caller_of(request).workspace, caller_of(request).now
        with workspace.reading() as engine:
            offers = offer_names_in_force(engine, workspace.state, now=now)
        return self._pages.page(
            request,
            "reach/campaigns/edit.html",
            offers=offers,
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


def _free_id(caller: Caller) -> str:
    """Name a campaign nobody gave a short name: by its day, and a number where there are more."""
    zone = ZoneInfo(caller.workspace.settings.retailer.zone)
    day = f"c{caller.now.astimezone(zone):%Y%m%d}"
    taken = {one.campaign.id for one in list_campaigns(caller.workspace.state)}
    numbered = (f"{day}-{number}" for number in count(2))
    return next(name for name in chain([day], numbered) if name not in taken)


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
