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
