"""Every published client against one running server; what each sent, and what was stored."""

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.collect.clients import from_npm, from_python
from tests.collect.clients.door import LOST, REFUSED, Door

from regulars.app import open_app
from regulars.collect.ingest.keys.service import add_write_key

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from regulars.serve.cli.main import main; main()"]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
PLAIN, GZIP, RETRY = "plain", "gzip", "retry"
FAMILIES = {
    "python": from_python.CLIENTS,
    "node": from_npm.NODE,
    "browser": from_npm.BROWSER,
}


@dataclass(frozen=True)
class Case:
    """One client in one mode; its source is named so."""

    family: str
    name: str
    mode: str

    @property
    def source(self):
        return f"{self.name}.{self.mode}"

    @property
    def client(self):
        return FAMILIES[self.family][self.name]


def cases():
    found = []
    for family, clients in FAMILIES.items():
        for name, client in clients.items():
            modes = [GZIP if packed else PLAIN for packed in client.packs]
            modes += [RETRY] * client.retries
            found += [Case(family, name, mode) for mode in modes]
    return found


CASES = cases()


@dataclass(frozen=True)
class Outcome:
    """What a case came to: the door's record, the client's complaints, the rows stored."""

    door: Door
    said: list
    rows: list


def regulars(*words):
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.fixture(scope="session")
def npm_folder():
    """Give the folder of the installed npm clients."""
    for program in ("node", "chromedriver"):
        if not shutil.which(program):
            pytest.skip(f"{program} is missing; run requirements/system-packages")
    subprocess.run([ROOT / "requirements" / "client-packages"], check=False)
    folder = ROOT / ".venv" / "clients"
    if not (folder / ".stamp").is_file():
        pytest.skip("the npm clients could not be installed; run requirements/client-packages")
    from_npm.lay_out(folder)
    return folder


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients") / "shop"
    regulars("init", folder)
    return folder


@pytest.fixture(scope="session")
def keys(workspace):
    """Give one write key per case."""
    app = open_app(workspace)
    return {
        case: add_write_key(app.state, source=case.source, actor="test", now=NOW)[1]
        for case in CASES
    }


@pytest.fixture(scope="session")
def server(workspace, keys):
    """Give host and port of a server that takes events in and stores nothing yet."""
    words = ["collect", "serve", "--no-drain", "--port", "0", "--dir", str(workspace)]
    with subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        line = process.stdout.readline()
        host, _, port = line.partition("http://")[2].partition("/")[0].partition(":")
        yield host, int(port)
        process.terminate()


@pytest.fixture(scope="session")
def heard(server, keys, npm_folder, tmp_path_factory):
    """Let every client make its calls; give doors and complaints by case."""
    with ExitStack() as open_doors:
        doors = {
            case: open_doors.enter_context(
                Door(server, [REFUSED, LOST] if case.mode == RETRY else [])
            )
            for case in CASES
        }
        profile = tmp_path_factory.mktemp("browser")
        with ThreadPoolExecutor(8) as pool:
            node = pool.submit(run_node_cases, npm_folder, doors, keys)
            browser = pool.submit(run_browser_cases, npm_folder, profile, doors, keys)
            python = {
                case: pool.submit(
                    from_python.run, case.name, doors[case].address, keys[case], is_packed(case)
                )
                for case in CASES
                if case.family == "python"
            }
            said = {case: future.result() for case, future in python.items()}
            said |= node.result() | browser.result()
    return {case: (doors[case], said[case]) for case in CASES}


def is_packed(case):
    return case.mode == GZIP or (case.mode == RETRY and case.client.packs[-1])


def run_node_cases(folder, doors, keys):
    mine = [case for case in CASES if case.family == "node"]
    jobs = [
        {
            "client": case.name,
            "address": doors[case].address,
            "key": keys[case],
            "gzip": is_packed(case),
        }
        for case in mine
    ]
    return dict(zip(mine, from_npm.run_node(folder, jobs), strict=True))


def run_browser_cases(folder, profile, doors, keys):
    browser = from_npm.Browser(folder, profile)
    said = {}
    try:
        for case in CASES:
            if case.family == "browser":
                door = doors[case]
                job = case.client.job | {"address": door.address, "key": keys[case]}
                said[case] = browser.run(job, door, len(case.client.expected))
    finally:
        browser.close()
    return said


@pytest.fixture(scope="session")
def ledger(heard, workspace):
    """Drain what was acknowledged; give the ledger."""
    regulars("collect", "drain", "--dir", workspace, "--json")
    return json.loads(regulars("collect", "ledger", "--dir", workspace, "--json"))


@pytest.fixture(scope="session")
def outcomes(heard, ledger, workspace):
    """Give what each case came to."""
    out = workspace.parent / "events.parquet"
    regulars("collect", "export", "events", "--out", out, "--dir", workspace)
    rows = defaultdict(list)
    for row in pq.read_table(out).to_pylist():
        rows[row["source"]].append(row)
    return {case: Outcome(*heard[case], rows[case.source]) for case in CASES}
