"""Expected beside actual, customers sorted into ten equal groups by expectation."""

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.charts.look import COOL, MAIN, Option, frame, number


@dataclass(frozen=True)
class Decile:
    """One tenth of the customers.

    Attributes:
        expected: Mean expectation in the group.
        actual: Mean of what came.
    """

    expected: float
    actual: float


def decile_bars(
    deciles: Sequence[Decile],
    *,
    title: str = "",
    x_name: str = "",
    y_name: str = "",
    expected: str = "expected",
    actual: str = "actual",
) -> Option:
    """Show whether a forecast is right for small and big customers alike.

    Args:
        deciles: The groups, lowest expectation first.
        title: The question; "" where the page around it asks it.
        x_name: What the groups are.
        y_name: What is forecast, with its unit.
        expected: Name of the forecast.
        actual: Name of what came.

    Returns:
        The chart: two bars per group.

    Example:
        >>> plot = decile_bars([Decile(1.0, 2.0)])
        >>> [series["data"] for series in plot["series"]]
        [[1.0], [2.0]]
    """
    chart = frame(title, x_name=x_name, y_name=y_name, legend=[expected, actual])
    chart["xAxis"]["data"] = [str(place + 1) for place in range(len(deciles))]
    chart["tooltip"] |= {"trigger": "axis", "axisPointer": {"type": "shadow"}}
    columns = (
        (expected, COOL, [one.expected for one in deciles]),
        (actual, MAIN, [one.actual for one in deciles]),
    )
    chart["series"] = [
        {
            "name": name,
            "type": "bar",
            "barMaxWidth": 22,
            "itemStyle": {"color": colour},
            "data": [number(value) for value in values],
        }
        for name, colour, values in columns
    ]
    return chart
