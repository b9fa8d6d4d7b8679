"""Redaction: phone numbers and e-mail addresses are masked in whatever is logged or shown."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

from regulars.govern.masking import redacted
from regulars.govern.protection.declared import ID, read_declared
from regulars.govern.protection.tokens import is_token, mask

__all__ = ["covered", "mask_logs", "redacted"]
_MARK = "_regulars_masks"


def covered(column: str | None, value: str | None) -> str | None:
    """Mask a cell by what its column is called, and by its shape.

    Args:
        column: Name of the column in the file; None when it is not known.
        value: The cell.

    Returns:
        The cell as a page or a log may show it.

    Example:
        >>> covered("姓名", "王小明"), covered("total", "12,5"), covered("note", "call 13912345678")
        ('王**', '12,5', 'call 139****5678')
    """
    if not value or is_token(value):
        return value
    kind = read_declared().kind_of(column or "", True)
    return mask(kind, value) if kind and kind != ID else redacted(value)


def mask_logs() -> None:
    """Make all this process logs masked before any handler sees it, last words included.

    Calling it again changes nothing.
    """
    sys.excepthook = _last_words
    make = logging.getLogRecordFactory()
    if not getattr(make, _MARK, False):
        factory = _masking(make)
        setattr(factory, _MARK, True)
        logging.setLogRecordFactory(factory)


def _masking(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def masked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.msg = _safe(record.msg)
        if isinstance(record.args, dict):
            record.args = {name: _safe(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(_safe(value) for value in record.args)
        if record.exc_info and record.exc_info[0] is not None:
            lines = traceback.format_exception(*record.exc_info)
            record.exc_text = redacted("".join(lines).rstrip("\n"))
        return record

    return masked


def _last_words(kind: type[BaseException], error: BaseException, where: Any) -> None:
    """Say why the process ends, as Python does."""
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, where))))


def _safe(value: Any) -> Any:
    """Give the value itself when there is nothing to mask, for `%d`; else its masked text."""
    if value is None or isinstance(value, float | bool):
        return value
    text = str(value)
    safe = redacted(text)
    return value if safe == text else safe
