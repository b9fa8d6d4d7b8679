"""Learnings: alerts and held channels, what each turn taught, what is believed and why."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.adjust.alerts.service import alert_tasks, seen, take_back, words_of
from regulars.adjust.autotune.service import relearn, unlearn, unlearned
from regulars.adjust.review.service import (
    alerts_since,
    change_log,
    cycle_of,
    holds_now,
    learnings,
)
from regulars.decide.offers.keeping.service import offer_names_in_force
from regulars.errors import InputError
from regulars.journal import next_turn
from regulars.measure.experiments.keeping.service import concluded
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.adjust import Said, say_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.measure import decided_turns

TURNS_SHOWN = 12
TURNS_COMPARED = 8
_ELSEWHERE = ("effect.", "opt_out.", "channel.")


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
            Route("/learnings/turns/{turn}", self.learn_from, methods=["POST"]),
        ]

    def learnings(self, request: Request) -> Response:
        """What was found, changed and learned."""
        return self._page(request)

    def say(self, request: Request) -> Response:
        """Hold a channel, use it whatever alerts say, or let the loop choose again."""
        caller, channel = caller_of(request), request.path_params["channel"]
        verb, reason = caller.form.get("verb", ""), caller.form.get("reason", "").strip()
        try:
            _say(caller, channel, verb, reason or "-")
        except (InputError, ValidationError) as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/learnings?said=channel_said", 303)

    def learn_from(self, request: Request) -> Response:
        """Leave a turn out of what is learned, or let it count again."""
        caller, turn = caller_of(request), _number(request.path_params["turn"])
        state, reason = caller.workspace.state, caller.form.get("reason", "").strip()
        try:
            if caller.form.get("verb", "") == "relearn":
                relearn(state, turn, actor=caller.actor, now=caller.now)
            else:
                unlearn(state, turn, reason=reason or "-", actor=caller.actor, now=caller.now)
        except InputError as error:
            return self._page(request, problem=reason_of(error), status=400)
        return RedirectResponse("/learnings?said=turn_said", 303)

    def _page(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        workspace = caller_of(request).workspace
        with workspace.reading() as engine:
            turns = decided_turns(engine)[:TURNS_SHOWN]
            cycles = [cycle_of(engine, turn) for turn in turns]
            found, held = alerts_since(engine, turns=TURNS_SHOWN), holds_now(engine)
            learned, tuned = learnings(engine), _tuned(change_log(engine, limit=2_000))
            names = offer_names_in_force(engine, workspace.state, now=caller_of(request).now)
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
            tasks=alert_tasks(workspace.state),
            ended=concluded(workspace.state),
            left_out={one.turn: one for one in unlearned(workspace.state)},
            channels=tuple(workspace.settings.channels),
            learnings=learned,
            offer_names=names,
            tuned=tuned,
            tuned_turns=sorted({turn for row in tuned.values() for turn in row}, reverse=True)[
                :TURNS_COMPARED
            ],
            problem=problem,
        )


def _number(turn: str) -> int:
    return int(turn) if turn.isdecimal() and len(turn) < 10 else 0


def _tuned(changes: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    """Give what parameters became, by name and turn; beliefs and channels are told elsewhere."""
    found: dict[str, dict[int, float]] = {}
    for row in changes:
        if not row["subject"].startswith(_ELSEWHERE):
            found.setdefault(row["subject"], {})[row["turn"]] = row["after"]
    return dict(sorted(found.items()))


def _say(caller: Caller, channel: str, verb: str, reason: str) -> None:
    if verb == "seen":
        seen(caller.workspace.state, channel, actor=caller.actor, now=caller.now)
    elif verb == "undo":
        take_back(caller.workspace.state, channel, actor=caller.actor, now=caller.now)
    else:
        say_of(caller, channel, Said(is_held=verb == "hold", turns=4, reason=reason))
