"""Files that commands are given: tables and texts."""

import codecs
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regulars.errors import InputError

NAMES = ("customer_id", "offer_id", "channel", "segment", "stage")
STANDARD_INPUT = Path("-")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(path: Path) -> str:
    """Read a file of text that a command was given, as office programs save them.

    Args:
        path: The file.

    Returns:
        The text, its lines ended by one line feed, without a byte order mark.

    Raises:
        InputError: There is no such file, it cannot be read, or it is no text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give a file you may read"
        ) from error
    return text_in(data, str(path))


def text_or_input(path: Path) -> str:
    """Read a file of text, or standard input where it is "-"; else as `text_of`."""
    if path != STANDARD_INPUT:
        return text_of(path)
    return text_in(sys.stdin.buffer.read(), "standard input")


def text_in(data: bytes, name: str) -> str:
    """Read text as it is saved here: UTF-8, UTF-16 that says so, else GB 18030 (with GBK).

    Args:
        data: The bytes.
        name: What they are called in an error.

    Returns:
        The text, its lines ended by one line feed, without a byte order mark.

    Raises:
        InputError: They are none of these, or hold NUL characters, as no text does.

    Example:
        >>> [text_in("回头客".encode(it), "a.txt") for it in ("utf-8-sig", "utf-16", "gbk")]
        ['回头客', '回头客', '回头客']
    """
    wanted = "wanted text in UTF-8, or UTF-16 or GB 18030; save it as UTF-8"
    encodings = ("utf-16",) if data.startswith(_UTF_16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise InputError(f"{name} holds NUL characters, so it is no text; {wanted}")
        return io.StringIO(text, newline=None).read()
    raise InputError(f"{name} is not UTF-8 text, nor UTF-16 or GB 18030; {wanted}")


def open_table(path: Path) -> Any:
    """Read a CSV or Parquet file as an Arrow table.

    Args:
        path: The file; `.csv` is read as CSV, anything else as Parquet.

    Returns:
        The table; columns of names are text even where they look like numbers.

    Raises:
        InputError: It cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import
    from pyarrow import csv, parquet  # noqa: PLC0415

    as_text = csv.ConvertOptions(column_types=dict.fromkeys(NAMES, pa.string()))
    try:
        if path.suffix == ".csv":
            return csv.read_csv(path, convert_options=as_text)
        return parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path} cannot be read: {error}; give a CSV or Parquet file") from error


def save_table(table: Any, path: Path) -> None:
    """Write an Arrow table as CSV or Parquet, by the file's ending."""
    from pyarrow import csv, parquet  # noqa: PLC0415 - slow to import

    (csv.write_csv if path.suffix == ".csv" else parquet.write_table)(table, path)


def limits_of(given: Sequence[str], option: str) -> dict[str, float]:
    """Read limits said as NAME=NUMBER.

    Args:
        given: What was said, once per name.
        option: Name of the option, for the message.

    Returns:
        Number by name.

    Raises:
        InputError: One is not of the form.

    Example:
        >>> limits_of(["sms=1000"], "--capacity")
        {'sms': 1000.0}
    """
    found = {}
    for one in given:
        name, _equals, number = one.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            name = ""
        if not name:
            raise InputError(f"{option} {one} is not a limit; say {option} NAME=NUMBER")
    return found
