"""Cells: what a file says becomes a declared value, each distinct value looked at once."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.collect.sources.binding import BoundColumn
from regulars.collect.sources.mapping import ColumnRule
from regulars.collect.sources.rules import REASONS, Limit, Reason
from regulars.errors import InputError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}(\.0*)?", re.ASCII)
_NOT_A_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.I)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)
_TRUTH = {
    **dict.fromkeys(("true", "t", "1", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n"), False),
}
_SHAPES = tuple(pa.timestamp(unit, zone) for unit in ("us", "ns") for zone in (None, "UTC"))
_SCALE = {"money": Decimal("0.01"), "quantity": Decimal("0.001")}
_CODE: dict[Reason, int] = {reason: number + 1 for number, reason in enumerate(REASONS)}
KnownIds = Callable[[str, list[str]], list[bool]]


class Refused(Exception):  # noqa: N818
    """A cell that holds no value of its column."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Cells:
    """One fact column of some rows, as distinct values and where they stand.

    Attributes:
        distinct: Declared values, each once; empty where a cell is empty or refused.
        places: Which distinct value each row holds. Shape (rows,).
        codes: 0 for a good value, else 1 + the position in REASONS. Shape (distinct,).
    """

    distinct: pa.Array
    places: pa.Array
    codes: NDArray[np.int8]

    def values(self) -> pa.Array:
        """Give the value of every row."""
        return self.distinct.take(self.places)

    def row_codes(self) -> NDArray[np.int8] | None:
        """Give the code of every row, or None when all are good."""
        if not self.codes.any():
            return None
        found: NDArray[np.int8] = self.codes[self.places.to_numpy(zero_copy_only=False)]
        return found


def reason_of(code: int) -> Reason:
    """Name the reason behind a code."""
    return REASONS[code - 1]


def convert(
    part: pa.RecordBatch, bound: BoundColumn, kind: pa.DataType, zone: str, known: KnownIds
) -> Cells:
    """Make one fact column of rows of a file.

    Args:
        part: Rows of the file.
        bound: How the column is read and what is checked.
        kind: Arrow type of the column.
        zone: IANA zone of the workspace: of moments without a zone, and of days.
        known: Tells for a table which of some ids it holds.

    Returns:
        The cells, with a code for each that is refused.

    Raises:
        InputError: The file column holds lists or the like, which no fact column takes.
    """
    rule = bound.rule
    if not rule.columns:
        values = pa.array([rule.constant], pa.string())
        places = pa.array(np.zeros(part.num_rows, np.int32))
    elif len(rule.columns) > 1:
        return _sum(part, bound, kind, zone)
    else:
        values, places = _distinct(part.column(rule.columns[0]), bound)
    try:
        typed, codes = _typed(values, bound, kind, zone)
    except pa.ArrowNotImplementedError as error:
        raise InputError(
            f"column {bound.source} holds {values.type}, which cannot become {bound.column.type} "
            f"for {bound.column.name}; export it as plain text, numbers or dates"
        ) from error
    return Cells(typed, places, _checked(typed, codes, bound, known))


def _distinct(column: pa.Array, bound: BoundColumn) -> tuple[pa.Array, pa.Array]:
    if pa.types.is_nested(column.type):
        raise InputError(
            f"column {bound.source} holds {column.type}, and {bound.column.name} takes single "
            "values; export it as plain text, numbers or dates"
        )
    if pa.types.is_dictionary(column.type) and (
        column.null_count or len(column.dictionary) > len(column)
    ):
        column = column.cast(column.type.value_type)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode(null_encoding="encode")
    return column.dictionary, column.indices


def _sum(part: pa.RecordBatch, bound: BoundColumn, kind: pa.DataType, zone: str) -> Cells:
    total, is_empty, codes = None, None, np.zeros(part.num_rows, np.int8)
    for name in bound.rule.columns:
        values, places = _distinct(part.column(name), bound)
        typed, found = _typed(values, bound, kind, zone)
        column = typed.take(places)
        row_codes = found[places.to_numpy(zero_copy_only=False)]
        codes = np.where(codes > 0, codes, row_codes)
        is_empty = column.is_null() if is_empty is None else pc.and_(is_empty, column.is_null())
        column = column.fill_null(pa.scalar(0, kind))
        total = column if total is None else pc.add(total, column).cast(kind)
    total = pc.if_else(is_empty, pa.scalar(None, kind), total)
    places = pa.array(np.arange(part.num_rows, dtype=np.int32))
    return Cells(total, places, _checked(total, codes, bound, lambda _, ids: [True] * len(ids)))


def _typed(
    values: pa.Array, bound: BoundColumn, kind: pa.DataType, zone: str
) -> tuple[pa.Array, NDArray[np.int8]]:
    """Turn distinct values into declared ones; the code is 0 where that worked."""
    rule = bound.rule
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(values.type) and pa.types.is_temporal(kind):
        return _moments(values, rule, kind, zone), np.zeros(len(values), np.int8)
    values, codes = _texts(values, kind)
    if rule.values is not None:
        values, codes = _replaced(values, codes, rule.values)
    if pa.types.is_string(kind):
        return values.cast(kind), codes
    is_text = pa.types.is_string(values.type)
    if pa.types.is_temporal(kind) and rule.week_one is None:
        return _parsed_moments(values, codes, rule, kind, zone)
    if pa.types.is_decimal(kind) and is_text:
        fast = _cast(values, kind)
        if fast is not None:
            return (pc.negate(fast).cast(kind) if rule.negate else fast), codes
    found: list[Any] = []
    for number, value in enumerate(values.to_pylist()):
        try:
            found.append(None if value is None else _one(value, bound))
        except Refused as refused:
            found.append(None)
            codes[number] = codes[number] or _CODE[refused.reason]
    return pa.array(found, kind), codes


def _texts(values: pa.Array, kind: pa.DataType) -> tuple[pa.Array, NDArray[np.int8]]:
    """Give text trimmed, with empty text as no value; numbers as numbers where that is wanted."""
    codes = np.zeros(len(values), np.int8)
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if not is_text and not pa.types.is_binary(values.type):
        if pa.types.is_string(kind) and pa.types.is_floating(values.type):
            return pa.array([_float_text(v) for v in values.to_pylist()], pa.string()), codes
        is_number = pa.types.is_integer(values.type) or pa.types.is_boolean(values.type)
        return (values.cast(pa.string()) if pa.types.is_string(kind) and is_number else values), (
            codes
        )
    data = values.cast(pa.binary())
    try:
        texts = data.cast(pa.string())
    except pa.ArrowInvalid:
        decoded = [_decoded(value) for value in data.to_pylist()]
        codes = np.array([_CODE[Reason.BAD_ENCODING] if bad else 0 for _, bad in decoded], np.int8)
        texts = pa.array([text for text, _ in decoded], pa.string())
    # U+0000 is valid UTF-8 and no text: a database server would refuse it later.
    has_nul = pc.match_substring(texts, "\0").fill_null(False).to_numpy(zero_copy_only=False)
    codes[(codes == 0) & has_nul] = _CODE[Reason.BAD_ENCODING]
    texts = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts), codes


def _decoded(value: bytes | None) -> tuple[str | None, bool]:
    try:
        return None if value is None else value.decode(), False
    except UnicodeDecodeError:
        return None, True


def _float_text(value: float | None) -> str | None:
    if value is None or math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() else repr(value)


def _replaced(
    values: pa.Array, codes: NDArray[np.int8], words: Mapping[str, str]
) -> tuple[pa.Array, NDArray[np.int8]]:
    found = []
    for number, value in enumerate(values.to_pylist()):
        text = str(value).lower() if isinstance(value, bool) else value and str(value)
        if text is not None and text not in words:
            codes[number] = codes[number] or _CODE[Reason.UNKNOWN_VALUE]
        found.append(None if text is None else words.get(text) or None)
    return pa.array(found, pa.string()), codes


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return values.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _moments(values: pa.Array, rule: ColumnRule, kind: pa.DataType, zone: str) -> pa.Array:
    """Turn timestamps into aware UTC ones, or into days of the workspace's zone."""
    is_aware = values.type.tz is not None
    values = pc.cast(values, pa.timestamp("us", values.type.tz), safe=False)
    if pa.types.is_date(kind) and not is_aware and not rule.zone:
        return values.cast(pa.date32(), safe=False)
    if not is_aware:
        values = pc.assume_timezone(
            values, rule.zone or zone, ambiguous="earliest", nonexistent="earliest"
        )
    if pa.types.is_date(kind):
        return pc.local_timestamp(values.cast(pa.timestamp("us", zone))).cast(
            pa.date32(), safe=False
        )
    return values.cast(pa.timestamp("us", "UTC"))


def _one(value: Any, bound: BoundColumn) -> Any:
    """Turn one value of a file into a declared one."""
    rule, kind = bound.rule, bound.column.type
    if kind in {"money", "quantity"}:
        number = _number(value)
        try:
            number = number.quantize(_SCALE[kind], ROUND_HALF_EVEN)
        except ArithmeticError as error:
            raise Refused(Reason.OUT_OF_RANGE) from error
        if len(number.as_tuple().digits) > 18:
            raise Refused(Reason.OUT_OF_RANGE)
        return -number if rule.negate else number
    if kind == "float64":
        return float(-_number(value) if rule.negate else _number(value))
    if kind == "int64":
        return -_whole(value) if rule.negate else _whole(value)
    if kind == "bool":
        return value if isinstance(value, bool) else _truth(str(value))
    return _day_of_week(rule.week_one or date.min, _whole(value))


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise Refused(Reason.WRONG_TYPE)
    return _TRUTH[text.lower()]


def _number(value: Any) -> Decimal:
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, Decimal):
        return value
    if _NOT_A_NUMBER.fullmatch(text):
        raise Refused(Reason.NOT_A_NUMBER)
    if not _NUMBER.fullmatch(text):
        raise Refused(Reason.WRONG_TYPE)
    return Decimal(text)


def _whole(value: Any) -> int:
    text = value if isinstance(value, str) else repr(value)
    if _NOT_A_NUMBER.fullmatch(text):
        raise Refused(Reason.NOT_A_NUMBER)
    if isinstance(value, bool) or not _WHOLE.fullmatch(text):
        raise Refused(Reason.WRONG_TYPE)
    return int(text.partition(".")[0])


def _day_of_week(week_one: date, week: int) -> date:
    try:
        return week_one + timedelta(weeks=week - 1)
    except OverflowError as error:
        raise Refused(Reason.OUT_OF_RANGE) from error


def _parsed_moments(
    values: pa.Array, codes: NDArray[np.int8], rule: ColumnRule, kind: pa.DataType, zone: str
) -> tuple[pa.Array, NDArray[np.int8]]:
    """Turn text into moments or days, all at once when the text is ISO 8601 throughout."""
    for shape in () if rule.format else _SHAPES:
        fast = _cast(values, shape)
        if fast is not None:
            return _moments(fast, rule, kind, zone), codes
    naive: list[datetime | None] = [None] * len(values)
    aware = list(naive)
    for number, text in enumerate(values.to_pylist()):
        moment = None if text is None else _parsed(str(text), rule.format)
        if moment is None:
            codes[number] = codes[number] or (_CODE[Reason.WRONG_TYPE] if text is not None else 0)
        elif moment.tzinfo is None:
            naive[number] = moment
        else:
            aware[number] = moment
    local = _moments(pa.array(naive, pa.timestamp("us")), rule, kind, zone)
    fixed = _moments(pa.array(aware, pa.timestamp("us", "UTC")), rule, kind, zone)
    return pc.coalesce(local, fixed), codes


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        if not pattern and not _MOMENT.fullmatch(text):
            return None
        found = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found
    except (ValueError, OverflowError):
        return None


def _checked(
    typed: pa.Array, codes: NDArray[np.int8], bound: BoundColumn, known: KnownIds
) -> NDArray[np.int8]:
    """Add the codes of values that are typed well and yet must not land."""
    good = codes == 0
    if bound.column.required and typed.null_count:
        empty = typed.is_null().to_numpy(zero_copy_only=False)
        codes[good & empty] = _CODE[Reason.EMPTY_REQUIRED]
    if bound.limit:
        is_out = _outside(typed, bound.limit).fill_null(False).to_numpy(zero_copy_only=False)
        codes[good & is_out] = _CODE[Reason.OUT_OF_RANGE]
    if bound.words is not None or bound.points_at:
        texts = typed.to_pylist()
        if bound.words is not None:
            fits = [text is None or text in bound.words for text in texts]
            codes[good & ~np.array(fits, bool)] = _CODE[Reason.UNKNOWN_VALUE]
        if bound.points_at:
            fits = known(bound.points_at, texts)
            codes[good & ~np.array(fits, bool)] = _CODE[Reason.UNKNOWN_ID]
    return codes


def _outside(numbers: pa.Array, limit: Limit) -> pa.Array:
    if pa.types.is_decimal(numbers.type):
        numbers = numbers.cast(pa.decimal128(38, 6))

    def end(value: Decimal) -> pa.Scalar:
        is_decimal = pa.types.is_decimal(numbers.type)
        return pa.scalar(value if is_decimal else float(value)).cast(numbers.type)

    below = (pc.less_equal if limit.is_open else pc.less)(numbers, end(limit.least))
    return below if limit.most is None else pc.or_(below, pc.greater(numbers, end(limit.most)))
