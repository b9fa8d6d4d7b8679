"""The demo is killed at random moments and ends with the same bytes, nobody contacted twice."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from regulars.app import open_app
from regulars.records import TABLES as REGISTERED

TURNS, CUSTOMERS, SEED = 3, 300, 7


def command(folder, workers=2):
    return [
        sys.executable, "-c", "from regulars.serve.cli.main import main; main()",
        "demo", "--dir", str(folder),
        "--turns", str(TURNS), "--customers", str(CUSTOMERS), "--seed", str(SEED),
        "--skip-real", "--workers", str(workers), "--json",
    ]  # fmt: skip


def finish(folder, **options):
    done = subprocess.run(command(folder, **options), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


TABLES = (
    "orders", "contact_outcomes", "profiles", "customer_values", "decisions", "contacts",
    "effects", "programme_effects", "predictions", "uplift_priors", "parameters", "adjustments",
)  # fmt: skip


def traces(folder):
    """All that must not depend on kills or workers: report, contacts, tables, send ledger."""
    report = json.loads((folder / "report.json").read_text("utf-8"))
    report.pop("timing")
    contacts = sorted((folder / "twin" / "outbox").glob("contacts-*.parquet"))
    app = open_app(folder / "twin")
    tables = {
        name: app.engine.arrow(app.engine.table(name).order_by(*REGISTERED[name].key))
        for name in TABLES
    }
    with app.state.reading() as opened:
        ledger = opened.all("SELECT * FROM ledger ORDER BY key")
    app.state.close()
    return report, {path.name: path.read_bytes() for path in contacts}, tables, ledger


def killed_and_continued(folder, moments):
    """Kill the demo after each of some seconds, then let it finish."""
    kills = 0
    for seconds in moments:
        started = subprocess.Popen(
            command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            started.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
            kills += 1
    finish(folder)
    return kills


@pytest.fixture(name="whole", scope="module")
def a_demo_that_was_never_killed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "demo"
    begun = time.monotonic()
    finish(folder)
    return folder, time.monotonic() - begun


def test_one_worker_and_two_give_the_same_bytes(whole, tmp_path):
    finish(tmp_path / "demo", workers=1)

    assert traces(tmp_path / "demo") == traces(whole[0])


def test_another_seed_would_be_seen(whole, tmp_path):
    words = command(tmp_path / "demo")
    words[words.index("--seed") + 1] = "8"

    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert traces(tmp_path / "demo") != traces(whole[0])


@pytest.mark.parametrize("number", range(5))
def test_a_killed_demo_continues_to_the_same_bytes(whole, tmp_path, number):
    reference, seconds = whole
    moment = random.Random(number).uniform(0.1, 0.95) * seconds

    killed_and_continued(tmp_path / "demo", [moment])

    assert traces(tmp_path / "demo") == traces(reference)


def test_a_finished_demo_is_reported_again_and_nobody_is_contacted_again(whole):
    before = traces(whole[0])

    finish(whole[0])

    assert traces(whole[0]) == before


def test_no_key_is_handed_over_twice_and_everybody_has_one_fate(whole):
    report = traces(whole[0])[0]
    keys = []
    for path in (whole[0] / "twin" / "outbox").glob("contacts-*.parquet"):
        keys += pq.read_table(path).column("key").to_pylist()

    assert len(keys) == len(set(keys)) == sum(turn["sent"] for turn in report["turns"]) > 0
    for turn in report["turns"]:
        assert turn["eligible"] == CUSTOMERS == (
            turn["sent"] + turn["abstained"] + turn["holdout"] + turn["deferred"]
            + sum(turn["skipped"].values()) + sum(turn["failed"].values()) + turn["unknown"]
        )  # fmt: skip


def prove(runs=20):
    """Twenty demos, each killed up to three times."""
    folder = Path(tempfile.mkdtemp())
    try:
        begun = time.monotonic()
        finish(folder / "whole")
        seconds, reference = time.monotonic() - begun, traces(folder / "whole")
        kills = 0
        for number in range(runs):
            draw = random.Random(1000 + number)
            moments = [draw.uniform(0.05, 0.9) * seconds for _ in range(1 + number % 3)]
            kills += killed_and_continued(folder / str(number), moments)
            assert traces(folder / str(number)) == reference, f"run {number} differs"
            shutil.rmtree(folder / str(number))
        return f"{runs} demos, {kills} kills: the same bytes every time"
    finally:
        shutil.rmtree(folder)
