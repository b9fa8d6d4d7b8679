"""Spend of the coming weeks from habits: a ridge regression on square roots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.errors import NotReady
from regulars.understand.value.history import History, total_after, weekly

Numbers = NDArray[np.float64]

NAME = "spend_habits"
HISTORY_WEEKS = 52
LEAST_HISTORY_WEEKS = 13
LEAST_CUSTOMERS = 50
CUTOFF_STEP_WEEKS = 4
MOST_CUTOFFS = 4
RIDGE = 30.0
_HALF_LIVES = (2.0, 6.0, 18.0, np.inf)
_ORDER_HALF_LIVES = (4.0, 16.0)


@dataclass(frozen=True)
class Habits:
    """A fitted regression, for spend and for orders at once.

    Attributes:
        horizon_weeks: Weeks ahead it predicts.
        names: Names of the features.
        centre: Mean of each feature, shape (features,).
        scale: Spread of each feature, shape (features,).
        intercept: Mean square root of spend and of orders, shape (2,).
        slope: Coefficients, shape (features, 2).
        level: What predictions are multiplied by so that their total on the newest training
            window is the true one, for spend and orders, shape (2,).
        newcomer: Mean spend and orders of customers known but without an order yet, shape (2,).
        cutoffs: Day numbers it was trained as of.
    """

    horizon_weeks: int
    names: tuple[str, ...]
    centre: Numbers
    scale: Numbers
    intercept: Numbers
    slope: Numbers
    level: Numbers
    newcomer: Numbers
    cutoffs: tuple[int, ...]

    def predict(self, history: History, *, as_of: int) -> tuple[Numbers, Numbers]:
        """Give spend and orders expected in the weeks after a day.

        Args:
            history: The history; days after `as_of` are not read.
            as_of: Day number.

        Returns:
            Expected money and orders per customer, shape (customers,), >= 0; for a customer
            known but without an order, the mean of such customers so far; 0 for one not
            known yet.
        """
        features, _, buyers = _look(history, as_of)
        ahead = _ahead(features, self.centre, self.scale, self.intercept, self.slope)
        ahead = np.where(buyers[:, None], ahead * self.level, self.newcomer)
        ahead[history.known_day > as_of] = 0.0
        return ahead[:, 0], ahead[:, 1]

    def parameters(self) -> list[tuple[str, float]]:
        """Give the fitted values, each with its name."""
        rows = [("horizon_weeks", float(self.horizon_weeks)), ("cutoffs", float(len(self.cutoffs)))]
        for at, target in enumerate(("spend", "orders")):
            rows += [(f"{target}.level", float(self.level[at]))]
            rows += [(f"{target}.newcomer", float(self.newcomer[at]))]
            rows += [(f"{target}.intercept", float(self.intercept[at]))]
            slopes = zip(self.names, self.slope[:, at], strict=True)
            rows += [(f"{target}.{name}", float(value)) for name, value in slopes]
        return rows


def fit_habits(history: History, *, as_of: int, horizon_weeks: int = 13) -> Habits:
    """Learn from earlier days what habits say about the weeks that followed them.

    The history is cut at earlier days, every 4 weeks, the newest `horizon_weeks` before
    `as_of`, so that all that followed a cut is known by now. Features see only what lies
    before their cut. Square roots make big spenders weigh less, so that the fit is near the
    median; `level` then brings the total back to money.

    Args:
        history: The history; days after `as_of` are not read.
        as_of: Day number.
        horizon_weeks: Weeks ahead to predict, >= 1.

    Returns:
        The fitted regression.

    Raises:
        NotReady: There are less than 13 weeks of history before the newest cut, or fewer than
            50 customers to learn from.

    Source:
        Hoerl & Kennard (1970), "Ridge regression", Technometrics 12(1). Features and level
        are ours, because BG/NBD loses to last quarter's spend on a grocer's regulars.
    """
    lessons = [
        _lesson(history, cutoff, horizon_weeks)
        for cutoff in _cutoffs(history, as_of, horizon_weeks)
    ]
    newest = lessons[0]
    if (newest.after[:, 0] > 0).sum() < LEAST_CUSTOMERS:
        raise NotReady(
            f"{int((newest.after[:, 0] > 0).sum())} customers ordered before and after the day "
            f"{horizon_weeks} weeks ago, habits need {LEAST_CUSTOMERS}; wait for more, or "
            "import a longer history"
        )
    features = np.concatenate([lesson.features for lesson in lessons])
    after = np.concatenate([lesson.after for lesson in lessons])
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    intercept, slope = _ridge((features - centre) / scale, np.sqrt(after))
    expected = _ahead(newest.features, centre, scale, intercept, slope)
    empty = np.concatenate([lesson.newcomers for lesson in lessons])
    return Habits(
        horizon_weeks=horizon_weeks,
        names=newest.names,
        centre=centre,
        scale=scale,
        intercept=intercept,
        slope=slope,
        level=newest.after.sum(axis=0) / np.maximum(expected.sum(axis=0), 1e-9),
        newcomer=empty.mean(axis=0) if len(empty) else np.zeros(2),
        cutoffs=tuple(lesson.cutoff for lesson in lessons),
    )


@dataclass(frozen=True)
class _Lesson:
    """What was known on a day, and what came after it.

    Attributes:
        cutoff: Day number.
        names: Names of the features.
        features: Of customers with an order by then, shape (buyers, features).
        after: Their spend and orders in the weeks after, shape (buyers, 2).
        newcomers: The same of customers known but without an order by then.
    """

    cutoff: int
    names: tuple[str, ...]
    features: Numbers
    after: Numbers
    newcomers: Numbers


def _lesson(history: History, cutoff: int, horizon_weeks: int) -> _Lesson:
    features, names, buyers = _look(history, cutoff)
    spend = total_after(history, history.paid, after=cutoff, weeks=horizon_weeks)
    orders = total_after(history, history.orders, after=cutoff, weeks=horizon_weeks)
    after = np.maximum(np.stack([spend, orders], axis=1), 0.0)
    known = ~buyers & (history.known_day <= cutoff)
    return _Lesson(cutoff, names, features[buyers], after[buyers], after[known])


def _cutoffs(history: History, as_of: int, horizon_weeks: int) -> tuple[int, ...]:
    newest = as_of - 7 * horizon_weeks
    days = [newest - 7 * CUTOFF_STEP_WEEKS * back for back in range(MOST_CUTOFFS)]
    kept = tuple(day for day in days if history.weeks(day) >= LEAST_HISTORY_WEEKS)
    if not kept:
        raise NotReady(
            f"{history.weeks(as_of)} weeks of orders, habits need "
            f"{LEAST_HISTORY_WEEKS + horizon_weeks}; wait, or import a longer history"
        )
    return kept


def _look(history: History, as_of: int) -> tuple[Numbers, tuple[str, ...], NDArray[np.bool_]]:
    """Give the features of each customer as of a day, their names, and who has an order."""
    weeks = min(max(history.weeks(as_of), 1), HISTORY_WEEKS)
    money = np.maximum(weekly(history, history.paid, as_of=as_of, weeks=weeks), 0.0)
    orders = weekly(history, history.orders, as_of=as_of, weeks=weeks)
    active = (orders > 0).astype(np.float64)
    roots = np.sqrt(money)
    columns: dict[str, Numbers] = {}
    for half_life in _HALF_LIVES:
        weight = _decay(half_life, weeks)
        columns[f"spend_{half_life:g}w"] = np.sqrt(_mean(money, weight))
        columns[f"root_spend_{half_life:g}w"] = _mean(roots, weight)
        columns[f"active_{half_life:g}w"] = _mean(active, weight)
    for half_life in _ORDER_HALF_LIVES:
        weight = _decay(half_life, weeks)
        columns[f"orders_{half_life:g}w"] = np.sqrt(_mean(orders, weight))
        columns[f"root_orders_{half_life:g}w"] = _mean(np.sqrt(orders), weight)
    for last in (4, 13):
        columns[f"spend_last_{last}"] = np.sqrt(money[:, :last].mean(axis=1))
    buyers = np.asarray(active.any(axis=1), dtype=np.bool_)
    silent = np.where(buyers, active.argmax(axis=1), weeks)
    since = np.where(buyers, weeks - active[:, ::-1].argmax(axis=1), 0)
    columns["silent_weeks"] = np.log1p(silent)
    columns["known_weeks"] = np.log1p(since)
    columns["spend_since_first"] = np.sqrt(money.sum(axis=1) / np.maximum(since, 1))
    return np.stack(list(columns.values()), axis=1), tuple(columns), buyers


def _decay(half_life: float, weeks: int) -> Numbers:
    weight = 0.5 ** (np.arange(weeks) / half_life)
    return np.asarray(weight / weight.sum())


def _mean(amounts: Numbers, weight: Numbers) -> Numbers:
    """Weight the weeks; einsum adds in one order on any machine, where BLAS may not."""
    return np.asarray(np.einsum("cw,w->c", amounts, weight), dtype=np.float64)


def _ahead(
    features: Numbers, centre: Numbers, scale: Numbers, intercept: Numbers, slope: Numbers
) -> Numbers:
    root = intercept + np.einsum("cf,ft->ct", (features - centre) / scale, slope)
    return np.asarray(np.maximum(root, 0.0) ** 2, dtype=np.float64)


def _ridge(features: Numbers, targets: Numbers) -> tuple[Numbers, Numbers]:
    intercept = targets.mean(axis=0)
    gram = np.einsum("cf,cg->fg", features, features) + RIDGE * np.eye(features.shape[1])
    moment = np.einsum("cf,ct->ft", features, targets - intercept)
    return intercept, np.linalg.solve(gram, moment)
