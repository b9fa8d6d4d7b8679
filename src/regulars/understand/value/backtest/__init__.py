"""Back-test: predict from an earlier day, compare with the weeks after it."""

from regulars.understand.value.backtest.accuracy import Accuracy, Interval
from regulars.understand.value.backtest.origins import Origin, Origins, try_origins
from regulars.understand.value.backtest.spend import Backtest, backtest_history

__all__ = [
    "Accuracy",
    "Backtest",
    "Interval",
    "Origin",
    "Origins",
    "backtest_history",
    "try_origins",
]
