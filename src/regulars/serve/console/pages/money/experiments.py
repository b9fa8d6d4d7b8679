"""Experiments: what is compared, whether it may be read, and how large the next one must be."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.errors import InputError
from regulars.measure.experiments.keeping.service import counts_by_experiment, list_kept
from regulars.measure.experiments.power import MOST_LOOKS, Sizing, detectable, size_experiment
from regulars.measure.running import comparisons
from regulars.serve.console.drawing import detectable_chart
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.measure.experiments import today_of

STEPS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Sizes drawn, as multiples of the one asked for."""


@dataclass(frozen=True)
class Asked:
    """What somebody wants to find, as written in the form; shares in per cent.

    Attributes:
        kind: share of customers who buy, or money per customer.
        baseline: That share in per cent, or the spread (standard deviation) of the money.
        effect: Smallest effect worth finding, in points of per cent or money.
        held: Per cent held out.
        per_day: Customers that enter per day.
        power: Per cent of such experiments that are to find it.
        level: Per cent of intervals that hold the truth.
        explained: Per cent of the variance the past explains.
        looks: Planned looks, 1 to 100.
    """

    kind: str = "share"
    baseline: str = "10"
    effect: str = "1"
    held: str = "10"
    per_day: str = "500"
    power: str = "80"
    level: str = "95"
    explained: str = "0"
    looks: str = "1"


class ExperimentsPage:
    """Handler of the page about experiments.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the route."""
        return [Route("/experiments", self.experiments, methods=["GET"])]

    def experiments(self, request: Request) -> Response:
        """The comparisons, and a planner."""
        caller = caller_of(request)
        with caller.workspace.reading() as engine:
            found = comparisons(engine, today=today_of(caller))
        given = {name: request.query_params.get(name, "") for name in vars(Asked())}
        asked = Asked(**{name: text for name, text in given.items() if text})
        size: Sizing | None = None
        steps: list[tuple[int, float]] = []
        problem = ""
        try:
            size, steps = _sized(asked)
        except InputError as error:
            problem = reason_of(error)
        return self._pages.page(
            request,
            "money/experiments.html",
            status=400 if problem else 200,
            found=found,
            kept=list_kept(caller.workspace.state),
            counts=counts_by_experiment(caller.workspace.state),
            asked=asked,
            size=size,
            chart=detectable_chart(request, steps, is_share=asked.kind == "share"),
            problem=problem,
        )


def _sized(asked: Asked) -> tuple[Sizing, list[tuple[int, float]]]:
    """Size what was asked for, and what other sizes would find: customers and effect."""
    baseline, effect = _number(asked, "baseline"), _number(asked, "effect")
    is_share = asked.kind == "share"
    variance = baseline / 100 * (1 - baseline / 100) if is_share else baseline**2
    said: dict[str, Any] = {
        "share": 1 - _number(asked, "held") / 100,
        "level": _number(asked, "level") / 100,
        "power": _number(asked, "power") / 100,
        "explained": _number(asked, "explained") / 100,
    }
    size = size_experiment(
        effect / 100 if is_share else effect,
        variance,
        looks=_looks(asked),
        per_day=_number(asked, "per_day"),
        **said,
    )
    sizes = [max(int(size.customers * step), 2) for step in STEPS]
    return size, [(one, detectable(one, variance, **said)) for one in sizes]


def _looks(asked: Asked) -> int:
    looks = _number(asked, "looks")
    if looks != int(looks):
        raise InputError(f"looks is {asked.looks}; give a whole number, 1 to {MOST_LOOKS}")
    return int(looks)


def _number(asked: Asked, name: str) -> float:
    text = getattr(asked, name)
    try:
        found = float(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}; give a number") from error
    if not 0 <= found < 1e12:
        raise InputError(f"{name} is {text}; give a number of 0 or more")
    return found
