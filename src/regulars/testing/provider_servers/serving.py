"""A provider over HTTP: Starlette's requests and answers, served by uvicorn in a thread."""

import asyncio
import socket
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from regulars.testing.provider_servers.troubles import Trouble, Troubles

RETRY_AFTER = 7


@dataclass(frozen=True)
class Taken:
    """What a customer would have received.

    Attributes:
        key: Key of the contact, as the provider was told it; "" when it was not.
        address: Where it went.
        content: What else was said, as the provider read it.
    """

    key: str
    address: str
    content: dict[str, Any] = field(default_factory=dict)


class ProviderServer(ABC):
    """One provider; a context manager that serves while it is open.

    Attributes:
        taken: What customers would have received, in order.
        refusals: Answer by address the provider refuses for good, in its own words.
        requests: Path of every call, in order.
        not_sends: Paths of calls that send nothing, such as that for a token.

    Args:
        planned: Troubles of the calls that send, in order.
    """

    not_sends: frozenset[str] = frozenset()

    def __init__(self, *planned: Trouble) -> None:
        """Serve nothing yet."""
        self.troubles = Troubles(planned)
        self.taken: list[Taken] = []
        self.refusals: dict[str, str] = {}
        self.requests: list[str] = []
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Answer one call as the provider would; EXPIRED is for the provider to play."""

    def is_send(self, request: Request) -> bool:
        """Whether a call sends something: only those meet trouble."""
        return request.method == "POST" and request.url.path not in self.not_sends

    @property
    def url(self) -> str:
        """Address of the server."""
        assert self._socket is not None
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def keys(self) -> list[str]:
        """Give the keys taken, each as often as it would reach the customer."""
        return [taken.key for taken in self.taken]

    def __enter__(self) -> "ProviderServer":
        """Serve on a free port."""
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(128)
        config = uvicorn.Config(
            self._serve,
            log_level="critical",
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop serving."""
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.requests.append(request.url.path)
        trouble = self.troubles.take() if self.is_send(request) else Trouble.NONE
        before = _TROUBLE_BEFORE.get(trouble)
        if trouble is Trouble.RESET:
            _hang_up(receive)
        elif before is not None:
            await before(scope, receive, send)
        else:
            response = await self.answer(request, trouble)
            await _end(response, trouble, scope, receive, send)


async def _end(
    response: Response, trouble: Trouble, scope: Scope, receive: Receive, send: Send
) -> None:
    """End a call the provider acted on."""
    if trouble is Trouble.LOST:
        _hang_up(receive)
    elif trouble is Trouble.HANG:
        await _until_the_caller_leaves(receive)
    elif trouble is Trouble.TRICKLE:
        await _trickle(send, receive)
    else:
        await response(scope, receive, send)


def _hang_up(receive: Receive) -> None:
    # uvicorn hands its own request cycle's method over; its transport is the connection.
    transport = receive.__self__.transport  # type: ignore[attr-defined]
    transport.abort()


async def _until_the_caller_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _trickle(send: Send, receive: Receive) -> None:
    leaving = asyncio.ensure_future(_until_the_caller_leaves(receive))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not leaving.done():
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.wait({leaving}, timeout=0.05)


_TROUBLE_BEFORE = {
    Trouble.RATE_LIMITED: JSONResponse(
        {"message": "slow down"}, 429, headers={"Retry-After": str(RETRY_AFTER)}
    ),
    Trouble.DOWN: JSONResponse({"message": "unavailable"}, 503),
    Trouble.ERROR: JSONResponse({"message": "internal error"}, 500),
}
