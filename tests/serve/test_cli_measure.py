"""`regulars measure` on the command line."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from regulars.errors import InputError
from regulars.serve.cli.stations.measure import app

PLAN = """
inference = "once"
days = 14
[design]
control = 0.5
treated = 0.5
[[metrics]]
name = "spend"
value = "spend"
[progress]
days_run = {days_run}
"""


def run(folder, *, days_run=14, plan=PLAN, as_csv=False):
    rng = np.random.default_rng(1)
    table = pa.table({
        "variant": ["control", "treated"] * 500,
        "spend": rng.normal(10, 1, 1000) + np.tile([0.0, 0.5], 500),
    })
    file = folder / ("customers.csv" if as_csv else "customers.parquet")
    if as_csv:
        pa.csv.write_csv(table, file)
    else:
        pq.write_table(table, file)
    (folder / "plan.toml").write_text(plan.format(days_run=days_run))
    return CliRunner().invoke(
        app, ["experiments", str(file), "--plan", str(folder / "plan.toml"), "--json"]
    )


@pytest.mark.parametrize("as_csv", [False, True])
def test_an_experiment_in_a_file_is_read(tmp_path, as_csv):
    found = json.loads(run(tmp_path, as_csv=as_csv).stdout)

    assert not found["is_refused"]
    [finding] = found["findings"]
    assert finding["is_claim"]
    assert finding["low"] < 0.5 < finding["high"]


def test_an_experiment_that_is_not_over_says_so_and_shows_nothing(tmp_path):
    found = json.loads(run(tmp_path, days_run=3).stdout)

    assert [refusal["gate"] for refusal in found["refusals"]] == ["too_early"]
    assert found["findings"] == []


@pytest.mark.parametrize(
    ("plan", "hint"),
    [
        (PLAN.replace("once", "daily"), "must be one of once, any_time, planned_looks"),
        (PLAN.replace("value", "column"), "unknown name 'column'"),
        ("[[", "cannot be read"),
    ],
)
def test_a_plan_with_a_mistake_says_which(tmp_path, plan, hint):
    result = run(tmp_path, plan=plan)

    assert isinstance(result.exception, InputError)
    assert hint in str(result.exception)
