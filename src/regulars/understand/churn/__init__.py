"""Churn: who will not come back, with probabilities that come true.

`fit_churn` takes any table of features; `score_history` and `backtest_churn` take order
histories. No workspace is needed. Every model is compared with silence alone, and a feature
that knows the outcome is refused by name.
"""

from regulars.understand.churn.accuracy import Better, auc, auc_gain, brier
from regulars.understand.churn.calibration import (
    Calibration,
    Isotonic,
    Platt,
    expected_calibration_error,
    fit_isotonic,
    fit_platt,
)
from regulars.understand.churn.hazard import Hazard, fit_hazard
from regulars.understand.churn.leakage import leaking_features, looks_ahead
from regulars.understand.churn.model import Base, Churn, fit_churn
from regulars.understand.churn.scoring import (
    ChurnBacktest,
    ChurnScores,
    backtest_churn,
    score_history,
)

__all__ = [
    "Base",
    "Better",
    "Calibration",
    "Churn",
    "ChurnBacktest",
    "ChurnScores",
    "Hazard",
    "Isotonic",
    "Platt",
    "auc",
    "auc_gain",
    "backtest_churn",
    "brier",
    "expected_calibration_error",
    "fit_churn",
    "fit_hazard",
    "fit_isotonic",
    "fit_platt",
    "leaking_features",
    "looks_ahead",
    "score_history",
]
