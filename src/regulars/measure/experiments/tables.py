"""Tables of experiments, defined once for every engine: millions of rows become moments."""

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
from ibis import _
from ibis.expr.types import Table

from regulars.measure.experiments.sufficient_statistics import Moments, moments

PARTS = ("count", "mean", "variance", "other_mean", "other_variance", "covariance")


def moments_by_variant(
    customers: Table, by: Sequence[str], *, value: str, other: str = ""
) -> Table:
    """Compute the moments of one metric for many groups at once, in the engine.

    Taken around running means, so that large numbers lose no digits.

    Args:
        customers: One row per customer and experiment, with the columns named here. Rows
            without a value are left out.
        by: Columns that name a group, such as experiment_id, segment, variant.
        value: Column of the metric.
        other: Column of covariate or denominator; "" for none.

    Returns:
        One row per group, ordered by `by`: the columns of `by`, count, mean, variance,
        other_mean, other_variance, covariance.

    Example:
        >>> shop = open_table({"variant": ["a", "a", "b", "b"], "spend": [1.0, 3.0, 2.0, 6.0]})
        >>> rows = moments_by_variant(shop, ["variant"], value="spend").to_pyarrow().to_pylist()
        >>> [(row["variant"], row["count"], row["mean"], row["variance"]) for row in rows]
        [('a', 2.0, 2.0, 2.0), ('b', 2.0, 4.0, 8.0)]
    """
    beside = _[other] if other else ibis.literal(0.0)
    whole = customers.select(
        *by, own=_[value].cast("float64"), beside=beside.cast("float64")
    ).filter(_.own.notnull(), _.beside.notnull())
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
        >>> shop = open_table({"variant": ["a", "a", "b", "b"], "spend": [1.0, 3.0, 2.0, 6.0]})
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
    """
    return customers if isinstance(customers, Table) else ibis.memtable(customers)
