"""The health of a shop: conversion, basket, lifetime value, net promoter score; one index."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.measure.scorecard.definition import Drawn, Indicator, Period, Stage, Unit, share
from regulars.measure.scorecard.funnel import Facts, summed, within
from regulars.reach.surveys.recommending import DETRACTOR, PROMOTER


def _conversion(facts: Facts, period: Period) -> Table:
    came = facts["visits"].filter(_.customer_id.notnull(), within(_.business_date, period))
    first = came.group_by("customer_id").agg(day=_.business_date.min())
    bought = facts["orders"].filter(within(_.business_date, period))
    last = bought.group_by("customer_id").agg(bought=_.business_date.max())
    both = first.left_join(last, "customer_id").drop("customer_id_right")
    ordered = ibis.coalesce(both.bought >= both.day, False)
    return summed(both, amount=ordered.cast("int64"), weight=1)


def _basket(facts: Facts, period: Period) -> Table:
    rows = facts["orders"].filter(within(_.business_date, period)).mutate(day=_.business_date)
    return summed(rows, amount=rows.total, weight=1, order_id=True)


def _lifetime_value(facts: Facts, period: Period) -> Table:
    """What the last turn of the period wrote."""
    values = facts["customer_values"].filter(within(_.as_of, period))
    rows = values.filter(values.as_of == values.as_of.max()).mutate(day=_.as_of)
    return summed(rows, amount=rows.residual_value, weight=1)


def _nps(facts: Facts, period: Period) -> Table:
    """The last answer of each invitation; answers on another scale than 0 to 10 do not count."""
    answers = facts["survey_answers"].filter(
        within(_.answered_on, period), _.score.notnull(), _.score.between(0, 10)
    )
    newest = ibis.window(
        group_by=[_.survey_id, _.respondent_id], order_by=[_.answered_at.desc(), _.score]
    )
    last = answers.mutate(place=ibis.row_number().over(newest)).filter(_.place == 0)
    rows = last.mutate(day=_.answered_on)
    side = ibis.cases((rows.score >= PROMOTER, 1), (rows.score <= DETRACTOR, -1), else_=0)
    return summed(rows, amount=side, weight=1)


HEALTH = (
    share("conversion", Stage.HEALTH, _conversion, sources=("orders", "visits")),
    Indicator(
        "basket",
        Stage.HEALTH,
        Unit.MONEY,
        ("orders",),
        _basket,
        is_ratio=True,
        drawn=Drawn.CUSTOMERS,
        needs_whole=False,
    ),
    Indicator(
        "lifetime_value",
        Stage.HEALTH,
        Unit.MONEY,
        ("customer_values",),
        _lifetime_value,
        is_ratio=True,
        needs_whole=False,
    ),
    Indicator(
        "nps",
        Stage.HEALTH,
        Unit.SCORE,
        ("survey_answers",),
        _nps,
        is_ratio=True,
        drawn=Drawn.ROWS,
        needs_whole=False,
    ),
)


@dataclass(frozen=True)
class HealthIndex:
    """How the shop's health compares with the period before.

    Attributes:
        value: 100 when as healthy as in the period before; None when no part is known in both.
        parts: Part by indicator, 1.0 when as before.
        missing: Indicators left out, because one of the two periods does not know them.
        from_zero: Indicators left out, because they are known and were 0 before: nothing is a
            multiple of that.
    """

    value: float | None
    parts: Mapping[str, float]
    missing: tuple[str, ...]
    from_zero: tuple[str, ...] = ()


def health_index(
    now: Mapping[str, float | None], before: Mapping[str, float | None]
) -> HealthIndex:
    """Sum up conversion, basket, lifetime value and net promoter score in one number.

    Args:
        now: Value by indicator; None where unknown.
        before: The same of the period before.

    Returns:
        100 times the geometric mean of the ratios of those known in both periods and above zero
        before; 0 where one fell to zero. The net promoter score enters as (1 + score) / 2, which
        is never below zero.

    Source:
        Ours, because a ratio needs no weights and no targets that somebody made up; the mean is
        geometric so that halving one part weighs as much as doubling another.

    Example:
        >>> found = health_index({"basket": 20.0, "nps": 0.2}, {"basket": 10.0, "nps": 0.2})
        >>> round(found.value, 1), found.missing
        (141.4, ('conversion', 'lifetime_value'))
        >>> health_index({"basket": 9.0, "nps": -1.0}, {"basket": 9.0, "nps": 0.2}).value
        0.0
    """
    parts: dict[str, float] = {}
    missing, from_zero = [], []
    for one in HEALTH:
        new, old = _positive(one, now.get(one.key)), _positive(one, before.get(one.key))
        if new is None or old is None:
            missing.append(one.key)
        elif not old:
            from_zero.append(one.key)
        else:
            parts[one.key] = new / old
    left_out = tuple(missing), tuple(from_zero)
    if not parts:
        return HealthIndex(None, parts, *left_out)
    if not all(parts.values()):
        return HealthIndex(0.0, parts, *left_out)
    mean = sum(log(parts[key]) for key in sorted(parts)) / len(parts)
    return HealthIndex(100 * exp(mean), parts, *left_out)


def _positive(indicator: Indicator, value: float | None) -> float | None:
    """Give what enters a ratio, 0 or more; None where it is unknown."""
    if value is None:
        return None
    return max((1 + value) / 2 if indicator.unit is Unit.SCORE else value, 0.0)
