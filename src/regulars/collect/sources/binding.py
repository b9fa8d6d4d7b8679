"""A rule meets a real file: every fact column finds its file column, or says what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from regulars.collect.sources.mapping import FED, ColumnRule, FileRule, TableRule
from regulars.collect.sources.rules import LIMITS, REFERENCES, WORDS, Limit
from regulars.errors import InputError
from regulars.records import Column


@dataclass(frozen=True)
class BoundColumn:
    """One fact column, the way it is read and what is checked.

    Attributes:
        column: The declared column.
        rule: How it is read; a constant "" leaves an optional column empty.
        limit: Range of its numbers.
        words: Words it may hold; None allows any.
        points_at: Table its ids must be known to; "" when not checked.
    """

    column: Column
    rule: ColumnRule
    limit: Limit | None = None
    words: frozenset[str] | None = None
    points_at: str = ""

    @property
    def source(self) -> str:
        """The file column, as a person would point at it."""
        return "+".join(self.rule.columns) or self.column.name


@dataclass(frozen=True)
class BoundTable:
    """One fact table as one file feeds it, every column settled."""

    rule: TableRule
    columns: tuple[BoundColumn, ...]

    @property
    def name(self) -> str:
        """The fact table."""
        return self.rule.table

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that together name one row."""
        return FED[self.name].key

    @property
    def key_sources(self) -> tuple[str, ...]:
        """File columns the key is read from, constants left out."""
        by_name = {bound.column.name: bound for bound in self.columns}
        return tuple(name for key in self.key for name in by_name[key].rule.columns)


def bind(rule: FileRule, header: Sequence[str], where: str) -> tuple[BoundTable, ...]:
    """Settle every column of every table a file feeds.

    A fact column without a rule is read from the file column of its own name. An unmapped
    `business_date` is the day of `ordered_at`.

    Args:
        rule: The file's rule.
        header: Columns of the file.
        where: File and mapping, for messages.

    Returns:
        One bound table per table fed, in the rule's order.

    Raises:
        InputError: A rule names a column the file lacks, or a required column has no source.
    """
    moments = [part.columns["ordered_at"] for part in rule.tables if "ordered_at" in part.columns]
    moment = moments[0] if moments else None
    if moment is None and "ordered_at" in header:
        moment = ColumnRule(("ordered_at",))
    fed_here = {part.table for part in rule.tables}
    return tuple(_bind_table(part, header, moment, fed_here, where) for part in rule.tables)


def _bind_table(
    rule: TableRule,
    header: Sequence[str],
    moment: ColumnRule | None,
    fed_here: set[str],
    where: str,
) -> BoundTable:
    defaults: dict[str, ColumnRule] = {name: ColumnRule((name,)) for name in header}
    if moment is not None and "business_date" not in header:
        defaults["business_date"] = replace(moment, fold="same")
    table = FED[rule.table]
    missing = [
        column.name
        for column in table.columns
        if column.required and column.name not in {**rule.columns, **defaults}
    ]
    if missing:
        raise InputError(
            f"{where}: table {table.name} requires {', '.join(missing)}, which has no source; "
            f"the file has: {', '.join(header)}; add to [file.{table.name}] a line such as "
            f'{missing[0]} = "<file column>"'
        )
    columns = tuple(_bind_column(rule, column, defaults, fed_here) for column in table.columns)
    for bound in columns:
        absent = [name for name in bound.rule.columns if name not in header]
        if absent:
            raise InputError(
                f"{where}: [file.{table.name}] {bound.column.name} reads column {absent[0]!r}, "
                f"which the file lacks; it has: {', '.join(header)}; mend the name in the mapping"
            )
    return BoundTable(rule, columns)


def _bind_column(
    rule: TableRule, column: Column, defaults: Mapping[str, ColumnRule], fed_here: set[str]
) -> BoundColumn:
    found = rule.columns.get(column.name) or defaults.get(column.name) or ColumnRule(constant="")
    _require_fitting(rule.table, column, found)
    limit = LIMITS.get(rule.table, {}).get(column.name)
    if limit and column.name in rule.accept_zero:
        limit = replace(limit, is_open=False)
    points_at = REFERENCES.get(rule.table, {}).get(column.name, "")
    if column.name in rule.accept_unknown or points_at in fed_here:
        points_at = ""
    words = WORDS.get(rule.table, {}).get(column.name)
    return BoundColumn(column, found, limit, words, points_at)


def _require_fitting(table: str, column: Column, rule: ColumnRule) -> None:
    is_number = column.type in {"money", "quantity", "int64", "float64"}
    needs = [
        ("add", len(rule.columns) > 1, is_number, "a number"),
        ("negate", rule.negate, is_number, "a number"),
        ("fold = 'sum'", rule.fold == "sum", is_number, "a number"),
        ("week_one", rule.week_one is not None, column.type == "date", "a date"),
        ("zone", bool(rule.zone), column.type in {"date", "timestamp"}, "a date or moment"),
        ("format", bool(rule.format), column.type in {"date", "timestamp"}, "a date or moment"),
    ]
    for transform, is_used, fits, wanted in needs:
        if is_used and not fits:
            raise InputError(
                f"[file.{table}] {column.name}: {transform} makes {wanted}, but the column holds "
                f"{column.type}; take the transform away, or map another column"
            )


def in_order(rules: Sequence[FileRule]) -> list[int]:
    """Order files so that ids are known before rows that point at them.

    A file waits for the files that feed the tables its own rows point at; a file that only
    fills gaps (`keep_stored`) waits for those that feed the same table fully.

    Args:
        rules: The rule of each file, in the order given.

    Returns:
        Positions in `rules`; as given where nothing waits.

    Example:
        >>> orders = FileRule("o", (TableRule("orders"),))
        >>> in_order([orders, FileRule("c", (TableRule("customers"),))])
        [1, 0]
    """
    left = list(range(len(rules)))
    order: list[int] = []
    while left:
        ready = [
            here
            for here in left
            if not any(_waits(rules[here], rules[other]) for other in left if other != here)
        ]
        order.append((ready or left)[0])
        left.remove(order[-1])
    return order


def _waits(rule: FileRule, other: FileRule) -> bool:
    feeds = {part.table for part in rule.tables}
    full = {part.table for part in other.tables if not part.keep_stored}
    needs = {name for table in feeds for name in REFERENCES.get(table, {}).values()} - feeds
    gaps = {part.table for part in rule.tables if part.keep_stored}
    return bool(needs & {part.table for part in other.tables}) or bool(gaps & full)
