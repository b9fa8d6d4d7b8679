"""Colours, type and frame that all charts share."""

import html
from typing import Any

INK, MUTED, RULE = "#1f2a30", "#586670", "#dde4e8"
MAIN, TRUTH, WARM, COOL = "#0b6e4f", "#c2410c", "#d9a441", "#3b6fb6"
PALETTE = (MAIN, COOL, "#d97706", "#8b5fbf", "#b4406a", "#5c8a3a", "#94a3b1", "#8a6d4f")
FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
)

Option = dict[str, Any]
"""One chart: what ECharts calls an option; nothing but JSON in it."""


def frame(title: str, *, x_name: str, y_name: str, legend: list[str] | None = None) -> Option:
    """Begin a chart with a horizontal category axis and a vertical value axis.

    Args:
        title: The question the chart answers; "" where the page around it asks it.
        x_name: What the horizontal axis counts.
        y_name: What the vertical axis counts, with its unit.
        legend: Names of the series to list above the plot; none hides the list.

    Returns:
        An option without categories and series.
    """
    return {
        "animation": False,
        "aria": {"enabled": True},
        "backgroundColor": "transparent",
        "color": list(PALETTE),
        "textStyle": {"fontFamily": FONT, "color": INK},
        "title": {
            "show": bool(title),
            "text": title,
            "left": 0,
            "top": 0,
            "textStyle": {"fontSize": 15, "fontWeight": 600, "color": INK},
        },
        "legend": {
            "show": bool(legend),
            "data": legend or [],
            "top": 28 if title else 0,
            "left": 0,
            "itemWidth": 14,
            "itemHeight": 9,
            "itemGap": 14,
            "textStyle": {"color": MUTED, "fontSize": 12},
        },
        "grid": {"left": 8, "right": 24, "bottom": 30 if x_name else 8,
                 "top": 36 + 28 * bool(title) + 28 * bool(legend),
                 "containLabel": True},
        "tooltip": {
            "trigger": "item",
            "confine": True,
            "borderColor": RULE,
            "textStyle": {"color": INK, "fontSize": 12},
        },
        "xAxis": below(axis("category", x_name)),
        "yAxis": axis("value", y_name),
        "series": [],
    }  # fmt: skip


def axis(kind: str, name: str) -> Option:
    """Give one axis in the house look.

    Args:
        kind: "category" or "value".
        name: What it counts.

    Returns:
        An axis without data.
    """
    side = "left" if kind == "value" else "right"
    return {
        "type": kind,
        "name": name,
        "nameTextStyle": {"color": MUTED, "fontSize": 12, "align": side},
        "axisLine": {"show": kind == "category", "lineStyle": {"color": MUTED}, "onZero": False},
        "axisTick": {"show": False},
        "axisLabel": {"color": MUTED, "fontSize": 12, "hideOverlap": True},
        "splitLine": {"show": kind == "value", "lineStyle": {"color": RULE}},
    }  # fmt: skip


def below(horizontal: Option) -> Option:
    """Put the name of a horizontal axis under its middle.

    Args:
        horizontal: An axis.

    Returns:
        The axis with its name out of the way of the plot.
    """
    return horizontal | {
        "nameLocation": "middle",
        "nameGap": 28,
        "nameTextStyle": {"color": MUTED, "fontSize": 12},
    }


def whiskers(name: str, ends: list[tuple[Any, Any, Any]], *, colour: str) -> Option:
    """Give the series that draws intervals as upright lines.

    Lines and not marks, because an axis makes room for lines only.

    Args:
        name: Name of the series the whiskers belong to; the legend switches both.
        ends: Place, low and high of each interval.
        colour: Colour of the lines.

    Returns:
        A series; a gap parts one interval from the next.
    """
    points: list[Any] = []
    for place, low, high in ends:
        points += [[place, low], [place, high], ["-", "-"]]
    return {
        "name": name,
        "type": "line",
        "data": points[:-1],
        "symbol": "rect",
        "symbolSize": [9, 2],
        "lineStyle": {"color": colour, "width": 2, "opacity": 0.7},
        "itemStyle": {"color": colour, "opacity": 0.7},
        "silent": True,
        "tooltip": {"show": False},
        "z": 2,
    }


def zero_line() -> Option:
    """Give the line an effect must leave to be one.

    Returns:
        A mark for a series' `markLine.data`.
    """
    return {"yAxis": 0, "lineStyle": {"color": MUTED, "width": 1.2, "type": "solid"}}


def number(value: float | None) -> float | None:
    """Round a number to what a chart can show, so that equal inputs give equal bytes.

    Args:
        value: Any number; None stays None.

    Returns:
        The number with five significant digits, at least its whole part.

    Example:
        >>> number(1234567.891), number(0.123456789), number(None)
        (1234568.0, 0.12346, None)
    """
    if value is None:
        return None
    return float(round(value)) if abs(value) >= 1e5 else float(f"{value:.5g}")


def spoken(value: float | None) -> str:
    """Write a number for a tooltip.

    Args:
        value: Any number; None when there is none.

    Returns:
        The number with thousands separators; "–" for none.

    Example:
        >>> spoken(-1234.5), spoken(0.25), spoken(None)
        ('−1,234', '0.25', '–')
    """
    if value is None:
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
    return text.replace("-", "−")


def lines_of_text(*lines: str) -> str:
    """Join lines for a tooltip; what customers or files named cannot become markup.

    Args:
        lines: Plain text, one per line.

    Returns:
        Escaped text with line breaks.

    Example:
        >>> lines_of_text("a<b", "c")
        'a&lt;b<br>c'
    """
    return "<br>".join(html.escape(line) for line in lines)
