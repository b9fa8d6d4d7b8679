"""Source files as batches of rows, broken rows set apart; and which files a caller means."""

import glob
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.collect.sources.mapping import FileRule
from regulars.collect.sources.reading.batches import Batch, BrokenRow, Source
from regulars.collect.sources.reading.csv_rows import CsvSplitter, split_fields
from regulars.collect.sources.reading.records import Json, Workbook
from regulars.errors import InputError

BLOCK_BYTES = 4 << 20
BATCH_ROWS = 1 << 17
_PARQUET = {".parquet", ".pq"}
_JSON = {".json", ".ndjson", ".jsonl"}
KNOWN = frozenset({*_PARQUET, *_JSON, ".csv", ".tsv", ".txt", ".xlsx"})


def open_source(path: Path, rule: FileRule) -> Source:
    """Open a file by its ending: Parquet, a workbook, JSON, or else CSV.

    Returns:
        The file, its columns known.

    Raises:
        InputError: The file is empty, unreadable, or not what its ending says.
    """
    try:
        ending = path.suffix.lower()
        if ending in _PARQUET:
            return _Parquet(path)
        if ending == ".xlsx":
            return Workbook(path)
        if ending in _JSON:
            return Json(path)
        return _Csv(path, rule)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{path} is not readable Parquet ({error}); export the file again"
        ) from error


def find_files(given: Iterable[Path | str]) -> list[Path]:
    """Turn files, folders and globs into files.

    Args:
        given: Paths; a folder means every file of a known kind in it.

    Returns:
        The files, each once, in the order given and by name within a folder or glob.

    Raises:
        InputError: A path names nothing, or nothing was given.
    """
    found: list[Path] = []
    for item in given:
        path = Path(item)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in KNOWN and p.is_file())
            if not inside:
                raise InputError(
                    f"{path} holds no CSV, XLSX, JSON or Parquet file; name another folder"
                )
            found += inside
        elif path.exists():
            found.append(path)
        elif matches := sorted(glob.glob(str(item))):
            found += [Path(match) for match in matches]
        else:
            raise InputError(f"there is no file {item}; check the path and the working folder")
    if not found:
        raise InputError("no file was given; name files, a folder or a pattern")
    return list(dict.fromkeys(found))


def fingerprint_of(path: Path, *parts: object) -> str:
    """Give the id of an import: a hash of the file's bytes and of what shapes it.

    Args:
        path: The file.
        parts: What else makes the import another one: its rule, the zone.

    Returns:
        32 hexadecimal digits.

    Raises:
        InputError: The file cannot be read.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its mode") from error
    return digest.hexdigest()


def stamp_of(path: Path) -> tuple[int, ...]:
    """Tell one state of a file from another without reading it.

    Args:
        path: The file.

    Returns:
        Which file it is, its bytes, and when it was written last.

    Raises:
        InputError: The file cannot be looked at.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its mode") from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._path = path
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
        self.header = tuple(schema.names)
        self._texts = [f.name for f in schema if pa.types.is_string(f.type)]

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        with pq.ParquetFile(self._path, read_dictionary=self._texts) as file:
            total, first = max(file.metadata.num_rows, 1), 0
            for part in file.iter_batches(BATCH_ROWS, columns=list(wanted), use_threads=False):
                rows = np.arange(first + 1, first + part.num_rows + 1)
                first += part.num_rows
                yield Batch(part.num_rows, rows, part, (), _json_of(part), first / total)


def _json_of(part: pa.RecordBatch) -> Callable[[int], str]:
    def raw(position: int) -> str:
        [row] = part.slice(position, 1).to_pylist()
        return json.dumps(row, ensure_ascii=False, default=str)

    return raw


class _Csv:
    def __init__(self, path: Path, rule: FileRule) -> None:
        self._path, self._rule = path, rule
        try:
            with path.open("rb") as file:
                first = file.readline()
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); check its mode") from error
        self._skip = len(first)
        try:
            text = first.removeprefix(b"\xef\xbb\xbf").decode(rule.encoding)
        except UnicodeDecodeError as error:
            raise InputError(
                f"the heading of {path.name} is not {rule.encoding} text; save the file as UTF-8, "
                'or add encoding = "gb18030" to its [[file]] section'
            ) from error
        names, _ = split_fields(text.rstrip("\r\n"), rule.delimiter)
        self.header = tuple(name.strip() for name in names)
        if not any(self.header) or len(set(self.header)) < len(self.header):
            raise InputError(
                f"the first row of {path.name} is {text.strip()!r}, must be a heading that names "
                "each column once; add one"
            )

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        splitter = CsvSplitter(self.header, tuple(wanted), self._rule)
        size, read, row, rest = max(self._path.stat().st_size, 1), self._skip, 0, b""
        with self._path.open("rb") as file:
            file.seek(self._skip)
            while True:
                block = file.read(BLOCK_BYTES)
                read += len(block)
                split = splitter.split(rest + block, is_last=not block)
                rest = split.rest
                if split.records:
                    broken = tuple(BrokenRow(row + b[0], *b[1:]) for b in split.broken)
                    yield Batch(
                        split.records,
                        split.rows + row,
                        split.columns,
                        broken,
                        split.raw,
                        min(read / size, 1.0),
                    )
                    row += split.records
                if not block:
                    return
