"""Is a table one an experiment can be read from: its columns, their kinds, each customer once."""

from collections.abc import Sequence
from typing import Any

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.errors import InputError
from regulars.measure.experiments.metrics import Kind, Metric


def require_readable(table: Table, metrics: Sequence[Metric], strata: str = "") -> None:
    """Refuse a table that would be read wrongly, or not at all.

    Args:
        table: One row per customer.
        metrics: What is to be read.
        strata: Column customers are compared within; "" for none.

    Raises:
        InputError: A column is missing or holds no numbers or an infinite one, a proportion holds
            other than true and false, or a customer is there twice or has no id.

    Example:
        >>> shop = ibis.memtable({"variant": ["a", "b"], "bought": [0, 3]})
        >>> try:
        ...     require_readable(shop, [Metric("buyers", "bought", kind=Kind.PROPORTION)])
        ... except InputError as error:
        ...     print(str(error).partition(";")[0])
        column 'bought' of the proportion 'buyers' holds 0 to 3
    """
    columns = sorted({name for one in metrics for name in (one.value, one.other) if name})
    _require_columns(table, ["variant", *([strata] if strata else []), *columns])
    require_number_columns(table, columns)
    shares = [one for one in metrics if one.kind is Kind.PROPORTION]
    found = _look(table, columns, shares)
    for name in columns:
        if found[f"endless {name}"]:
            raise InputError(f"column {name!r} holds an infinite number; leave out such customers")
    for one in shares:
        if found[f"between {one.name}"]:
            ends = (found[f"least {one.name}"], found[f"most {one.name}"])
            raise InputError(
                f"column {one.value!r} of the proportion {one.name!r} holds {ends[0]:g} to "
                f"{ends[1]:g}; give true or false, or 1 or 0, or read it as a mean"
            )
    if found["rows"] > found["named"]:
        raise InputError(
            f"{found['rows'] - found['named']:,} of {found['rows']:,} rows have no customer_id; "
            "leave them out, or give each the id of its customer"
        )
    if found["named"] > found["customers"]:
        raise InputError(
            f"{found['named']:,} rows are of {found['customers']:,} customers; sum them up to one "
            "row per customer, or intervals come out too narrow"
        )


def require_number_columns(table: Table, columns: Sequence[str]) -> None:
    """Refuse columns that are not there, or hold words or dates.

    Args:
        table: Any table.
        columns: Columns that are summed up.

    Raises:
        InputError: One is missing, or holds no numbers.
    """
    for name in columns:
        if name not in table.columns:
            raise InputError(
                f"the table has no column {name!r}, has {', '.join(table.columns)}; name one of it"
            )
        kind = table[name].type()
        if not (kind.is_numeric() or kind.is_boolean() or kind.is_null()):
            raise InputError(f"column {name!r} holds {kind}, no numbers; turn it into numbers")


def _look(table: Table, columns: Sequence[str], shares: Sequence[Metric]) -> dict[str, Any]:
    """Ask in one pass what would be read wrongly."""
    seen = {f"endless {name}": _number(name).isinf().any() for name in columns}
    for one in shares:
        own = _number(one.value)
        seen |= {f"least {one.name}": own.min(), f"most {one.name}": own.max()}
        seen |= {f"between {one.name}": (~own.isin([0.0, 1.0])).any()}
    seen |= dict.fromkeys(("rows", "named", "customers"), _.count())
    if "customer_id" in table.columns:
        seen |= {"named": _.customer_id.count(), "customers": _.customer_id.nunique()}
    [found] = table.agg(**seen).to_pyarrow().to_pylist()
    return dict(found)


def _number(name: str) -> ibis.Value:
    """Give the column as a number; nan as nothing, since engines differ in what nan is."""
    number = _[name].cast("float64")
    return number.isnan().ifelse(ibis.null("float64"), number)


def _require_columns(table: Table, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise InputError(
            f"the table has no column {missing[0]!r}, has {', '.join(table.columns)}; give one row "
            "per customer with `variant` and every column the metrics name"
        )
