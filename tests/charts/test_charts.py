"""Charts are data: JSON only, the same bytes for the same figures, honest about what they show."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.charts import (
    ECHARTS_VERSION,
    Decile,
    Interval,
    Prediction,
    cumulative_lines,
    decile_bars,
    echarts_file,
    echarts_script,
    interval_plot,
    line_plot,
    prediction_plot,
    stacked_bars,
)
from regulars.charts.look import number, spoken

NAMED = {"title": "Does it?", "x_name": "turn", "y_name": "margin"}


@pytest.fixture
def every_chart():
    """Give one of each chart."""
    return {
        "intervals": interval_plot([Interval("1", 5.0, 1.0, 9.0, 4.0)], **NAMED),
        "lines": line_plot({"a": [1.0, None]}, labels=["1", "2"], **NAMED),
        "cumulative": cumulative_lines({"loop": [1.0], "oracle": [2.0]}, labels=["1"], **NAMED),
        "stacks": stacked_bars({"sent": [3], "skipped": [4]}, labels=["1"], **NAMED),
        "deciles": decile_bars([Decile(1.0, 2.0)], **NAMED),
        "predictions": prediction_plot([Prediction("1", 2.0, 3.0, 1.0, 5.0)], **NAMED),
    }


def test_every_chart_is_json_asks_its_question_and_draws_the_same_twice(every_chart):
    for chart in every_chart.values():
        text = json.dumps(chart, sort_keys=True, allow_nan=False)

        assert json.loads(text) == chart
        assert chart["title"]["text"] == "Does it?"
        assert "function" not in text
        assert chart["series"]
        assert chart["animation"] is False


def test_a_page_that_asks_the_question_itself_gets_no_title(every_chart):
    plain = line_plot({"a": [1.0]}, labels=["1"])

    assert plain["title"]["show"] is False
    assert plain["grid"]["top"] < every_chart["lines"]["grid"]["top"]


def test_whiskers_reach_from_low_to_high_and_the_axis_makes_room_for_them():
    chart = interval_plot([Interval("a", 5.0, -1.0, 9.0), Interval("b", 6.0, 2.0, 30.0)])

    [points, whiskers] = chart["series"]
    assert whiskers["type"] == "line"
    assert whiskers["data"] == [[0, -1.0], [0, 9.0], ["-", "-"], [1, 2.0], [1, 30.0]]
    assert [point["value"] for point in points["data"]] == [[0, 5.0], [1, 6.0]]


def test_an_effect_that_was_not_measured_is_not_drawn_but_its_truth_is():
    chart = interval_plot([Interval("1", None, None, None, 3.0)])

    points, whiskers, truths = chart["series"]
    assert points["data"] == whiskers["data"] == []
    assert truths["data"][0]["value"] == [0, 3.0]


def test_policies_are_added_up_and_ceilings_dashed():
    chart = cumulative_lines(
        {"oracle": [3.0, 3.0], "loop": [1.0, -2.0]}, labels=["1", "2"], names={"loop": "ours"}
    )

    by_name = {series["name"]: series for series in chart["series"]}
    assert by_name["ours"]["data"] == [1.0, -1.0]
    assert by_name["oracle"]["lineStyle"]["type"] == "dashed"
    assert "type" not in by_name["ours"]["lineStyle"]


def test_parts_nobody_fell_into_are_left_out_of_the_stack():
    chart = stacked_bars({"sent": [1, 2], "failed": [0, 0]}, labels=["1", "2"])

    assert [series["name"] for series in chart["series"]] == ["sent"]
    assert chart["legend"]["data"] == ["sent"]


def test_a_prediction_outside_its_interval_is_drawn_as_missed():
    chart = prediction_plot(
        [Prediction("kept", 2.0, 3.0, 1.0, 5.0), Prediction("missed", 9.0, 3.0, 1.0, 5.0)],
        inside="kept", outside="missed",
    )  # fmt: skip

    points = {s["name"]: s["data"] for s in chart["series"] if s["type"] == "scatter"}
    assert [p["value"] for p in points["kept"]] == [[2.0, 3.0]]
    assert [p["value"] for p in points["missed"]] == [[9.0, 3.0]]


def test_names_from_files_cannot_become_markup_in_a_tooltip():
    chart = interval_plot([Interval("<img src=x>", 1.0, 0.0, 2.0)])

    assert "<img" not in chart["series"][0]["data"][0]["tooltip"]["formatter"]


@given(st.floats(-1e12, 1e12))
def test_a_drawn_number_is_the_number_to_five_digits(value):
    assert number(value) == pytest.approx(value, rel=1e-4, abs=0.5 if abs(value) >= 1e5 else 0)
    assert spoken(value).count("-") == spoken(value).count("e-")


def test_the_vendored_script_is_the_version_we_say_and_carries_its_licence():
    folder = echarts_file().parent

    assert f'"{ECHARTS_VERSION}"' in echarts_script()
    assert "</script" not in echarts_script()
    assert "Apache License" in (folder / "LICENSE").read_text("utf-8")
    assert "Apache ECharts" in (folder / "NOTICE").read_text("utf-8")
    assert "Bostock" in (folder / "LICENSE-d3").read_text("utf-8")
