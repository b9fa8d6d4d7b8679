"""A door before the server: it records every request and breaks some on purpose."""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from regulars.collect import tracking

REFUSED, LOST = "refused", "lost"
KINDS = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript"}


@dataclass(frozen=True)
class Exchange:
    """One request and what came of it."""

    method: str
    path: str
    query: str
    headers: dict
    body: bytes
    status: int
    reached: bool

    def ids(self):
        """Message ids of its events; empty for what carries none."""
        return ids_of(self.method, self.path, self.query, self.headers, self.body)


def ids_of(method, path, query, headers, body):
    try:
        return tracking.parse(method, path, query, headers, body).message_ids
    except tracking.Refused:
        return []


@dataclass
class Door:
    """Passes requests on to a server.

    The first request with events meets the first fault, and so on: "refused" is answered 429
    without the server seeing it, "lost" is answered 503 although the server stored it.
    """

    server: tuple
    faults: list = field(default_factory=list)
    exchanges: list = field(default_factory=list)

    def __enter__(self):
        self.lock = threading.Lock()
        self.listener = listener_of(self.answer)
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()

    @property
    def address(self):
        return f"127.0.0.1:{self.listener.server_port}"

    def answer(self, method, target, headers, body):
        path, _, query = target.partition("?")
        has_events = bool(ids_of(method, path, query, headers, body))
        with self.lock:
            fault = self.faults.pop(0) if has_events and self.faults else None
        if fault == REFUSED:
            status, answered, content = self.broken(429)
        else:
            status, answered, content = self.pass_on(method, target, headers, body)
        if fault == LOST:
            assert status == 200
            status, answered, content = self.broken(503)
        with self.lock:
            reached = fault != REFUSED
            self.exchanges.append(Exchange(method, path, query, headers, body, status, reached))
        return status, answered, content

    @staticmethod
    def broken(status):
        said = b'{"code":"busy","message":"try again","success":false}'
        headers = {
            "content-type": "application/json",
            "retry-after": "1",
            "access-control-allow-origin": "*",
        }
        return status, headers, said

    def pass_on(self, method, target, headers, body):
        there = http.client.HTTPConnection(*self.server, timeout=30)
        try:
            there.request(method, target, body or None, headers)
            reply = there.getresponse()
            kept = {
                name.lower(): value
                for name, value in reply.getheaders()
                if name.lower() not in {"connection", "transfer-encoding", "content-length", "date"}
            }
            return reply.status, kept, reply.read()
        finally:
            there.close()

    def acknowledged(self):
        """Ids of events the client was told are safe."""
        return {one for each in list(self.exchanges) if each.status == 200 for one in each.ids()}

    def sent(self):
        """Ids of all events sent, in order, each time it was sent."""
        return [one for exchange in list(self.exchanges) for one in exchange.ids()]


class Files:
    """Serves files of a folder, as a shop's own web server does."""

    def __init__(self, folder: Path):
        self.folder = folder.resolve()
        self.listener = listener_of(self.answer)

    @property
    def address(self):
        return f"127.0.0.1:{self.listener.server_port}"

    def answer(self, method, target, headers, body):
        path = (self.folder / target.partition("?")[0].lstrip("/")).resolve()
        if not path.is_relative_to(self.folder) or not path.is_file():
            return 404, {}, b""
        return 200, {"content-type": KINDS.get(path.suffix, "text/plain")}, path.read_bytes()

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()


def listener_of(answer: Callable):
    """Listen on a free port of this machine, answering by a function, until shut down."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.chunks() if headers.pop("transfer-encoding", "") else self.plain(headers)
            if headers.get("expect"):
                headers.pop("expect")
            status, answered, content = answer(self.command, self.path, headers, body)
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_OPTIONS = handle_one

        def plain(self, headers):
            return self.rfile.read(int(headers.get("content-length", 0)))

        def chunks(self):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, *_):
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    threading.Thread(
        target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    return listener
