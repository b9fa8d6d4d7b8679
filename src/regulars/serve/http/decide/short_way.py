"""The short way of `POST /api/decide`: key, role, decision, in the loop that read the request."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from regulars.collect.tracking.parsed import Request
from regulars.govern.access import RoleMatrix
from regulars.govern.access.api_keys.service import find_key
from regulars.serve.http.decide.online import (
    Answered,
    Answering,
    exposure_answered,
    one_answered,
    refused,
)
from regulars.serve.http.door.guard import HEADERS, MOST_BODY_BYTES, sent_key
from regulars.serve.http.door.role_matrix import ROLE_MATRIX
from regulars.serve.http.door.workspaces import Site, Workspace
from regulars.serve.ingest.answers import Reply
from regulars.serve.ingest.reception import LOCAL, Respond
from regulars.serve.ingest.wire import Head

_LOG = logging.getLogger("regulars.serve")
# A batch would keep everybody else waiting.
_SHORT: dict[str, Answering] = {
    "/api/decide": one_answered,
    "/api/decide/exposed": exposure_answered,
}
_HEADERS = {name.lower(): value for name, value in HEADERS.items()}
_HEADERS |= {"cache-control": "no-store", "content-type": "application/json"}
_SECURE_HEADERS = _HEADERS | {"strict-transport-security": "max-age=31536000"}


def _now() -> datetime:
    return datetime.now(UTC)


class DecideDoor:
    """Answers what the door answers, to requests with an API key, and with about half of the work.

    The key is looked up for every request, so that a revoked one is refused from the next on;
    role matrix, body limit, answers and headers are those of the door. Whatever a browser may
    send (cookies, a workspace or language in the address) goes the full way.

    Args:
        site: The workspaces served.
        refusals: Title and explanation of a refusal, by status.
        matrix: Least role per route.
        clock: Gives the moment, aware UTC.
    """

    def __init__(
        self,
        site: Site,
        *,
        refusals: Mapping[int, tuple[str, str]],
        matrix: RoleMatrix = ROLE_MATRIX,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Keep what the door needs; nothing is opened."""
        self._site, self._matrix, self._clock = site, matrix, clock
        self._refusals = refusals
        self._tasks: set[asyncio.Task[None]] = set()

    @staticmethod
    def takes(head: Head) -> bool:
        """Say whether a request is answered here."""
        return (
            head.path in _SHORT
            and head.method == "POST"
            and not head.query
            and "cookie" not in head.headers
            and head.length <= MOST_BODY_BYTES
            and bool(sent_key(head.headers))
        )

    def answer(self, request: Request, client: str | None, respond: Respond) -> None:
        """Answer a request; where that means to wait, in a thread.

        Args:
            request: The request, whole.
            client: Network address it came from.
            respond: Told the answer, once.
        """
        headers = _HEADERS
        if client in LOCAL and request.headers.get("x-forwarded-proto") == "https":
            headers = _SECURE_HEADERS

        def tell(found: Answered) -> None:
            respond(Reply(found.status, headers, found.content))

        if self._site.home.decides_at_once:
            tell(self._answered(request))
            return

        async def later() -> None:
            tell(await asyncio.to_thread(self._answered, request))

        task = asyncio.get_running_loop().create_task(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _answered(self, request: Request) -> Answered:
        try:
            return self._passed(self._site.home, request)
        except Exception as error:
            _LOG.exception("request failed: %s", type(error).__name__)
            return self._refusal(500)

    def _passed(self, home: Workspace, request: Request) -> Answered:
        """Do as the door does: who is it, may they, then what they ask."""
        key = find_key(home.state, sent_key(request.headers))
        if not self._matrix.allows(f"POST {request.path}", key.role if key else None):
            return self._refusal(403 if key else 401)
        return _SHORT[request.path](home, request.body, now=self._clock())

    def _refusal(self, status: int) -> Answered:
        title, says = self._refusals[status]
        return refused(status, f"{title}. {says}")
