"""Learnings: alerts and held channels, what each turn taught, what is believed and why."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.adjust.alerts.service import take_back, words_of
from regulars.adjust.review.service import (
    alerts_since,
    change_log,
    cycle_of,
    holds_now,
    learnings,
)
from regulars.errors import InputError
from regulars.journal import next_turn
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.adjust import Said, say_of
from regulars.serve.http.measure import decided_turns

TURNS_SHOWN = 12


class LearningsPage:
    """Handlers of the page about what was learned.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/learnings", self.learnings, methods=["GET"]),
            Route("/learnings/channels/{channel}", self.say, methods=["POST"]),
        ]

    def learnings(self, request: Request) -> Response:
        """What was found, changed and learned."""
        return self._page(request)

    def say(self, request: Request) -> Response:
        """Hold a channel, use it whatever alerts say, or let the loop choose again."""
        caller, channel = caller_of(request), request.path_params["channel"]
        verb, reason = caller.form.get("verb", ""), caller.form.get("reason", "").strip()
        try:
            if verb == "undo":
                take_back(caller.workspace.state, channel, actor=caller.actor, now=caller.now)
            else:
                said = Said(is_held=verb == "hold", turns=4, reason=reason or "-")
                say_of(caller, channel, said)
        except (InputError, ValidationError) as error:
            return self._page(request, problem=str(error), status=400)
        return RedirectResponse("/learnings?said=channel_said", 303)

    def _page(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        workspace = caller_of(request).workspace
        with workspace.reading() as engine:
            turns = decided_turns(engine)[:TURNS_SHOWN]
            cycles = [cycle_of(engine, turn) for turn in turns]
            found, held = alerts_since(engine, turns=TURNS_SHOWN), holds_now(engine)
            learned, changes = learnings(engine), change_log(engine, limit=400)
        turn = next_turn(workspace.state)
        said = {word.channel: word for word in words_of(workspace.state) if word.until_turn > turn}
        return self._pages.page(
            request,
            "adjust/learnings.html",
            status=status,
            cycles=cycles,
            alerts=found,
            held={row["channel"]: row for row in held},
            said_of=said,
            channels=tuple(workspace.settings.channels),
            learnings=learned,
            tuned=[
                row for row in changes if not row["subject"].startswith(("effect.", "opt_out."))
            ],
            problem=problem,
        )
