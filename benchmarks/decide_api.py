"""Decide for one customer at a time: in process, and over HTTP at a pace, with a million profiles.

A workspace with that many profiles is made, served by a process of its own as `regulars serve`
does, and asked over kept connections by another. CPU seconds are told beside the latencies, which a busy machine stretches.
Run: python benchmarks decide_api, or python benchmarks/decide_api.py 100000 for fewer profiles.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.adapters.arrow_types import cast_to
from regulars.app import App, open_app
from regulars.decide.online import decide_online
from regulars.govern.access.api_keys.service import add_key
from regulars.govern.access.passwords import ScryptCost
from regulars.govern.access.service import add_user
from regulars.records import TABLES
from regulars.serve.console.words import REFUSALS
from regulars.serve.http.decide.online import Asked, decide_now
from regulars.serve.http.decide.short_way import DecideDoor
from regulars.serve.http.door.workspaces import Workspace, open_site
from regulars.serve.ingest.listening import listen, serve_workspaces
from regulars.serve.web import make_web

PACES, SECONDS, CONNECTIONS = (500, 1000), 10, 16
TOML = """
[retailer]
name = "bench"
[policy]
consent_required = false
[loop]
online_budget = "1000000000"
[channels.sms]
cost = "0.05"
[channels.app]
cost = "0.01"
"""


def put(app: App, name: str, columns: dict[str, Any], *, turn: int | None = None) -> None:
    """Write columns of a table; those left out are neutral."""
    table, size = TABLES[name], len(next(iter(columns.values())))
    neutral = {"int64": 0, "float64": 0.0, "string": "", "bool": False, "money": Decimal(0)}
    for column in table.columns:
        if column.name not in columns and column.name != "turn":
            value = neutral.get(column.type) if column.required else None
            columns[column.name] = pa.repeat(pa.scalar(value), size)
    data = pa.table(columns)
    if turn is None:
        app.lake.append(name, cast_to(table, data), application="bench", version=1)
    else:
        rows = cast_to(table, data, turn=turn)
        app.lake.overwrite_turn(name, rows, application="bench", turn=turn)


def make_shop(folder: Path, customers: int) -> str:
    """Make the workspace; give the key of its API."""
    (folder / "regulars.toml").write_text(TOML)
    app, draw = open_app(folder, workers=2), np.random.default_rng(1)
    ids = pa.array([f"c{n:07d}" for n in range(customers)])
    put(
        app,
        "profiles",
        {
            "customer_id": ids,
            "as_of": pa.repeat(pa.scalar(date(2026, 3, 1)), customers),
            "basket_size": draw.gamma(4, 20, customers),
            "weekly_orders": draw.gamma(1, 0.5, customers),
            "margin_rate": draw.uniform(0.2, 0.4, customers),
        },
        turn=1,
    )
    values = {"customer_id": ids, "residual_value": draw.gamma(2, 50, customers)}
    put(app, "customer_values", values, turn=1)
    offers = {
        "offer_id": [f"offer{n}" for n in range(5)],
        "planned_cost": [Decimal(n) / 5 for n in range(5)],
        "margin_floor": [0.05] * 5,
    }
    put(app, "offers", offers)
    decided = {"customer_id": ["c0000000"], "verdict": ["abstain"], "shadow_price": [0.5]}
    put(app, "decisions", decided, turn=1)
    now = datetime.now(UTC)
    add_user(
        app.state, name="bench", role="analyst", password="a long password", actor="bench",
        now=now, locale="en", cost=ScryptCost(16, 1, 1),
    )  # fmt: skip
    return add_key(app.state, name="bench", role="analyst", actor="bench", owner="bench", now=now)[
        1
    ]


def spread(nanoseconds: list[int]) -> str:
    """Give the median and the 99th percentile in microseconds."""
    p50, p99 = np.percentile(np.array(nanoseconds) / 1e3, [50, 99])
    return f"p50 {p50:,.0f} us, p99 {p99:,.0f} us"


def interruptions() -> int:
    """Count how often another process was let in before this thread; it leaves caches cold."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def in_process(folder: Path, customers: int, decisions: int = 20_000) -> None:
    """Time the decision alone, and with rules of contact and log."""
    shop, now = Workspace(folder, engines=1), datetime.now(UTC)
    start = time.process_time()
    knowledge = shop.decider.knowledge(now=now)
    print(f"  knowledge of {customers:,} profiles read in {time.process_time() - start:.1f} CPU s")
    wall, cpu, alone = [], [], []
    for n in range(decisions):
        customer = f"c{n * 7919 % customers:07d}"
        switches = interruptions()
        begun, worked = time.perf_counter_ns(), time.thread_time_ns()
        decide_online(
            knowledge, knowledge.customers.find(customer), customer_id=customer,
            request_id=f"r{n}", refusals={"sms": "", "app": ""}, now=now,
        )  # fmt: skip
        cpu.append(time.thread_time_ns() - worked)
        wall.append(time.perf_counter_ns() - begun)
        if switches == interruptions():
            alone.append(cpu[-1])
    print(f"  in process, CPU: {spread(cpu)}; wall: {spread(wall)}")
    share = len(alone) / len(cpu)
    print(f"  CPU of the {share:.1%} no other process broke into: {spread(alone)}")
    begun = time.process_time()
    for n in range(2_000):
        decide_now(shop, Asked(f"s{n}", f"c{n * 7919 % customers:07d}"), now=now)
    each = (time.process_time() - begun) / 2_000
    print(f"  with rules of contact, identity and log: {each * 1e6:,.0f} us of CPU each")
    shop.close()


def serve(folder: str, port: int, told: Any) -> None:
    """Serve the workspace; tell when it does, and its CPU seconds when asked."""
    site = open_site(Path(folder))
    site.home.decider.knowledge(now=datetime.now(UTC))

    def watch() -> None:
        """Tell the CPU seconds whenever asked; end with the process."""
        while told.recv() == "cpu":
            told.send(time.process_time())
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    serve_workspaces(
        [site.home],
        listening=listen("127.0.0.1", port),
        ready=lambda: told.send("ready"),
        rest=make_web(site),
        short_way=DecideDoor(site, refusals=REFUSALS),
    )


async def asked_at_pace(port: int, key: str, customers: int, pace: int) -> list[int]:
    """Ask at a pace over a few kept connections; give nanoseconds from when each was due."""
    latencies: list[int] = []
    waiting: asyncio.Queue[tuple[int, int]] = asyncio.Queue()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            number, due = await waiting.get()
            if number < 0:
                writer.close()
                return
            customer = f"c{number * 7919 % customers:07d}"
            body = json.dumps({"customer_id": customer, "request_id": f"h{pace}-{number}"})
            writer.write(
                f"POST /api/decide HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
            latencies.append(time.perf_counter_ns() - due)

    tasks = [asyncio.create_task(connection()) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for number in range(pace * SECONDS):
        due = start + number / pace
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        waiting.put_nowait((number, int(due * 1e9)))
    for _connection in tasks:
        waiting.put_nowait((-1, 0))
    await asyncio.gather(*tasks)
    return latencies


def over_http(folder: Path, key: str, customers: int) -> None:
    """Time the round trip at a pace."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    port = 18_765
    process = context.Process(target=serve, args=(str(folder), port, theirs))
    process.start()
    assert ours.recv() == "ready"

    def worked() -> float:
        ours.send("cpu")
        return float(ours.recv())

    for pace in PACES:
        before, begun = worked(), time.perf_counter()
        latencies = asyncio.run(asked_at_pace(port, key, customers, pace))
        took, cpu = time.perf_counter() - begun, (worked() - before) / len(latencies)
        print(
            f"  HTTP at {pace} a second: {spread(latencies)}; {len(latencies) / took:,.0f} a second "
            f"answered; {cpu * 1e6:,.0f} us of the server's CPU each"
        )
    ours.send("stop")
    process.join()


def main(customers: int = 1_000_000) -> list[dict[str, Any]]:
    """Print latencies and CPU; there is no peer that decides with rules and a log."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = make_shop(folder, customers)
        print(f"decisions with {customers:,} profiles")
        in_process(folder, customers)
        over_http(folder, key, customers)
    return []


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
