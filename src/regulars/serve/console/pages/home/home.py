"""Home: what waits for a person, how the loop stands, the last turn, the money caused."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.adjust.alerts.service import words_of
from regulars.adjust.review.service import holds_now
from regulars.govern.policy.service import stopped
from regulars.journal import next_turn
from regulars.ports.state import State
from regulars.serve.console.drawing import effects_chart
from regulars.serve.console.pages.home.waiting import NAMED, waiting_for
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.collect.state import collected
from regulars.serve.http.govern import audit_state
from regulars.serve.http.measure import programme, turn_effects
from regulars.serve.http.reach import ledger
from regulars.serve.http.turns import TurnState, turns
from regulars.settings import Settings


class HomePage:
    """Handler of the first page.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the route."""
        return [Route("/", self.home, methods=["GET"])]

    def home(self, request: Request) -> Response:
        """What waits, how the loop stands, the last turn, the money caused."""
        caller = caller_of(request)
        workspace, done = caller.workspace, turns(caller.workspace.state)
        today = caller.now.astimezone(ZoneInfo(workspace.settings.retailer.zone)).date()
        due = _next_due(done, workspace.settings)
        with workspace.reading() as engine:
            held, effects = collected(engine), turn_effects(engine)
            last_ledger, caused = ledger(engine), programme(engine)
            held_channels = holds_now(engine)
        return self._pages.page(
            request,
            "home.html",
            turns=done,
            waiting=waiting_for(caller),
            named=NAMED,
            left_alone=_left_alone(workspace.state, {row["channel"] for row in held_channels}),
            due=due,
            is_overdue=due is not None and due <= today,
            collected=held,
            ledger=last_ledger,
            programme=caused,
            effects=effects,
            chart=effects_chart(request, effects),
            audit=audit_state(workspace),
            stopped=stopped(workspace.state),
        )


def _next_due(done: list[TurnState], settings: Settings) -> date | None:
    """Give the first day the next turn can look back on whole days; None before the first turn."""
    if not done:
        return None
    return date.fromisoformat(done[0].as_of) + timedelta(days=settings.loop.turn_days + 1)


def _left_alone(state: State, held: set[str]) -> list[str]:
    """Give the channels the next turn leaves alone: those held, unless a person says otherwise."""
    turn = next_turn(state)
    said = [word for word in words_of(state) if word.until_turn > turn]
    released = {word.channel for word in said if not word.is_held}
    return sorted((held - released) | {word.channel for word in said if word.is_held})
