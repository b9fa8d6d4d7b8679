"""What decisions promised against what the holdouts measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.charts.look import (
    MAIN,
    MUTED,
    TRUTH,
    Option,
    axis,
    below,
    frame,
    lines_of_text,
    number,
    spoken,
    whiskers,
)


@dataclass(frozen=True)
class Prediction:
    """One promise and what became of it.

    Attributes:
        label: A turn or a campaign.
        predicted: What the decisions expected.
        measured: What the holdout says.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    label: str
    predicted: float
    measured: float
    low: float
    high: float


def prediction_plot(
    predictions: Sequence[Prediction],
    *,
    title: str = "",
    x_name: str = "",
    y_name: str = "",
    inside: str = "interval holds the prediction",
    outside: str = "interval misses the prediction",
) -> Option:
    """Show whether what was promised was delivered: points on the diagonal were.

    Args:
        predictions: Measured promises.
        title: The question; "" where the page around it asks it.
        x_name: What was predicted, with its unit.
        y_name: What was measured, with its unit.
        inside: Name of the points whose interval holds the prediction.
        outside: Name of the others.

    Returns:
        The chart, with whiskers for the intervals and the diagonal of a perfect promise.

    Example:
        >>> plot = prediction_plot([Prediction("1", 2.0, 3.0, 1.0, 5.0)])
        >>> [len(series["data"]) for series in plot["series"]]
        [1, 2, 0, 0, 2]
    """
    chart = frame(title, x_name="", y_name=y_name, legend=[inside, outside])
    chart["xAxis"] = below(axis("value", x_name)) | {"splitLine": {"show": False}, "scale": True}
    chart["grid"]["bottom"] = 30
    for name, colour, wanted in ((inside, MAIN, True), (outside, TRUTH, False)):
        mine = [one for one in predictions if (one.low <= one.predicted <= one.high) is wanted]
        ends = [(number(one.predicted), number(one.low), number(one.high)) for one in mine]
        chart["series"] += [
            {
                "name": name,
                "type": "scatter",
                "symbolSize": 9,
                "itemStyle": {"color": colour},
                "data": [_point(one, x_name, y_name) for one in mine],
                "z": 3,
            },
            whiskers(name, ends, colour=colour),
        ]
    chart["series"].append(_diagonal([one.predicted for one in predictions]))
    return chart


def _diagonal(predicted: list[float]) -> Option:
    """The line on which every promise is kept, over the range of what was promised."""
    corners = [number(min(predicted, default=0.0)), number(max(predicted, default=1.0))]
    return {
        "type": "line",
        "data": [[corner, corner] for corner in corners],
        "symbol": "none",
        "silent": True,
        "tooltip": {"show": False},
        "lineStyle": {"color": MUTED, "type": "dashed", "width": 1.4},
    }


def _point(one: Prediction, x_name: str, y_name: str) -> Option:
    interval = f"({spoken(one.low)} … {spoken(one.high)})"
    said = lines_of_text(
        one.label,
        f"{x_name}: {spoken(one.predicted)}",
        f"{y_name}: {spoken(one.measured)} {interval}",
    )
    return {"value": [number(one.predicted), number(one.measured)], "tooltip": {"formatter": said}}
