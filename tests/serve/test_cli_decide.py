"""`regulars decide` on the command line."""

import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from regulars.errors import InputError
from regulars.serve.cli.stations.decide import app

VALUES = {
    "customer_id": ["007", "007", "8"],
    "offer_id": ["ten", "news", "ten"],
    "channel": ["sms", "email", "sms"],
    "value": [5.0, 4.0, 3.0],
    "cost": [2.0, 1.0, 2.0],
}


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_is_assigned_without_a_workspace(tmp_path, ending):
    file = tmp_path / f"values{ending}"
    (pa.csv.write_csv if ending == ".csv" else pq.write_table)(pa.table(VALUES), file)

    said = call("assign", file, "--budget", 3, "--capacity", "sms=1", "--json")

    found = json.loads(said.stdout)
    assert [(r["customer_id"], r["offer_id"]) for r in found["assignments"]] == [
        ("007", "news"),
        ("8", "ten"),
    ]
    assert (found["spend"], found["value"], found["gap"]) == (3.0, 7.0, pytest.approx(0, abs=0.2))


def test_rows_go_to_a_file_when_one_is_named(tmp_path):
    pa.csv.write_csv(pa.table(VALUES), tmp_path / "values.csv")

    said = call(
        "assign", tmp_path / "values.csv", "--stock", "ten=1", "--out", tmp_path / "o.csv", "--json"
    )

    assert "assignments" not in json.loads(said.stdout)
    assert (tmp_path / "o.csv").read_text().splitlines()[1].startswith('"007","news","email"')


def test_a_limit_that_is_no_number_is_refused(tmp_path):
    pa.csv.write_csv(pa.table(VALUES), tmp_path / "values.csv")

    said = call("assign", tmp_path / "values.csv", "--stock", "ten=lots")

    assert isinstance(said.exception, InputError)
    assert "--stock NAME=NUMBER" in str(said.exception)


POINTS = {
    "segment": ["loyal", "loyal", "new", "new"],
    "channel": ["sms"] * 4,
    "offer_id": ["ten"] * 4,
    "spend": [100.0, 200.0, 100.0, 200.0],
    "effect": [300.0, 500.0, 60.0, 90.0],
    "standard_error": [20.0] * 4,
}


def test_a_file_of_points_is_planned_without_a_workspace(tmp_path):
    file, limits = tmp_path / "points.csv", tmp_path / "limits.csv"
    pa.csv.write_csv(pa.table(POINTS), file)
    limits.write_text("segment,channel,offer_id,ceiling\nloyal,sms,ten,150\n")

    said = call("plan", "--points", file, "--limits", limits, "--budget", 500, "--json")

    found = json.loads(said.stdout)
    spends = {cell["segment"]: cell["spend"] for cell in found["cells"]}
    assert found["reserve"] == 100.0
    assert spends["loyal"] == pytest.approx(150.0)
    assert found["spend"] <= 400.0
    assert found["curves"][0]["first_return"] > 1 > found["curves"][1]["first_return"]
    assert {one["segment"] for one in found["next_tests"]} == {"loyal", "new"}


def test_points_need_a_budget_and_a_workspace_needs_measured_turns(tmp_path):
    pa.csv.write_csv(pa.table(POINTS), tmp_path / "points.csv")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "regulars.toml").write_text('[retailer]\nname = "x"\n')

    without = call("plan", "--points", tmp_path / "points.csv")
    unmeasured = call("plan", "--dir", tmp_path / "shop")

    assert "--budget" in str(without.exception)
    assert "run: regulars run" in str(unmeasured.exception)


def test_a_pin_is_set_and_taken_away_and_reviews_that_are_due_are_listed(tmp_path):
    (tmp_path / "regulars.toml").write_text('[retailer]\nname = "x"\n')
    cell = ("loyal", "sms", "ten")

    said = [
        call(
            "pin", *cell, "120.50", "--why", "contract", "--until", "2999-01-01", "--dir", tmp_path
        ),
        call("unpin", *cell, "--dir", tmp_path),
        call("unpin", *cell, "--dir", tmp_path),
        call("review", "--dir", tmp_path, "--json"),
    ]

    assert [one.stdout.strip() for one in said[:3]] == [
        "loyal/sms/ten gets 120.50 a turn until 2999-01-01",
        "loyal/sms/ten is pinned no more",
        "loyal/sms/ten was not pinned",
    ]
    assert [kind for kind, _period in json.loads(said[3].stdout)["due"]] == [
        "monthly",
        "quarterly",
        "annual",
    ]
    assert isinstance(
        call("pin", *cell, "lots", "--why", "x", "--dir", tmp_path).exception, InputError
    )


def test_a_channel_is_overridden_and_restored_on_the_command_line(tmp_path):
    (tmp_path / "regulars.toml").write_text('[channels.sms]\ncost = "0.05"\n')
    at = ("sms", "*", "engage")

    said = [
        call("override-channel", *at, "0.4", "--why", "new sender", "--dir", tmp_path),
        call("channels", "--dir", tmp_path, "--json"),
        call("restore-channel", *at, "--dir", tmp_path),
        call("restore-channel", *at, "--dir", tmp_path),
    ]

    assert said[0].stdout.strip() == "sms * engage is 0.4 now"
    assert json.loads(said[1].stdout) == {"channels": []}
    assert [one.stdout.strip() for one in said[2:]] == [
        "back to what was learned",
        "nothing was overridden",
    ]
