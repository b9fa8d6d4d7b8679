"""How far a share or an average lies open to chance: its interval, from sums alone."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

from ibis import _, coalesce
from ibis.expr.types import Table

from regulars.measure.scorecard.definition import Drawn, Unit

LEVEL = 0.95
"""Coverage of the intervals."""
_Z = 1.959963984540054
_ENDS = {Unit.SHARE: (0.0, 1.0), Unit.SCORE: (-1.0, 1.0)}


def summed_up(rows: Table, drawn: Drawn) -> Table:
    """Sum up the rows of an indicator, with their squares where chance draws them.

    Args:
        rows: customer_id, order_id, day, amount, weight.
        drawn: What chance draws.

    Returns:
        One row: numerator, denominator, draws, and the sums of squares and products aa, aw, ww.
    """
    if drawn is Drawn.CUSTOMERS:
        who = coalesce(rows.customer_id, rows.order_id)
        rows = rows.group_by(who=who).agg(amount=_.amount.sum(), weight=_.weight.sum())
    # Decimals keep the sum the same whatever order the engine adds in.
    amount, weight = rows.amount.cast("decimal(18, 4)"), rows.weight
    return rows.agg(
        numerator=rows.amount.sum(),
        denominator=weight.sum(),
        draws=rows.count(),
        aa=(amount * amount).cast("decimal(38, 8)").sum(),
        aw=(amount * weight).cast("decimal(38, 4)").sum(),
        ww=(weight * weight).sum(),
    )


def interval_of(unit: Unit, drawn: Drawn, sums: Mapping[str, Any]) -> tuple[float, float] | None:
    """Give the interval of a ratio from its sums.

    Args:
        unit: What the value counts.
        drawn: What chance draws.
        sums: numerator, denominator (above 0), draws, aa, aw, ww.

    Returns:
        Its ends, at a coverage of 95 %; None where chance draws nothing, or has drawn once.

    Source:
        Wilson (1927), JASA 22, for shares, because it holds at 0 and 1 as well; else the delta
        method on a ratio of means, Cochran (1977), "Sampling Techniques", section 6.4.

    Example:
        >>> sums = {"numerator": 3, "denominator": 10, "draws": 10, "aa": 3, "aw": 3, "ww": 10}
        >>> [round(end, 3) for end in interval_of(Unit.SHARE, Drawn.ROWS, sums)]
        [0.108, 0.603]
    """
    draws = int(sums["draws"])
    if drawn is Drawn.NOT or draws < 2:
        return None
    weight = float(sums["denominator"])
    value = float(sums["numerator"]) / weight
    if unit is Unit.SHARE:
        wide = 1 + _Z**2 / weight
        middle = (value + _Z**2 / (2 * weight)) / wide
        half = _Z / wide * sqrt(value * (1 - value) / weight + _Z**2 / (4 * weight**2))
    else:
        left = float(sums["aa"]) - 2 * value * float(sums["aw"]) + value**2 * float(sums["ww"])
        middle, half = value, _Z * sqrt(max(left, 0.0) * draws / (draws - 1)) / weight
    least, most = _ENDS.get(unit, (-float("inf"), float("inf")))
    return max(middle - half, least), min(middle + half, most)
