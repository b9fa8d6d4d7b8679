"""Back-test: predict from an earlier day, compare with the weeks after it."""

from regulars.understand.value.backtest.accuracy import Accuracy, Interval
from regulars.understand.value.backtest.spend import Backtest, backtest_history

__all__ = ["Accuracy", "Backtest", "Interval", "backtest_history"]
