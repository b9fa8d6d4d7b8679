"""`regulars collect drain`, `ledger`, `export` and `replay`, as a person runs them."""

import json

import pyarrow.parquet as pq
import pytest
from tests.collect.drain.shop import Shop, event

from regulars.serve.cli.main import main

COUNTS = {"received": 6, "stored": 4, "duplicate": 1, "quarantined": 1, "suppressed": 0}


@pytest.fixture
def run(tmp_path, capfd):
    """Give what runs a command on a workspace whose log holds six events."""
    folder = tmp_path / "ws"

    def call(*words):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words), *(() if "init" in words else ("--dir", str(folder)))])
        said = capfd.readouterr()
        return ended.value.code, said.out, said.err

    assert call("init", folder)[0] == 0
    shop = Shop(folder)
    shop.send(event(1), event(2), event(3, type="shout"), source="web")
    shop.send(event(1), event(1), source="app")
    shop.send(event(9), source="web")
    return call


def test_events_are_drained_counted_and_exported(run, tmp_path):
    _, drained, _ = run("collect", "drain", "--json")
    _, again, _ = run("collect", "drain", "--json")
    _, ledger, _ = run("collect", "ledger", "--json")
    out = tmp_path / "events.parquet"
    code, exported, _ = run("collect", "export", "events", "--out", out, "--json")

    assert json.loads(drained) == {"events": 6, "not_followed": 0}
    assert json.loads(again) == {"events": 0, "not_followed": 0}
    found = json.loads(ledger)
    assert {name: found[name] for name in COUNTS} == COUNTS
    assert found["sources"]["app"] == COUNTS | {
        "received": 2,
        "stored": 1,
        "quarantined": 0,
    }
    assert (code, json.loads(exported)["rows"]) == (0, 4)
    rows = pq.read_table(out)
    assert rows.schema.names == ["source", "message_id", "type", "event", "received_at"]
    assert sorted(zip(rows["source"].to_pylist(), rows["message_id"].to_pylist(), strict=True)) == [
        ("app", "m1"),
        ("web", "m1"),
        ("web", "m2"),
        ("web", "m9"),
    ]


def test_several_processes_drain_partitions_of_their_own(run):
    code, drained, said = run("collect", "drain", "--workers", 2, "--json")
    _, ledger, _ = run("collect", "ledger", "--json")

    assert code == 0, said
    assert json.loads(drained)["events"] == 6
    assert {name: json.loads(ledger)[name] for name in COUNTS} == COUNTS


def test_a_replay_says_what_came_of_it(run):
    for _ in range(2):
        _, said, _ = run("collect", "replay", "--source", "web", "--json")

        assert json.loads(said) == {
            "asked": 1,
            "stored": 0,
            "duplicate": 0,
            "suppressed": 0,
            "still_refused": 1,
        }
    _, nothing, _ = run("collect", "replay", "--reason", "junk_id")
    assert nothing.startswith("0 events decided again")


def test_the_ledger_is_a_table_that_adds_up(run):
    run("collect", "drain")
    code, said, _ = run("collect", "ledger")

    assert code == 0
    assert [line.split() for line in said.splitlines()] == [
        ["source", "received", "stored", "duplicate", "quarantined", "suppressed"],
        ["app", "2", "1", "1", "0", "0"],
        ["web", "4", "3", "0", "1", "0"],
        ["all", "6", "4", "1", "1", "0"],
    ]


def test_what_cannot_be_exported_is_told(run, tmp_path):
    code, _, said = run("collect", "export", "customers", "--out", tmp_path / "x.parquet")

    assert code == 2
    assert "cannot export 'customers'; wanted: events" in said


def test_a_replay_counts_what_was_asked_for_and_nothing_that_came_beside(run, tmp_path):
    run("collect", "drain")
    Shop(tmp_path / "ws").send(event(20), event(21), source="web")

    _, said, _ = run("collect", "replay", "--json")

    assert json.loads(said) == {
        "asked": 1, "stored": 0, "duplicate": 0, "suppressed": 0, "still_refused": 1
    }  # fmt: skip


@pytest.mark.parametrize("out", ["nowhere/events.parquet", "events.csv"])
def test_an_export_says_what_is_wrong_with_its_file(run, tmp_path, out):
    code, _, error = run("collect", "export", "events", "--out", tmp_path / out)

    assert code == 2
    assert f"{out}, must be a .parquet file in a folder that is there" in error
