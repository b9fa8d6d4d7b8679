"""Send events to a server of our own: single ones and batches, acknowledged when on disk.

Requests per second, latency, and processor time per request of the server alone; the client runs
on the same machine. Single events come from wrk where it is installed, with ids that never
repeat. Run: python benchmarks collect_ingest [seconds]
"""

import asyncio
import base64
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CONNECTIONS = 32
BATCH = 100
EVENT_BYTES = 1200
BODIES = 10_000
TICKS = os.sysconf("SC_CLK_TCK")

SINGLE = """
local count, thread = 0, 0
function setup(one) one:set("number", thread) thread = thread + 1 end
function request()
  count = count + 1
  local event = string.format('{"type":"track","event":"Product Viewed","messageId":"w%%d-%%d-%%d",'
    .. '"anonymousId":"a%%d","timestamp":"2026-11-20T10:00:00Z","properties":{"product_id":"p%%d",'
    .. '"name":"%s","price":12.5}}', number, os.time(), count, count %% 5000, count %% 900)
  return wrk.format("POST", "/v1/track", {["Authorization"] = "%s"}, event)
end
"""


class Server:
    """A server in a process of its own, on a workspace of its own, without the drain at first."""

    def __init__(self, folder: Path, *more: str, backlog_mb: int = 1_000_000) -> None:
        """Make the workspace and wait until the server accepts."""
        self._regulars("init", str(folder))
        settings = folder / "regulars.toml"
        text = re.sub(
            r"backlog_mb = \d+", f"backlog_mb = {backlog_mb}", settings.read_text("utf-8")
        )
        settings.write_text(text, "utf-8")
        made = self._regulars("collect", "key", "bench", "--dir", str(folder), "--json")
        self.key = json.loads(made)["write_key"]
        words = ["collect", "serve", "--dir", str(folder), "--port", "0", *(more or ["--no-drain"])]
        self.process = subprocess.Popen(self._command(words), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r":(\d+)/", self.process.stdout.readline())
        assert found is not None, "the server did not come up"
        self.port = int(found[1])

    def cpu(self) -> float:
        """Give the processor seconds it has used."""
        fields = (
            Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self) -> int:
        """Give the memory it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]

    def end(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def _regulars(self, *words: str) -> str:
        return subprocess.run(
            self._command(list(words)), check=True, capture_output=True, text=True
        ).stdout

    @staticmethod
    def _command(words: list[str]) -> list[str]:
        code = f"from regulars.serve.cli.main import main; main({words!r})"
        return [sys.executable, "-c", code]


def singles(server: Server, seconds: int, folder: Path) -> str:
    """Send single events by wrk."""
    script = folder / "single.lua"
    basic = base64.b64encode(f"{server.key}:".encode()).decode()
    script.write_text(SINGLE % ("x" * 300, f"Basic {basic}"))
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", "-s", str(script)]
    start = server.cpu()
    said = subprocess.run(
        [*words, f"http://127.0.0.1:{server.port}/v1/track"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    used = server.cpu() - start
    count = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    half, most = (re.search(rf"{p}%\s+(\S+)", said)[1] for p in (50, 99))  # type: ignore[index]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return (
        f"single events: {rate:,.0f} requests/s, p50 {half}, p99 {most}, "
        f"{used / count * 1e6:.0f} us of processor per request, "
        f"{bad[1] if bad else 0} refused, {server.rss_mb()} MB"
    )


def pieces(draw: random.Random) -> list[bytes]:
    """Make distinct events, without their ids."""
    made = []
    for number in range(BODIES):
        event = {
            "type": "track",
            "event": "Product Viewed",
            "anonymousId": f"a{number % 5000}",
            "timestamp": "2026-11-20T10:00:00.000Z",
            "properties": {"product_id": f"p{number}", "price": number / 100, "note": ""},
        }
        room = EVENT_BYTES - len(json.dumps(event)) - 40
        event["properties"]["note"] = "".join(draw.choices("abcdefghijklmnop ", k=room))  # type: ignore[index]
        made.append(json.dumps(event)[1:].encode())
    return made


async def batches(server: Server, seconds: int) -> str:
    """Send batches over a few connections, each with ids of its own."""
    made = pieces(random.Random(7))
    took: list[float] = []
    sent = 0
    until = time.monotonic() + seconds

    async def send(number: int) -> None:
        nonlocal sent
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        count = number * 1000
        head = f"POST /v1/batch?writeKey={server.key} HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        while time.monotonic() < until:
            count += 1
            events = b",".join(
                b'{"messageId":"b%d-%d-%d",%b'
                % (number, count, n, made[(count * BATCH + n) % BODIES])
                for n in range(BATCH)
            )
            body = b'{"batch":[' + events + b"]}"
            begun = time.monotonic()
            writer.write((head % len(body)).encode() + body)
            answer = await reader.readuntil(b"}")
            assert answer.startswith(b"HTTP/1.1 200"), answer
            took.append(time.monotonic() - begun)
            sent += len(body)
        writer.close()

    start, begun = server.cpu(), time.monotonic()
    await asyncio.gather(*(send(number) for number in range(8)))
    passed, used = time.monotonic() - begun, server.cpu() - start
    took.sort()
    return (
        f"batches of {BATCH} x {EVENT_BYTES / 1000} kB: {sent / passed / 1e6:.1f} MB/s, "
        f"{len(took) * BATCH / passed:,.0f} events/s, p50 {took[len(took) // 2] * 1000:.1f} ms, "
        f"p99 {took[int(len(took) * 0.99)] * 1000:.1f} ms, "
        f"{used / len(took) / BATCH * 1e6:.1f} us of processor per event, "
        f"{sent / used / 1e6:.0f} MB per processor second, {server.rss_mb()} MB"
    )


def main(seconds: int = 10) -> list[dict[str, Any]]:
    """Print what was measured; there is no peer to compare with in the same process."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        server = Server(folder / "shop")
        try:
            if shutil.which("wrk"):
                print(singles(server, seconds, folder), flush=True)
            print(asyncio.run(batches(server, seconds)), flush=True)
        finally:
            server.end()
    return []


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
