"""The step that writes who may not come back, and how well that was told before."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.errors import NotReady
from regulars.numerics.days import day_number
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.understand.champions.family import Family
from regulars.understand.champions.serving import Serving, default_serving
from regulars.understand.champions.verdict import check_predictions
from regulars.understand.churn.scoring import (
    ChurnBacktest,
    ChurnScores,
    backtest_churn,
    score_history,
)
from regulars.understand.value.history import History, history_of
from regulars.understand.value.tables import order_days, profiles_of_turn

_HORIZON_WEEKS = 13


@step(reads="profiles customers orders", writes="churn_scores churn_models")
def score_churn(engine: Engine, turn: Turn, *, serves: Serving | None = None) -> int:
    """Write the probability of churn of every customer with a profile.

    Args:
        engine: Opens profiles, customers and orders, takes `churn_scores` and `churn_models`.
        turn: The turn; nothing after its `as_of` is read.
        serves: Recipe of churn that serves; the default when left out.

    Returns:
        Customers scored.
    """
    customers = engine.arrow(
        profiles_of_turn(engine.table("profiles"), engine.table("customers"), turn.number)
    )
    days = engine.arrow(order_days(engine.table("orders"), until=turn.as_of))
    history, as_of = history_of(days, customers), day_number(turn.as_of)
    chosen = serves or default_serving(Family.CHURN)
    engine.write("churn_models", _judged(history, as_of))
    return engine.write("churn_scores", _scores(customers, history, as_of, chosen))


def _scores(customers: pa.Table, history: History, as_of: int, serves: Serving) -> pa.Table:
    def by_base(base: str) -> ChurnScores:
        return score_history(history, as_of=as_of, horizon_weeks=_HORIZON_WEEKS, base=base)

    try:
        found = serves.make(by_base, _wrong)
    except NotReady:
        nothing = np.full(history.customers, np.nan)
        at_risk, silence, both = np.zeros(history.customers, bool), nothing, (nothing, nothing)
    else:
        at_risk, silence = found.at_risk, found.silence_weeks
        both = found.probability, found.by_recency
    return pa.table({
        "customer_id": customers.column("customer_id"),
        "is_at_risk": at_risk,
        "silence_weeks": _empty_where_nan(silence),
        "churn_probability": _empty_where_nan(both[0]),
        "recency_probability": _empty_where_nan(both[1]),
    })


def _wrong(found: ChurnScores) -> str:
    wrong = check_predictions(Family.CHURN, found.probability, found.at_risk)
    return wrong.value if wrong else ""


def _judged(history: History, as_of: int) -> pa.Table:
    """Tell churn as of 13 weeks ago, and compare with what came; no rows when too early."""
    try:
        found = backtest_churn(
            history, as_of=as_of - 7 * _HORIZON_WEEKS, horizon_weeks=_HORIZON_WEEKS, draws=0
        )
    except NotReady:
        rows: list[tuple[str, str, float]] = []
    else:
        rows = _figures(found)
    names = ("model", "figure", "value")
    types = (pa.string(), pa.string(), pa.float64())
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table({
        name: pa.array(column, kind)
        for name, column, kind in zip(names, columns, types, strict=True)
    })


def _figures(found: ChurnBacktest) -> list[tuple[str, str, float]]:
    return [
        ("hazard", "auc", found.auc),
        ("hazard", "brier", found.brier),
        ("hazard", "calibration_error", found.calibration_error),
        ("hazard", "customers", float(found.customers)),
        ("hazard", "churned", float(found.churned)),
        ("recency", "auc", found.auc_by_recency),
        ("recency", "brier", found.brier_by_recency),
    ]


def _empty_where_nan(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
