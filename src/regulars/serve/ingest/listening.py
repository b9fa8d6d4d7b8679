"""One port: accept connections, say when, and end without losing what was acknowledged."""

import asyncio
import gc
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from signal import SIGTERM
from time import time_ns
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.service import Intake
from regulars.errors import InputError
from regulars.serve.ingest import Desk, Desks, Front, Reception, protocol_for
from regulars.serve.ingest.answers import refused
from regulars.serve.ingest.wire import IDLE_SECONDS, IngestProtocol, ShortWay

if TYPE_CHECKING:
    from regulars.serve.http.door.workspaces import Workspace

GRACE_SECONDS = 5
SWITCH_SECONDS = 0.0005
SWEEP_SECONDS = 5


class _Server(uvicorn.Server):
    """A server that says when it accepts and closes the logs when it ends."""

    def __init__(
        self, config: uvicorn.Config, *, reception: Reception, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._reception, self._ready = reception, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._beside = asyncio.gather(self._reception.keep_up(), self._sweep())
        # What exists now stays: the collector need not look at it again on every round.
        gc.collect()
        gc.freeze()
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self._beside.cancel()
        with suppress(asyncio.CancelledError):
            await self._beside
        for desk in self._reception.desks.all:
            await asyncio.to_thread(desk.intake.close)
        # Told to end, it ended: that is no death by a signal, and the drain is to end as well.
        self._captured_signals = [one for one in self._captured_signals if one != SIGTERM]

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, IngestProtocol):
                    connection.sweep(now)


def listen(host: str, port: int) -> socket.socket:
    """Open the socket first, so that the address printed is one that answers.

    Args:
        host: Address to listen on.
        port: Port; 0 for any that is free.

    Returns:
        The open socket.

    Raises:
        InputError: The address is not ours or the port is taken.
    """
    try:
        listening = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        ) from error
    # What it accepts takes this on: an answer in two parts would wait 40 ms for its second.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def serve_workspaces(
    workspaces: "Sequence[Workspace]",
    *,
    listening: socket.socket,
    ready: Callable[[], None],
    rest: ASGIApp | None = None,
    short_way: ShortWay | None = None,
    disk: Disk | None = None,
) -> None:
    """Serve until told to end by SIGTERM or SIGINT.

    Args:
        workspaces: Whose events are taken; events of clients without a key go to the first.
        listening: Where to accept connections.
        ready: Called once connections are accepted.
        rest: Answers what is not for events; nothing else is served when left out.
        short_way: Answers some of that sooner.
        disk: How to touch the disk.

    Raises:
        NotReady: Another process takes events for one of the workspaces.
        OutsideError: A state store failed.
    """
    # The writing threads need the interpreter for microseconds, hundreds of times a second; at
    # the usual 5 ms each would wait longer for it than for the disk.
    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.run(_serve(workspaces, listening, ready, (rest or _nothing_else, short_way), disk))


async def _serve(
    workspaces: "Sequence[Workspace]",
    listening: socket.socket,
    ready: Callable[[], None],
    beside: tuple[ASGIApp, ShortWay | None],
    disk: Disk | None,
) -> None:
    loop = asyncio.get_running_loop()
    opened: list[Desk] = []
    try:
        for one in workspaces:
            intake = Intake(
                one.folder,
                one.settings.ingest,
                clock=_micros,
                post=loop.call_soon_threadsafe,
                soon=loop.call_soon,
                disk=disk,
            )
            opened.append(Desk(one.name, one.state, intake, partial(_fates, one)))
        reception = Reception(Desks(opened))
    except BaseException:
        for desk in opened:
            desk.intake.close()
        raise
    config = uvicorn.Config(
        Front(reception, beside[0]),
        http=protocol_for(reception, beside[1]),
        ws="none",
        lifespan="off",
        # Addresses of customers' pages stay out of the log.
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=int(IDLE_SECONDS),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    await _Server(config, reception=reception, ready=ready).serve(sockets=[listening])


def _fates(workspace: "Workspace", receipt: str, source: str) -> dict[str, int] | None:
    from regulars.serve.ingest.fates import fates_of  # noqa: PLC0415 - slow to import

    with workspace.reading() as engine:
        return fates_of(engine, receipt, source)


def _micros() -> int:
    return time_ns() // 1000


async def _nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer whatever is not for events."""
    if scope["type"] != "http":
        return
    path = scope["path"]
    is_probe = path == "/healthz"
    reply = refused(404, "unknown_path", f"{path[:200]} takes no events", {})
    status, kind = (200, b"text/plain") if is_probe else (404, b"application/json")
    body = b"ok" if is_probe else reply.body
    await send({
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", kind), (b"content-length", str(len(body)).encode())],
    })
    await send({"type": "http.response.body", "body": body})
