"""Rows of compared customers as arrays: outcomes, groups and what was known before."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.measure.effects.tables import BEFORE, VALUES
from regulars.numerics.arrays import numbers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Customers of one comparison.

    Attributes:
        outcomes: Orders, sales, margin and change of residual value in the window, as
            `METRICS` orders them; shape (customers, 4).
        is_treated: True for the treated, shape (customers,).
        covariates: What was known before, finite; shape (customers, covariates).
    """

    outcomes: Floats
    is_treated: NDArray[np.bool_]
    covariates: Floats


def compared_customers(rows: pa.Table, *, margin_rate: float) -> Compared:
    """Turn rows of `tables.outcomes` into arrays.

    Covariates are scaled by the days each customer was watched: who joined late can have
    bought only for the rest of the time.

    Args:
        rows: One row per customer, with the first and the last day of their window.
        margin_rate: Margin over sales where no cost is known, 0 to 1.

    Returns:
        The customers in row order. Who has no residual value now keeps the one before.
    """
    before = {name: _filled(rows, name) for name in (*BEFORE, *VALUES)}
    days = _days_watched(rows)
    before["per_week"] = before["monetary"] / np.maximum(before.pop("days_known") / 7, 1.0)
    before.pop("monetary")
    watched = days / days.max(initial=1.0)
    covariates = np.column_stack([*(before[name] * watched for name in sorted(before)), watched])
    value = before["residual_value"]
    now = numbers(rows, "value_now")
    margin = _filled(rows, "known_margin") + margin_rate * _filled(rows, "uncosted_sales")
    gained = np.where(np.isnan(now), 0.0, now - value)
    columns = (_filled(rows, "orders"), _filled(rows, "sales"), margin, gained)
    return Compared(np.column_stack(columns), numbers(rows, "is_treated") > 0, covariates)


def _days_watched(rows: pa.Table) -> Floats:
    first, last = (rows.column(name).cast(pa.date32()) for name in ("as_of", "until"))
    since = pc.days_between(first, last)
    return np.asarray(since.cast(pa.float64()).combine_chunks().to_numpy(zero_copy_only=False))


def of_campaigns(customers: Compared, campaigns: NDArray[np.str_]) -> Compared:
    """The same customers with their campaign among the covariates: compared within campaigns.

    Returns:
        The customers with a flag per campaign but the first.

    Source:
        Miratrix, Sekhon & Yu (2013), "Adjusting treatment effect estimates by
        post-stratification in randomized experiments", JRSS B 75(2).
    """
    names = np.unique(campaigns)
    flags = (campaigns[:, None] == names[None, 1:]).astype(np.float64)
    return Compared(
        customers.outcomes, customers.is_treated, np.column_stack([customers.covariates, flags])
    )


def only(customers: Compared, rows: NDArray[np.bool_]) -> Compared:
    """Pick some of the customers, by a flag per customer."""
    picked = (customers.outcomes[rows], customers.is_treated[rows], customers.covariates[rows])
    return Compared(*picked)


def _filled(rows: pa.Table, name: str) -> Floats:
    return np.nan_to_num(numbers(rows, name), nan=0.0)
