"""Lists handed in as CSV or JSON: row by row, and the rows that cannot be used, with reason."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from regulars.errors import InputError, RegularsError

MOST_BYTES = 256 << 20
MOST_FIELD = 10_000
Made = TypeVar("Made")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Refused:
    """One row that cannot be used.

    Attributes:
        row: Its number in the file, the first row after the head being 1.
        reason: What was wrong and what is wanted.
    """

    row: int
    reason: str


@dataclass(frozen=True)
class Sorted(Generic[Made]):
    """A list, each row either made into what it says or refused.

    Attributes:
        made: What the good rows say, in order.
        refused: The other rows.
    """

    made: list[Made]
    refused: list[Refused]


def read_rows(data: bytes) -> list[dict[str, Any]]:
    r"""Read a list as rows.

    Args:
        data: CSV with a head, a JSON array of objects, or one JSON object a line; UTF-8, with
            or without a byte order mark, or GB 18030.

    Returns:
        One mapping per row; empty for an empty list. A row that is no object stands as {}.

    Raises:
        InputError: It is none of these.

    Example:
        >>> read_rows(b"customer_id,status\nann,granted\n")
        [{'customer_id': 'ann', 'status': 'granted'}]
        >>> read_rows(b'[{"customer_id": "ann"}]')
        [{'customer_id': 'ann'}]
    """
    if len(data) > MOST_BYTES:
        raise InputError(f"the list has {len(data)} bytes, may have {MOST_BYTES}; split it")
    text = _decoded(data).lstrip("\ufeff")
    head = text.lstrip()[:1]
    if head in {"[", "{"}:
        return _json_rows(text)
    return _csv_rows(text)


def sort_rows(
    rows: Iterable[dict[str, Any]], make: Callable[[dict[str, Any]], Made]
) -> Sorted[Made]:
    """Make something of every row, and set aside the rows nothing can be made of.

    Args:
        rows: The rows.
        make: Makes one row into what it says, or raises InputError.

    Returns:
        What was made, and the refused rows with their reasons.

    Example:
        >>> found = sort_rows([{"n": "1"}, {"n": "x"}], lambda row: int(row["n"]))
        >>> found.made, [(one.row, one.reason[:15]) for one in found.refused]
        ([1], [(2, 'invalid literal')])
    """
    made: list[Made] = []
    refused: list[Refused] = []
    for number, row in enumerate(rows, 1):
        try:
            made.append(make(row))
        except (RegularsError, ValueError, OverflowError) as error:
            refused.append(Refused(number, str(error)))
    return Sorted(made, refused)


def field(row: dict[str, Any], name: str, default: str | None = None) -> str:
    """Take one field of a row as text.

    Args:
        row: The row.
        name: The field.
        default: What an absent or empty field means; None when it must be there.

    Returns:
        The text, without spaces round it.

    Raises:
        InputError: The field is missing, is no text, is too long or holds control characters.

    Example:
        >>> field({"channel": " sms "}, "channel"), field({}, "channel", "*")
        ('sms', '*')
    """
    value = row.get(name)
    if value is None or value == "":
        if default is None:
            raise InputError(f"{name} is empty, must be given")
        return default
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise InputError(f"{name} is a {type(value).__name__}, must be text")
    text = str(value).strip()
    if len(text) > MOST_FIELD or _CONTROLS.search(text):
        raise InputError(f"{name} is too long or holds control characters; give plain text")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InputError(f"{name} holds half a character; give valid UTF-8")
    return text if text or default is None else default


def moment(text: str, *, zone: str, name: str = "recorded_at") -> datetime:
    """Read a moment.

    Args:
        text: ISO 8601, with or without zone; a day alone is its first moment.
        zone: IANA zone meant when it names none.
        name: What to call it in an error.

    Returns:
        The moment, aware.

    Raises:
        InputError: It is no moment.

    Example:
        >>> moment("2026-03-01 10:00", zone="Asia/Shanghai").isoformat()
        '2026-03-01T10:00:00+08:00'
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{name} is {text!r}, must be a moment such as 2026-03-01T10:00:00+08:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("the list is neither UTF-8 nor GB 18030; save it as UTF-8")


def _json_rows(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = _json_lines(text)
    if isinstance(found, dict):
        found = [found]
    return [row if isinstance(row, dict) else {} for row in found]


def _json_lines(text: str) -> list[Any]:
    found: list[Any] = []
    for line in filter(str.strip, text.split("\n")):
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            found.append({})
    if not any(found):
        raise InputError("the list is no JSON; give an array of objects, or one object a line")
    return found


def _csv_rows(text: str) -> list[dict[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=False)
        named = [(name or "").strip() for name in reader.fieldnames or ()]
        reader.fieldnames = named
        return [{k: v for k, v in row.items() if k is not None} for row in reader]
    except csv.Error as error:
        raise InputError(f"the list is no CSV: {error}; save it as CSV with commas") from error
