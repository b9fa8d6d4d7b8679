"""The two sides of `reach_triggers`: a provider that notes each call, and whoever tells triggers.

Each runs as a process of its own and imports nothing of ours.
"""

import asyncio
import json
import sys
import time
from typing import ClassVar

import httpx


class Provider(asyncio.Protocol):
    """Takes every contact and notes the moment its call came in; as little work as it can."""

    moments: ClassVar[dict[str, float]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that has come in whole."""
        came = time.time()
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].decode("latin-1").lower()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
            whole = end + 4 + int(fields.get("content-length", "0"))
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            if head.startswith("get"):
                told = json.dumps(self.moments).encode()
                self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(told))
                self._transport.write(told)
            else:
                self.moments.setdefault(fields["webhook-id"], came)
                self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


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


async def provide() -> None:
    """Be the provider, until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["provide"]:
            asyncio.run(provide())
        case ["fire", address, key, rate, seconds, named]:
            told = asyncio.run(
                fire(address, key, rate=int(rate), seconds=int(seconds), named=named)
            )
            print(json.dumps(told))
