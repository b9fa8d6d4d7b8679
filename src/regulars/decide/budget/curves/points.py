"""Measured points of response: what was spent in a cell in one period, and what it caused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.decide.budget.curves.curve import Cell
from regulars.errors import InputError
from regulars.numerics.arrays import arrow_table, numbers, require_columns, words

Floats = NDArray[np.float64]

COLUMNS = ("segment", "channel", "offer_id", "spend", "effect")


@dataclass(frozen=True)
class Points:
    """One row per cell and measured period.

    Attributes:
        cells: The cells, in order.
        cell: Place of each point's cell; shape (points,).
        spend: Money spent, above 0; shape (points,).
        effect: Margin caused, before the cost of the money; shape (points,).
        error: Standard error of the effect, above 0; shape (points,).
        most: Spend at which everybody in the cell is reached, inf where unknown; (cells,).
    """

    cells: Sequence[Cell]
    cell: NDArray[np.int64]
    spend: Floats
    effect: Floats
    error: Floats
    most: Floats

    def of(self, cell: int) -> NDArray[np.int64]:
        """Give the rows of one cell."""
        return np.flatnonzero(self.cell == cell)

    def including(self, cells: Iterable[Cell]) -> "Points":
        """Add cells nobody has measured, about which other cells say something.

        Args:
            cells: The cells; those there are already stay as they are.

        Returns:
            The points, cells in order; nothing is known of what reaches everybody in a new one.
        """
        every = sorted({*self.cells, *cells})
        place = np.array([every.index(one) for one in self.cells], np.int64)
        most = np.full(len(every), np.inf)
        most[place] = self.most
        return replace(
            self, cells=every, cell=place[self.cell] if place.size else self.cell, most=most
        )


def points_of(table: Any) -> Points:
    """Read measured points from a table.

    Args:
        table: Arrow, pandas, polars or Ibis table, or columns by name: segment, channel, offer_id,
            spend, effect, and either standard_error or low and high (with level, 0.9 by
            default); `most` when known. Rows whose status is there and not ok, or whose effect
            is empty, tell of the cell but not of its effect.

    Returns:
        The points, by cell.

    Raises:
        InputError: A column is missing, a spend or an error is not above 0.

    Example:
        >>> found = points_of({"segment": ["all"], "channel": ["sms"], "offer_id": ["ten"],
        ...     "spend": [100.0], "effect": [150.0], "low": [117.1], "high": [182.9]})
        >>> found.error.round(2).tolist()
        [20.0]
    """
    given = arrow_table(table)
    require_columns(given, COLUMNS, of="measured points")
    names = [words(given, name).tolist() for name in COLUMNS[:3]]
    each = [Cell(*parts) for parts in zip(*names, strict=True)]
    cells = sorted(set(each))
    place = {cell: number for number, cell in enumerate(cells)}
    cell = np.array([place[one] for one in each], np.int64)
    spend, effect = numbers(given, "spend"), numbers(given, "effect")
    error = _errors(given)
    is_told = np.isfinite(effect) & np.isfinite(error)
    if "status" in given.column_names:
        is_told &= words(given, "status") == "ok"
    for name, column in (("spend", spend), ("standard error", error)):
        if not (column[is_told] > 0).all():
            raise InputError(f"a {name} is {column[is_told].min():g}, must be above 0")
    if np.isinf(effect).any():
        raise InputError("an effect is infinite; leave it empty where it was not measured")
    most = np.full(len(cells), -np.inf)
    known = numbers(given, "most") if "most" in given.column_names else np.full(len(cell), np.inf)
    np.maximum.at(most, cell, np.where(np.isfinite(known), known, np.inf))
    return Points(cells, cell[is_told], spend[is_told], effect[is_told], error[is_told], most)


def _errors(given: pa.Table) -> Floats:
    if "standard_error" in given.column_names:
        return numbers(given, "standard_error")
    require_columns(given, ("low", "high"), of="measured points without standard_error")
    level = numbers(given, "level") if "level" in given.column_names else np.full(len(given), 0.9)
    width = [NormalDist().inv_cdf((1 + one) / 2) if 0 < one < 1 else np.nan for one in level]
    return np.asarray((numbers(given, "high") - numbers(given, "low")) / (2 * np.array(width)))
