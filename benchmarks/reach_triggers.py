"""From a trigger over HTTP to the call of a provider, at a steady rate; and the stop of everything.

`regulars serve` runs as a process of its own, with the processes it starts beside it; a webhook on
this machine plays the provider and notes when each call came in. Besides the whole way: how long each
stage of it took, for all triggers and for the slowest; the pauses in which nothing reached the provider;
and what each process used of the processor. The same once more while a long campaign is written down and
sent beside it. Then a marketing campaign is being sent while somebody stops everything: how long until
the last contact. Run: python benchmarks reach_triggers, or python benchmarks/reach_triggers.py 200 10
for so many triggers a second and seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np

from regulars.app import App, open_app
from regulars.govern.access.api_keys.service import add_key
from regulars.govern.policy.service import stop
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import put_content
from regulars.serve.sending import acting

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
BESIDE = 60_000
STAGES = (
    ("told -> taken in", "told", "noted"),
    ("taken in -> on disk and answered", "noted", "answered"),
    ("taken in -> a sender claims it", "noted", "claimed"),
    ("claimed -> called", "claimed", "called"),
    ("called -> settled", "called", "settled"),
    ("told -> called", "told", "called"),
)


@contextmanager
def served(folder: Path) -> Generator[tuple[str, int]]:
    """Serve a workspace by a process of its own; gives address and process id."""
    words = ["serve", "--dir", str(folder), "--port", "0"]
    code = f"from regulars.serve.cli.main import main; main({words!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.split(" at ")[1].split()[0].rstrip("/"), process.pid
    finally:
        process.terminate()
        process.wait()


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


def processor_seconds(process: int) -> dict[str, float]:
    """Processor time of a process and of those it began, by what they are."""
    found: dict[str, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            said = path.with_name("cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        number = int(path.parent.name)
        if process in {number, int(words[1])}:
            name = "server" if number == process else said[2].rpartition(".")[2]
            found[name] = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return found


def known(folder: Path) -> dict[str, dict[str, float]]:
    """What the store says of each contact: moments it was noted, claimed and settled."""
    with open_app(folder).state.reading() as opened:
        rows = opened.all(
            """SELECT t.contact_key, t.at AS noted, l.at AS claimed, l.settled_at AS settled
               FROM campaign_triggers AS t JOIN ledger AS l ON l.key = t.contact_key
               WHERE l.state = 'sent'"""
        )
    names = ("noted", "claimed", "settled")
    return {
        row["contact_key"]: {one: datetime.fromisoformat(row[one]).timestamp() for one in names}
        for row in rows
    }


def fired(address: str, key: str, rate: int, seconds: int, named: str) -> dict[str, list[float]]:
    """Hand triggers in; gives the moments each was told and answered, by key of its contact."""
    with beside("fire", address, key, str(rate), str(seconds), named) as client:
        told: dict[str, list[float]] = json.loads(client.communicate()[0])
    return told


def measured(
    folder: Path, port: int, address: str, key: str, *, rate: int, seconds: int, named: str
) -> list[dict[str, float]]:
    """Hand triggers in and wait until each was called; gives its moments, the quickest first."""
    told = fired(address, key, rate, seconds, named)
    waited, came = time.time() + 60, moments(port)
    while set(told) - set(came) and time.time() < waited:
        time.sleep(0.5)
        came = moments(port)
    lost = len(set(told) - set(came))
    print(f"{named}: {len(told) - lost} of {rate * seconds} called", flush=True)
    time.sleep(1)
    stored = known(folder)
    found = [
        {"told": one, "answered": answered, "called": came[name], **stored[name]}
        for name, (one, answered) in told.items()
        if name in came and name in stored
    ]
    return sorted(found, key=lambda one: one["called"] - one["told"])


def breakdown(found: list[dict[str, float]]) -> None:
    """Print how long each stage took: for all, and for the slowest hundredth on average."""
    slowest = found[-max(1, len(found) // 100) :]
    print(f"  {'milliseconds':36} p50     p99    most   of the slowest 1 %")
    for name, begins, ends in STAGES:
        taken = np.array([one[ends] - one[begins] for one in found]) * 1000
        late = np.mean([one[ends] - one[begins] for one in slowest]) * 1000
        p50, p99 = np.percentile(taken, [50, 99])
        print(f"  {name:36}{p50:6.0f}  {p99:6.0f}  {taken.max():6.0f}   {late:6.0f}")
    calls = np.sort([one["called"] for one in found])
    gaps = np.diff(calls)
    longest = ", ".join(f"{one * 1000:.0f}" for one in np.sort(gaps)[::-1][:5])
    print(f"  longest pauses between two calls: {longest} ms", flush=True)


def use(before: Mapping[str, float], after: Mapping[str, float], triggers: int) -> None:
    """Print what each process used of the processor."""
    spent = {name: after[name] - before.get(name, 0.0) for name in after}
    told = ", ".join(f"{name} {one * 1000 / triggers:.2f}" for name, one in sorted(spent.items()))
    print(f"  processor ms per trigger: {told}; load {os.getloadavg()[0]:.1f}", flush=True)


def latency(folder: Path, port: int, *, rate: int, seconds: int) -> None:
    """Measure from the request to the call: alone, then beside a long campaign."""
    app, now = open_app(folder), datetime.now(UTC)
    given = {"id": "receipt", "message_class": "transactional", "channel": "hook",
             "content": "receipt@1", "audience": "trigger"}  # fmt: skip
    acting.put(app, given, actor="bench", now=now)
    acting.begin(app, "receipt", actor="bench", now=now)
    _, key = add_key(app.state, name="bench", role="marketer", actor="bench", now=now)
    with served(folder) as (address, process):
        # The first ones while everything is still beginning.
        cold = measured(folder, port, address, key, rate=1, seconds=5, named="first")
        late = [round((one["called"] - one["told"]) * 1000) for one in cold]
        print(f"  the first five, one a second as the server begins: {late} ms", flush=True)
        for named in ("alone", "beside"):
            if named == "beside":
                begin(app, "long", BESIDE)
            before = processor_seconds(process)
            found = measured(folder, port, address, key, rate=rate, seconds=seconds, named=named)
            breakdown(found)
            use(before, processor_seconds(process), len(found))


def begin(app: App, name: str, customers: int) -> None:
    """Begin a marketing campaign to as many customers."""
    given = {"id": name, "channel": "hook", "content": "news@1", "holdout": 0.0,
             "audience": {"customers": [f"m{number}" for number in range(customers)]}}  # fmt: skip
    acting.put(app, given, actor="bench", now=datetime.now(UTC))
    acting.begin(app, name, actor="bench", now=datetime.now(UTC))


def stopping(folder: Path, port: int, *, customers: int) -> str:
    """Measure from the stop to the last contact of a campaign that is being sent."""
    app = open_app(folder)
    acting.end(app, "long", reason="measured", actor="bench", now=datetime.now(UTC))
    begin(app, "news", customers)
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
    """Print the figures; there is no peer to compare with."""
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
        latency(folder, port, rate=rate, seconds=seconds)
        print(stopping(folder, port, customers=20_000), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    return iter(())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
