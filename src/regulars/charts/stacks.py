"""Parts of a whole, stacked per turn."""

from collections.abc import Mapping, Sequence

from regulars.charts.look import COOL, MAIN, PALETTE, WARM, Option, axis, below, frame, number

COLOURS = {
    "sent": MAIN,
    "holdout": COOL,
    "abstained": "#b7c4cf",
    "skipped": "#dde4e9",
    "deferred": WARM,
    "failed": "#c0392b",
    "unknown": "#7b4fa3",
}
"""Colour of each fate of a contact, the same in every chart."""


def stacked_bars(
    counts_by_part: Mapping[str, Sequence[float]],
    *,
    labels: Sequence[str],
    title: str = "",
    x_name: str = "",
    y_name: str = "",
    names: Mapping[str, str] | None = None,
) -> Option:
    """Show what a whole is made of, turn by turn.

    Args:
        counts_by_part: Count per turn, per part, bottom part first.
        labels: Names of the turns.
        title: The question; "" where the page around it asks it.
        x_name: What the labels are.
        y_name: What is counted.
        names: Name to show for a part; its key where left out.

    Returns:
        The chart; parts that are 0 in every turn are left out.

    Example:
        >>> plot = stacked_bars({"sent": [3], "failed": [0]}, labels=["1"])
        >>> [series["name"] for series in plot["series"]]
        ['sent']
    """
    present = {key: values for key, values in counts_by_part.items() if any(values)}
    shown = {key: (names or {}).get(key, key) for key in present}
    chart = frame(title, x_name=x_name, y_name=y_name, legend=list(shown.values()))
    chart["xAxis"]["data"] = list(labels)
    chart["tooltip"] |= {"trigger": "axis", "axisPointer": {"type": "shadow"}}
    for place, (key, values) in enumerate(present.items()):
        chart["series"].append({
            "name": shown[key],
            "type": "bar",
            "stack": "all",
            "barMaxWidth": 36,
            "itemStyle": {"color": COLOURS.get(key, PALETTE[place % len(PALETTE)])},
            "data": [number(value) for value in values],
        })
    return chart


def lying_down(chart: Option) -> Option:
    """Lay the bars of a chart on their side, so that long labels are read whole.

    Args:
        chart: Bars, made by `stacked_bars`; it is not changed.

    Returns:
        The chart, first label on top.

    Example:
        >>> plot = lying_down(stacked_bars({"sent": [3]}, labels=["a long name"], y_name="CNY"))
        >>> plot["yAxis"]["data"], plot["xAxis"]["name"]
        (['a long name'], 'CNY')
    """
    labels = axis("category", "") | {"data": chart["xAxis"]["data"], "inverse": True}
    labels["axisLabel"] |= {
        "hideOverlap": False, "interval": 0, "width": 260, "overflow": "break",
    }  # fmt: skip
    grid = chart["grid"] | {"bottom": 30}
    return chart | {"grid": grid, "xAxis": below(chart["yAxis"]), "yAxis": labels}
