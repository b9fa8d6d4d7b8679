"""The scorecard as plain data, with its definitions beside the numbers."""

from typing import Any

from regulars.measure.scorecard.chance import LEVEL
from regulars.measure.scorecard.definition import Period
from regulars.measure.scorecard.reading import INDICATORS, Compared, Reading, Scorecard


def told(scorecard: Scorecard, *, locale: str, currency: str) -> dict[str, Any]:
    """Give a scorecard as JSON has it.

    Args:
        scorecard: What was read.
        locale: "zh-CN" or "en": language of names and definitions.
        currency: Currency of every money value.

    Returns:
        period, before, currency, level, index, and one entry per indicator: its definition,
        value with the ends of its interval at that level (null where there is none), numerator,
        denominator, why and todo while unknown, the last day of its data where that comes before
        the end of the period, and the same of the period before.

    Raises:
        UnknownName: There are no words in this language.
    """  # noqa: DOC502 (raised by words_in)
    index = scorecard.index
    return {
        "period": _period(scorecard.period),
        "before": _period(scorecard.before),
        "currency": currency,
        "level": LEVEL,
        "index": {
            "value": index.value,
            "parts": dict(index.parts),
            "missing": list(index.missing),
            "from_zero": list(index.from_zero),
        },
        "indicators": [_told(one, locale) for one in scorecard.indicators.values()],
    }


def _period(period: Period) -> dict[str, Any]:
    return {
        "first": period.first.isoformat(), "last": period.last.isoformat(), "days": period.days
    }  # fmt: skip


def _told(one: Compared, locale: str) -> dict[str, Any]:
    indicator = INDICATORS[one.key]
    words = indicator.words(locale)
    return {
        "key": one.key,
        "stage": one.stage.value,
        "unit": one.unit.value,
        "name": words["name"],
        "definition": {
            name: words[name] for name in ("says", "numerator", "denominator", "window")
        } | {"sources": list(indicator.sources)},
        **_reading(one.now),
        "todo": words["todo"] if one.now.why else "",
        "before": _reading(one.before),
        "change": one.change,
        "growth": one.growth,
    }  # fmt: skip


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "value": reading.value,
        "low": reading.low,
        "high": reading.high,
        "numerator": None if reading.numerator is None else float(reading.numerator),
        "denominator": reading.denominator,
        "why": reading.why,
        "evidence": reading.evidence,
        "data_ends": reading.data_ends,
    }
