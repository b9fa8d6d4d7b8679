"""Kill server and drain together while clients send, cut the power, and recount the tables.

The kills, clients and power cuts are those of the log's proof; behind the log stands a whole
workspace: a drain process that decides, stores and follows, killed at the same moments.
"""

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
from tests.collect.prove_ingest_log import KEY, ROOT, SOURCE, NotingDisk, Truth

from regulars.app import open_app
from regulars.collect.ingest.drain.ledger.service import totals
from regulars.collect.ingest.keys.service import add_write_key, hash_key
from regulars.ports.state import Queries
from regulars.serve.ingest.storing import store_all
from regulars.settings import FILE

TOML = '[retailer]\nname = "Proof"\n[ingest]\nsegment_mb = 1\n[drain]\nbatch_mb = 1\n'
_LIKE_PROOF = Queries("tests.collect", file="prove_ingest.sql")


class Pair:
    """Server and drain as one process would look: killed, waited for and ended together."""

    def __init__(self, server, drain):
        self._both = (server, drain)

    def send_signal(self, number):
        for one in self._both:
            one.send_signal(number)

    def wait(self, seconds=None):
        for one in self._both:
            one.wait(seconds)


def start(folder, port, bug=None):
    """Begin server and drain over a workspace, made when it is not there."""
    if not (folder / FILE).exists():
        _make(folder)
    words = [sys.executable, __file__, str(folder), "--port", str(port)]
    world = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    server = subprocess.Popen(
        [*words, *(["--bug", bug] if bug else [])], stdout=subprocess.PIPE, env=world
    )
    assert server.stdout.readline() == b"ready\n", "the server did not come up"
    draining = [sys.executable, "-m", "regulars.serve.ingest.draining", str(folder)]
    return Pair(server, subprocess.Popen(draining, stdin=subprocess.PIPE, env=world))


def _make(folder):
    (folder / FILE).write_text(TOML, encoding="utf-8")
    state = open_app(folder).state
    add_write_key(state, source=SOURCE, actor="proof", now=datetime(2026, 11, 21, tzinfo=UTC))
    with state.transaction() as transaction:
        transaction.run(_LIKE_PROOF["use_this_key"], key_hash=hash_key(KEY), source=SOURCE)


def verify(folder, acked):
    """Drain what is left and compare the table of events with what was acknowledged.

    Returns:
        Events lost, events stored more than once, what the ledger leaves unexplained.
    """
    app = open_app(folder)
    store_all(app)
    found = Counter()
    for file in app.lake.files("events"):
        found.update(pq.read_table(file, columns=["message_id"])["message_id"].to_pylist())
    ledger = totals(app.state)
    explained = sum(ledger[name] for name in ("stored", "duplicate", "quarantined", "suppressed"))
    return {
        "lost": sum(one not in found for one in acked),
        "doubled": found.total() - len(found),
        "unexplained": ledger["received"] - explained,
        "duplicates_told_apart": ledger["duplicate"],
    }


def serve(folder, port, bug):
    """The child: the server of the workspace on a disk that notes what was synced."""
    from regulars.serve.http.door.workspaces import open_site
    from regulars.serve.ingest.listening import listen, serve_workspaces

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve_workspaces(
        list(open_site(folder).by_name.values()),
        listening=listen("127.0.0.1", port),
        ready=lambda: sys.stdout.write("ready\n") and sys.stdout.flush(),
        disk=NotingDisk(Truth(folder / "truth"), bug).disk(),
    )


def main():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bug")
    given = parser.parse_args()
    serve(given.folder, given.port, given.bug)


if __name__ == "__main__":
    main()
