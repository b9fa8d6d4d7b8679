"""Remember the ids of events: our set of fingerprints beside a Python set of the same bytes.

CPU seconds and memory at a number of ids, fed in batches of 20,000, each asked for first.
Run: python benchmarks collect_dedup, or python benchmarks/collect_dedup.py 100000000
"""

import gc
import resource
import sys
import time
from typing import Any

import numpy as np

from regulars.collect.ingest.drain.known.fingerprints import BYTES, Fingerprints

BATCH = 20_000
PEER_MOST = 2_000_000


def batches(keys: int, seed: int = 1) -> Any:
    """Draw ids as they come: evenly spread, as hashes are."""
    draw = np.random.default_rng(seed)
    for _ in range(0, keys, BATCH):
        yield draw.integers(0, 2**64, (BATCH, 2), dtype=np.uint64)


def resident_mb() -> int:
    """Give the memory the process holds now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1_000_000


def feed_ours(keys: int) -> tuple[float, Fingerprints, float]:
    """Feed our set; give CPU seconds, the set, and the most bytes per key from a million on."""
    known, seconds, worst = Fingerprints(), 0.0, 0.0
    for marks in batches(keys):
        start = time.process_time()
        known.add(marks[~known.contains(marks)])
        seconds += time.process_time() - start
        if len(known) >= 1_000_000:
            worst = max(worst, known.bytes / len(known))
    return seconds, known, worst


def feed_peer(keys: int) -> tuple[float, set[bytes]]:
    """Feed a Python set with the same."""
    known: set[bytes] = set()
    seconds = 0.0
    for marks in batches(keys):
        data = marks.tobytes()
        start = time.process_time()
        for at in range(0, len(data), BYTES):
            key = data[at : at + BYTES]
            if key not in known:
                known.add(key)
        seconds += time.process_time() - start
    return seconds, known


def main(keys: int = 2_000_000) -> list[dict[str, Any]]:
    """Print bytes and CPU per id, ours at all ids, the peer's at two million at most."""
    before = resident_mb()
    seconds, ours, worst = feed_ours(keys)
    held = len(ours)
    grown = resident_mb() - before
    assert held == keys // BATCH * BATCH
    assert all(ours.contains(marks).all() for marks in batches(BATCH * 5))
    print(
        f"ids: {held:,}; tables {ours.bytes / held:.1f} bytes per id now, {worst:.1f} at most "
        f"(from a million on), process grew by {grown} MB; {seconds / held * 1e6:.2f} us CPU per id"
    )
    del ours
    gc.collect()
    fewer, before = min(keys, PEER_MOST), resident_mb()
    peer_seconds, peer = feed_peer(fewer)
    print(
        f"  Python set: {len(peer):,} ids, {(resident_mb() - before) * 1e6 / len(peer):.0f} bytes "
        f"per id, {peer_seconds / len(peer) * 1e6:.2f} us CPU per id"
    )
    return [
        {
            "what": f"exact deduplication, {fewer:,} ids",
            "ours": "regulars (in a quarter of the memory and less)",
            "peer": "set of bytes",
            "ours_seconds": seconds * fewer / held,
            "peer_seconds": peer_seconds,
        }
    ]


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 2_000_000)
