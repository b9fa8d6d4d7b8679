"""The experiment engine on real experiments of others."""

import numpy as np
import pandas as pd
import pytest

from regulars.measure.experiments import (
    Estimate,
    check_sample_ratio,
    difference,
    moments,
    moments_of,
    read_any_time,
    read_once,
)


def test_the_split_check_flags_the_window_in_which_upworthy_was_broken(shared_data):
    """June 2013 to January 2014, as the archive's own notes say; the id holds the moment."""
    rows = pd.read_parquet(shared_data("upworthy_tests") / "variants.parquet")
    by_test = rows.groupby("clickability_test_id")["impressions"].agg(list)
    by_test = by_test[by_test.map(len) > 1]
    made = pd.to_datetime([int(name[:8], 16) for name in by_test.index], unit="s")
    broken = np.array([
        check_sample_ratio(counts, [1 / len(counts)] * len(counts)).mismatch for counts in by_test
    ])
    inside = (made >= "2013-06-25") & (made < "2014-01-11")

    assert 0.65 < broken[inside].mean() < 0.75
    assert broken[~inside].mean() <= 0.01


def asos(shared_data):
    """Each variant and metric of each experiment, day by day."""
    frame = pd.read_parquet(shared_data("asos_experiments") / "asos_digital_experiments.parquet")
    frame = frame.dropna().sort_values("time_since_start")
    frame = frame[(frame[["count_c", "count_t"]] > 1).all(axis=1)]
    for _, series in frame.groupby(["experiment_id", "variant_id", "metric_id"], sort=True):
        days = series.groupby(np.ceil(series["time_since_start"])).last()
        if len(days) >= 5:
            yield days


def test_the_split_check_flags_the_asos_variants_that_were_uneven(shared_data):
    """The copy holds 49 of the 78 experiments; of all 99 variants 17 are said to be uneven."""
    frame = pd.read_parquet(shared_data("asos_experiments") / "asos_digital_experiments.parquet")
    ends = frame[frame["count_c"] > 0].sort_values("time_since_start")
    ends = ends.groupby(["experiment_id", "variant_id"]).last()
    p_values = [
        check_sample_ratio([int(one.count_c), int(one.count_t)], [0.5, 0.5]).p_value
        for one in ends.itertuples()
    ]

    assert len(p_values) == 64
    assert sum(p < 0.01 for p in p_values) == 12


def looks(series):
    return difference(
        moments(series["count_c"], series["mean_c"], series["variance_c"]),
        moments(series["count_t"], series["mean_t"], series["variance_t"]),
    )


def test_without_effects_a_watched_test_wins_often_and_an_always_valid_one_does_not(shared_data):
    """Flipping the sign of what each day added leaves real noise, and takes any effect away."""
    rng = np.random.default_rng(7)
    watched, valid, ends = [], [], []
    for series in [*asos(shared_data)] * 5:
        found = looks(series)
        added = np.diff(found.effect * found.count, prepend=0.0)
        null = Estimate(
            np.cumsum(added * rng.choice([-1.0, 1.0], len(added))) / found.count,
            # Under flipped signs this is the standard error, whatever the days were like.
            np.sqrt(np.cumsum(added**2)) / found.count,
            np.full(len(added), np.inf),
            found.count,
        )
        fixed = read_once(null).p_value < 0.05
        watched.append(fixed.any())
        ends.append(fixed[-1])
        any_time = read_any_time(null, tuned_at=float(found.count[-1]))
        valid.append((any_time.p_value < 0.05).any())

    assert np.mean(watched) > 0.18
    assert np.mean(valid) <= 0.05
    assert np.mean(ends) == pytest.approx(0.05, abs=0.02)


def test_many_asos_series_look_significant_at_some_look_but_not_at_the_end(shared_data):
    ever, ends = [], []
    for series in asos(shared_data):
        p_values = read_once(looks(series)).p_value
        ever.append((p_values < 0.05).any())
        ends.append(p_values[-1] < 0.05)

    assert np.mean(ever) - np.mean(ends) > 0.2
    assert np.mean(ends) < 0.35


def test_the_cookie_game_must_not_be_read_as_its_split_is_broken(shared_data):
    frame = pd.read_parquet(shared_data("cookie_cats") / "cookie_cats.parquet")
    groups = [frame[frame["test_version"] == name] for name in ("gate_30", "gate_40")]
    counts = [len(group) for group in groups]
    day, week = (
        [moments_of(group[name].astype(float)) for group in groups]
        for name in ("retention_1", "retention_7")
    )

    assert round(check_sample_ratio(counts, [0.5, 0.5]).p_value, 4) == 0.0086
    assert check_sample_ratio(counts, [0.5, 0.5], alpha=0.01).mismatch
    assert [round(float(one.mean), 6) for one in day] == [0.448188, 0.442283]
    assert float(read_once(difference(*day)).p_value) == pytest.approx(0.0744, abs=5e-5)
    assert float(read_once(difference(*week)).p_value) == pytest.approx(0.00155, abs=1e-5)
