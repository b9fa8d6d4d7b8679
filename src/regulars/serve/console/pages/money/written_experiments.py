"""Experiments people write: a form that plans while it is filled in, and a page for each."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.errors import InputError
from regulars.measure.experiments.gates.checks import Gate
from regulars.measure.experiments.keeping.catalogue import METRICS
from regulars.measure.experiments.keeping.definition import Definition
from regulars.measure.experiments.keeping.record import Decision
from regulars.measure.experiments.keeping.service import (
    drop_draft,
    find_experiment,
    list_kept,
)
from regulars.measure.experiments.readout import Inference
from regulars.serve.console.drawing import findings_chart
from regulars.serve.console.pages.deeds import done_or_refused
from regulars.serve.console.pages.money.experiment_draft import (
    Draft,
    definition_from,
    draft_from,
    draft_of,
    empty_draft,
)
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.measure.kept import (
    Concluded,
    conclude_of,
    look_of,
    plan_of,
    put_of,
    start_of,
    stop_of,
    view_of,
)

NOT_NAMED = "not-named-yet"


class WrittenExperimentPages:
    """Handlers of the pages about one experiment.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/experiments/new", self.form, methods=["GET"]),
            Route("/experiments/new", self.save, methods=["POST"]),
            Route("/experiments/plan", self.plan, methods=["POST"]),
            Route("/experiments/{experiment_id}", self.one, methods=["GET"]),
            Route("/experiments/{experiment_id}/start", self.start, methods=["POST"]),
            Route("/experiments/{experiment_id}/look", self.look, methods=["POST"]),
            Route("/experiments/{experiment_id}/stop", self.stop, methods=["POST"]),
            Route("/experiments/{experiment_id}/conclude", self.conclude, methods=["POST"]),
            Route("/experiments/{experiment_id}/drop", self.drop, methods=["POST"]),
        ]

    def form(self, request: Request) -> Response:
        """The form: empty, or of a draft."""
        asked = request.query_params.get("id", "")
        state = caller_of(request).workspace.state
        draft = empty_draft()
        if asked:
            kept = find_experiment(state, asked)
            draft = draft_of(kept.definition, kept.edited_at)
        return self._form(request, draft)

    def save(self, request: Request) -> Response:
        """Keep what was written as a draft."""
        draft = draft_from(caller_of(request).form)

        def kept(caller: Caller) -> str:
            one = put_of(caller, _written(caller, draft))
            return _address(one.definition.id, "experiment_saved")

        return done_or_refused(
            request, kept, lambda why: self._form(request, draft, problem=why, status=400)
        )

    def plan(self, request: Request) -> Response:
        """How many customers and days what is written needs."""
        caller, plan, problem = caller_of(request), None, ""
        try:
            plan = plan_of(caller, _written(caller, _named(draft_from(caller.form))))
        except InputError as error:
            problem = reason_of(error)
        return self._pages.page(request, "money/experiment_plan.html", plan=plan, problem=problem)

    def one(self, request: Request) -> Response:
        """How one experiment stands, and what it says."""
        return self._page(request)

    def start(self, request: Request) -> Response:
        """Let it take customers."""

        def begun(caller: Caller, name: str) -> None:
            seen_at = caller.form.get("edited_at", "")
            if not seen_at:
                raise InputError("which draft was seen is not said; open the page again")
            start_of(caller, name, caller.form.get("anyway", ""), seen_at=seen_at)

        return self._done(request, begun, "experiment_started")

    def look(self, request: Request) -> Response:
        """Take the look that is due."""

        def looked(caller: Caller, name: str) -> None:
            look_of(caller, name)

        return self._done(request, looked, "experiment_looked")

    def stop(self, request: Request) -> Response:
        """Take no more customers."""

        def ended(caller: Caller, name: str) -> None:
            stop_of(caller, name, caller.form.get("reason", ""))

        return self._done(request, ended, "experiment_stopped")

    def conclude(self, request: Request) -> Response:
        """Decide what follows."""

        def decided(caller: Caller, name: str) -> None:
            decision, _colon, variant = caller.form.get("decision", "").partition(":")
            says = caller.form.get("says", "")
            given = Concluded(
                decision=Decision(decision),
                variant=variant,
                says=says,
                anyway=caller.form.get("anyway", ""),
            )
            conclude_of(caller, name, given)

        return self._done(request, decided, "experiment_concluded")

    def drop(self, request: Request) -> Response:
        """Throw a draft away."""

        def thrown(caller: Caller, name: str) -> None:
            drop_draft(caller.workspace.state, name, actor=caller.actor, now=caller.now)

        return self._done(request, thrown, "experiment_dropped")

    def _done(self, request: Request, does: Callable[[Caller, str], None], said: str) -> Response:
        name = request.path_params["experiment_id"]
        find_experiment(caller_of(request).workspace.state, name)

        def done(caller: Caller) -> str:
            does(caller, name)
            return _address("" if said == "experiment_dropped" else name, said)

        return done_or_refused(
            request, done, lambda why: self._page(request, problem=why, status=400)
        )

    def _form(
        self, request: Request, draft: Draft, *, problem: str = "", status: int = 200
    ) -> Response:
        return self._pages.page(
            request,
            "money/experiment_new.html",
            status=status,
            draft=draft,
            problem=problem,
            metrics=list(METRICS),
            inferences=list(Inference),
        )

    def _page(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        caller = caller_of(request)
        view = view_of(caller, request.path_params["experiment_id"])
        one = view.kept.definition
        plan = view.kept.plan
        if view.kept.stand == "draft":
            plan = plan_of(caller, one)
        own = [found for found in view.shown.findings if found.metric == one.primary]
        return self._pages.page(
            request,
            "money/experiment.html",
            status=status,
            view=view,
            one=one,
            shown=view.shown,
            plan=plan,
            is_split_closed=any(
                refusal.gate is Gate.SAMPLE_RATIO for refusal in view.shown.refusals
            ),
            chart=findings_chart(request, own),
            problem=problem,
        )


def _named(draft: Draft) -> Draft:
    """Give what is not named yet some name: how large it must be does not depend on it."""
    return replace(
        draft,
        id=draft.id or NOT_NAMED,
        name=draft.name or NOT_NAMED,
        hypothesis=draft.hypothesis or NOT_NAMED,
    )


def _written(caller: Caller, draft: Draft) -> Definition:
    """Give what the form says, over the draft it changes."""
    state, kept = caller.workspace.state, None
    if draft.id in [one.definition.id for one in list_kept(state)]:
        kept = find_experiment(state, draft.id)
    if draft.edited_at != (kept.edited_at if kept else ""):
        if not kept:
            raise InputError(f"there is no draft {draft.id!r} any more; write a new one")
        raise InputError(
            f"{kept.edited_by} wrote {draft.id!r} at {kept.edited_at}; open that one and change "
            "it, or take another short name"
        )
    return definition_from(draft, kept.definition if kept else None)


def _address(experiment_id: str, said: str) -> str:
    place = f"/{quote(experiment_id)}" if experiment_id else ""
    return f"/experiments{place}?said={said}"
