"""Rules of contact: what holds here, where it comes from, and what they would say of somebody."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.govern.policy.asks import MARKETING_CLASS, TRANSACTIONAL_CLASS, Ask
from regulars.reach.standing.gate import gate_of
from regulars.reach.standing.service import check
from regulars.reach.standing.shown import shown_policy
from regulars.serve.console.rendering import Pages, caller_of


class PolicyPage:
    """Handlers of the page about the rules of contact.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/policy", self.policy, methods=["GET"]),
            Route("/policy/check", self.check, methods=["POST"]),
        ]

    def policy(self, request: Request) -> Response:
        """Every rule, cap and quota."""
        return self._page(request)

    def check(self, request: Request) -> Response:
        """What the rules would say of one contact now; nothing is sent, nothing is counted."""
        caller = caller_of(request)
        settings, form = caller.workspace.settings, caller.form
        wanted = {
            "customer_id": form.get("customer_id", "").strip(),
            "channel": form.get("channel", ""),
            "message_class": form.get("message_class", MARKETING_CLASS),
        }
        classes = (MARKETING_CLASS, TRANSACTIONAL_CLASS)
        is_whole = wanted["customer_id"] and wanted["message_class"] in classes
        if not is_whole or wanted["channel"] not in settings.channels:
            return self._page(request, wanted=wanted, status=400, problem=True)
        found = check(
            caller.workspace.state,
            gate_of(settings, now=caller.now),
            Ask(
                "check",
                wanted["customer_id"],
                wanted["channel"],
                wanted["message_class"],
                is_automated=wanted["message_class"] == MARKETING_CLASS,
            ),
            now=caller.now,
        )
        return self._page(request, wanted=wanted, answer=found)

    def _page(
        self,
        request: Request,
        *,
        wanted: dict[str, str] | None = None,
        answer: object = None,
        status: int = 200,
        problem: bool = False,
    ) -> Response:
        caller = caller_of(request)
        settings = caller.workspace.settings
        policy = shown_policy(settings, now=caller.now)
        codes = {one.code: one for rule in policy.rules for one in rule.reasons}
        return self._pages.page(
            request,
            "reach/policy/policy.html",
            status=status,
            policy=policy,
            codes=codes,
            channels=list(settings.channels),
            wanted=wanted or {},
            answer=answer,
            problem=problem,
        )
