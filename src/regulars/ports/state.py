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

    def reading(self) -> AbstractContextManager[Transaction]:
        """Open a read transaction: one consistent picture, no lock on writers."""


class Queries:
    """The named statements of one `queries.sql` file.

    A statement starts at `-- name: claim`; a variant for one database at
    `-- name: claim [postgresql]`.

    Args:
        package: Package whose folder holds the file, usually `__package__`.
        dialect: Database spoken to; its variants win over the plain statement.
        file: Name of the file.
    """

    def __init__(self, package: str, *, dialect: str = "sqlite", file: str = "queries.sql") -> None:
        """Read and split the file once."""
        text = files(package).joinpath(file).read_text(encoding="utf-8")
        plain: dict[str, str] = {}
        special: dict[str, str] = {}
        for part in text.split("-- name: ")[1:]:
            head, _, body = part.partition("\n")
            name, _, variant = head.strip().partition(" ")
            if not variant:
                plain[name] = body.strip()
            elif variant == f"[{dialect}]":
                special[name] = body.strip()
        self._statements = plain | special

    def __getitem__(self, name: str) -> str:
        """Give the text of one statement.

        Returns:
            SQL with named values.

        Raises:
            UnknownName: The file has no statement of that name.
        """
        if name not in self._statements:
            raise UnknownName("statement", name, self._statements)
        return self._statements[name]
