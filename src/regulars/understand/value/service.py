"""Value questions asked of a workspace at any time: the back-test."""

from datetime import date, timedelta

from regulars.numerics.days import day_number
from regulars.ports.engine import Reader
from regulars.understand.value.backtest import Backtest, backtest_history
from regulars.understand.value.history import history_of
from regulars.understand.value.tables import customers_known, order_days


def backtest(
    engine: Reader, *, as_of: date, horizon_weeks: int = 13, level: float = 0.9, seed: int = 7
) -> Backtest:
    """Back-test the value model that decide uses, as of an earlier day.

    Args:
        engine: Opens `customers` and `orders`.
        as_of: Last day the model may know.
        horizon_weeks: Weeks predicted and compared.
        level: Coverage of the bootstrap intervals.
        seed: Seed of the bootstrap.

    Returns:
        The back-test over every customer known by `as_of`, with or without an order.

    Raises:
        NotReady: The orders do not reach past the horizon, or none is before `as_of`.
    """
    until = as_of + timedelta(weeks=horizon_weeks)
    customers = engine.arrow(customers_known(engine.table("customers"), until=as_of))
    days = engine.arrow(order_days(engine.table("orders"), until=until))
    return backtest_history(
        history_of(days, customers),
        as_of=day_number(as_of),
        horizon_weeks=horizon_weeks,
        level=level,
        seed=seed,
    )
