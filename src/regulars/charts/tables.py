"""What a chart of lines or bars shows, as a table: for readers who do not see it."""

from dataclasses import dataclass

from regulars.charts.look import Option


@dataclass(frozen=True)
class ChartTable:
    """The numbers of a chart.

    Attributes:
        head: What the labels are, then the name of each line or bar, with the unit where the
            chart has one.
        rows: Label and values, left to right; None where there is a gap.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


def chart_table(option: Option) -> ChartTable | None:
    """Give the numbers of a chart whose horizontal axis has labels.

    Args:
        option: The chart, as `line_plot` or `stacked_bars` makes it.

    Returns:
        The table; None for charts of points and whiskers and of nothing.

    Example:
        >>> from regulars.charts import line_plot
        >>> plot = line_plot({"mae": [1, None]}, labels=["a", "b"], x_name="Turn", y_name="CNY")
        >>> found = chart_table(plot)
        >>> found.head, found.rows
        (('Turn', 'mae, CNY'), (('a', (1.0,)), ('b', (None,))))
    """
    drawn = [one for one in option["series"] if one["type"] in {"line", "bar"}]
    labels = option["xAxis"].get("data") or []
    if not labels or not drawn or len(drawn) != len(option["series"]):
        return None
    x_name, y_name = (option[axis].get("name") or "" for axis in ("xAxis", "yAxis"))
    names = [
        f"{one['name']}, {y_name}" if y_name not in {"", one["name"]} else one["name"]
        for one in drawn
    ]
    values = list(zip(*(one["data"] for one in drawn), strict=True))
    rows = tuple((str(label), row) for label, row in zip(labels, values, strict=True))
    return ChartTable((x_name, *names), rows)
