"""The scorecard of any tables as of a day: every indicator, and what it was before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.errors import UnknownName
from regulars.measure.scorecard.chance import interval_of, summed_up
from regulars.measure.scorecard.definition import Indicator, Period, Stage, Unit, period_until
from regulars.measure.scorecard.funnel import FUNNEL
from regulars.measure.scorecard.health import HEALTH, HealthIndex, health_index

INDICATORS: Mapping[str, Indicator] = {one.key: one for one in (*FUNNEL, *HEALTH)}
"""Every indicator by its key, in the order of the scorecard."""

DATED = {
    "orders": "business_date",
    "visits": "business_date",
    "referrals": "told_on",
    "customer_values": "as_of",
    "survey_answers": "answered_on",
}
"""The day column of every table an indicator may be unknown for."""

WHOLE = frozenset({"referrals"})
"""Tables told as they happen: a period after their last row has none of them, and knows it."""


class Runs(Protocol):
    """Whatever runs a definition; the engine port does."""

    def rows(self, definition: Table, /) -> list[dict[str, Any]]:
        """Run a definition; one mapping per row."""


@dataclass(frozen=True)
class Span:
    """The days a table reaches over.

    Attributes:
        first: First day with a row; None when it has none.
        last: Last day with a row.
    """

    first: date | None
    last: date | None


@dataclass(frozen=True)
class Reading:
    """One indicator over one period.

    Attributes:
        key: The indicator.
        value: Its value; None when unknown, never 0 in its place.
        numerator: What was added up; None when unknown.
        denominator: What it was divided by; None when unknown or where there is none.
        why: "" when known, else a reason code: no_table, no_rows, begins_late (its orders do not
            reach back far enough), ended (no row in the period, and none after it) or nobody
            (its denominator is 0).
        evidence: The day the reason rests on, as ISO text; "" where there is none.
        low: Lower end of its interval at 95 %; None where it counts all there is, is a forecast,
            or rests on fewer than two customers.
        high: Upper end.
        data_ends: The last day of its data, as ISO text, where that lies before the end of the
            period and the value counts less than the period; "" else.
    """

    key: str
    value: float | None
    numerator: Decimal | None
    denominator: int | None
    why: str = ""
    evidence: str = ""
    data_ends: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def whole(self) -> float | None:
        """The value, where the data covers the period; None when unknown or cut short."""
        return None if self.data_ends else self.value


@dataclass(frozen=True)
class Compared:
    """One indicator beside what it was in the period before.

    Attributes:
        key: The indicator.
        stage: Where it stands.
        unit: What the value counts.
        now: The reading of the period.
        before: The reading of the period before.
        change: Value now less value before; None unless both are known and whole.
        growth: Change over the value before; None unless that is known and above 0.
    """

    key: str
    stage: Stage
    unit: Unit
    now: Reading
    before: Reading

    @property
    def change(self) -> float | None:
        """Value now less value before."""
        if self.now.whole is None or self.before.whole is None:
            return None
        return self.now.whole - self.before.whole

    @property
    def growth(self) -> float | None:
        """Change over the value before."""
        if self.change is None or not self.before.value or self.before.value < 0:
            return None
        return self.change / self.before.value


@dataclass(frozen=True)
class Scorecard:
    """The scorecard of one period beside the one before it.

    Attributes:
        period: The period.
        before: The period before, as long.
        indicators: By indicator, in the order of the scorecard.
        index: The health index.
        history: Readings by indicator over the periods up to this one, the oldest first.
        periods: The periods of `history`.
    """

    period: Period
    before: Period
    indicators: Mapping[str, Compared]
    index: HealthIndex
    history: Mapping[str, tuple[Reading, ...]]
    periods: tuple[Period, ...]


def read_scorecard(
    tables: Mapping[str, Any], *, until: date, days: int = 28, periods: int = 2, runs: Runs
) -> Scorecard:
    """Read every indicator over a period and those before it.

    Args:
        tables: Ibis tables by name, any of: orders (order_id, customer_id, business_date,
            total), returns (order_id, customer_id, business_date, refund), customers
            (customer_id, joined_on), visits (customer_id, business_date), referrals (friend_id,
            told_on, state), customer_values (customer_id, residual_value, as_of) and
            survey_answers (survey_id, respondent_id, customer_id, score, answered_at,
            answered_on). Columns beside these are left alone.
        until: Last day of the period, counted too; nothing later is read.
        days: Days of a period, 1 to 366; 28 compares like weekdays.
        periods: Periods wanted, this one included, 2 or more.
        runs: Runs the definitions.

    Returns:
        The scorecard; what cannot be told is unknown, with the reason.

    Raises:
        InputError: `days` is out of range.
    """  # noqa: DOC502 (raised by period_until)
    period = period_until(until, days=days)
    asked = tuple(period.back(times) for times in range(max(periods, 2) - 1, -1, -1))
    facts = _known_until(tables, until)
    spans = _spans(runs, facts)
    history: dict[str, list[Reading]] = {key: [] for key in INDICATORS}
    sums = _sums(runs, facts, spans, asked)
    for place, one in enumerate(asked):
        for key, indicator in INDICATORS.items():
            why, day = _unknown(indicator, facts, spans, one)
            history[key].append(
                Reading(key, None, None, None, why, day)
                if why
                else _reading(indicator, sums.get((key, place)), _data_ends(indicator, spans, one))
            )
    compared = {
        key: Compared(key, indicator.stage, indicator.unit, history[key][-1], history[key][-2])
        for key, indicator in INDICATORS.items()
    }
    index = health_index(
        {key: one.now.whole for key, one in compared.items()},
        {key: one.before.whole for key, one in compared.items()},
    )
    told = {key: tuple(readings) for key, readings in history.items()}
    return Scorecard(period, period.back(), compared, index, told, asked)


def indicator_rows(
    tables: Mapping[str, Any], key: str, *, until: date, days: int = 28, limit: int, runs: Runs
) -> list[dict[str, Any]]:
    """Give the rows whose sums are an indicator: which customers, which orders.

    Args:
        tables: As `read_scorecard` takes them.
        key: The indicator.
        until: Last day of the period.
        days: Days of the period.
        limit: Most rows wanted.
        runs: Runs the definition.

    Returns:
        Rows by customer, order and day: customer_id, order_id, day, amount, weight; empty when
        the indicator is unknown.

    Raises:
        UnknownName: There is no such indicator.
    """
    if key not in INDICATORS:
        raise UnknownName("indicator", key, INDICATORS)
    period, indicator = period_until(until, days=days), INDICATORS[key]
    facts = _known_until(tables, until)
    why, _day = _unknown(indicator, facts, _spans(runs, facts), period)
    if why:
        return []
    found = indicator.rows(facts, period)
    order = ["customer_id", "order_id", "day", "amount"]
    return runs.rows(found.order_by(*order).limit(limit))


def _known_until(tables: Mapping[str, Any], until: date) -> dict[str, Table]:
    """Open the tables as they were at the end of a day."""
    last = ibis.literal(until, type="date")
    facts = {}
    for name, given in tables.items():
        table = given if isinstance(given, Table) else ibis.memtable(given)
        day = DATED.get(name) or ("business_date" if name == "returns" else "joined_on")
        dated = table.mutate(**{day: table[day].cast("date")})
        is_known = dated[day].isnull() if name == "customers" else ibis.literal(False)
        facts[name] = dated.filter(is_known | (dated[day] <= last))
    return facts


def _spans(runs: Runs, facts: Mapping[str, Table]) -> dict[str, Span]:
    parts = [
        facts[name].agg(first=_[day].cast("date").min(), last=_[day].cast("date").max())
        .mutate(name=ibis.literal(name))
        for name, day in DATED.items()
        if name in facts
    ]  # fmt: skip
    return {
        row["name"]: Span(row["first"], row["last"]) for part in parts for row in runs.rows(part)
    }


def _unknown(
    indicator: Indicator, facts: Mapping[str, Table], spans: Mapping[str, Span], period: Period
) -> tuple[str, str]:
    """Tell why an indicator cannot be told, and the day that shows it; "" when it can."""
    for name in indicator.sources:
        if name not in facts:
            return "no_table", ""
        span = spans[name]
        if span.first is None or span.last is None:
            return "no_rows", ""
        if span.last < period.first and name not in WHOLE:
            return "ended", span.last.isoformat()
        if span.first > period.last:
            return "begins_late", span.first.isoformat()
    first = spans["orders"].first if "orders" in indicator.sources else None
    # A sum over a period that the data covers in part only would look like a small one.
    reaches = indicator.looks_back or not indicator.is_ratio
    if reaches and first and first > period.back(indicator.looks_back).first:
        return "begins_late", first.isoformat()
    return "", ""


def _data_ends(indicator: Indicator, spans: Mapping[str, Span], period: Period) -> str:
    """Give the day the data of a known indicator stops at, before the period does; "" if not."""
    if not indicator.needs_whole:
        return ""
    lasts = [spans[name].last for name in indicator.sources if name not in WHOLE]
    first = min((last for last in lasts if last is not None), default=period.last)
    return first.isoformat() if first < period.last else ""


def _sums(
    runs: Runs,
    facts: Mapping[str, Table],
    spans: Mapping[str, Span],
    asked: Sequence[Period],
) -> dict[tuple[str, int], dict[str, Any]]:
    """Add up the rows of every indicator and period in one definition."""
    parts = [
        summed_up(indicator.rows(facts, period), indicator.drawn)
        .mutate(key=ibis.literal(key), place=ibis.literal(place))
        for place, period in enumerate(asked)
        for key, indicator in INDICATORS.items()
        if not _unknown(indicator, facts, spans, period)[0]
    ]  # fmt: skip
    if not parts:
        return {}
    together = parts[0] if len(parts) == 1 else ibis.union(*parts)
    return {(row["key"], row["place"]): row for row in runs.rows(together)}


def _reading(indicator: Indicator, row: Mapping[str, Any] | None, data_ends: str) -> Reading:
    numerator = Decimal(row["numerator"] or 0) if row else Decimal(0)
    if not indicator.is_ratio:
        return Reading(indicator.key, float(numerator), numerator, None, data_ends=data_ends)
    denominator = int(row["denominator"] or 0) if row else 0
    if not denominator:
        return Reading(indicator.key, None, None, None, "nobody")
    value = float(numerator / denominator)
    ends = interval_of(indicator.unit, indicator.drawn, row or {})
    low, high = ends or (None, None)
    return Reading(
        indicator.key, value, numerator, denominator, data_ends=data_ends, low=low, high=high
    )
