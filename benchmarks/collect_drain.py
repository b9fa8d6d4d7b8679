"""Drain a log: lines to validated, deduplicated Delta rows; ours beside a bare parse and write.

The log holds distinct events of 1.2 KB in requests of 100, 2 % sent again, .5 % bad. The peer
parses the same lines by pyarrow.json and appends them to a Delta table: no validation, no
deduplication, no protection, no ledger. Run: python benchmarks collect_drain, or
python benchmarks/collect_drain.py MEGABYTES
"""

import gc
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
from deltalake import write_deltalake

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.state import SQLState, migrate
from regulars.collect.ingest.drain import partition as drain_partition
from regulars.collect.ingest.drain.deciding import Gates
from regulars.collect.ingest.drain.ledger.service import totals
from regulars.collect.ingest.drain.partition import Inside, Outside
from regulars.collect.ingest.drain.reading.batch_rows import Rules
from regulars.collect.ingest.drain.replay.service import Sealing
from regulars.collect.ingest.drain.service import Drain, drain_once
from regulars.collect.ingest.drain.suppression.service import Suppressed
from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.frame import Header, encode_frame, fingerprint, partition_of
from regulars.collect.ingest.log.reader import Position, partition_folder, read_stretch
from regulars.collect.ingest.log.writer import PartitionWriter
from regulars.collect.tracking import normalise
from regulars.govern.protection.service import VAULT_FILE, open_protector
from regulars.settings import Drain as Settings

BODIES = 20_000
PER_REQUEST = 100
PARTITIONS = 2
AT = 1_795_252_800_000_000
FIELDS = (
    "type", "event", "messageId", "userId", "anonymousId", "timestamp", "originalTimestamp",
    "sentAt",
)  # fmt: skip


def bodies(count: int, seed: int = 1) -> list[bytes]:
    """Draw distinct events, with a gap where the message id goes."""
    draw = np.random.default_rng(seed)
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150"
    found = []
    for number in range(count):
        numbers = [int(n) for n in draw.integers(0, 10**6, 12)]
        products = [
            {
                "product_id": f"p{n}",
                "sku": f"s{n * 7}",
                "name": f"商品 {n}",
                "price": n / 100,
                "quantity": n % 5 + 1,
                "category": "Food",
            }
            for n in numbers[:6]
        ]
        found.append(
            msgspec.json.encode({
                "type": "track",
                "event": ("Order Completed", "Product Viewed", "Cart Viewed")[number % 3],
                "messageId": "#",
                "userId": f"u{numbers[6]}" if number % 2 else None,
                "anonymousId": draw.bytes(16).hex(),
                "originalTimestamp": f"2026-11-21T08:{numbers[7] % 60:02}:{number % 60:02}.123Z",
                "sentAt": "2026-11-21T09:20:00.000Z",
                "context": {
                    "library": {"name": "analytics-python", "version": "2.4.0"},
                    "userAgent": agent,
                    "page": {"url": f"https://shop.example/p/{numbers[8]}", "title": "Product"},
                    "locale": "zh-CN",
                    "campaign": {"source": "wx", "medium": "cpc", "name": f"c{numbers[9]}"},
                },
                "properties": {
                    "order_id": f"o{number}",
                    "total": numbers[10] / 100,
                    "currency": "CNY",
                    "products": products,
                },
                "integrations": {},
            })
        )
    return found


def write_log(folder: Path, megabytes: int) -> tuple[int, int]:
    """Write a log; give its events and bytes of lines."""
    drawn, draw = bodies(BODIES), np.random.default_rng(2)
    writers = [
        PartitionWriter(partition_folder(folder, p), segment_bytes=64 << 20, disk=Disk())
        for p in range(PARTITIONS)
    ]
    events = size = request = 0
    while size < megabytes * 1_000_000:
        parts: list[list[tuple[bytes, bytes]]] = [[] for _ in range(PARTITIONS)]
        for _ in range(PER_REQUEST):
            again = events and draw.random() < 0.02
            message_id = f"node-next-{int(draw.integers(events)) if again else events:032}"
            line = drawn[events % BODIES].replace(b'"#"', f'"{message_id}"'.encode())
            if draw.random() < 0.005:
                line = line.replace(b'"track"', b'"shout"')
            mark = fingerprint("web", message_id)
            parts[partition_of(mark, PARTITIONS)].append((mark, line))
            events += 1
            size += len(line) + 1
        request += 1
        for writer, part in zip(writers, parts, strict=True):
            header = Header(
                receipt=f"{request:032x}",
                source="web",
                dialect="segment",
                received_at=AT + request,
                sent_at=None,
                count=len(part),
                agent="analytics-python/2.4.0",
                ip="10.0.0.1",
            )
            writer.commit([encode_frame(header, [m for m, _ in part], [n for _, n in part])])
    for writer in writers:
        writer.close()
    return events, size


class Stages:
    """CPU and wall seconds by stage."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.cpu: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Generator[None]:
        """Count the CPU seconds of a block in its own thread."""
        start = time.thread_time()
        yield
        self.cpu[name] = self.cpu.get(name, 0.0) + time.thread_time() - start

    def watch(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Give the same call, timed."""

        def timed(*given: Any, **named: Any) -> Any:
            with self.timed(name):
                return call(*given, **named)

        return timed


def open_drain(folder: Path, stages: Stages) -> tuple[Drain, DeltaLake, SQLState]:
    """Open the drain as the server does, every stage timed."""
    url = f"sqlite:///{folder / 'state.db'}"
    migrate(url)
    state, lake = SQLState(url), DeltaLake(folder / "lake")
    protector = open_protector(folder, SQLState(f"sqlite:///{folder / VAULT_FILE}"))
    for name, stage in (
        ("read_stretch", "log"),
        ("read_batch", "parse and judge"),
        ("commit_fates", "fates"),
    ):
        setattr(drain_partition, name, stages.watch(stage, getattr(drain_partition, name)))
    gates = Gates(stages.watch("protect", protector.protect), protector.seal, Suppressed(state))
    inside = Inside(
        Rules("Asia/Shanghai", partial(normalise)),
        gates,
        Sealing(protector.seal, protector.unseal),
    )
    drain = Drain(Outside(folder, lake, state), inside, Settings(), partitions=range(PARTITIONS))
    for part in drain._parts:
        known = part._known
        known.contains = stages.watch("dedup", known.contains)  # type: ignore[method-assign]
        known.add = stages.watch("dedup", known.add)  # type: ignore[method-assign]
    return drain, lake, state


def run_peer(folder: Path, table: Path) -> float:
    """Parse and append the same lines, no more; give CPU seconds."""
    schema = pa.schema([(name, pa.string()) for name in FIELDS])
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    reading = pj.ReadOptions(use_threads=False, block_size=1 << 22)
    seconds = 0.0
    for partition in range(PARTITIONS):
        at = Position()
        while True:
            stretch = read_stretch(partition_folder(folder, partition), at, most_bytes=48 << 20)
            if not stretch.frames:
                break
            start = time.process_time()
            block = b"".join(frame.block for frame in stretch.frames)
            rows = pj.read_json(pa.BufferReader(block), read_options=reading, parse_options=options)
            lines = pa.array(block.split(b"\n")[:-1], pa.string())
            write_deltalake(str(table), rows.append_column("payload", lines), mode="append")
            seconds += time.process_time() - start
            at = stretch.end
    return seconds


def peak_mb() -> int:
    """Give the most memory the process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(megabytes: int = 200) -> list[dict[str, Any]]:
    """Print MB/s per stage; recount the rows in Delta; give CPU seconds beside the peer's."""
    # The first array loads pandas, which the drain of a server does without.
    pa.array(["now"])
    folder = Path(tempfile.mkdtemp(prefix="drain-bench-"))
    try:
        events, size = write_log(folder / "log", megabytes)
        shutil.copytree(folder / "log", folder / "peer-log")
        stages = Stages()
        drain, lake, state = open_drain(folder, stages)
        gc.collect()
        gc.freeze()
        before, wall, cpu = peak_mb(), time.perf_counter(), time.process_time()
        drain_once(drain)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        drain.close()
        mb = size / 1e6
        found = totals(state)
        rows = sum(pq.read_metadata(path).num_rows for path in lake.files("events"))
        assert found["received"] == events
        assert found["stored"] == rows, (found, rows)
        print(f"log of {mb:,.0f} MB, {events:,} events of {size / events:.0f} bytes")
        print(f"  {mb / wall:.0f} MB/s wall, {mb / cpu:.0f} MB/s per core-second, all stages")
        # Delta writes in threads of its own, beside everything else.
        stages.cpu["Delta, ledger, filters"] = cpu - sum(stages.cpu.values())
        for name, seconds in sorted(stages.cpu.items(), key=lambda item: -item[1]):
            print(f"  {name}: {mb / seconds:,.0f} MB/s per core-second ({seconds / cpu:.0%})")
        print(f"  peak memory {before} MB before, {peak_mb()} MB after; ledger {found}")
        print(f"  rows recounted in Delta: {rows:,}")
        peer = run_peer(folder / "peer-log", folder / "peer")
    finally:
        shutil.rmtree(folder)
    return [
        {
            "what": f"log to Delta, {mb:,.0f} MB",
            "ours": "regulars (validated, deduplicated, protected, counted)",
            "peer": "pyarrow.json and deltalake alone",
            "ours_seconds": cpu,
            "peer_seconds": peer,
        }
    ]


if __name__ == "__main__":
    for line in main(int(sys.argv[1]) if len(sys.argv) > 1 else 200):
        print(line)
