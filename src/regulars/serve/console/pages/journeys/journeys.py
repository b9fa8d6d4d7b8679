"""The list of journeys, one begun from a template, and one of them seen from every side."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.policy.service import stopped
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.keeping.service import (
    JourneyRow,
    compare,
    find_journey,
    list_journeys,
    run_of,
    standing_at,
)
from regulars.reach.journeys.templates.catalogue import (
    Takes,
    Template,
    find_template,
    list_templates,
)
from regulars.serve.authoring.beginning import check_template, keep_contents
from regulars.serve.authoring.trying import DAYS, try_journey
from regulars.serve.authoring.watching.service import numbers_of
from regulars.serve.console.drawing import volumes_chart
from regulars.serve.console.pages.journeys.canvas.picture import picture_of
from regulars.serve.console.pages.journeys.editor import editor_values
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of, say
from regulars.serve.console.words import N_
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.measure import campaign_effects
from regulars.serve.sending.journeys import acting
from regulars.serve.sending.journeys.reviewing import needs_approval

HERE, SENT, AT_THE_END = N_("%(number)s here"), N_("%(number)s sent"), N_("%(number)s at the end")
VIEWS = ("edit", "numbers", "try", "versions")


class JourneyPages:
    """Handlers of the pages about journeys.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/journeys", self.journeys, methods=["GET"]),
            Route("/journeys/new", self.new, methods=["GET"]),
            Route("/journeys/new", self.begin, methods=["POST"]),
            Route("/journeys/{journey_id}", self.journey, methods=["GET"]),
        ]

    def journeys(self, request: Request) -> Response:
        """Every journey, and those ready to use."""
        caller = caller_of(request)
        state = caller.workspace.state
        rows = list_journeys(state)
        inside = {
            row.id: sum(one.customers for one in standing_at(state, row.id))
            for row in rows
            if row.version is not None
        }
        with caller.workspace.holding() as app:
            lacking = {
                one.name: sum(
                    not c.is_met and not c.is_optional
                    for c in check_template(app, one, now=caller.now)
                )
                for one in list_templates()
            }
        return self._pages.page(
            request,
            "reach/journeys/list.html",
            rows=rows,
            inside=inside,
            templates=list_templates(),
            lacking=lacking,
            language=_language(request),
            stopped=stopped(state),
        )

    def new(self, request: Request) -> Response:
        """A journey about to be begun from a template."""
        return self._new(request, find_template(request.query_params.get("template", "")))

    def begin(self, request: Request) -> Response:
        """Keep the contents of a template and the journey; ask for approval, if that is wanted."""
        caller = caller_of(request)
        template = find_template(caller.form.get("template", ""))
        try:
            row, said = _begun(caller, template)
        except (InputError, NotAllowed, UnknownName) as error:
            return self._new(request, template, problem=reason_of(error), status=400)
        return RedirectResponse(f"/journeys/{quote(row.id, safe='')}?said={said}", 303)

    def _new(
        self, request: Request, template: Template, *, problem: str = "", status: int = 200
    ) -> Response:
        caller = caller_of(request)
        with caller.workspace.holding() as app:
            checked = check_template(app, template, now=caller.now)
            offers = app.engine.rows(
                app.engine
                .table("offers")
                .select("offer_id", "name")
                .distinct()
                .order_by("offer_id")
            )
        return self._pages.page(
            request,
            "reach/journeys/new.html",
            status=status,
            ready=template,
            checked=checked,
            offers=offers if template.takes is not Takes.NONE else [],
            channels=list(caller.workspace.settings.channels),
            approval=caller.workspace.settings.policy.approval_required,
            language=_language(request),
            problem=problem,
        )

    def journey(self, request: Request) -> Response:
        """One journey: to edit, in numbers, tried, or version by version."""
        return journey_page(self._pages, request)


def _begun(caller: Caller, template: Template) -> tuple[JourneyRow, str]:
    """Keep a template's contents and the journey; gives what is said of it."""
    form = caller.form
    with caller.workspace.holding() as app:
        if template.name in {row.id for row in list_journeys(app.state)}:
            raise InputError(
                f"there is a journey {template.name} already; edit it, or keep a copy under "
                "another id with: regulars reach journey put FILE"
            )
        given = keep_contents(
            app,
            template.name,
            channels=[one for one in app.settings.channels if f"channel.{one}" in form],
            offer=form.get("offer", ""),
            actor=caller.actor,
            now=caller.now,
        )
        row = acting.put(app, given, actor=caller.actor, now=caller.now)
        return row, _asked(app, row, form.get("do", ""), caller.actor, caller.now)


def journey_page(
    pages: Pages, request: Request, *, view: str = "", problem: str = "", status: int = 200
) -> Response:
    """Show one journey.

    Args:
        pages: Makes pages of templates.
        request: The request; its path names the journey.
        view: One of `VIEWS`; what the address says, else the first.
        problem: What went wrong; "" for nothing.
        status: HTTP status code.

    Returns:
        The page.
    """
    caller = caller_of(request)
    row = find_journey(caller.workspace.state, request.path_params["journey_id"])
    wanted = view or request.query_params.get("view", "")
    usual = "edit" if row.version is None else "numbers"
    view = wanted if wanted in VIEWS else usual
    values = _VALUES[view](request, row)
    journey = row.newest.journey
    needs = needs_approval(journey, caller.workspace.settings)
    return pages.page(
        request,
        "reach/journeys/one.html",
        status=status,
        row=row,
        journey=journey,
        view=view,
        views=VIEWS,
        problem=problem,
        needs_approval=needs,
        stopped=stopped(caller.workspace.state),
        **values,
    )


def _edit(request: Request, row: JourneyRow) -> dict[str, Any]:
    return editor_values(request, row.id, dict(row.newest.given), opened=_opened(request, row))


def _opened(request: Request, row: JourneyRow) -> str:
    name = request.query_params.get("node", "")
    return name if name in row.newest.journey.nodes else ""


def _numbers(request: Request, row: JourneyRow) -> dict[str, Any]:
    state, journey = caller_of(request).workspace.state, row.current.journey
    goals = {name for name, node in journey.nodes.items() if node.kind is NodeKind.GOAL}
    found = numbers_of(state, row.id, goal_nodes=goals)
    here, sent = say(request, HERE), say(request, SENT)
    counts = {
        name: " · ".join(
            told % {"number": f"{number:,}"}
            for told, number in (
                (here, found.standing.get(name, 0)),
                (sent, found.fates.get(name, {}).get("sent", 0)),
            )
            if number
        )
        for name in journey.nodes
    }
    with caller_of(request).workspace.reading() as engine:
        effect = next(iter(campaign_effects(engine, run_of(row.id))), None)
    picture = picture_of(
        journey, row.current.given, lambda text: say(request, text),
        counts=counts, taken=found.taken, form=lambda number: f"{number:,}",
    )  # fmt: skip
    return {"numbers": found, "picture": picture, "effect": effect}


def _try(request: Request, row: JourneyRow) -> dict[str, Any]:
    caller = caller_of(request)
    text = request.query_params.get("days", "")
    days = min(max(int(text), 1), 3660) if text.isdecimal() and len(text) < 5 else DAYS
    journey, given = row.newest.journey, row.newest.given
    try:
        with caller.workspace.holding() as app:
            found = try_journey(app, given, now=caller.now, days=days)
    except InputError as error:
        picture = picture_of(journey, given, lambda text: say(request, text))
        return {
            "found": None,
            "trouble": reason_of(error),
            "picture": picture,
            "days": days,
            "chart": {},
        }
    counts = {
        one.node: say(request, AT_THE_END) % {"number": f"{one.stands:,}"}
        for one in found.nodes
        if one.stands
    }
    sent = {one.node: one for one in found.messages}
    counts |= {name: say(request, SENT) % {"number": f"{one.sent:,}"} for name, one in sent.items()}
    picture = picture_of(
        journey, given, lambda text: say(request, text), counts=counts,
        taken={(one.node, one.label): one.customers for one in found.edges},
        form=lambda number: f"{number:,}",
    )  # fmt: skip
    return {
        "found": found, "trouble": "", "picture": picture, "days": days,
        "chart": volumes_chart(request, found.days),
    }  # fmt: skip


def _versions(request: Request, row: JourneyRow) -> dict[str, Any]:
    state = caller_of(request).workspace.state
    inside: dict[str, int] = {}
    for one in standing_at(state, row.id) if row.version is not None else []:
        if one.version == row.version:
            inside[one.node] = inside.get(one.node, 0) + one.customers
    has_draft = row.version is not None and row.newest.version != row.version
    changes = compare(state, row.id) if has_draft else []
    new = row.newest.journey.nodes
    return {
        "changes": changes,
        "inside": inside,
        "lost": {name for name in inside if name not in new},
        "targets": list(new),
    }


_VALUES = {"edit": _edit, "numbers": _numbers, "try": _try, "versions": _versions}


def _asked(app: Any, row: JourneyRow, what: str, actor: str, now: Any) -> str:
    """Ask for approval at once, or publish where none is needed; gives what is said."""
    if what != "ask":
        return "journey_saved"
    if needs_approval(row.newest.journey, app.settings):
        acting.submit(app, row.id, actor=actor, now=now)
        return "journey_asked"
    acting.publish(app, row.id, moves={}, actor=actor, now=now)
    return "journey_published"


def _language(request: Request) -> str:
    return "zh" if request.state.caller.locale.startswith("zh") else "en"


def moves_in(form: Mapping[str, str]) -> dict[str, str]:
    """Read what becomes of those inside from a form; "" leaves a node out.

    Returns:
        stay, exit or a node, by node.

    Example:
        >>> moves_in({"move.day-3": "exit", "move.hello": "", "note": "x"})
        {'day-3': 'exit'}
    """
    return {
        name.removeprefix("move."): value
        for name, value in form.items()
        if name.startswith("move.") and value
    }
