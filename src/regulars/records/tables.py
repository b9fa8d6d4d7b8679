"""What a table declares about itself: its grain, its columns, whose data it holds."""

from dataclasses import dataclass
from enum import StrEnum


class DataClass(StrEnum):
    """How sensitive a column is; masking, rights requests and exports read this.

    Graded after GB/T 43697-2024 and PIPL Art. 28: the higher, the fewer may see it.
    """

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    DIRECT = "direct identifier"


@dataclass(frozen=True)
class Column:
    """One column of a declared table.

    Attributes:
        name: Column name, snake_case, with its unit where the type does not say.
        type: "string", "int64", "float64", "bool", "date", "timestamp" (aware UTC),
            "money" (DECIMAL(18,2) in the workspace currency) or "quantity" (DECIMAL(18,3)).
        means: What a value says, in a few words.
        required: False when empty values are allowed.
        data_class: How sensitive a value is.
    """

    name: str
    type: str
    means: str
    required: bool = True
    data_class: DataClass = DataClass.INTERNAL


@dataclass(frozen=True)
class Table:
    """One declared table of the lake.

    Attributes:
        name: Plural noun, the same word as in the glossary.
        station: The room of the loop that owns it: "collect", "unify"...
        grain: What one row is: "one row per customer and turn".
        columns: Its columns, in file order.
        key: Columns that together name one row.
        subject: Column holding the customer the row is about; "" when nobody.
        by_turn: True when a turn overwrites just its own rows (column `turn`).
    """

    name: str
    station: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    subject: str = ""
    by_turn: bool = False

    def column(self, name: str) -> Column:
        """Find one column by name.

        Returns:
            The column.

        Raises:
            KeyError: The table declares no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in file order."""
        return tuple(column.name for column in self.columns)


def columns(text: str) -> tuple[Column, ...]:
    """Read columns from lines of `name type meaning`.

    A `?` after the type allows empty values; `!` marks personal data, `!!` a direct identifier.

    Args:
        text: One column a line; blank lines are skipped.

    Returns:
        The columns in the order of the lines.

    Example:
        >>> [c.name + ":" + c.type for c in columns("customer_id string!  whose order")]
        ['customer_id:string']
    """
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, kind, means = line.split(maxsplit=2)
        marks = kind.lstrip("abcdefghijklmnopqrstuvwxyz0123456789")
        grade = {0: DataClass.INTERNAL, 1: DataClass.PERSONAL, 2: DataClass.DIRECT}[
            marks.count("!")
        ]
        found.append(Column(name, kind[: len(kind) - len(marks)], means, "?" not in marks, grade))
    return tuple(found)
