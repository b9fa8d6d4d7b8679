"""How a table that holds a customer is declared: what access shows, what erasure does."""

from dataclasses import dataclass
from typing import Literal

from regulars.records import DataClass

Erasure = Literal["delete", "pseudonym", "proof", "keep"]


@dataclass(frozen=True)
class Held:
    """One table that holds customers.

    Attributes:
        table: Its name.
        subjects: Columns with the id of a customer.
        erasure: "delete" for rows that go; "pseudonym" for rows that stay, as somebody else's;
            "proof" for rows that stay under a name only the key of the workspace gives, so that
            whoever comes back with his id can be shown what he had said; "keep" for rows that
            stay as they are.
        means: What a row says of the customer.
        keys: Columns with names of operations; those of his are renamed, whatever they say.
        told: Columns with a text of which an id may be one part: all of it, or between / and :.
        within: JSON columns that may say whose they are as `customer_id`.
        lots: JSON columns with pairs of the name of an operation and points.
        lists: Columns with a list of ids: JSON, or one a line.
        emptied: Columns left empty afterwards.
        found_by: Pairs of a column and the name of a set of his it is looked up in: "contacts"
            (keys of contacts), "tokens" (of addresses), "addresses" (those nobody else has),
            "pending", "lists".
        hidden: Columns access does not show, because others stand in them.
        why: Name of the reason in `law.toml` rows are kept for; for "proof" and "keep".
        data_class: How sensitive a row is.
    """

    table: str
    subjects: tuple[str, ...]
    erasure: Erasure
    means: str
    keys: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    found_by: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    why: str = ""
    data_class: DataClass = DataClass.PERSONAL

    @property
    def is_found(self) -> bool:
        """False for a table whose rows are only reached through another's."""
        return bool(self.subjects or self.found_by)
