"""Decide for one customer at a time: in process, and over HTTP at a pace, with a million profiles.

A workspace with that many profiles is made, served by a process of its own as `regulars serve`
does, and asked over kept connections by another. Decisions share the money of the turn, that of
cells of the budget and the stock of an offer, and two experiments run. CPU seconds are told beside
the latencies, which a busy machine stretches; the load is told with them.
Run: python benchmarks decide_api, or python benchmarks/decide_api.py 100000 for fewer profiles.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from _apart import peak_mb

from regulars.adapters.arrow_types import cast_to
from regulars.app import App, open_app
from regulars.decide.budget.curves.curve import UNSCORED
from regulars.decide.online import decide_online
from regulars.govern.access.api_keys.service import add_key
from regulars.govern.access.passwords import ScryptCost
from regulars.govern.access.service import add_user
from regulars.measure.experiments.keeping.definition import definition_of
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.keeping.service import put_experiment, start_experiment
from regulars.reach.delivery.service import set_stock
from regulars.records import TABLES
from regulars.serve.console.words import REFUSALS
from regulars.serve.http.decide.online import Asked, decide_now
from regulars.serve.http.decide.short_way import DecideDoor
from regulars.serve.http.door.workspaces import Workspace, open_site
from regulars.serve.ingest.listening import listen, serve_workspaces
from regulars.serve.web import make_web

PACES, SECONDS, CONNECTIONS = (500, 1000), 10, 16
SIZES = (100_000, 1_000_000)
SEGMENTS = ("champions", "loyal", "asleep", UNSCORED)
BARS = "bars: 200 us in process and 10 ms over HTTP at 500 a second, 99th percentile"
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
    share_out(app, ids, now)
    add_user(
        app.state, name="bench", role="analyst", password="a long password", actor="bench",
        now=now, locale="en", cost=ScryptCost(16, 1, 1),
    )  # fmt: skip
    return add_key(app.state, name="bench", role="analyst", actor="bench", owner="bench", now=now)[
        1
    ]


def share_out(app: App, ids: pa.Array, now: datetime) -> None:
    """Limit cells of the budget and the stock of an offer, and let two experiments run."""
    segments = [SEGMENTS[n % 3] for n in range(len(ids))]
    put(app, "rfm_scores", {"customer_id": ids, "segment": segments}, turn=1)
    cells = [(s, c, f"offer{n}") for s in SEGMENTS for c in ("sms", "app") for n in range(5)]
    columns = dict(
        zip(("segment", "channel", "offer_id"), map(list, zip(*cells, strict=True)), strict=True)
    )
    plan = {**columns, "is_binding": [True] * len(cells), "most": [1e6] * len(cells)}
    put(app, "budget_plans", plan, turn=1)
    set_stock(app.state, {"offer4": 10_000_000})
    variants = [{"name": "control", "share": 0.5}, {"name": "treated", "share": 0.5}]
    for name in ("banner", "tone"):
        asked = {
            "id": name, "name": name, "hypothesis": "It brings more of them back.",
            "variants": variants, "primary": "buyers", "effect": 0.05, "layer": name,
        }  # fmt: skip
        put_experiment(app.state, definition_of(asked), actor="bench", now=now)
        power = PowerPlan(0, {}, 0.0, None, 0.05, 0.0, True, "")
        start_experiment(app.state, name, power, actor="bench", now=now)


def spread(nanoseconds: list[int]) -> str:
    """Give the median and the 99th percentile in microseconds."""
    p50, p99 = np.percentile(np.array(nanoseconds) / 1e3, [50, 99])
    return f"p50 {p50:,.0f} us, p99 {p99:,.0f} us"


def interruptions() -> int:
    """Count how often another process was let in before this thread; it leaves caches cold."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def timed(decide: Callable[[int], Any], decisions: int) -> str:
    """Time one decision after the other: wall, CPU, and CPU of those no other process broke into."""
    wall, cpu, alone = [], [], []
    for n in range(-200, decisions):  # the first ones are not counted
        switches = interruptions()
        begun, worked = time.perf_counter_ns(), time.thread_time_ns()
        decide(n)
        worked = time.thread_time_ns() - worked
        if n < 0:
            continue
        wall.append(time.perf_counter_ns() - begun)
        cpu.append(worked)
        if switches == interruptions():
            alone.append(worked)
    return (
        f"CPU {spread(cpu)}; of the {len(alone) / len(cpu):.1%} no other process broke into "
        f"{spread(alone)}; wall {spread(wall)}"
    )


def in_process(folder: Path, customers: int, decisions: int = 20_000) -> None:
    """Time the decision alone, and with rules of contact, identity, what is shared, and the log."""
    shop, now = Workspace(folder, engines=1), datetime.now(UTC)
    start = time.process_time()
    knowledge = shop.decider.knowledge(now=now)
    took = time.process_time() - start
    print(
        f"  knowledge of {customers:,} profiles read in {took:.1f} CPU s, "
        f"{took / customers * 1e6:.1f} us a profile, peak {peak_mb():,.0f} MB"
    )

    def alone(n: int) -> None:
        customer = f"c{n * 7919 % customers:07d}"
        decide_online(
            knowledge, knowledge.customers.find(customer), customer_id=customer,
            request_id=f"r{n}", refusals={"sms": "", "app": ""}, now=now,
        )  # fmt: skip

    def whole(n: int) -> None:
        decide_now(shop, Asked(f"s{n}", f"c{n * 7919 % customers:07d}"), now=now)

    print(f"  decision: {timed(alone, decisions)}")
    print(
        f"  with rules of contact, identity, money, stock, experiments and log: {timed(whole, decisions)}"
    )
    shop.close()


def serve(folder: str, port: int, told: Any) -> None:
    """Serve the workspace; tell when it does, and its CPU seconds when asked."""
    site = open_site(Path(folder))
    site.home.decider.knowledge(now=datetime.now(UTC))

    def watch() -> None:
        """Tell CPU seconds and peak memory whenever asked; end with the process."""
        while told.recv() == "cost":
            told.send((time.process_time(), peak_mb()))
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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = context.Process(target=serve, args=(str(folder), port, theirs))
    process.start()
    assert ours.recv() == "ready"

    def cost() -> tuple[float, float]:
        ours.send("cost")
        seconds, megabytes = ours.recv()
        return float(seconds), float(megabytes)

    for pace in PACES:
        (before, _), begun = cost(), time.perf_counter()
        latencies = asyncio.run(asked_at_pace(port, key, customers, pace))
        took, (after, peak) = time.perf_counter() - begun, cost()
        print(
            f"  HTTP at {pace} a second: {spread(latencies)}; {len(latencies) / took:,.0f} a second "
            f"answered; {(after - before) / len(latencies) * 1e6:,.0f} us of the server's CPU each; "
            f"server's peak {peak:,.0f} MB; load {os.getloadavg()[0]:.1f}"
        )
    ours.send("stop")
    process.join()


def main(sizes: Sequence[int] = SIZES) -> list[dict[str, Any]]:
    """Print latencies and CPU; there is no peer that decides with rules and a log."""
    print(f"decisions; {BARS}")
    for customers in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            key = make_shop(folder, customers)
            print(
                f"  -- {customers:,} profiles, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
            )
            in_process(folder, customers)
            over_http(folder, key, customers)
    return []


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or SIZES)
