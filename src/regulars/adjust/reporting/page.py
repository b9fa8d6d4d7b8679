"""The report as one page that needs nothing else."""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from regulars.adjust.alerts.watching import Kind
from regulars.adjust.reporting.content import Content, next_tasks
from regulars.charts import (
    Interval,
    echarts_script,
    interval_plot,
    line_plot,
    lying_down,
    stacked_bars,
)
from regulars.charts.look import Option
from regulars.charts.page import page_script, page_style
from regulars.decide.budget.curves import Cell
from regulars.errors import UnknownName
from regulars.measure.scorecard import INDICATORS, Unit
from regulars.measure.scorecard.telling import told

LOCALES = ("en", "zh-CN")
Words = dict[str, str]


@cache
def words_in(locale: str) -> Words:
    """Read the words of the report.

    Args:
        locale: "zh-CN" or "en".

    Returns:
        Sentence by key; `{name}` in it is filled by the page.

    Raises:
        UnknownName: There are no words in this language.

    Example:
        >>> words_in("zh-CN")["next"]
        '下一步'
    """
    if locale not in LOCALES:
        raise UnknownName("language of the report", locale, LOCALES)
    text = (files(__package__) / "words" / f"{locale}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def report_page(content: Content, *, locale: str) -> str:
    """Write a report for a reader.

    Args:
        content: What it says.
        locale: "zh-CN" or "en".

    Returns:
        HTML that loads nothing from anywhere; the same content gives the same bytes.

    Raises:
        UnknownName: There are no words in this language.
    """  # noqa: DOC502 (raised by words_in)
    words = words_in(locale)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "money": _money,
        "count": lambda value: "–" if value is None else f"{float(value):,.0f}",
        "share": lambda value: "–" if value is None else f"{value:.1%}",
        "growth": lambda value: "–" if value is None else f"{value:+.1%}".replace("-", "−"),
        "json": _embedded,
    }
    named = naming_of(content, locale)
    environment.globals |= {
        "w": words,
        "say": lambda key, **parts: words[key].format(**parts),
        "word": named.word,
        "cell_name": named.cell,
        "offer_name": lambda code: content.offer_names.get(code, code),
        "watched": _watched(content.currency),
    }
    template = environment.from_string(
        (files(__package__) / "page.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        locale=locale,
        c=content,
        card=told(content.card, locale=locale, currency=content.currency),
        names={key: one.words(locale)["name"] for key, one in INDICATORS.items()},
        charts=_charts(content, locale, words, named),
        tasks=task_sentences(content, locale),
        spent=sum(cost for _contacts, cost in content.spent.values()),
        style=Markup(page_style()),
        script=Markup(page_script()),
        echarts=Markup(echarts_script()),
    )


def naming_of(content: Content, locale: str) -> "Naming":
    """Give what says the codes of a report in words.

    Args:
        content: The report.
        locale: "zh-CN" or "en".

    Returns:
        Words by kind and code, names of cells.
    """
    return Naming(words_in(locale), content.offer_names)


def task_sentences(content: Content, locale: str) -> list[str]:
    """Say what to do next, one sentence a task.

    Args:
        content: The report.
        locale: "zh-CN" or "en".

    Returns:
        Sentences, most urgent first; empty when nothing follows.
    """
    words, named = words_in(locale), naming_of(content, locale)
    written: dict[str, Callable[[Any], str]] = {
        "cell": named.cell,
        "before": _money,
        "after": _money,
        "net": _money,
        "channel": lambda code: named.word("channel", code),
    }
    return [
        words[f"task_{task.kind}"].format(**{
            name: written.get(name, str)(value) for name, value in task.parts.items()
        })
        for task in next_tasks(content, locale)
    ]


def _charts(content: Content, locale: str, words: Words, named: "Naming") -> dict[str, Option]:
    found = {
        key: line
        for key in ("revenue", "active_customers", "retained_share")
        if (line := _history(content, key, locale, words))
    }
    if any(one.estimate is not None for one in content.effects):
        found["effects"] = interval_plot(
            [Interval(one.label, one.estimate, one.low, one.high) for one in content.effects],
            x_name=words["turn"],
            y_name=content.currency,
            measured=words["measured"],
        )
    if content.plan:
        cells = content.plan.plan.cells[:8]
        found["plan"] = lying_down(
            stacked_bars(
                {"sent": [one.spend for one in cells]},
                labels=[named.cell(one.cell) for one in cells],
                y_name=content.currency,
                names={"sent": words["planned"]},
            )
        )
    return found


def _history(content: Content, key: str, locale: str, words: Words) -> Option | None:
    values = [reading.whole for reading in content.card.history[key]]
    if sum(value is not None for value in values) < 2:
        return None
    unit = INDICATORS[key].unit
    scale = 100 if unit is Unit.SHARE else 1
    names = {Unit.SHARE: "%", Unit.MONEY: content.currency}
    return line_plot(
        {key: [None if value is None else scale * value for value in values]},
        labels=[f"{one.last:%m-%d}" for one in content.card.periods],
        x_name=words["period_ends"],
        y_name=names.get(unit, ""),
        names={key: INDICATORS[key].words(locale)["name"]},
    )


@dataclass(frozen=True)
class Naming:
    """Says codes in words; a code nobody named stands for itself."""

    words: Words
    offer_names: Mapping[str, str]

    def word(self, kind: str, code: str) -> str:
        """Say one code of a kind."""
        return self.words.get(f"{kind}_{code}", code)

    def cell(self, cell: Cell) -> str:
        """Say segment, channel and offer of a cell."""
        offer = self.offer_names.get(cell.offer_id, cell.offer_id)
        named = self.word("segment", cell.segment), self.word("channel", cell.channel), offer
        return " / ".join(named)


def _watched(currency: str) -> Callable[[str, float], str]:
    """Give what writes a figure of an alert in the unit of its kind."""

    def written(kind: str, value: float) -> str:
        if kind not in {Kind.COST, Kind.EFFECT}:
            return f"{value:.1%}"
        text = f"{value:+.3f}" if kind == Kind.EFFECT else f"{value:.3f}"
        return f"{text} {currency}".replace("-", "−")

    return written


def _money(value: Any) -> str:
    if value is None:
        return "–"
    number = float(value)
    digits = 0 if abs(number) >= 1000 else 2
    return f"{number:,.{digits}f}".replace("-", "−")


def _embedded(value: Any) -> Markup:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - nothing in it can close the element
