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


def promotion(folder):
    rng = np.random.default_rng(1)
    treated = rng.random(4000) < 0.5
    rate = rng.gamma(1.2, 1.0, 4000)
    x = rng.poisson(rate * 6).astype(float)
    table = pa.table({
        "variant": np.where(treated, "treated", "control"),
        "during": rng.poisson(rate * (1 + 0.6 * treated)) * 10.0,
        "near": rng.poisson(rate * (1 - 0.2 * treated)) * 10.0,
        "late": rng.poisson(2 * rate) * 10.0,
        "x": x,
        "t_x": np.where(x > 0, 60 * rng.random(4000) ** (1 / np.maximum(x, 1)), 0.0),
        "T": np.full(4000, 62.0),
        "mean_spend": rng.gamma(8.0, 1.25, 4000),
    })
    pq.write_table(table, folder / "promotion.parquet")
    return folder / "promotion.parquet"


def test_a_promotion_is_told_in_the_long_run(tmp_path):
    file = str(promotion(tmp_path))

    said = CliRunner().invoke(app, ["long-term", file, "--margin-rate", "0.5", "--json"]).stdout
    spoken = CliRunner().invoke(app, ["long-term", file]).stdout

    found = json.loads(said)
    assert found["during"]["low"] > 0 > found["pulled_forward"]["high"]
    assert found["total"]["low"] < found["total"]["value"] < found["total"]["high"]
    assert "above zero with probability" in spoken


def test_a_promotion_without_its_columns_says_which(tmp_path):
    pq.write_table(pa.table({"variant": ["treated"]}), tmp_path / "bare.parquet")

    ended = CliRunner().invoke(app, ["long-term", str(tmp_path / "bare.parquet")])

    assert isinstance(ended.exception, InputError)
    assert "during, near, late" in str(ended.exception)
