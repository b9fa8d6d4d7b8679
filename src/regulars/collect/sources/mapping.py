"""The mapping: which file feeds which fact tables, column by column, as a person writes it."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from regulars.errors import InputError, UnknownName
from regulars.records import FACTS, MARKET, Table

FED = {
    table.name: table for table in (*FACTS, *MARKET) if table.name not in {"imports", "quarantine"}
}
FOLDS = ("same", "first", "sum", "min", "max")
TRANSFORMS = ("column", "add", "constant", "values", "negate", "zone", "format", "week_one", "fold")
TABLE_OPTIONS = ("one_per_key", "keep_stored", "accept_unknown", "accept_zero")
FILE_OPTIONS = ("match", "table", "delimiter", "encoding")


@dataclass(frozen=True)
class ColumnRule:
    """How one fact column is made from a row of the file.

    Attributes:
        columns: File columns it is read from: one, or several to be added; none for a constant.
        constant: The value of every row, when `columns` is empty.
        values: What to put in the place of each value read; None leaves values alone.
        negate: True turns the sign.
        zone: IANA zone of moments written without one; "" means the workspace's.
        format: strptime pattern of dates and moments; "" means ISO 8601.
        week_one: Day that week 1 starts on, when the file gives a week number.
        fold: How rows of one key become one value: "same" when they must agree.
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    values: Mapping[str, str] | None = None
    negate: bool = False
    zone: str = ""
    format: str = ""
    week_one: date | None = None
    fold: str = "same"


@dataclass(frozen=True)
class TableRule:
    """How one file feeds one fact table.

    Attributes:
        table: The fact table.
        columns: Rule by fact column; a column left out is read from the file column of its
            own name, if there is one.
        one_per_key: True when many rows of the file make one row of the table.
        keep_stored: True when a key that is stored stays as it is, whatever the file says.
        accept_unknown: Columns whose ids need not be known.
        accept_zero: Columns that may be 0 although they should be above.
    """

    table: str
    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    one_per_key: bool = False
    keep_stored: bool = False
    accept_unknown: tuple[str, ...] = ()
    accept_zero: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileRule:
    """What the files of one name pattern feed.

    Attributes:
        match: Pattern of file names, such as "orders*.csv".
        tables: The tables fed: those with a row per row of the file first.
        delimiter: What stands between two fields of a CSV file.
        encoding: Encoding of a CSV file.
    """

    match: str
    tables: tuple[TableRule, ...]
    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass(frozen=True)
class ImportMapping:
    """All rules, in the order they are tried.

    Attributes:
        files: Rules for files; the first whose pattern fits a file name is used.
        origin: Where they were read, for messages.
    """

    files: tuple[FileRule, ...]
    origin: str = "the mapping"

    def rule_for(self, path: Path) -> FileRule:
        """Find the rule for a file.

        Returns:
            The first rule whose pattern fits its name.

        Raises:
            InputError: No pattern fits its name.
        """
        for rule in self.files:
            if fnmatchcase(path.name, rule.match):
                return rule
        patterns = ", ".join(repr(rule.match) for rule in self.files)
        raise InputError(
            f"{path.name} fits no pattern of {self.origin} ({patterns}); "
            "add a [[file]] with a `match` for it, or leave the file out"
        )


def mapping_by_name() -> ImportMapping:
    """Give the mapping of files that are named and laid out like the fact tables.

    Returns:
        A rule per fact table: every file whose name starts like the table feeds it.

    Example:
        >>> mapping_by_name().rule_for(Path("orders-2026-11.csv")).tables[0].table
        'orders'
    """
    rules = tuple(FileRule(f"{name}*", (TableRule(name),)) for name in FED)
    return ImportMapping(rules, "the default mapping (files named after fact tables)")


def read_mapping(path: Path) -> ImportMapping:
    """Read a mapping file.

    Args:
        path: A TOML file of [[file]] sections.

    Returns:
        Its rules, checked as far as they can be without the files.

    Raises:
        InputError: There is no such file, it is not TOML, or it says something we do not know.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"the mapping {path} cannot be read ({error.strerror}); check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"the mapping {path} is not UTF-8 text; save it as UTF-8") from error
    return mapping_of(text, path.name)


def mapping_of(text: str, origin: str = "the mapping") -> ImportMapping:
    """Read a mapping from its text.

    Args:
        text: TOML of [[file]] sections.
        origin: Name used in messages.

    Returns:
        Its rules.

    Raises:
        InputError: The text is not TOML, or says something we do not know.

    Example:
        >>> lines = ["[[file]]", 'match = "till*.csv"', 'table = "orders"']
        >>> mapping_of(chr(10).join(lines)).files[0].tables[0].table
        'orders'
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{origin} is not TOML: {error}; mend the line it names") from error
    return mapping_from(given, origin)


def mapping_from(given: Mapping[str, Any], origin: str = "the mapping") -> ImportMapping:
    """Read a mapping from TOML that was parsed.

    Args:
        given: What the TOML holds: [[file]] sections and nothing else.
        origin: Name used in messages.

    Returns:
        Its rules.

    Raises:
        InputError: It says something we do not know.
    """
    _require_known("section", set(given) - {"file"}, ["[[file]]"], origin)
    sections = given.get("file")
    if not isinstance(sections, list) or not sections:
        raise InputError(f"{origin} has no [[file]] section; write one per file name pattern")
    return ImportMapping(tuple(_file_rule(part, origin) for part in sections), origin)


def _file_rule(given: dict[str, Any], origin: str) -> FileRule:
    match = given.get("match")
    if not isinstance(match, str) or not match:
        raise InputError(
            f'{origin}: a [[file]] has no `match`; name its files, such as match = "orders*.csv"'
        )
    where = f"{origin}, [[file]] {match!r}"
    sections = {name: part for name, part in given.items() if name not in FILE_OPTIONS}
    if isinstance(given.get("table"), str):
        sections.setdefault(given["table"], {})
    _require_known("table", set(sections) - set(FED), FED, where)
    if not sections:
        raise InputError(
            f'{where} feeds no table; write table = "orders", or a [file.orders] section; '
            f"known: {', '.join(sorted(FED))}"
        )
    tables = [_table_rule(FED[name], part, where) for name, part in sections.items()]
    delimiter = _text(given, "delimiter", "\t" if match.endswith(".tsv") else ",", where)
    if len(delimiter.encode()) != 1:
        raise InputError(f"{where}: delimiter is {delimiter!r}, must be one ASCII character")
    encoding = _text(given, "encoding", "utf-8", where)
    if encoding.lower() not in {"utf-8", "utf8", "gb18030", "gbk", "latin-1", "cp1252"}:
        raise UnknownName("encoding", encoding, ["utf-8", "gb18030", "gbk", "latin-1", "cp1252"])
    ordered = sorted(tables, key=lambda rule: rule.one_per_key)
    return FileRule(match, tuple(ordered), delimiter, encoding)


def _table_rule(table: Table, given: Any, where: str) -> TableRule:
    where = f"{where}, [file.{table.name}]"
    if not isinstance(given, dict):
        raise InputError(f"{where} is {given!r}, must be a section of columns")
    columns = {name: part for name, part in given.items() if name not in TABLE_OPTIONS}
    _require_known("column", set(columns) - set(table.names), table.names, where)
    folds_many = _flag(given, "one_per_key", where)
    rules = {}
    for name, part in columns.items():
        rules[name] = column_rule(part, f"{where} {name}")
        if rules[name].fold != "same" and not folds_many:
            raise InputError(f"{where} {name}: `fold` needs one_per_key = true in the section")
    accepted = {}
    for option in ("accept_unknown", "accept_zero"):
        names = given.get(option, [])
        if not isinstance(names, list):
            raise InputError(f"{where}: {option} is {names!r}, must be a list of columns")
        _require_known("column", set(map(str, names)) - set(table.names), table.names, where)
        accepted[option] = tuple(sorted(map(str, names)))
    return TableRule(table.name, rules, folds_many, _flag(given, "keep_stored", where), **accepted)


def column_rule(given: Any, where: str) -> ColumnRule:
    """Read the rule of one fact column.

    Args:
        given: The name of a file column, or a table of transforms.
        where: Place in the mapping, for messages.

    Returns:
        The rule.

    Raises:
        InputError: A transform is unknown, or its value cannot be used.

    Example:
        >>> column_rule({"column": "refund", "negate": True}, "returns refund").negate
        True
    """
    if isinstance(given, str):
        return ColumnRule((given,))
    if not isinstance(given, dict):
        raise InputError(
            f'{where} is {given!r}; name a file column, or write {{ constant = "..." }}'
        )
    _require_known("transform", set(given) - set(TRANSFORMS), TRANSFORMS, where)
    sources = [name for name in ("column", "add", "constant") if name in given]
    if len(sources) != 1:
        raise InputError(f"{where} needs exactly one of column, add and constant; has {sources}")
    added = given.get("add", [given.get("column")])
    if "constant" not in given and not (
        isinstance(added, list) and added and all(isinstance(name, str) for name in added)
    ):
        raise InputError(f"{where}: {sources[0]} is {given[sources[0]]!r}, must name file columns")
    fold = _text(given, "fold", "same", where)
    _require_known("fold", {fold} - set(FOLDS), FOLDS, where)
    week_one = given.get("week_one")
    if week_one is not None and type(week_one) is not date:
        raise InputError(f"{where}: week_one is {week_one!r}, must be a date such as 2026-01-05")
    return ColumnRule(
        columns=() if "constant" in given else tuple(added),
        constant=_word(given["constant"]) if "constant" in given else None,
        values=_values(given.get("values"), where),
        negate=_flag(given, "negate", where),
        zone=_zone(_text(given, "zone", "", where), where),
        format=_text(given, "format", "", where),
        week_one=week_one,
        fold=fold,
    )


def _values(given: Any, where: str) -> dict[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise InputError(f"{where}: values is {given!r}, must be a table {{ old = new }}")
    return {str(old): _word(new) for old, new in given.items()}


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _zone(name: str, where: str) -> str:
    try:
        return name and ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"{where}: zone is {name!r}, which is no IANA zone; use a name such as Asia/Shanghai"
        ) from error


def _text(given: Mapping[str, Any], name: str, default: str, where: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise InputError(f"{where}: {name} is {value!r}, must be text in quotes")
    return value


def _flag(given: Mapping[str, Any], name: str, where: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"{where}: {name} is {value!r}, must be true or false")
    return value


def _require_known(kind: str, unknown: set[str], known: Iterable[str], where: str) -> None:
    if unknown:
        raise InputError(f"{where}: {UnknownName(kind, min(unknown), known)}")
