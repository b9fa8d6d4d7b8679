"""Resolve a million simulated records and then one per cent more, ours beside Splink alone.

CPU seconds; each runs in a process of its own, so that its peak memory is its own. Splink alone
has its usual comparisons, four blocking rules and its fixed threshold of .95.
Run: python benchmarks unify_matching, or with a size: python benchmarks/unify_matching.py 50000
"""

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.testing.people import make_records

Told = dict[str, Any]


def make(folder: Path, records: int) -> None:
    """Write all records, 99 % of them, the last 1 %, and the truth."""
    table = make_records(records, seed=1)
    rows = table.drop_columns("person")
    late = np.zeros(records, dtype=bool)
    late[np.random.default_rng(0).permutation(records)[: records // 100]] = True
    for name, chosen in (("old", ~late), ("new", late)):
        pq.write_table(rows.filter(pa.array(chosen)), folder / f"{name}.parquet")
    pq.write_table(rows, folder / "all.parquet")
    pq.write_table(table.select(["id", "person"]), folder / "truth.parquet")


def measured(work: Callable[[], Told]) -> Told:
    """Run some work; its result with seconds, CPU seconds and peak memory in MB."""
    start, cpu = time.perf_counter(), time.process_time()
    found = work()
    seconds = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    return found | seconds | {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def ours(folder: Path, name: str) -> Told:
    """Resolve one file in the workspace."""
    from regulars.adapters.state import SQLState, migrate  # noqa: PLC0415 - its own part
    from regulars.unify.matching.service import Asked, Home, resolve_file  # noqa: PLC0415

    url = f"sqlite:///{folder / 'state.db'}"
    migrate(url)
    home = Home(folder, SQLState(url), datetime(2026, 1, 1, tzinfo=UTC))
    run = resolve_file(
        folder / f"{name}.parquet", folder / f"{name}.out.parquet", Asked(), home=home
    )
    threshold = run.learned.threshold.probability
    return {"mode": run.mode, "pairs": run.pairs, "moved": run.moved, "threshold": threshold}


def alone(folder: Path) -> Told:
    """Resolve all records by Splink with its usual settings."""
    import duckdb  # noqa: PLC0415 - the other part must not pay for it
    import splink.comparison_library as cl  # noqa: PLC0415
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1500MB"})
    connection.execute("SET enable_progress_bar = false")
    connection.read_parquet(str(folder / "all.parquet")).create("people")
    api = DuckDBAPI(connection=connection)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        blocking_rules_to_generate_predictions=[
            block_on("phone"),
            block_on("email"),
            block_on("name", "birth_date"),
            block_on("name", "address"),
        ],
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.88]).configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.LevenshteinAtThresholds("phone", 1),
            cl.ExactMatch("email"),
            cl.JaroWinklerAtThresholds("address", [0.9]),
        ],
    )
    linker = Linker(api.register("people"), settings, log_level=None)
    certain = [block_on("phone", "name"), block_on("email", "name")]
    training = linker.training
    training.estimate_probability_two_random_records_match(certain, recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=1e6)
    training.estimate_parameters_using_expectation_maximisation(block_on("name", "birth_date"))
    training.estimate_parameters_using_expectation_maximisation(block_on("phone"))
    pairs = linker.inference.predict(threshold_match_probability=0.95, warning_mode="never")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, 0.95)
    found = connection.table(clusters.physical_name).project("id, cluster_id AS customer_id")
    found.write_parquet(str(folder / "alone.out.parquet"))
    return {"mode": "Splink", "pairs": len(connection.table(pairs.physical_name))}


def agreement(folder: Path, *names: str) -> tuple[float, float]:
    """Give pairwise precision and recall of the customer ids of files; later files win."""
    truth = pq.read_table(folder / "truth.parquet").to_pydict()
    ids: dict[str, str] = {}
    for name in names:
        rows = pq.read_table(folder / f"{name}.out.parquet").select(["id", "customer_id"])
        ids.update(zip(*rows.to_pydict().values(), strict=True))
    person = dict(zip(truth["id"], truth["person"], strict=True))

    def pairs(keys: Any) -> int:
        return sum(n * (n - 1) // 2 for n in Counter(keys).values())

    right = pairs((ids[one], person[one]) for one in ids)
    return right / pairs(ids.values()), right / pairs(person[one] for one in ids)


def child(folder: Path, *words: str) -> Told:
    """Run one part in a process of its own."""
    command = [sys.executable, __file__, "--part", str(folder), *words]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Told = json.loads(said.stdout.strip().split("\n")[-1])
    return found


def main(records: int = 1_000_000) -> list[dict[str, Any]]:
    """Print quality, time and memory of each; give the CPU seconds."""
    with TemporaryDirectory(prefix="matching-") as place:
        folder = Path(place)
        child(folder, "make", str(records))
        runs = {name: child(folder, "ours", name) for name in ("old", "new", "all")}
        peer = child(folder, "alone")
        judged = {"old": agreement(folder, "old"), "new": agreement(folder, "all"),
                  "all": agreement(folder, "all"), "Splink alone": agreement(folder, "alone")}  # fmt: skip
    print(f"Resolving {records:,} simulated records: 99 %, then 1 % more, then all again")
    for name, run in (*runs.items(), ("Splink alone", peer)):
        precision, recall = judged[name]
        print(
            f"  {name:<12} {run['mode']:<9} {run['seconds']:6.1f} s, {run['cpu']:6.1f} CPU s, "
            f"{run['mb']:,} MB, {run['pairs']:,} pairs, precision {precision:.5f}, "
            f"recall {recall:.4f}, {run.get('moved', 0)} ids moved"
        )
    named = {"ours": "regulars", "peer": "Splink alone", "peer_seconds": peer["cpu"]}
    return [
        {"what": "matching, all records", "ours_seconds": runs["old"]["cpu"], **named},
        {"what": "matching, one per cent more", "ours_seconds": runs["new"]["cpu"], **named},
    ]


def _part(folder: Path, what: str, *words: str) -> None:
    if what == "make":
        make(folder, int(words[0]))
        print("{}")
    else:
        work = (lambda: ours(folder, *words)) if what == "ours" else (lambda: alone(folder))
        print(json.dumps(measured(work)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        _part(Path(sys.argv[2]), *sys.argv[3:])
    else:
        main(*(int(word) for word in sys.argv[1:]))
