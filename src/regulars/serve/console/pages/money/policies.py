"""Policies: what a challenger would have earned, whom it serves, one stage on or back."""

import re
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.charts import Interval, interval_plot
from regulars.charts.look import Option
from regulars.decide.policies.rule import Choosing, wrong_setting
from regulars.serve.console.drawing import fitted
from regulars.serve.console.pages.deeds import done_or_refused
from regulars.serve.console.rendering import Pages, caller_of, say
from regulars.serve.console.words.money import POLICY_REFUSALS
from regulars.serve.console.words.naming import N_
from regulars.serve.http.decide.policies import (
    Seen,
    TakenBack,
    Wanted,
    promote_of,
    rollback_of,
    seen,
    stage_of,
)
from regulars.serve.http.door.guard import Caller

WOULD = N_("would have earned more")
_FIGURES = re.compile(r"([+-]\S+) (?:a decision|per customer) (\[[^\]]*\])$")
_DISPLACED = re.compile(r"([a-z0-9_.-]+) took its place")
RAN = N_("what ran")


class PoliciesPage:
    """Handlers of the page about policies.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/policies", self.policies, methods=["GET"]),
            Route("/policies", self.stage, methods=["POST"]),
            Route("/policies/{name}/promote", self.promote, methods=["POST"]),
            Route("/policies/{name}/rollback", self.rollback, methods=["POST"]),
        ]

    def policies(self, request: Request) -> Response:
        """Every policy."""
        return self._page(request)

    def stage(self, request: Request) -> Response:
        """Put a new one into the shadow."""
        refusal, wanted = wanted_of(caller_of(request).form)
        if wanted is None:
            problem = say(request, POLICY_REFUSALS[refusal])
            return self._page(request, problem=problem, status=400)

        def staged(caller: Caller) -> str:
            stage_of(caller, caller.form.get("name", "").strip(), wanted)
            return "/policies?said=policy_staged"

        return self._done(request, staged)

    def promote(self, request: Request) -> Response:
        """Let one go a stage on."""

        def promoted(caller: Caller) -> str:
            promote_of(caller, request.path_params["name"])
            return "/policies?said=policy_promoted"

        return self._done(request, promoted)

    def rollback(self, request: Request) -> Response:
        """Take one back."""

        def taken_back(caller: Caller) -> str:
            reason = TakenBack(reason=caller.form.get("reason", "").strip()).reason
            rollback_of(caller, request.path_params["name"], reason)
            return "/policies?said=policy_back"

        return self._done(request, taken_back)

    def _done(self, request: Request, act: Callable[[Caller], str]) -> Response:
        return done_or_refused(
            request, act, lambda why: self._page(request, problem=why, status=400)
        )

    def _page(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        found = seen(caller_of(request))
        return self._pages.page(
            request,
            "money/policies.html",
            status=status,
            found=found,
            evidence={one.policy.rule.name: evidence(one) for one in found},
            chart=_chart(request, found),
            rules=list(Choosing),
            problem=problem,
        )


def wanted_of(form: Mapping[str, str]) -> tuple[str, Wanted | None]:
    """Read a new policy from a form.

    Returns:
        The code of what is wrong, "" where nothing is; and the policy, None where it is refused.

    Example:
        >>> wanted_of({"choosing": "epsilon_greedy", "epsilon": "120"})
        ('epsilon', None)
    """
    try:
        temperature, width = (float(form.get(name) or 1) for name in ("temperature", "width"))
        epsilon = float(form.get("epsilon") or 10) / 100
        share = float(form.get("share") or 5) / 100
    except ValueError:
        return "number", None
    if form.get("choosing", "") not in list(Choosing):
        return "choosing", None
    wrong = wrong_setting(temperature, epsilon, width) or ("" if 0 < share < 1 else "share")
    if wrong:
        return wrong, None
    return "", Wanted(
        choosing=Choosing(form["choosing"]),
        temperature=temperature,
        epsilon=epsilon,
        width=width,
        share=share,
    )


def evidence(one: Seen) -> tuple[str, str]:
    """Give what a policy's stage rests on.

    Returns:
        The code of its words, "" where a person said why; and the figures, or what was said.
    """
    if one.judged and one.judged.says:
        return "nothing_logged", ""
    judgement = one.judged.judgement if one.judged else None
    if judgement and judgement.codes:
        return judgement.codes[0], ""
    if judgement and judgement.gain:
        gain = judgement.gain
        return "gain", f"{gain.value:+.4g} [{gain.low:+.4g}, {gain.high:+.4g}]"
    last = one.policy.moves[-1]
    if figures := _FIGURES.search(last.reason):
        return last.after_stage, f"{figures[1]} {figures[2]}"
    if displaced := _DISPLACED.fullmatch(last.reason):
        return "displaced", displaced[1]
    return ("shadow", "") if last.verb == "stage" else ("", last.reason)


def _chart(request: Request, found: list[Seen]) -> Option | None:
    """Draw what each policy that watches would have earned, against what ran."""
    intervals = []
    for one in found:
        judgement = one.judged.judgement if one.judged else None
        if judgement and judgement.gain:
            gain = judgement.gain
            intervals.append(Interval(one.policy.rule.name, gain.value, gain.low, gain.high, 0.0))
    if not intervals:
        return None
    currency = str(caller_of(request).workspace.settings.retailer.currency)
    option = interval_plot(
        intervals,
        title="",
        x_name="",
        y_name=currency,
        measured=say(request, WOULD),
        truth=say(request, RAN),
    )
    return fitted(option, intervals)
