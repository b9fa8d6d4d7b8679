"""Write `report.json` and `report.html`: the same figures for a program and for a reader."""

import json
import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from regulars.errors import Permanent
from regulars.rehearse.report.contract import check_report
from regulars.rehearse.report.page import report_page

DIGITS = 12
"""Significant digits kept: far more than is known, few enough to be the same everywhere."""


def write_report(folder: Path, report: Mapping[str, Any], *, locale: str) -> None:
    """Write both files of a report.

    Everything but `timing` is a function of the demo's arguments, and so are the bytes: keys
    are sorted, numbers rounded, and the page shows no timing.

    Args:
        folder: Where `report.json` and `report.html` are put.
        report: As `contract.Report` says; further keys are kept in the JSON.
        locale: "zh-CN" or "en": language of the page.

    Raises:
        InputError: The report breaks its contract, or there are no words in this locale.
        Permanent: The folder cannot be written.
    """
    plain = _plain(report)
    page = report_page(check_report(plain), locale=locale)
    text = json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        for name, content in (("report.json", text + "\n"), ("report.html", page)):
            part = folder / f"{name}.part"
            part.write_text(content, encoding="utf-8")
            part.replace(folder / name)
    except OSError as error:
        raise Permanent(
            f"cannot write the report in {folder}: {error}; "
            "check free space and write permission, then run the same command again"
        ) from error


def _plain(value: Any) -> Any:
    """Give values as JSON has them; a number that is none becomes empty."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, float | Decimal):
        number = float(value)
        return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else None
    return value.isoformat() if isinstance(value, date) else value
