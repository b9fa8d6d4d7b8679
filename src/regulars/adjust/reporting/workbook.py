"""The report as a workbook: every table of it on a sheet of its own, numbers as numbers."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

from regulars.adjust.reporting.content import Content, Effect
from regulars.adjust.reporting.page import naming_of, task_sentences, words_in
from regulars.measure.scorecard.telling import told

_FORMATS = {"share": "0.0%", "money": "#,##0.00", "score": "+0.00;-0.00", "customers": "#,##0"}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_WIDEST = 70


def report_workbook(content: Content, *, locale: str) -> bytes:
    """Write a report as a workbook.

    Args:
        content: What it says.
        locale: "zh-CN" or "en".

    Returns:
        The file (.xlsx); the same content gives the same bytes. What is unknown is an empty cell
        with the reason beside it; no cell is a formula.

    Raises:
        UnknownName: There are no words in this language.
    """  # noqa: DOC502 (raised by words_in)
    words, named = words_in(locale), naming_of(content, locale)
    book = Workbook()
    book.remove(book.active)
    plan = content.plan.plan.cells if content.plan else ()
    sheets: tuple[tuple[str, Sequence[str], Iterable[Sequence[Any]]], ...] = (
        ("sheet_scorecard", _SCORECARD, _scorecard(content, locale)),
        ("sheet_effects", _EFFECTS, _effects(content, locale)),
        (
            "sheet_money",
            ("channel", "contacts", "cost"),
            [
                (named.word("channel", channel), contacts, cost)
                for channel, (contacts, cost) in content.spent.items()
            ],
        ),
        (
            "sheet_plan",
            ("cell", "before", "planned"),
            [(named.cell(one.cell), one.before, one.spend) for one in plan],
        ),
        (
            "sheet_learned",
            ("offer", "channel", "believed_before", "believed_now"),
            [
                (
                    content.offer_names.get(one["offer_id"], one["offer_id"]),
                    named.word("channel", one["channel"]),
                    one["before"],
                    one["after"],
                )
                for one in content.learned
            ],
        ),
        ("sheet_next", ("next",), [(one,) for one in task_sentences(content, locale)]),
    )
    for title, heads, rows in sheets:
        _fill(book.create_sheet(words[title]), [words[head] for head in heads], rows)
    return _same_bytes(book)


_SCORECARD = (
    "indicator", "now", "interval_low", "interval_high", "before", "change", "numerator",
    "denominator", "remark", "says",
)  # fmt: skip
_EFFECTS = (
    "turn", "margin", "interval_low", "interval_high", "treated", "held_out", "cost", "remark",
)  # fmt: skip


def _scorecard(content: Content, locale: str) -> Iterable[Sequence[Any]]:
    words = words_in(locale)
    for one in told(content.card, locale=locale, currency=content.currency)["indicators"]:
        kind = _FORMATS[one["unit"]]
        remark = one["todo"]
        if one["data_ends"]:
            remark = words["data_ends"].format(day=one["data_ends"])
        yield (
            one["name"],
            *((value, kind) for value in (one["value"], one["low"], one["high"])),
            (one["before"]["value"], kind),
            (one["growth"], "+0.0%;-0.0%"),
            one["numerator"],
            one["denominator"],
            remark,
            one["definition"]["says"],
        )


def _effects(content: Content, locale: str) -> Iterable[Sequence[Any]]:
    words = words_in(locale)

    def row(one: Effect, label: str) -> Sequence[Any]:
        why = "" if one.estimate is not None else words["not_read"]
        why = words.get(f"not_read_{one.status}", why) if why else ""
        return (
            label, one.estimate, one.low, one.high, one.treated, one.control, one.cost, why,
        )  # fmt: skip

    yield from (row(one, one.label) for one in content.effects)
    if content.programme:
        yield row(content.programme, f"{words['programme']} {content.programme.label}")


def _fill(sheet: Any, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    widths = [len(head) for head in heads]
    for across, head in enumerate(heads, start=1):
        _write(sheet, 1, across, head)
        sheet.cell(1, across).font = Font(bold=True)
    for down, row in enumerate(rows, start=2):
        for across, given in enumerate(row, start=1):
            value, kind = given if isinstance(given, tuple) else (given, "")
            _write(sheet, down, across, value)
            if kind:
                sheet.cell(down, across).number_format = kind
            shown = str(value or "")
            wide = sum(2 if ord(one) > 0x2E7F else 1 for one in shown)
            widths[across - 1] = max(widths[across - 1], min(wide, _WIDEST))
    for across, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(across)].width = width + 3
    sheet.freeze_panes = "B2"


def _write(sheet: Any, down: int, across: int, value: Any) -> None:
    """Put a value in a cell; text stays text, whatever it begins with."""
    cell = sheet.cell(down, across)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=len(value) > _WIDEST, vertical="top")


def _same_bytes(book: Workbook) -> bytes:
    """Write a workbook without the moment it was written at."""
    moment = _EPOCH.replace(tzinfo=None)
    book.properties.creator = "Regulars"
    first, second = io.BytesIO(), io.BytesIO()
    book.save(first)
    with zipfile.ZipFile(first) as written, zipfile.ZipFile(second, "w") as kept:
        for name in written.namelist():
            text = written.read(name)
            if name == "docProps/core.xml":
                book.properties.created = book.properties.modified = moment
                text = _properties(book)
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            kept.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return second.getvalue()


def _properties(book: Workbook) -> bytes:
    from openpyxl.xml.functions import (  # type: ignore[import-untyped]  # noqa: PLC0415
        tostring,
    )

    text: bytes = tostring(book.properties.to_tree())
    return text
