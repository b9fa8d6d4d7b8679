"""The two sides of `reach_triggers`: a provider that notes each call, and whoever tells triggers.

Each runs as a process of its own and imports nothing of ours.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class Provider(ThreadingHTTPServer):
    """Takes every contact and notes the moment its call came in."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        """Listen on a free port."""
        self.moments: dict[str, float] = {}
        super().__init__(("127.0.0.1", 0), _Call)


class _Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        came = time.time()
        self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Provider)
        self.server.moments.setdefault(self.headers["webhook-id"], came)
        self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        assert isinstance(self.server, Provider)
        body = json.dumps(self.server.moments).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        # Whoever called may end before its connection does.
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_parts: object) -> None:
        """Say nothing."""


async def fire(
    address: str, key: str, *, rate: int, seconds: int, named: str
) -> dict[str, tuple[float, float]]:
    """Hand triggers in at a steady rate; gives when each was told and answered, by its key."""
    told: dict[str, tuple[float, float]] = {}
    # Given up before the server closes them: a request on its way would be lost with one.
    limits = httpx.Limits(max_connections=200, keepalive_expiry=2)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=address, headers=headers, limits=limits, timeout=60
    ) as client:

        async def one(number: int) -> None:
            happened = {
                "campaign": "receipt",
                "customer_id": f"c{named}{number}",
                "trigger_id": f"order-{named}-{number}",
                "properties": {"order": number},
            }
            began = time.time()
            try:
                answer = await client.post("/api/reach/trigger", json=happened)
            except httpx.TransportError:
                # Told again, it stays one contact: that is what its id is for.
                answer = await client.post("/api/reach/trigger", json=happened)
            told[answer.json()["key"]] = (began, time.time())

        began, running = time.time(), []
        for number in range(rate * seconds):
            await asyncio.sleep(max(0.0, began + number / rate - time.time()))
            running.append(asyncio.ensure_future(one(number)))
        await asyncio.gather(*running)
    return told


def provide() -> None:
    """Be the provider, until killed."""
    provider = Provider()
    print(provider.server_address[1], flush=True)
    provider.serve_forever()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["provide"]:
            provide()
        case ["fire", address, key, rate, seconds, named]:
            told = asyncio.run(
                fire(address, key, rate=int(rate), seconds=int(seconds), named=named)
            )
            print(json.dumps(told))
