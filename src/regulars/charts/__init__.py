"""The house look of every chart, as ECharts option dictionaries.

A chart is a function: records in, one JSON-able dictionary out. The same dictionary is drawn by
the report, the console and a notebook, with the one copy of ECharts in `vendor/`. No chart
holds JavaScript, so that a strict content security policy can serve it.
"""

from regulars.charts.deciles import Decile, decile_bars
from regulars.charts.echarts import ECHARTS_VERSION, echarts_file, echarts_script
from regulars.charts.intervals import Interval, interval_plot
from regulars.charts.lines import cumulative_lines, line_plot
from regulars.charts.prediction import Prediction, prediction_plot
from regulars.charts.stacks import lying_down, stacked_bars

__all__ = [
    "ECHARTS_VERSION",
    "Decile",
    "Interval",
    "Prediction",
    "cumulative_lines",
    "decile_bars",
    "echarts_file",
    "echarts_script",
    "interval_plot",
    "line_plot",
    "lying_down",
    "prediction_plot",
    "stacked_bars",
]
