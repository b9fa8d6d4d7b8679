"""Churn of a shop's customers from their orders: learned on earlier days, judged on later ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.charts.deciles import Decile, decile_bars
from regulars.errors import InputError, NotReady
from regulars.understand.churn.accuracy import Better, auc, auc_gain, brier
from regulars.understand.churn.calibration import (
    Calibration,
    Isotonic,
    expected_calibration_error,
    fit_isotonic,
)
from regulars.understand.churn.habits import HISTORY_WEEKS, Look, churned_after, look
from regulars.understand.churn.hazard import need_both
from regulars.understand.churn.model import Base, Churn, fit_churn
from regulars.understand.value.history import History

Numbers = NDArray[np.float64]

LEAST_HISTORY_WEEKS = 13
MOST_LOOKS = 4
LOOK_STEP_WEEKS = 4
MOST_ROWS = 20_000
_LEAST_SHARE = 0.7


@dataclass(frozen=True)
class ChurnScores:
    """Probability of churn of every customer.

    Attributes:
        horizon_weeks: Churn is no order in so many weeks.
        probability: Of churn, shape (customers,); nan without an order.
        by_recency: The same from silence alone, shape (customers,); nan without an order.
        silence_weeks: Weeks since the last order, shape (customers,); nan without one.
        at_risk: True for who ordered within the last 26 weeks.
        looks: Day numbers learned from, newest first.
        rows: Customers and looks learned from.
    """

    horizon_weeks: int
    probability: Numbers
    by_recency: Numbers
    silence_weeks: Numbers
    at_risk: NDArray[np.bool_]
    looks: tuple[int, ...]
    rows: int


@dataclass(frozen=True)
class ChurnBacktest:
    """How well churn was told beforehand, against silence alone.

    Attributes:
        horizon_weeks: Churn is no order in so many weeks.
        customers: Customers at risk on the day.
        churned: How many of them churned.
        auc: Area under the curve of the model.
        auc_by_recency: Of silence alone.
        auc_gain: The difference, with its interval.
        brier: Brier score of the model.
        brier_by_recency: Of silence alone.
        calibration_error: Expected calibration error of the model.
        said: Mean probability by tenth, least first.
        came: Share that churned by tenth.
    """

    horizon_weeks: int
    customers: int
    churned: int
    auc: float
    auc_by_recency: float
    auc_gain: Better
    brier: float
    brier_by_recency: float
    calibration_error: float
    said: tuple[float, ...]
    came: tuple[float, ...]

    def plot(self) -> dict[str, Any]:
        """Give the chart that asks: do as many churn as was said?"""
        return decile_bars(
            [Decile(said, came) for said, came in zip(self.said, self.came, strict=True)],
            title=f"Do as many stay away for {self.horizon_weeks} weeks as was said?",
            x_name="tenth",
            y_name="share that churned",
            expected="said",
            actual="came",
        )


def score_history(
    history: History, *, as_of: int, horizon_weeks: int = 13, base: Base | str = Base.HAZARD
) -> ChurnScores:
    """Give every customer a probability of ordering nothing in the weeks ahead.

    Learned from earlier days, the newest `horizon_weeks` before `as_of` so that what followed is
    known, four weeks apart, four at most; only from customers who were at risk then.

    Args:
        history: The history; days after `as_of` are not read.
        as_of: Day number.
        horizon_weeks: Churn is no order in so many weeks, >= 1.
        base: hazard or boosting.

    Returns:
        The scores, customers in the order of the history.

    Raises:
        NotReady: The history is too short, or nearly nobody churned or stayed.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> leaves = draw.integers(50, 900, 600)
        >>> customer, place = np.nonzero(draw.random((600, 40)) < 0.7)
        >>> day = (place * 12 + draw.integers(0, 12, place.size)).astype(np.int64)
        >>> stay = day <= leaves[customer]
        >>> customer, day = customer[stay], day[stay]
        >>> ones = np.ones(day.size)
        >>> shop = History(600, customer, day, ones, 10 * ones, np.zeros(600), 0)
        >>> found = score_history(shop, as_of=479)
        >>> left = (leaves < 400) & found.at_risk
        >>> stayed = (leaves > 479) & found.at_risk
        >>> [round(float(found.probability[who].mean()), 2) for who in (left, stayed)]
        [1.0, 0.12]
    """
    seen = history.until(as_of)
    model, silence, looks = _learned(seen, as_of, horizon_weeks, base)
    now = look(seen, as_of=as_of)
    empty = np.full(seen.customers, np.nan)
    return ChurnScores(
        horizon_weeks=horizon_weeks,
        probability=np.where(now.known, model.predict(now.features), empty),
        by_recency=np.where(now.known, silence(now.silence_weeks), empty),
        silence_weeks=np.where(now.known, now.silence_weeks, empty),
        at_risk=now.at_risk,
        looks=looks,
        rows=len(model.out_of_fold),
    )


def backtest_churn(
    history: History,
    *,
    as_of: int,
    horizon_weeks: int = 13,
    base: Base | str = Base.HAZARD,
    draws: int = 300,
) -> ChurnBacktest:
    """Tell churn as of an earlier day, and compare with the weeks after it.

    Args:
        history: The history, reaching `horizon_weeks` past the day.
        as_of: Day number; nothing after it is learned from.
        horizon_weeks: Churn is no order in so many weeks.
        base: hazard or boosting.
        draws: Bootstrap draws of the interval of the gain; 0 for none (nan).

    Returns:
        The back-test over customers at risk on the day.

    Raises:
        NotReady: The history is too short before or after the day.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> leaves = draw.integers(50, 900, 600)
        >>> customer, place = np.nonzero(draw.random((600, 40)) < 0.7)
        >>> day = (place * 12 + draw.integers(0, 12, place.size)).astype(np.int64)
        >>> stay = day <= leaves[customer]
        >>> customer, day = customer[stay], day[stay]
        >>> ones = np.ones(day.size)
        >>> shop = History(600, customer, day, ones, 10 * ones, np.zeros(600), 0)
        >>> found = backtest_churn(shop, as_of=380, draws=0)
        >>> found.customers, found.churned, round(found.auc, 2)
        (484, 123, 0.93)
    """
    if not history.day.size or int(history.day.max()) <= as_of + 7 * (horizon_weeks - 1):
        raise NotReady(
            f"orders do not reach {horizon_weeks} weeks past the day; choose an earlier as_of, or "
            "import the later weeks"
        )
    found = score_history(history, as_of=as_of, horizon_weeks=horizon_weeks, base=base)
    own = found.at_risk
    truth = churned_after(history, as_of=as_of, horizon_weeks=horizon_weeks)[own].astype(np.float64)
    need_both(truth)
    said, silence = found.probability[own], found.by_recency[own]
    tenths = np.array_split(np.argsort(said, kind="stable"), 10)
    return ChurnBacktest(
        horizon_weeks=horizon_weeks,
        customers=int(own.sum()),
        churned=int(truth.sum()),
        auc=auc(said, truth),
        # Raw silence: the isotonic line would tie customers and cost recency some of its rank.
        auc_by_recency=auc(found.silence_weeks[own], truth),
        auc_gain=auc_gain(said, found.silence_weeks[own], truth, draws=draws),
        brier=brier(said, truth),
        brier_by_recency=brier(silence, truth),
        calibration_error=expected_calibration_error(said, truth),
        said=tuple(float(said[part].mean()) for part in tenths if part.size),
        came=tuple(float(truth[part].mean()) for part in tenths if part.size),
    )


def _learned(
    seen: History, as_of: int, horizon_weeks: int, base: Base | str
) -> tuple[Churn, Isotonic, tuple[int, ...]]:
    newest = as_of - 7 * horizon_weeks
    days = [newest - 7 * LOOK_STEP_WEEKS * back for back in range(MOST_LOOKS)]
    least = max(LEAST_HISTORY_WEEKS, round(_LEAST_SHARE * seen.weeks(newest)))
    days = [day for day in days if seen.weeks(day) >= min(least, HISTORY_WEEKS)]
    if not days:
        raise NotReady(
            f"{seen.weeks(as_of)} weeks of orders, churn needs "
            f"{LEAST_HISTORY_WEEKS + horizon_weeks}; wait, or import a longer history"
        )
    looks = [look(seen, as_of=day) for day in days]
    rows = _rows(looks, seen, horizon_weeks)
    features, silence, truth, customer = (np.concatenate(part) for part in zip(*rows, strict=True))
    step = max(-(-len(truth) // MOST_ROWS), 1)
    some = slice(None, None, step)
    try:
        model = fit_churn(
            features[some],
            truth[some],
            base=base,
            calibration=Calibration.ISOTONIC if truth[some].sum() >= 200 else Calibration.PLATT,
            names=looks[0].names,
            groups=customer[some],
        )
    except InputError as error:
        raise NotReady(f"{error}; the history is too short or too even to learn from") from error
    return model, fit_isotonic(silence[some], truth[some]), tuple(days)


def _rows(
    looks: list[Look], seen: History, horizon_weeks: int
) -> list[tuple[Numbers, Numbers, Numbers, NDArray[np.int64]]]:
    found = []
    for one in looks:
        truth = churned_after(seen, as_of=one.as_of, horizon_weeks=horizon_weeks)
        own = np.flatnonzero(one.at_risk)
        found.append((
            one.features[own], one.silence_weeks[own], truth[own].astype(np.float64), own
        ))  # fmt: skip
    return found
