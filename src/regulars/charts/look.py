"""Colours, type and frame that all charts share."""

import html
from typing import Any

INK, MUTED, RULE = "#1c2733", "#647282", "#dfe5ea"
MAIN, TRUTH, WARM, COOL = "#0f766e", "#c2410c", "#d9a441", "#3b6fb6"
PALETTE = (MAIN, COOL, "#d97706", "#8b5fbf", "#b4406a", "#5c8a3a", "#94a3b1", INK)
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
        "grid": {"left": 8, "right": 24, "bottom": 8,
                 "top": 36 + 28 * bool(title) + 28 * bool(legend),
                 "containLabel": True},
        "tooltip": {
            "trigger": "item",
            "confine": True,
            "borderColor": RULE,
            "textStyle": {"color": INK, "fontSize": 12},
        },
        "xAxis": axis("category", x_name) | {"nameLocation": "end", "nameGap": 6},
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
