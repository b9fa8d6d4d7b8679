"""Files that commands are given: tables and texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regulars.errors import InputError

NAMES = ("customer_id", "offer_id", "channel", "segment", "stage")


def text_of(path: Path) -> str:
    """Read a file of text.

    Args:
        path: The file.

    Returns:
        The text.

    Raises:
        InputError: It is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error


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
