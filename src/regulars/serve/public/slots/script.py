"""`GET /onsite.js`: the script a page of the shop loads, the same for every shop."""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SCRIPT_SECONDS = 3600


@cache
def script() -> tuple[bytes, str]:
    """Read the script, and name what it says.

    Returns:
        The script, and its entity tag.

    Source:
        RFC 9110, section 8.8.3: a strong tag, because equal bytes have equal tags.
    """
    body = files(__package__).joinpath("onsite.js").read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def give_script(request: Request) -> Response:
    """Give the script, or say that the one the browser has is still good."""
    body, tag = script()
    headers = {"etag": tag, "cache-control": f"public, max-age={SCRIPT_SECONDS}"}
    known = [
        one.strip().removeprefix("W/")
        for one in request.headers.get("if-none-match", "").split(",")
    ]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/javascript", headers=headers)


ROUTES = [Route("/onsite.js", give_script, methods=["GET"])]
