"""From a trigger over HTTP to the call of a provider, at a steady rate; and the stop of everything.

A server runs as `regulars serve` does, with its ticker; a webhook on this machine plays the
provider and notes when each call came in. Then a marketing campaign is being sent while somebody
stops everything: how long until the last contact. Run: python benchmarks reach_triggers, or
python benchmarks/reach_triggers.py 200 10 for so many triggers a second and seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import uvicorn

from regulars.app import open_app
from regulars.govern.access.api_keys.service import add_key
from regulars.govern.policy.service import stop
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import put_content
from regulars.serve.http.door.workspaces import open_site
from regulars.serve.sending import acting
from regulars.serve.sending.ticking.beside import ticking
from regulars.serve.web import make_web

SETTINGS = """
[retailer]
name = "bench"
locale = "en"
[loop]
global_holdout = 0.0
[policy]
approval_required = false
transactional_approval_required = false
consent_required = false
quiet_from = 0
quiet_to = 0
cap_contacts = 1000
[channels.hook]
via = "webhook"
base_url = "http://127.0.0.1:{port}"
secret_env = "REGULARS_HOOK_SECRET"
"""


@contextmanager
def served(folder: Path) -> Generator[str]:
    """Serve a workspace with its ticker, in threads of this process."""
    site = open_site(folder)
    config = uvicorn.Config(make_web(site), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    with ticking([(one.folder, one.desk.wake) for one in site.by_name.values()]):
        yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@contextmanager
def beside(*words: str) -> Generator[subprocess.Popen[str]]:
    """Run a side as a process of its own: what is measured must not share an interpreter."""
    command = [sys.executable, str(Path(__file__).with_name("_trigger_sides.py")), *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def moments(port: int) -> dict[str, float]:
    """Ask the provider when each contact came in."""
    found: dict[str, float] = httpx.get(f"http://127.0.0.1:{port}/", timeout=60).json()
    return found


def latency(folder: Path, port: int, *, rate: int, seconds: int) -> str:
    """Measure from the request to the call, in seconds."""
    app, now = open_app(folder), datetime.now(UTC)
    given = {"id": "receipt", "message_class": "transactional", "channel": "hook",
             "content": "receipt@1", "audience": "trigger"}  # fmt: skip
    acting.put(app, given, actor="bench", now=now)
    acting.begin(app, "receipt", actor="bench", now=now)
    _, key = add_key(app.state, name="bench", role="marketer", actor="bench", now=now)
    with served(folder) as address:
        with beside("fire", address, key, "1", "2") as first:
            first.communicate()
        with beside("fire", address, key, str(rate), str(seconds)) as client:
            told = json.loads(client.communicate()[0])
        waited, came = time.time() + 30, moments(port)
        while set(told) - set(came) and time.time() < waited:
            time.sleep(0.5)
            came = moments(port)
    taken = np.array([came[one] - told[one] for one in told if one in came])
    p50, p99 = np.percentile(taken, [50, 99])
    return (
        f"triggers at {rate}/s for {seconds} s: {len(taken)} of {len(told)} called, "
        f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, most {taken.max() * 1000:.0f} ms"
    )


def stopping(folder: Path, port: int, *, customers: int) -> str:
    """Measure from the stop to the last contact of a campaign that is being sent."""
    app, now = open_app(folder), datetime.now(UTC)
    people = [f"m{number}" for number in range(customers)]
    given = {"id": "news", "channel": "hook", "content": "news@1", "holdout": 0.0,
             "audience": {"customers": people}}  # fmt: skip
    acting.put(app, given, actor="bench", now=now)
    acting.begin(app, "news", actor="bench", now=now)
    before = len(moments(port))
    with served(folder):
        while len(moments(port)) < before + 200:
            time.sleep(0.05)
        stop(app.state, "bench", actor="bench", at=datetime.now(UTC))
        stopped = time.time()
        time.sleep(5)
    came = moments(port)
    last = max(came.values())
    return (
        f"stop of everything: last contact {max(0.0, last - stopped) * 1000:.0f} ms after it, "
        f"{len(came) - before} of {customers} had gone out"
    )


def main(rate: int = 200, seconds: int = 10) -> Iterator[dict[str, object]]:
    """Print both figures; there is no peer to compare with."""
    os.environ["REGULARS_HOOK_SECRET"] = "whsec_c2VjcmV0"
    with tempfile.TemporaryDirectory() as place, beside("provide") as provider:
        assert provider.stdout is not None
        port = int(provider.stdout.readline())
        folder = Path(place) / "shop"
        folder.mkdir()
        (folder / "regulars.toml").write_text(SETTINGS.format(port=port), encoding="utf-8")
        state = open_app(folder).state
        for name, kind in (("receipt", "transactional"), ("news", "marketing")):
            text = "Order {{ trigger.order }}" if kind == "transactional" else "News"
            uses = ("trigger.order",) if kind == "transactional" else ()
            content = Content(name, "hook", kind, {"en": Variant(text=text)}, uses)
            put_content(state, content, actor="bench", at=datetime.now(UTC))
        print(latency(folder, port, rate=rate, seconds=seconds), flush=True)
        print(stopping(folder, port, customers=20_000), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    return iter(())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
