"""Churn questions asked of a workspace at any time: the back-test."""

from datetime import date, timedelta

from regulars.numerics.days import day_number
from regulars.ports.engine import Reader
from regulars.understand.churn.scoring import ChurnBacktest, backtest_churn
from regulars.understand.value.history import history_of
from regulars.understand.value.tables import customers_known, order_days


def backtest(engine: Reader, *, as_of: date, horizon_weeks: int = 13) -> ChurnBacktest:
    """Tell churn as of an earlier day, and compare with the weeks after it.

    Args:
        engine: Opens `customers` and `orders`.
        as_of: Last day the model may know.
        horizon_weeks: Churn is no order in so many weeks.

    Returns:
        The back-test over customers at risk on the day.

    Raises:
        NotReady: The orders do not reach past the horizon, or from long enough before the day.
    """
    until = as_of + timedelta(weeks=horizon_weeks)
    customers = engine.arrow(customers_known(engine.table("customers"), until=as_of))
    days = engine.arrow(order_days(engine.table("orders"), until=until))
    history = history_of(days, customers)
    return backtest_churn(history, as_of=day_number(as_of), horizon_weeks=horizon_weeks)
