"""Robust CSV: blocks of bytes become columns; every row that does not fit is set apart, alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from regulars.collect.sources.mapping import FileRule
from regulars.collect.sources.rules import Reason

LINES_PER_ROW = 1000
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
_Fault = tuple[Reason, str, tuple[str, ...]]
Broken = tuple[int, Reason, str, tuple[str, ...]]


def split_fields(text: str, delimiter: str) -> tuple[list[str], bool]:
    """Split one row, forgiving stray quotation marks inside a field.

    Args:
        text: The row, without its line end.
        delimiter: What stands between fields.

    Returns:
        The fields, and True when a quotation mark is still open at the end, or closes in the
        middle of a field.

    Example:
        >>> split_fields('7,"TV, 32 in",5" nail', ",")
        (['7', 'TV, 32 in', '5" nail'], False)
        >>> split_fields('7,"TV', ",")[1]
        True
    """
    fields: list[str] = []
    at, is_bad = 0, False
    while True:
        if text[at : at + 1] == '"':
            field, at, closed = _quoted(text, at + 1)
            end = text.find(delimiter, at)
            end = len(text) if end < 0 else end
            is_bad |= not closed or end > at
            fields.append(field + text[at:end])
        else:
            end = text.find(delimiter, at)
            end = len(text) if end < 0 else end
            fields.append(text[at:end])
        if end >= len(text):
            return fields, is_bad
        at = end + 1


def _quoted(text: str, at: int) -> tuple[str, int, bool]:
    parts: list[str] = []
    while True:
        end = text.find('"', at)
        if end < 0:
            return "".join([*parts, text[at:]]), len(text), False
        parts.append(text[at:end])
        if text[end + 1 : end + 2] != '"':
            return "".join(parts), end + 1, True
        parts.append('"')
        at = end + 2


@dataclass(frozen=True)
class Split:
    """A block, split.

    Attributes:
        records: Rows found, broken ones included.
        rows: Number of each whole row within the block, from 1. Shape (rows,).
        columns: The whole rows.
        broken: Number, reason, text and fields of the others.
        raw: Gives a whole row as read, by position.
        rest: Bytes left for the next block.
    """

    records: int
    rows: NDArray[np.int64]
    columns: pa.RecordBatch
    broken: list[Broken]
    raw: Callable[[int], str]
    rest: bytes


@dataclass
class _Lines:
    """Lines of a block: where they are, what they look like, what becomes of them."""

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    is_whole: NDArray[np.bool_]
    is_blank: NDArray[np.bool_]
    is_odd: NDArray[np.bool_]
    undecodable: frozenset[int]

    def text(self, first: int, last: int | None = None) -> str:
        """Give a line, or several as one text, without the line end."""
        end = self.ends[first if last is None else last]
        line = self.data[self.starts[first] : end].decode("utf-8", "replace")
        return line.removesuffix("\r")


def _rows_of(
    lines: _Lines, joined: list[tuple[int, int]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Tell which lines belong to whole rows, which start a record, and where rows begin and end."""
    keep, is_first = lines.is_whole.copy(), ~lines.is_blank
    for first, last in joined:
        keep[first : last + 1] = True
        is_first[first + 1 : last + 1] = False
    firsts = np.flatnonzero(keep & is_first)
    lasts = firsts.copy()
    if joined:
        begins = np.array([first for first, _ in joined])
        lasts[np.searchsorted(firsts, begins)] = [last for _, last in joined]
    return keep, is_first, firsts, lasts


class CsvSplitter:
    """Splits the blocks of one CSV file.

    A row that spans lines inside quotation marks is joined; a quotation mark that is never
    closed breaks its own row only.

    Args:
        header: Columns of the file.
        wanted: Columns to give.
        rule: Delimiter and encoding.
    """

    def __init__(self, header: tuple[str, ...], wanted: tuple[str, ...], rule: FileRule) -> None:
        """Prepare the fast parser."""
        self._header, self._wanted, self._rule = header, wanted, rule
        self._schema = pa.schema([(name, pa.string()) for name in wanted])
        self._convert = csv.ConvertOptions(
            column_types=self._schema, include_columns=list(wanted), strings_can_be_null=False
        )

    def split(self, data: bytes, *, is_last: bool) -> Split:
        """Split a block.

        Args:
            data: What the last block left, and the next bytes of the file.
            is_last: True when the file ends here.

        Returns:
            Its rows; a row not complete yet is left in `rest`.
        """
        cut = data.rfind(b"\n") + 1
        is_cut_off = is_last and cut < len(data)
        data, rest = (data + b"\n", b"") if is_cut_off else (data[:cut], data[cut:])
        lines = self._lines(data)
        broken, joined, left = self._examine(lines, is_last=is_last, is_cut_off=is_cut_off)
        if left < len(lines.starts):
            return self._shortened(data, left, rest)
        keep, is_first, firsts, lasts = _rows_of(lines, joined)
        number = np.cumsum(is_first)
        columns = self._columns(lines, keep, firsts, lasts)
        found = [(int(number[line]), *what) for line, what in broken]

        def raw(position: int) -> str:
            return lines.text(int(firsts[position]), int(lasts[position]))

        return Split(
            int(is_first.sum()), number[firsts].astype(np.int64), columns, found, raw, rest
        )

    def _shortened(self, data: bytes, lines: int, rest: bytes) -> Split:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
        at = int(ends[lines - 1]) + 1 if lines else 0
        before = self.split(data[:at], is_last=False) if at else self._nothing()
        return replace(before, rest=before.rest + data[at:] + rest)

    def _nothing(self) -> Split:
        empty = pa.RecordBatch.from_arrays(
            [pa.array([], pa.string()) for _ in self._wanted], schema=self._schema
        )
        return Split(0, np.zeros(0, np.int64), empty, [], str, b"")

    def _lines(self, data: bytes) -> _Lines:
        data, undecodable = self._decoded(data)
        buffer = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(buffer == _NEWLINE)
        starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
        is_blank = (ends == starts) | ((ends == starts + 1) & (buffer[starts] == _RETURN))
        is_delimiter = buffer == ord(self._rule.delimiter)
        is_odd = np.zeros(len(ends), bool)
        if b'"' in data:
            parity = (np.cumsum(buffer == _QUOTE, dtype=np.int32) & 1).astype(bool)
            before = np.concatenate([[False], parity[ends[:-1]]]) if len(ends) else is_odd
            is_odd = parity[ends] ^ before
            is_delimiter &= ~(parity ^ np.repeat(before, ends - starts + 1))
        count = np.cumsum(is_delimiter, dtype=np.int32)[ends]
        count = np.diff(count, prepend=0)
        is_whole = (count == len(self._header) - 1) & ~is_odd & ~is_blank
        is_whole[list(undecodable)] = False
        return _Lines(data, starts, ends, is_whole, is_blank, is_odd, undecodable)

    def _decoded(self, data: bytes) -> tuple[bytes, frozenset[int]]:
        encoding = self._rule.encoding
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            bad, lines = set(), data.split(b"\n")
            for number, line in enumerate(lines):
                try:
                    lines[number] = line.decode(encoding).encode()
                except UnicodeDecodeError:
                    bad.add(number)
            return b"\n".join(lines), frozenset(bad)
        return (data if encoding in {"utf-8", "utf8"} else text.encode()), frozenset()

    def _examine(
        self, lines: _Lines, *, is_last: bool, is_cut_off: bool
    ) -> tuple[list[tuple[int, _Fault]], list[tuple[int, int]], int]:
        """Look at the lines that are no whole row: broken ones, joined ones, first one left."""
        broken: list[tuple[int, _Fault]] = []
        joined: list[tuple[int, int]] = []
        odd = np.flatnonzero(lines.is_odd)
        total, done = len(lines.starts), -1
        for line in np.flatnonzero(~lines.is_whole & ~lines.is_blank).tolist():
            if line <= done:
                continue
            text = lines.text(line)
            fields, is_open = split_fields(text, self._rule.delimiter)
            if line not in lines.undecodable and not is_open and len(fields) == len(self._header):
                joined.append((line, line))
                continue
            reason = Reason.WRONG_FIELD_COUNT
            if line in lines.undecodable:
                reason = Reason.BAD_ENCODING
            elif is_cut_off and line == total - 1:
                reason = Reason.TRUNCATED_ROW
            elif is_open:
                after = odd[np.searchsorted(odd, line, "right") :][:1].tolist()
                is_odd = bool(lines.is_odd[line])
                if is_odd and not after and not is_last and total - line < LINES_PER_ROW:
                    return broken, joined, line
                if is_odd and after and self._joins(lines, line, after[0]):
                    joined.append((line, after[0]))
                    done = after[0]
                    continue
                reason = Reason.OPEN_QUOTE
            broken.append((line, (reason, text, tuple(fields))))
        return broken, joined, total

    def _joins(self, lines: _Lines, first: int, last: int) -> bool:
        if last - first > LINES_PER_ROW or lines.undecodable & set(range(first, last + 1)):
            return False
        fields, is_bad = split_fields(lines.text(first, last), self._rule.delimiter)
        return not is_bad and len(fields) == len(self._header)

    def _columns(
        self,
        lines: _Lines,
        keep: NDArray[np.bool_],
        firsts: NDArray[np.int64],
        lasts: NDArray[np.int64],
    ) -> pa.RecordBatch:
        if not len(firsts):
            return self._nothing().columns
        data = lines.data
        if not keep.all():
            buffer = np.frombuffer(data, np.uint8)
            data = buffer[np.repeat(keep, lines.ends - lines.starts + 1)].tobytes()
        parse = csv.ParseOptions(delimiter=self._rule.delimiter, newlines_in_values=b'"' in data)
        read = csv.ReadOptions(
            column_names=list(self._header), use_threads=False, block_size=len(data) + 1
        )
        try:
            parsed = csv.read_csv(pa.BufferReader(data), read, parse, self._convert)
        except pa.ArrowInvalid:
            parsed = None
        if parsed is not None and parsed.num_rows == len(firsts):
            return pa.RecordBatch.from_arrays(
                [column.combine_chunks() for column in parsed.columns], schema=self._schema
            )
        rows = [
            split_fields(lines.text(first, last), self._rule.delimiter)[0]
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        ]
        at = [self._header.index(name) for name in self._wanted]
        arrays = [pa.array([row[i] if i < len(row) else "" for row in rows]) for i in at]
        return pa.RecordBatch.from_arrays(
            [array.cast(pa.string()) for array in arrays], schema=self._schema
        )
