"""Workbooks and JSON as batches of rows: every cell as the text a person would write."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.collect.sources.reading.batches import Batch, BrokenRow
from regulars.collect.sources.rules import Reason
from regulars.errors import InputError

_ROWS = 1 << 14
Found = tuple[dict[str, Any] | None, str]


class Workbook:
    """The first sheet of an Excel workbook; its first row names the columns.

    Args:
        path: An .xlsx file.
    """

    def __init__(self, path: Path) -> None:
        """Read the heading.

        Raises:
            InputError: The file is no workbook, or its first row names no columns.
        """
        self._path = path
        first = next(self._rows(), ())
        self.header = tuple(_text(cell).strip() for cell in first)
        while self.header and not self.header[-1]:
            self.header = self.header[:-1]
        if not any(self.header) or len(set(self.header)) < len(self.header):
            raise InputError(
                f"the first row of {path.name} must be a heading that names each column once; "
                "add one to the first sheet"
            )

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """Read the rows; empty ones are left out, as people leave them between blocks."""
        rows = islice(self._rows(), 1, None)
        width = len(self.header)
        named = (
            (dict(zip(self.header, row[:width], strict=False)), "")
            for row in rows
            if any(cell is not None for cell in row)
        )
        return _batches(named, wanted, self._path)

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        from zipfile import BadZipFile  # noqa: PLC0415

        from openpyxl import load_workbook  # type: ignore[import-untyped]  # noqa: PLC0415
        from openpyxl.utils.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
            InvalidFileException,
        )

        try:
            book = load_workbook(self._path, read_only=True, data_only=True)
        except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
            raise InputError(
                f"{self._path.name} is no readable .xlsx workbook ({error}); save it again"
            ) from error
        try:
            if not book.worksheets:
                raise InputError(f"{self._path.name} has no sheet with rows; save it again")
            yield from book.worksheets[0].iter_rows(values_only=True)
        finally:
            book.close()


class Json:
    """A list of JSON objects, or one object per line; objects inside are read as "outer.inner".

    Args:
        path: A .json, .ndjson or .jsonl file.
    """

    def __init__(self, path: Path) -> None:
        """Read the file once, for its columns.

        Raises:
            InputError: The file is not UTF-8 JSON, or holds no objects.
        """
        self._path = path
        names: dict[str, None] = {}
        try:
            for row, _ in self._rows():
                names.update(dict.fromkeys(row or ()))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path.name} is not readable JSON: {error}; mend the file") from error
        if not names:
            raise InputError(f"{path.name} holds no JSON objects; wanted a list, or one per line")
        self.header = tuple(names)

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """Read the rows; lines that are no object are set apart."""
        return _batches(self._rows(), wanted, self._path)

    def _rows(self) -> Iterator[Found]:
        if self._path.suffix.lower() == ".json":
            text = self._path.read_text(encoding="utf-8-sig")
            for item in _listed(_loaded(text)):
                yield _flat(item), _text(item)
            return
        with self._path.open(encoding="utf-8-sig") as file:
            for line in filter(None, map(str.strip, file)):
                try:
                    yield _flat(_loaded(line)), line
                except (ValueError, RecursionError):
                    yield None, line


def _loaded(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _listed(found: Any) -> list[Any]:
    """Find the rows of a document: itself, or the one list of objects it holds."""
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        lists = [v for v in found.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        return lists[0] if len(lists) == 1 else [found]
    return [found]


def _flat(item: Any, before: str = "") -> dict[str, Any] | None:
    if not isinstance(item, dict):
        return None
    found: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.") or {}
        else:
            found[f"{before}{name}"] = value
    return found


def _batches(rows: Iterator[Found], wanted: Sequence[str], path: Path) -> Iterator[Batch]:
    first = 0
    while group := list(islice(rows, _ROWS)):
        whole = [at for at, (row, _) in enumerate(group) if row is not None and _is_text(row)]
        broken = tuple(
            BrokenRow(first + at + 1, _fault(row), _encodable(raw or _text(row)), ())
            for at, (row, raw) in enumerate(group)
            if row is None or not _is_text(row)
        )
        kept = [group[at][0] or {} for at in whole]
        part = pa.RecordBatch.from_arrays(
            [pa.array([_cell(row.get(name)) for row in kept], pa.string()) for name in wanted],
            names=list(wanted),
        )
        numbers = np.array(whole, np.int64) + first + 1
        first += len(group)
        yield Batch(len(group), numbers, part, broken, _raw_of(kept), 0.5)


def _fault(row: dict[str, Any] | None) -> Reason:
    return Reason.WRONG_TYPE if row is None else Reason.BAD_ENCODING


def _is_text(row: dict[str, Any]) -> bool:
    """JSON may escape half a character, which no encoding can write."""
    return all(_encodable(value) == value for value in row.values() if isinstance(value, str))


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _raw_of(kept: list[dict[str, Any]]) -> Any:
    return lambda at: json.dumps(kept[at], ensure_ascii=False, default=_text)


def _cell(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        is_day = value.time() == time()
        return value.date().isoformat() if is_day else value.isoformat(" ", timespec="seconds")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)
