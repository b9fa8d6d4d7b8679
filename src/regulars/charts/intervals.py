"""Effects with their uncertainty, one whisker per turn or campaign, and the truth beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.charts.look import (
    INK,
    MAIN,
    TRUTH,
    Option,
    frame,
    lines_of_text,
    number,
    spoken,
    whiskers,
    zero_line,
)


@dataclass(frozen=True)
class Interval:
    """One estimate.

    Attributes:
        label: Where it stands on the axis: a turn, a campaign.
        estimate: The estimate; None draws nothing.
        low: Lower end of its interval.
        high: Upper end of its interval.
        truth: What it should have been, where known.
    """

    label: str
    estimate: float | None
    low: float | None
    high: float | None
    truth: float | None = None


def interval_plot(
    intervals: Sequence[Interval],
    *,
    title: str = "",
    x_name: str = "",
    y_name: str = "",
    measured: str = "measured",
    truth: str = "truth",
) -> Option:
    """Show whether estimates leave zero, and whether they found the truth.

    Args:
        intervals: The estimates, left to right.
        title: The question; "" where the page around it asks it.
        x_name: What the labels are.
        y_name: What is estimated, with its unit.
        measured: Name of the estimates.
        truth: Name of the true values.

    Returns:
        The chart; without any true value the truth is left out.

    Example:
        >>> plot = interval_plot([Interval("1", 5.0, 1.0, 9.0)])
        >>> [series["name"] for series in plot["series"]], plot["xAxis"]["data"]
        (['measured', 'measured'], ['1'])
    """
    known = any(one.truth is not None for one in intervals)
    chart = frame(
        title, x_name=x_name, y_name=y_name, legend=[measured, truth] if known else [measured]
    )
    chart["xAxis"]["data"] = [one.label for one in intervals]
    chart["yAxis"]["scale"] = False
    drawn = [(place, one) for place, one in enumerate(intervals) if one.estimate is not None]
    chart["series"].append(
        {
            "name": measured,
            "type": "scatter",
            "symbolSize": 9,
            "itemStyle": {"color": MAIN},
            "data": [
                _point(place, one, one.estimate, x_name, measured, truth) for place, one in drawn
            ],
            "markLine": {
                "silent": True,
                "animation": False,
                "symbol": "none",
                "label": {"show": False},
                "data": [zero_line()],
            },
        }
    )  # fmt: skip
    ends = [(place, number(one.low), number(one.high)) for place, one in drawn]
    chart["series"].append(whiskers(measured, ends, colour=MAIN))
    if known:
        chart["series"].append({
            "name": truth,
            "type": "scatter",
            "symbol": "diamond",
            "symbolSize": 10,
            "itemStyle": {"color": "#fff", "borderColor": TRUTH, "borderWidth": 2},
            "data": [
                _point(place, one, one.truth, x_name, measured, truth)
                for place, one in enumerate(intervals)
                if one.truth is not None
            ],
            "z": 4,
        })
    chart["tooltip"]["axisPointer"] = {"lineStyle": {"color": INK}}
    return chart


def _point(
    place: int, one: Interval, at: float | None, x_name: str, measured: str, truth: str
) -> Option:
    said = [f"{x_name} {one.label}".strip()]
    if one.estimate is not None:
        said.append(f"{measured}: {spoken(one.estimate)} ({spoken(one.low)} … {spoken(one.high)})")
    if one.truth is not None:
        said.append(f"{truth}: {spoken(one.truth)}")
    return {"value": [place, number(at)], "tooltip": {"formatter": lines_of_text(*said)}}
