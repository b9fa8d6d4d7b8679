"""The scorecard of tables an analyst holds, without a workspace."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
from ibis.expr.types import Table

from regulars.measure.scorecard.reading import Scorecard, indicator_rows, read_scorecard


class _Runs:
    """Runs definitions on an engine of its own, in memory."""

    @staticmethod
    def rows(definition: Table, /) -> list[dict[str, Any]]:
        """Run a definition; one mapping per row."""
        rows: list[dict[str, Any]] = definition.to_pyarrow().to_pylist()
        return rows


def scorecard_of(
    tables: Mapping[str, Any], *, until: date, days: int = 28, periods: int = 2
) -> Scorecard:
    """Read the scorecard of plain tables.

    Args:
        tables: pandas, polars, pyarrow or Ibis tables, or mappings of columns, by name; see
            `read_scorecard` for their columns. What is left out is unknown.
        until: Last day of the period, counted too; nothing later is read.
        days: Days of a period, 1 to 366.
        periods: Periods wanted, this one included, 2 or more.

    Returns:
        The scorecard.

    Raises:
        InputError: `days` is out of range.

    Example:
        >>> orders = {"order_id": ["1", "2", "3"], "customer_id": ["ann", "ann", "bob"],
        ...     "business_date": [date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 10)],
        ...     "total": [10.0, 20.0, 40.0]}
        >>> found = scorecard_of({"orders": orders}, until=date(2026, 3, 15), days=7)
        >>> found.indicators["basket"].now.value, found.indicators["retained_share"].now.value
        (30.0, 1.0)
        >>> found.indicators["nps"].now.why
        'no_table'
    """  # noqa: DOC502 (raised by read_scorecard)
    return read_scorecard(_opened(tables), until=until, days=days, periods=periods, runs=_Runs())


def rows_of(
    tables: Mapping[str, Any], key: str, *, until: date, days: int = 28, limit: int = 1000
) -> list[dict[str, Any]]:
    """Give the rows whose sums are one indicator of plain tables.

    Args:
        tables: As `scorecard_of` takes them.
        key: The indicator.
        until: Last day of the period.
        days: Days of the period.
        limit: Most rows wanted.

    Returns:
        Rows: customer_id, order_id, day, amount, weight.

    Raises:
        UnknownName: There is no such indicator.

    Example:
        >>> orders = {"order_id": ["1"], "customer_id": ["ann"], "total": [10.0],
        ...     "business_date": [date(2026, 3, 10)]}
        >>> [row] = rows_of({"orders": orders}, "basket", until=date(2026, 3, 15), days=7)
        >>> row["customer_id"], float(row["amount"])
        ('ann', 10.0)
    """  # noqa: DOC502 (raised by indicator_rows)
    return indicator_rows(_opened(tables), key, until=until, days=days, limit=limit, runs=_Runs())


def _opened(tables: Mapping[str, Any]) -> dict[str, Table]:
    """Open each kind of table once, so that no engine has to be given."""
    return {
        name: one if isinstance(one, Table) else ibis.memtable(one) for name, one in tables.items()
    }
