"""What an indicator of the scorecard is, and the days it is read over."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files

from ibis.expr.types import Table

from regulars.errors import InputError, UnknownName

LOCALES = ("en", "zh-CN")
LONGEST = 366
"""Most days of one period."""
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
"""Days a period may end with: the calendar has days for what lies before and after."""


class Stage(StrEnum):
    """Where an indicator stands: a stage of the funnel, or the health of the shop."""

    ACQUISITION = "acquisition"
    ACTIVATION = "activation"
    RETENTION = "retention"
    REFERRAL = "referral"
    REVENUE = "revenue"
    HEALTH = "health"


class Unit(StrEnum):
    """What a value counts."""

    CUSTOMERS = "customers"
    SHARE = "share"
    MONEY = "money"
    SCORE = "score"


@dataclass(frozen=True)
class Period:
    """Whole days an indicator is read over, in the workspace's zone.

    Attributes:
        first: First day.
        last: Last day, counted too.
    """

    first: date
    last: date

    @property
    def days(self) -> int:
        """Number of days, 1 or more."""
        return (self.last - self.first).days + 1

    def back(self, times: int = 1) -> "Period":
        """Give the period as long that lies so many times before this one.

        Args:
            times: How many periods back.

        Returns:
            The period.

        Example:
            >>> Period(date(2026, 3, 9), date(2026, 3, 15)).back().first.isoformat()
            '2026-03-02'
        """
        away = timedelta(days=self.days * times)
        return Period(self.first - away, self.last - away)


def period_until(last: date, *, days: int) -> Period:
    """Give the period of so many days that ends with a day.

    Args:
        last: Last day, counted too.
        days: Days, 1 to 366.

    Returns:
        The period.

    Raises:
        InputError: `days` is out of range, or the day is before 1900 or after 2999.

    Example:
        >>> period_until(date(2026, 3, 15), days=7).first.isoformat()
        '2026-03-09'
    """
    if not 1 <= days <= LONGEST:
        raise InputError(f"days is {days}, must be 1 to {LONGEST}; 28 compares like weekdays")
    if not EARLIEST <= last <= LATEST:
        raise InputError(f"the last day is {last}, must be from {EARLIEST} to {LATEST}")
    return Period(last - timedelta(days=days - 1), last)


class Drawn(StrEnum):
    """What an indicator would have been read from by another chance."""

    NOT = "not"
    """Nothing: it counts all there is, or is a forecast with an interval of its own."""
    ROWS = "rows"
    """Its rows: each is a customer or an answer."""
    CUSTOMERS = "customers"
    """Customers, each with all of his rows."""


Rows = Callable[[Mapping[str, Table], Period], Table]
"""Makes the rows whose sums are an indicator: customer_id, order_id, day, amount, weight."""


@dataclass(frozen=True)
class Indicator:
    """One indicator, defined once: the number is the sum of its rows.

    Its value is the sum of `amount` over its rows, divided by the sum of `weight` where it has
    a denominator. What its name is and what it means, in both languages, stands in `words/`.

    Attributes:
        key: Its name in commands and addresses.
        stage: Where it stands.
        unit: What the value counts.
        sources: Tables it is made of; without a row in one of them it is unknown.
        rows: Makes its rows over one period.
        is_ratio: True when it has a denominator.
        looks_back: Periods before its own that the orders must reach back to, 0 for none.
        drawn: What chance draws, for its interval.
        needs_whole: True when days without data make it smaller, so that it is not compared; False
            for an average of what there is.
    """

    key: str
    stage: Stage
    unit: Unit
    sources: tuple[str, ...]
    rows: Rows
    is_ratio: bool = False
    looks_back: int = 0
    drawn: Drawn = Drawn.NOT
    needs_whole: bool = True

    def words(self, locale: str) -> dict[str, str]:
        """Tell what its name is and what it means.

        Args:
            locale: "zh-CN" or "en".

        Returns:
            name, says (the definition), numerator, denominator ("" where there is none), window
            and todo (what to do while it is unknown).

        Raises:
            UnknownName: There are no words in this language.
        """
        return words_in(locale)[self.key]


def share(
    key: str,
    stage: Stage,
    rows: Rows,
    *,
    sources: tuple[str, ...] = ("orders",),
    looks_back: int = 0,
) -> Indicator:
    """Define the share of some customers who did something.

    Args:
        key: Its name in commands and addresses.
        stage: Where it stands.
        rows: Makes its rows, one per customer, amount 1 or 0.
        sources: Tables it is made of.
        looks_back: Periods before its own that the orders must reach back to.

    Returns:
        The indicator.
    """
    return Indicator(
        key,
        stage,
        Unit.SHARE,
        sources,
        rows,
        is_ratio=True,
        looks_back=looks_back,
        drawn=Drawn.ROWS,
    )


@cache
def words_in(locale: str) -> dict[str, dict[str, str]]:
    """Read the words of all indicators in one language.

    Args:
        locale: "zh-CN" or "en".

    Returns:
        By indicator: name, says, numerator, denominator, window, todo.

    Raises:
        UnknownName: There are no words in this language.

    Example:
        >>> words_in("zh-CN")["basket"]["name"]
        '客单价'
    """
    if locale not in LOCALES:
        raise UnknownName("language of the scorecard", locale, LOCALES)
    text = (files(__package__) / "words" / f"{locale}.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found
