"""Redaction: phone numbers and e-mail addresses are masked in whatever is logged or shown."""

import logging
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

from regulars.govern.masking import mask_email, mask_id, mask_phone
from regulars.govern.protection.declared import ID, read_declared
from regulars.govern.protection.tokens import EMAIL, is_token, mask

_PHONE = re.compile(
    r"(?<![\w.])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\w-]|\.\d)"
    r"|(?<![\w.+])\+[1-9]\d{7,14}(?!\w)",
    re.ASCII,
)
_ID_CARD = re.compile(r"(?<![\w.])[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d{4}[\dXx](?!\w)", re.ASCII)
_MARK = "_regulars_masks"


def redacted(text: str) -> str:
    """Mask what has the shape of a direct identifier inside a text.

    Args:
        text: A message, a line of a log, a cell of a refused row.

    Returns:
        The text with mainland mobile numbers, numbers with a country code, e-mail addresses
        and identity card numbers masked. Names and street addresses have no shape and stay.

    Example:
        >>> redacted("no customer ann.lee@example.com, 13912345678 or +16502530000")
        'no customer a***@example.com, 139****5678 or 165****0000'
        >>> redacted("order 20260302123456 of 1767225600000")
        'order 20260302123456 of 1767225600000'
    """
    if "@" in text or "%40" in text:
        text = EMAIL.sub(lambda found: mask_email(found[0].replace("%40", "@")), text)
    text = _ID_CARD.sub(lambda found: mask_id(found[0]), text)
    return _PHONE.sub(lambda found: mask_phone(found[0]), text)


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
