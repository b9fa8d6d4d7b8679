"""Tables of experiments, defined once for every engine: millions of rows become moments."""

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
from ibis import _
from ibis.expr.types import Table

from regulars.errors import InputError
from regulars.measure.experiments.gates.readable import require_number_columns
from regulars.measure.experiments.sufficient_statistics import Moments, moments

PARTS = ("count", "mean", "variance", "other_mean", "other_variance", "covariance")


def moments_by_variant(customers: Any, by: Sequence[str], *, value: str, other: str = "") -> Table:
    """Compute the moments of one metric for many groups at once, in the engine.

    Taken around running means, so that large numbers lose no digits.

    Args:
        customers: One row per customer and experiment, with the columns named here: an Ibis
            table, a pandas or polars frame, a pyarrow table or a mapping of columns. Rows without
            a value (empty or nan) are left out.
        by: Columns that name a group, such as experiment_id, segment, variant.
        value: Column of the metric.
        other: Column of covariate or denominator; "" for none.

    Returns:
        One row per group, ordered by `by`: the columns of `by`, count, mean, variance,
        other_mean, other_variance, covariance; an Ibis table, not computed yet.

    Raises:
        InputError: It is no table, or has no such column of numbers.

    Example:
        >>> shop = {"variant": ["a", "a", "b", "b"], "spend": [1.0, 3.0, 2.0, 6.0]}
        >>> rows = moments_by_variant(shop, ["variant"], value="spend").to_pyarrow().to_pylist()
        >>> [(row["variant"], row["count"], row["mean"], row["variance"]) for row in rows]
        [('a', 2.0, 2.0, 2.0), ('b', 2.0, 4.0, 8.0)]
    """
    table = open_table(customers)
    require_number_columns(table, [value, other] if other else [value])
    if strange := [name for name in by if name not in table.columns]:
        raise InputError(f"the table has no column {strange[0]!r}, has {', '.join(table.columns)}")
    beside = _[other] if other else ibis.literal(0.0)
    # What is nan is left out like what is empty: the comparison is empty for nothing.
    whole = table.select(*by, own=_[value].cast("float64"), beside=beside.cast("float64")).filter(
        ~_.own.isnan(), ~_.beside.isnan()
    )
    # One pass: the engine's own moments are updated around running means (Welford 1962).
    return (
        whole
        .group_by(*by)
        .agg(
            count=_.count().cast("float64"),
            mean=_.own.mean(),
            variance=_.own.var(how="sample").fill_null(0.0),
            other_mean=_.beside.mean(),
            other_variance=_.beside.var(how="sample").fill_null(0.0),
            covariance=_.own.cov(_.beside, how="sample").fill_null(0.0),
        )
        .order_by(*by)
    )


def as_moments(rows: Sequence[dict[str, Any]]) -> Moments:
    """Read rows of `moments_by_variant` as moments.

    Args:
        rows: One mapping per group.

    Returns:
        Moments of shape (groups,).

    Example:
        >>> shop = {"variant": ["a", "a", "b", "b"], "spend": [1.0, 3.0, 2.0, 6.0]}
        >>> rows = moments_by_variant(shop, ["variant"], value="spend").to_pyarrow().to_pylist()
        >>> as_moments(rows).mean.tolist()
        [2.0, 4.0]
    """
    parts = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in PARTS}
    return moments(
        parts["count"],
        parts["mean"],
        parts["variance"],
        other_mean=parts["other_mean"],
        other_variance=parts["other_variance"],
        covariance=parts["covariance"],
    )


def open_table(customers: Any) -> Table:
    """Take a table of any kind an analyst may hold.

    Args:
        customers: An Ibis table, a pandas or polars frame, a pyarrow table, or a mapping of
            columns.

    Returns:
        An Ibis table over it.

    Raises:
        InputError: It is no table.
    """
    if isinstance(customers, Table):
        return customers
    try:
        return ibis.memtable(customers)
    except Exception as error:  # each kind of table has errors of its own
        raise InputError(
            f"a {type(customers).__name__} cannot be read as a table ({error}); give an Ibis, "
            "Arrow, pandas or polars table, or columns of one length by name"
        ) from error
