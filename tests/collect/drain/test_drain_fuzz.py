"""Whatever comes: every event ends in one fate, on every request, and replay doubles nothing."""

import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from tests.collect.drain.rubbish import DIALECTS, conflicting, fuzzed, one_line, pick
from tests.collect.drain.shop import Shop

from regulars.collect.ingest.drain.replay.service import Asking, request_replay

COUNTS = ("received", "stored", "duplicate", "quarantined", "suppressed")
ASKING = Asking("test", datetime(2026, 11, 22, tzinfo=UTC))


def send_fuzz(shop, events, seed):
    """Log requests of fuzzed events, some of them again; gives events sent by receipt."""
    draw = np.random.default_rng(seed)
    sent, earlier, number = {}, [], 0
    while number < events:
        dialect = pick(draw, DIALECTS)
        lines = [fuzzed(draw, number + n, dialect) for n in range(int(draw.integers(1, 200)))]
        number += len(lines)
        if earlier and draw.random() < 0.2:
            again = pick(draw, earlier)
            dialect, lines = again[0], [*again[1], *lines] if again[0] == dialect else again[1]
        earlier = [*earlier[-20:], (dialect, lines)]
        ids = [f"{dialect} {hash_of(line)}" for line in lines]
        sent[shop.send(*lines, dialect=dialect, ids=ids)] = len(lines)
    return sent


def hash_of(line):
    from hashlib import blake2b

    return blake2b(line, digest_size=16).hexdigest()


def check(shop, sent):
    """Every request closed, every table as long as the ledger says, replays without doubles."""
    found = {receipt: Counter() for receipt in sent}
    for row in shop.rows("receipts"):
        found[row["receipt"]].update({name: row[name] for name in COUNTS})
    mismatches = [
        receipt
        for receipt, counts in found.items()
        if counts["received"] != sent[receipt]
        or counts["received"] != sum(counts[name] for name in COUNTS[1:])
    ]
    assert mismatches == []
    totals = shop.totals()
    assert totals["received"] == sum(sent.values())
    assert totals["stored"] == len(shop.rows("events"))
    assert totals["quarantined"] == len(shop.rows("refused_events"))
    return totals


def replay(shop):
    asked = len(request_replay(shop.lake, shop.state, ASKING))
    shop.drain()
    return asked


def fuzz(folder, events, seed):
    shop = Shop(folder)
    sent = send_fuzz(shop, events, seed)
    shop.drain(batch_bytes=1 << 20)
    before = check(shop, sent)
    assert replay(shop) == replay(shop) == before["quarantined"]
    after = shop.totals()
    assert after == before
    return before


def test_every_fuzzed_event_ends_in_one_fate_and_replay_changes_nothing(tmp_path):
    found = fuzz(tmp_path, 20_000, seed=1)

    assert found["stored"] > 5_000
    assert found["quarantined"] > 1_000
    assert found["duplicate"] > 1_000


def send_conflicting(shop, count):
    """Log payloads that contradict each other, and drain them; gives the totals."""
    draw = np.random.default_rng(2)
    for start in range(0, count, 100):
        numbers = range(start, min(start + 100, count))
        lines = [one_line(conflicting(draw, number)) for number in numbers]
        shop.send(*lines, ids=[f"c{number}" for number in numbers])
    shop.drain()
    return shop.totals()


def test_conflicting_payloads_lose_no_row_and_add_no_column(shop):
    totals = send_conflicting(shop, 2_000)

    assert totals["stored"] + totals["quarantined"] == totals["received"] == 2_000
    assert totals["stored"] > 1_400
    assert len(shop.rows("events")) == totals["stored"]
    assert set(shop.rows("events")[0]) == set(shop.lake.schema("events").names)


def conflict(count):
    """Drain many payloads that contradict each other; rows are counted in the files themselves."""
    with tempfile.TemporaryDirectory() as name:
        shop = Shop(Path(name))
        totals = send_conflicting(shop, count)
        rows = sum(pq.read_metadata(path).num_rows for path in shop.lake.files("events"))
        held = sum(pq.read_metadata(path).num_rows for path in shop.lake.files("refused_events"))
        columns = set(pq.read_schema(shop.lake.files("events")[0]).names)
    assert totals["received"] == count == rows + held, (totals, rows, held)
    assert (rows, held) == (totals["stored"], totals["quarantined"])
    assert columns == set(shop.lake.schema("events").names)
    return f"{count:,} conflicting payloads: {rows:,} rows, {held:,} held back, 0 lost"


def prove():
    """A million fuzzed events, and a hundred thousand conflicting payloads."""
    found = Counter()
    for seed in range(10):
        with tempfile.TemporaryDirectory() as name:
            found.update({k: v for k, v in fuzz(Path(name), 100_000, seed).items() if k in COUNTS})
    assert found["received"] >= 1_000_000
    told = conflict(100_000)
    return (
        f"{found['received']:,} fuzzed events: {found['stored']:,} stored, "
        f"{found['duplicate']:,} duplicate, {found['quarantined']:,} quarantined; "
        "0 requests that do not add up, 0 doubled by two replays; " + told
    )
