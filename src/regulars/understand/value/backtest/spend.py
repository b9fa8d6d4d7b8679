"""What the spend model would have said on an earlier day, and what came."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.charts.deciles import Decile as Bar
from regulars.charts.deciles import decile_bars
from regulars.errors import NotReady
from regulars.understand.value.backtest.accuracy import (
    Accuracy,
    Interval,
    accuracy,
    paired_differences,
)
from regulars.understand.value.estimate import estimate_values
from regulars.understand.value.grid import (
    activity_tiers,
    allocation_error,
    grid_cells,
    value_tiers,
)
from regulars.understand.value.history import History, total_after, weekly

Numbers = NDArray[np.float64]

_BLEND_LAST = 0.6


@dataclass(frozen=True)
class Decile:
    """A tenth of the customers, by what was expected of them.

    Attributes:
        decile: 1 for the tenth expected to spend least.
        customers: Customers in it.
        expected: Mean spend expected.
        actual: Mean spend that came.
    """

    decile: int
    customers: int
    expected: float
    actual: float


@dataclass(frozen=True)
class Cell:
    """A cell of the value x activity grid.

    Attributes:
        cell: Value tier and activity tier.
        customers: Customers in it.
        expected_share: Share of all spend expected in it.
        actual_share: Share of all spend that came from it.
    """

    cell: str
    customers: int
    expected_share: float
    actual_share: float


@dataclass(frozen=True)
class Backtest:
    """A back-test of the model that decide uses.

    Attributes:
        model: Name of the model as in `value_models`.
        horizon_weeks: Weeks predicted.
        customers: Customers known, whether they had an order yet or not.
        accuracy: Of the model.
        naive: Of "spends what he spent in as many weeks before".
        blend: Of 0.6 naive + 0.4 the mean of all weeks so far.
        mae_over_naive: Difference of mean absolute errors, model minus naive, paired bootstrap.
        mae_over_blend: The same against the blend.
        spearman_over_naive: Difference of rank correlations, ranks as in the whole sample.
        spearman_over_blend: The same against the blend.
        level: Coverage of the intervals.
        deciles: Calibration by tenths.
        cells: The grid.
        grid_error: Share of spend the grid put in the wrong cell.
    """

    model: str
    horizon_weeks: int
    customers: int
    accuracy: Accuracy
    naive: Accuracy
    blend: Accuracy
    mae_over_naive: Interval
    mae_over_blend: Interval
    spearman_over_naive: Interval
    spearman_over_blend: Interval
    level: float
    deciles: tuple[Decile, ...]
    cells: tuple[Cell, ...]
    grid_error: float

    @property
    def mae(self) -> float:
        """Mean absolute error of the model, money per customer."""
        return self.accuracy.mae

    @property
    def spearman(self) -> float:
        """Rank correlation of the model with what came."""
        return self.accuracy.spearman

    @property
    def naive_mae(self) -> float:
        """Mean absolute error of the naive prediction."""
        return self.naive.mae

    @property
    def naive_spearman(self) -> float:
        """Rank correlation of the naive prediction."""
        return self.naive.spearman

    def to_frame(self) -> Any:
        """Give accuracy as a pandas frame, one row per prediction."""
        import pandas as pd  # noqa: PLC0415 (slow import)

        parts = {self.model: self.accuracy, "naive": self.naive, "blend": self.blend}
        rows = [{"prediction": name} | asdict(part) for name, part in parts.items()]
        return pd.DataFrame(rows)

    def to_report(self) -> dict[str, Any]:
        """Give the figures of `report.json`, as plain numbers by name."""
        return {
            "model": self.model,
            "horizon_weeks": self.horizon_weeks,
            "customers": self.customers,
            "mae": self.mae,
            "spearman": self.spearman,
            "naive_mae": self.naive_mae,
            "naive_spearman": self.naive_spearman,
            "blend_mae": self.blend.mae,
            "blend_spearman": self.blend.spearman,
            "calibration": self.accuracy.calibration,
            "level": self.level,
            "mae_over_naive": asdict(self.mae_over_naive),
            "mae_over_blend": asdict(self.mae_over_blend),
            "spearman_over_naive": asdict(self.spearman_over_naive),
            "spearman_over_blend": asdict(self.spearman_over_blend),
            "deciles": [asdict(tenth) for tenth in self.deciles],
            "cells": [asdict(cell) for cell in self.cells],
            "grid_error": self.grid_error,
        }

    def plot(self) -> dict[str, Any]:
        """Give the chart that asks: does the model expect of each tenth what it then spends?"""
        return decile_bars(
            [Bar(tenth.expected, tenth.actual) for tenth in self.deciles],
            title=f"Does each tenth of the customers spend what was expected of it in "
            f"{self.horizon_weeks} weeks?",
            x_name="tenth",
            y_name="mean spend",
        )


def backtest_history(
    history: History,
    *,
    as_of: int,
    horizon_weeks: int = 13,
    level: float = 0.9,
    seed: int = 7,
) -> Backtest:
    """Predict from what was known on a day, and compare with the weeks after it.

    Args:
        history: The history, reaching at least `horizon_weeks` past the day.
        as_of: Day number; the model is fitted and fed on days up to it only.
        horizon_weeks: Weeks predicted.
        level: Coverage of the bootstrap intervals.
        seed: Seed of the bootstrap.

    Returns:
        The back-test over all customers of the history.

    Raises:
        NotReady: There is no order before the day, or none at the end of the horizon.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> customer = np.repeat(np.arange(300), 12)
        >>> day = np.sort(draw.integers(0, 500, (300, 12)), axis=1).ravel()
        >>> paid = draw.gamma(4.0, 5.0, 3600)
        >>> shop = History(300, customer, day, np.ones(3600), paid, np.zeros(300), 0)
        >>> found = backtest_history(shop, as_of=400, horizon_weeks=13)
        >>> found.customers, found.accuracy.mae < found.naive.mae
        (300, True)
    """
    seen = history.until(as_of)
    if not seen.day.size or int(history.day.max()) <= as_of + 7 * (horizon_weeks - 1):
        raise NotReady(
            f"orders do not reach from before the day to {horizon_weeks} weeks after it; "
            "choose an earlier as_of, or import the later weeks"
        )
    estimate = estimate_values(seen, as_of=as_of, horizon_weeks=horizon_weeks)
    actual = total_after(history, history.paid, after=as_of, weeks=horizon_weeks)
    spent = weekly(seen, seen.paid, as_of=as_of, weeks=max(seen.weeks(as_of), horizon_weeks))
    naive = spent[:, :horizon_weeks].sum(axis=1)
    mean = spent.sum(axis=1) / seen.weeks(as_of) * horizon_weeks
    blend = _BLEND_LAST * naive + (1 - _BLEND_LAST) * mean
    value = value_tiers(estimate.expected_spend * estimate.year_factor)
    cells = grid_cells(value, activity_tiers(estimate.rhythm, history.customers))
    paired = paired_differences(
        estimate.expected_spend, (naive, blend), actual, level=level, seed=seed
    )
    return Backtest(
        model=estimate.model,
        horizon_weeks=horizon_weeks,
        customers=history.customers,
        accuracy=accuracy(estimate.expected_spend, actual),
        naive=accuracy(naive, actual),
        blend=accuracy(blend, actual),
        mae_over_naive=paired[0],
        spearman_over_naive=paired[1],
        mae_over_blend=paired[2],
        spearman_over_blend=paired[3],
        level=level,
        deciles=_deciles(estimate.expected_spend, actual),
        cells=_cells(cells, estimate.expected_spend, actual),
        grid_error=allocation_error(cells, estimate.expected_spend, actual),
    )


def _deciles(expected: Numbers, actual: Numbers) -> tuple[Decile, ...]:
    order = np.argsort(expected, kind="stable")
    parts = [part for part in np.array_split(order, 10) if part.size]
    return tuple(
        Decile(place, len(part), float(expected[part].mean()), float(actual[part].mean()))
        for place, part in enumerate(parts, start=1)
    )


def _cells(cells: NDArray[np.str_], expected: Numbers, actual: Numbers) -> tuple[Cell, ...]:
    names, at, counts = np.unique(cells, return_inverse=True, return_counts=True)
    shares = [
        np.bincount(at, weights=part) / max(float(part.sum()), 1e-9) for part in (expected, actual)
    ]
    return tuple(
        Cell(str(name), int(count), float(one), float(other))
        for name, count, one, other in zip(names, counts, *shares, strict=True)
    )
