"""Send batches for a while to a server that stores them: megabytes a second until they are in Delta.

Client, server and drain share the machine. One event in fifty repeats an earlier one, one in two
hundred is no event; when sending is over, the rows are counted again in the table and compared
with the ledger. Run: python benchmarks/collect_whole.py [seconds]
"""

import asyncio
import os
import random
import re
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq
from deltalake import DeltaTable

from regulars.adapters.state import SQLState
from regulars.collect.ingest.drain.ledger.service import totals

INGEST = import_module("collect_ingest")
BATCH, BODIES, TICKS = INGEST.BATCH, INGEST.BODIES, INGEST.TICKS
WAIT_SECONDS = 0.05


class Whole(INGEST.Server):
    """A server with its drain beside it."""

    def __init__(self, folder: Path) -> None:
        """Begin both; the drain is the server's only child."""
        super().__init__(folder, "--host", "127.0.0.1", backlog_mb=256)
        self.folder = folder
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        [self.drain] = [int(pid) for one in tasks for pid in (one / "children").read_text("utf-8").split()]  # fmt: skip

    @staticmethod
    def used(pid: int) -> float:
        """Give the processor seconds of a process."""
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @staticmethod
    def holds(pid: int) -> int:
        """Give the memory of a process in MB."""
        text = Path(f"/proc/{pid}/status").read_text("utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) // 1024  # type: ignore[index]

    def ledger(self) -> dict[str, int]:
        """Give what the ledger says now; read here, because a command would take a core from it."""
        return dict(totals(SQLState(f"sqlite:///{self.folder / 'state.db'}")))


class Sender:
    """Sends batches over a few connections and counts.

    Args:
        server: Where to.
        until: When to stop, on the monotonic clock.
    """

    def __init__(self, server: Whole, until: float) -> None:
        """Make the bodies."""
        self._server, self._until = server, until
        self._made = INGEST.pieces(random.Random(7))
        self.bytes = self.events = self.refused = 0

    def body(self, number: int, count: int) -> bytes:
        """Make the next batch of a connection."""
        events = [
            b'{"messageId":"b%d-%d-%d",%b' % (number, count, n, self._made[(count * BATCH + n) % BODIES])
            for n in range(BATCH)
        ]  # fmt: skip
        events[0] = b'{"messageId":"b%d-%d-%d",%b' % (number, max(count - 5, 0), 7, self._made[0])
        events[1] = b'{"messageId":"b%d-%d-%d",%b' % (number, max(count - 9, 0), 9, self._made[1])
        if count % 2:
            events[2] = b'"no event"'
        return b'{"batch":[' + b",".join(events) + b"]}"

    async def send(self, number: int) -> None:
        """Send until it is time; a refusal is waited for and the batch sent again."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        head = f"POST /v1/batch?writeKey={self._server.key} HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        count = number * 1_000_000 + 10
        while time.monotonic() < self._until:
            count += 1
            body = self.body(number, count)
            while True:
                writer.write((head % len(body)).encode() + body)
                answer = await reader.readuntil(b"}")
                if answer.startswith(b"HTTP/1.1 200"):
                    break
                self.refused += 1
                await asyncio.sleep(WAIT_SECONDS)
            self.bytes += len(body)
            self.events += BATCH
        writer.close()


async def run(server: Whole, seconds: int) -> Sender:
    """Send for some seconds, and say now and then how it stands."""
    begun = time.monotonic()
    sender = Sender(server, begun + seconds)

    async def tell() -> None:
        while True:
            await asyncio.sleep(min(30, seconds / 4))
            passed = time.monotonic() - begun
            print(
                f"  {passed:.0f} s: {sender.bytes / passed / 1e6:.1f} MB/s taken in, server "
                f"{server.holds(server.process.pid)} MB, drain {server.holds(server.drain)} MB",
                flush=True,
            )

    telling = asyncio.create_task(tell())
    await asyncio.gather(*(sender.send(number) for number in range(4)))
    telling.cancel()
    return sender


def main(seconds: int = 60) -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as place:
        server = Whole(Path(place) / "shop")
        before = {"server": server.used(server.process.pid), "drain": server.used(server.drain)}
        begun, client = time.monotonic(), time.process_time()
        sender = asyncio.run(run(server, seconds))
        while (ledger := server.ledger())["received"] < sender.events:
            time.sleep(0.5)
        passed = time.monotonic() - begun
        used = {"client": time.process_time() - client}
        used |= {
            name: server.used(pid) - before[name]
            for name, pid in (("server", server.process.pid), ("drain", server.drain))
        }
        server.end()
        table = DeltaTable(str(server.folder / "lake" / "events"))
        rows = sum(pq.read_metadata(file).num_rows for file in table.file_uris())
    print(
        f"{sender.bytes / 1e6:,.0f} MB, {sender.events:,} events in {passed:.0f} s until stored: "
        f"{sender.bytes / passed / 1e6:.1f} MB/s; asked to wait {sender.refused} times"
    )  # fmt: skip
    print(
        "processor seconds per GB: "
        + ", ".join(f"{name} {spent / sender.bytes * 1e9:.1f}" for name, spent in used.items())
        + f"; together {sum(used.values()) / passed:.2f} processors of {os.cpu_count()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    print(f"ledger {ledger}; rows in Delta {rows:,}, as stored: {rows == ledger['stored']}")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
