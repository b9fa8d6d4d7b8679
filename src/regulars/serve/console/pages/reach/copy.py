"""Copy review: what a text may not say, by which article, and how to say it."""

from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.govern.copycheck import Copy
from regulars.govern.copycheck.findings import Finding
from regulars.govern.copycheck.kept.service import kept_decisions
from regulars.govern.copycheck.service import known_in, review
from regulars.serve.console.rendering import Pages, caller_of

MOST = 20_000


class CopyPage:
    """Handlers of the page about copy review.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/copy", self.copy, methods=["GET"]),
            Route("/copy/check", self.check, methods=["POST"]),
        ]

    def copy(self, request: Request) -> Response:
        """An empty field, and what copy may rely on."""
        return self._page(request, "", [])

    def check(self, request: Request) -> Response:
        """The findings of the texts given, one per line; nothing is kept."""
        caller = caller_of(request)
        text = caller.form.get("text", "")[:MOST]
        lines = [line for line in text.splitlines() if line.strip()]
        known = known_in(caller.workspace.state)
        zone = ZoneInfo(caller.workspace.settings.retailer.zone)
        channel = caller.form.get("channel", "")
        found = review(
            [Copy(line, number, channel=channel) for number, line in enumerate(lines, 1)],
            as_of=caller.now.astimezone(zone).date(),
            evidence=known.evidence,
            catalogue=known.names,
            decisions=known.decisions,
        )
        return self._page(request, text, lines, found)

    def _page(
        self, request: Request, text: str, lines: list[str], found: list[Finding] | None = None
    ) -> Response:
        caller = caller_of(request)
        state = caller.workspace.state
        checked = [
            (number, line, _cut(line, own), own)
            for number, line in enumerate(lines, 1)
            for own in [[one for one in found or [] if one.line == number]]
        ]
        return self._pages.page(
            request,
            "reach/copy/copy.html",
            text=text,
            channel=caller.form.get("channel", ""),
            channels=list(caller.workspace.settings.channels),
            checked=checked,
            is_checked=found is not None,
            blocked=sum(any(one.severity.blocks for one in own) for *_, own in checked),
            known=known_in(state),
            decisions=kept_decisions(state)[:20],
        )


def _cut(line: str, found: list[Finding]) -> list[tuple[str, str]]:
    """Cut a line where findings begin and end.

    Returns:
        Stretches, each with the heaviest severity that lies on it, "" for none.
    """
    edges = sorted({0, len(line), *(edge for one in found for edge in one.span)})
    pieces = []
    for start, end in zip(edges, edges[1:], strict=False):
        over = [one for one in found if one.span[0] <= start and end <= one.span[1]]
        heaviest = "block" if any(one.severity.blocks for one in over) else "note" if over else ""
        pieces.append((line[start:end], heaviest))
    return pieces
