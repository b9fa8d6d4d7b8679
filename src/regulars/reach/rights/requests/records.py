"""A request about one's own data, and where everything is that it is about."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from regulars.govern.protection.service import Protector

if TYPE_CHECKING:
    from regulars.ports.lake import Lake
    from regulars.ports.state import State


class Status(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


KINDS = ("access", "erase")


@dataclass(frozen=True)
class Request:
    """One request of a customer about his own data.

    Attributes:
        number: What it is called by.
        kind: "access" or "erase".
        customer_id: Whom it is about; after erasure the name proof is kept under.
        law: Whose clock runs: "cn" or "eu".
        status: Where it stands.
        asked_at: When it came, ISO 8601.
        due_on: Last day to answer, in the retailer's zone, ISO 8601.
        asked_by: Who wrote it down.
        decided_by: Who approved or refused it; "" while nobody did.
        done_at: When it was answered, ISO 8601; "" before.
        reason: Why it was refused; "" otherwise.
        receipt: What was shown or erased, and what was kept and why; empty before.
    """

    number: int
    kind: str
    customer_id: str
    law: str
    status: Status
    asked_at: str
    due_on: str
    asked_by: str
    decided_by: str
    done_at: str
    reason: str
    receipt: Mapping[str, Any]

    def is_late(self, today: date) -> bool:
        """Tell whether it should have been answered before today."""
        is_open = self.status not in {Status.DONE, Status.REFUSED}
        return is_open and self.due_on < today.isoformat()


@dataclass(frozen=True)
class Preview:
    """What an erasure would do, nothing done yet.

    Attributes:
        ids: How many ids the person is kept under.
        rows: Rows that would be deleted or covered, by table.
        kept: Rows that stay, by table: how many, why, and the article.
        values: Clear values that nobody else has: they become unreadable.
        shared: Addresses of his that somebody else has, too: they stay readable.
    """

    ids: int
    rows: Mapping[str, int]
    kept: Mapping[str, Mapping[str, Any]]
    values: int
    shared: int

    @property
    def is_empty(self) -> bool:
        """True when nothing is kept that would go."""
        return not self.rows and not self.values


@runtime_checkable
class Keeper(Protocol):
    """Something beside the state and the lake that keeps rows of customers."""

    @property
    def name(self) -> str:
        """What it is called in counts."""

    def kept_of(self, ids: Collection[str], /) -> list[dict[str, Any]]:
        """Give every row that is about one of these ids."""

    def erase_of(self, name_by_id: Mapping[str, str], /) -> None:
        """Delete rows about these ids, or put the names in their place; once is enough."""


@dataclass(frozen=True)
class Places:
    """Everywhere customers are kept.

    Attributes:
        state: The transactional store.
        lake: The tables.
        protector: Tokens and the vault.
        keepers: Everything else.
        zone: IANA zone due days are told in.
        settle: Stores what the log took in before, and has those who follow take it in.
        scrub: Makes stores forget what was deleted from them.
        new_secret: Makes 64 random hexadecimal digits.
    """

    state: "State"
    lake: "Lake"
    protector: Protector
    keepers: Sequence[Keeper]
    zone: str
    settle: Callable[[], object]
    scrub: Callable[[], None]
    new_secret: Callable[[], str]


@dataclass(frozen=True)
class Asking:
    """Who acts on a request, and when.

    Attributes:
        actor: A user's name, "api-key:NAME" or "command line".
        now: The moment, aware.
    """

    actor: str
    now: datetime
