"""Click addresses: to the signed destination and nowhere else; the picture that tells of opens."""

from base64 import b64decode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.reach.links.clicks.service import SHORT_LETTERS, Answer, follow, opened_by
from regulars.reach.links.tokens import Standing
from regulars.serve.console.rendering import Pages
from regulars.serve.http.door.workspaces import Site
from regulars.serve.public.finding import STATUS, asked, refused, workspace_of

_DOT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class ClickPages:
    """Handlers of click addresses.

    Args:
        site: The workspaces served.
        pages: Makes pages of templates.
    """

    def __init__(self, site: Site, pages: Pages) -> None:
        """Keep what handlers need."""
        self._site, self._pages = site, pages

    def routes(self) -> list[Route]:
        """Give the routes.

        Returns:
            The routes.
        """
        return [
            Route("/r/{token}", self.follow, methods=["GET"]),
            Route("/o/{token}", self.look, methods=["GET"]),
        ]

    def follow(self, request: Request) -> Response:
        """Send whoever clicked where the link was signed to lead."""
        token = request.path_params["token"]
        found = self._answer(request, token)
        if found.standing is not Standing.GENUINE:
            return refused(self._pages, request, STATUS[found.standing])
        if not found.url:  # the link nobody sees
            return Response(status_code=204)
        return Response(status_code=302, headers={"location": found.url})

    def look(self, request: Request) -> Response:
        """Show a picture of one clear dot, and keep that it was asked for."""
        token = request.path_params["token"]
        workspace = workspace_of(self._site, token)
        if workspace is None:
            return refused(self._pages, request, 404)
        standing = opened_by(workspace.state, workspace.links, token, asked(request))
        if standing is not Standing.GENUINE:
            return refused(self._pages, request, STATUS[standing])
        return Response(_DOT, media_type="image/gif")

    def _answer(self, request: Request, token: str) -> Answer:
        workspace = workspace_of(self._site, token)
        if workspace is not None:
            return follow(workspace.state, workspace.links, token, asked(request))
        if len(token) == SHORT_LETTERS:
            for one in self._site.by_name.values():
                found = follow(one.state, one.links, token, asked(request))
                if found.standing is not Standing.FOREIGN:
                    return found
        return Answer(Standing.FOREIGN)
