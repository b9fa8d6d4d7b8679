"""Lines over turns or weeks: one measure, or one line per policy added up."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from regulars.charts.look import INK, MAIN, MUTED, PALETTE, Option, frame, number

CEILINGS = ("informed", "oracle")
"""Policies no learner can reach: drawn dashed, since they are a measure and not a rival."""


def line_plot(
    values_by_name: Mapping[str, Sequence[float | None]],
    *,
    labels: Sequence[str],
    title: str = "",
    x_name: str = "",
    y_name: str = "",
    names: Mapping[str, str] | None = None,
) -> Option:
    """Show how one or more measures move.

    Args:
        values_by_name: Values per line, left to right; None leaves a gap.
        labels: What stands on the horizontal axis.
        title: The question; "" where the page around it asks it.
        x_name: What the labels are.
        y_name: What is measured, with its unit.
        names: Name to show for a line; its key where left out.

    Returns:
        The chart; a line named "loop" is drawn strong, ceilings are drawn dashed.

    Example:
        >>> plot = line_plot({"mae": [1, 2]}, labels=["1", "2"])
        >>> plot["series"][0]["data"]
        [1.0, 2.0]
    """
    shown = {key: (names or {}).get(key, key) for key in values_by_name}
    chart = frame(
        title, x_name=x_name, y_name=y_name, legend=list(shown.values()) if len(shown) > 1 else None
    )
    chart["xAxis"] |= {"data": list(labels), "boundaryGap": False}
    chart["tooltip"]["trigger"] = "axis"
    colours = iter(colour for colour in PALETTE[1:] * 9)
    for key, values in values_by_name.items():
        chart["series"].append({
            "name": shown[key],
            "type": "line",
            "data": [number(value) for value in values],
            "showSymbol": len(values_by_name) == 1,
            "symbolSize": 6,
            **_stroke(key, next(colours), alone=len(values_by_name) == 1),
        })
    return chart


def cumulative_lines(
    values_by_name: Mapping[str, Sequence[float]],
    *,
    labels: Sequence[str],
    title: str = "",
    x_name: str = "",
    y_name: str = "",
    names: Mapping[str, str] | None = None,
) -> Option:
    """Show which policy is ahead when each turn is added to those before.

    Args:
        values_by_name: Value of every turn, per policy.
        labels: Names of the turns.
        title: The question; "" where the page around it asks it.
        x_name: What the labels are.
        y_name: What is added up, with its unit.
        names: Name to show for a policy; its key where left out.

    Returns:
        The chart.

    Example:
        >>> plot = cumulative_lines({"loop": [1.0, 2.0]}, labels="12")
        >>> plot["series"][0]["data"]
        [1.0, 3.0]
    """
    return line_plot(
        {name: list(accumulate(values)) for name, values in values_by_name.items()},
        labels=labels, title=title, x_name=x_name, y_name=y_name, names=names,
    )  # fmt: skip


def _stroke(key: str, colour: str, *, alone: bool) -> dict[str, Any]:
    if key == "loop" or alone:
        return {"lineStyle": {"color": MAIN, "width": 3}, "itemStyle": {"color": MAIN}, "z": 5}
    if key in CEILINGS:
        colour = INK if key == "oracle" else MUTED
        return {
            "lineStyle": {"color": colour, "width": 1.6, "type": "dashed"},
            "itemStyle": {"color": colour},
        }
    return {"lineStyle": {"color": colour, "width": 1.6}, "itemStyle": {"color": colour}}
