"""The report as one page that needs nothing else: words, tables, charts, the script to draw."""

import json
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from regulars.charts import echarts_script
from regulars.charts.page import page_script, page_style
from regulars.rehearse.report.contract import Report
from regulars.rehearse.report.figures import FATES, report_figures
from regulars.rehearse.report.standing import (
    LAST,
    all_turns,
    changes,
    covers,
    reasons,
    standings,
)
from regulars.rehearse.report.words import Words, words_in

SIGN = {"zh": "¥", "us": "$"}
"""Currency sign of the twin by its skin; the real grocer counts in dollars."""


def report_page(report: Report, *, locale: str) -> str:
    """Write a report for a reader.

    Args:
        report: A checked report.
        locale: "zh-CN" or "en".

    Returns:
        HTML that loads nothing from anywhere.

    Raises:
        UnknownName: There are no words in this language.
    """  # noqa: DOC502 (raised by words_in)
    words = words_in(locale)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    sign = SIGN.get(str(report["settings"].get("skin")), "")
    environment.filters |= {
        "count": _count,
        "money": lambda value: _money(value, sign),
        "dollars": lambda value: _money(value, "$"),
        "cents": lambda value: _money(value, "$", digits=2),
        "share": _share,
        "decimal": _decimal,
        "json": _embedded,
    }
    environment.globals |= {"w": words, "say": _sayer(words), "reason": _reasons(words)}
    template = environment.from_string(_text("page.html.jinja"))
    return template.render(
        locale=locale,
        r=report,
        charts=report_figures(report, words),
        fates=FATES,
        standings=standings(report),
        ours=next((one for one in standings(report) if one.name == "loop"), None),
        covered=[covers(turn) for turn in report["turns"]],
        pooled=all_turns(report["turns"]),
        reasons=reasons(report["turns"]),
        changes=changes(report.get("adjustments", [])),
        together=[row for row in report.get("predictions", []) if row["campaign_id"] == "*"],
        last=min(LAST, len(report["turns"])),
        style=Markup(page_style()),
        script=Markup(page_script()),
        echarts=Markup(echarts_script()),
    )


def _text(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _sayer(words: Words) -> Any:
    """Give a function that fills a sentence; what is filled in is escaped by the template."""
    return lambda key, **parts: words[key].format(**parts)


def _reasons(words: Words) -> Any:
    return lambda code: words.get(f"reason_{code}", code.replace("_", " "))


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}".replace("-", "−")


def _money(value: float | None, sign: str, *, digits: int | None = None) -> str:
    if value is None:
        return "–"
    if digits is None:
        digits = 0 if abs(value) >= 100 else 2
    return ("−\u2060" if round(value, digits) < 0 else "") + f"{sign}{abs(value):,.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}".replace("-", "−")


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}".replace("-", "−")


def _embedded(value: Any) -> Markup:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))
