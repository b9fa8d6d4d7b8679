"""Which workspace a signed link belongs to, how it was asked for, and the answer to a bad one."""

from starlette.requests import Request as WebRequest
from starlette.responses import Response

from regulars.reach.links.clicks.service import Request
from regulars.reach.links.tokens import Standing, mark_of
from regulars.serve.console.rendering import Pages
from regulars.serve.console.words import N_
from regulars.serve.http.door.workspaces import Site, Workspace

STATUS = {Standing.TAMPERED: 400, Standing.FOREIGN: 404}
_SAYS = {
    400: (N_("This link is damaged"), N_("Open it again from the message it came in.")),
    404: (N_("This link leads nowhere"), N_("It may be too old, or not from this shop.")),
}
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")


def workspace_of(site: Site, token: str) -> Workspace | None:
    """Find the workspace whose mark a token bears.

    Cookies and the address do not choose it: a link leads where it was made for.

    Args:
        site: The workspaces served.
        token: As it stood in the address.

    Returns:
        None for another server's token, and for what is no token.
    """
    mark = mark_of(token)
    return next((w for w in site.by_name.values() if mark and w.links.signer.mark == mark), None)


def refused(pages: Pages, request: WebRequest, status: int) -> Response:
    """Answer somebody who came with a link that is not to be believed."""
    title, says = _SAYS[status]
    return pages.page(
        request, "public/refused.html", status=status, title=title, says=says, shop=None
    )


def asked(request: WebRequest) -> Request:
    """Tell how a signed address was asked for."""
    headers = request.headers
    ahead = " ".join(headers.get(name, "") for name in _AHEAD)
    return Request(
        request.state.caller.now,
        request.method,
        headers.get("user-agent", ""),
        request.client.host if request.client else "",
        "prefetch" in ahead or "preview" in ahead,
    )
