"""Days of a country: work days, weekends, holidays, and the work days that make up for them."""

from collections.abc import Iterator
from datetime import date, timedelta

_SHIFTING = frozenset({"CN"})


def calendar_days(country: str, years: range) -> Iterator[dict[str, object]]:
    """Tell the kind of every day of some years.

    In China the government publishes each year which weekends are worked to make up for a
    holiday (调休) and which days are free for it. Until it has, only the holidays of the law
    are certain: every other day of that year is "unknown".

    Args:
        country: ISO 3166 code.
        years: The years.

    Yields:
        One row of `calendar_days` per day, in order.


    Source: the package `holidays`, which follows the notices of the State Council.

    Example:
        >>> [row["kind"] for row in calendar_days("CN", range(2026, 2027))][3]
        'makeup_workday'
    """
    import holidays  # noqa: PLC0415 - slow to import

    known = holidays.country_holidays(country, years=years, language=_language(country))
    makeup = {day for day in getattr(known, "weekend_workdays", ()) if day.year in years}
    for year in years:
        is_certain = country not in _SHIFTING or any(day.year == year for day in makeup)
        day = date(year, 1, 1)
        while day.year == year:
            name = known.get(day)
            yield {
                "country": country,
                "day": day,
                "kind": _kind_of(day, name, makeup, is_certain=is_certain),
                "name": name,
            }
            day += timedelta(days=1)


def _kind_of(day: date, name: str | None, makeup: set[date], *, is_certain: bool) -> str:
    if day in makeup:
        return "makeup_workday"
    if name:
        return "holiday"
    if not is_certain:
        return "unknown"
    return "weekend" if day.weekday() >= 5 else "workday"


def _language(country: str) -> str | None:
    return "zh_CN" if country == "CN" else None
