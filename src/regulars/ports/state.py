"""The port to the transactional store: consent, the send ledger, users, the audit log."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.resources import files
from typing import Any, Protocol

from regulars.errors import UnknownName


class Transaction(Protocol):
    """Named statements that commit together or not at all."""

    def all(self, sql: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run one statement; one mapping per row it gives."""

    def run(self, sql: str, /, **values: Any) -> int:
        """Run one statement; the number of rows it touched."""

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        """Run one statement once per mapping of values; the rows touched in all."""


class State(Protocol):
    """Opens transactions. A writer waits for the writer before it."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a write transaction; it commits at the end of the block, or rolls back."""

    def sharing(self) -> AbstractContextManager[Transaction]:
        """Open a write transaction beside others opened by this call, where the store can.

        No `transaction` is open meanwhile. Whoever reads before writing must lock what it
        reads, or be alone with it in another way.
        """

    def reading(self) -> AbstractContextManager[Transaction]:
        """Open a read transaction: one consistent picture, no lock on writers."""


class Statement(str):
    """The text of one named statement, with what other databases need instead."""

    __slots__ = ("_variants",)

    _variants: dict[str, str]

    def __new__(cls, text: str, variants: Mapping[str, str]) -> "Statement":
        """Keep the variants beside the text."""
        made = super().__new__(cls, text)
        made._variants = dict(variants)
        return made

    def spoken(self, dialect: str) -> str:
        """Give the text for one database.

        Returns:
            Its variant; the plain text where it has none.
        """
        return self._variants.get(dialect, self)


class Queries:
    """The named statements of one `queries.sql` file.

    A statement starts at `-- name: claim`; a variant for one database at
    `-- name: claim [postgresql]`: the store that runs the statement takes its own.

    Args:
        package: Package whose folder holds the file, usually `__package__`.
        dialect: Database whose variants are the plain text, where text is read by others.
        file: Name of the file.
    """

    def __init__(self, package: str, *, dialect: str = "sqlite", file: str = "queries.sql") -> None:
        """Read and split the file once."""
        text = files(package).joinpath(file).read_text(encoding="utf-8")
        plain: dict[str, str] = {}
        special: dict[str, dict[str, str]] = {}
        for part in text.split("-- name: ")[1:]:
            head, _, body = part.partition("\n")
            name, _, variant = head.strip().partition(" ")
            if variant:
                special.setdefault(name, {})[variant.strip("[]")] = body.strip()
                plain.setdefault(name, body.strip())
            else:
                plain[name] = body.strip()
        self._statements = {
            name: Statement(special.get(name, {}).get(dialect, text), special.get(name, {}))
            for name, text in plain.items()
        }

    def __getitem__(self, name: str) -> Statement:
        """Give the text of one statement.

        Returns:
            SQL with named values.

        Raises:
            UnknownName: The file has no statement of that name.
        """
        if name not in self._statements:
            raise UnknownName("statement", name, self._statements)
        return self._statements[name]
