"""Who is in an audience, who entered and who left it, as of its last refresh.

Journeys and campaigns call `members` for everybody in an audience, and `changes` with the number
of the last refresh they have seen for who entered and who left since.
"""

from dataclasses import dataclass
from datetime import datetime

from ibis import _

from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State
from regulars.understand.segments.audiences.membership.tables import by_refresh, present

TABLE = "audience_changes"
_QUERIES = Queries("regulars.understand.segments.audiences")


@dataclass(frozen=True)
class MemberChange:
    """A customer entered or left an audience.

    Attributes:
        customer_id: Who.
        change: "entered" or "left".
        at: The moment the refresh judged as of, aware UTC.
        refresh: Number of the refresh; later ones have higher numbers.
        version: Version of the audience's rule.
    """

    customer_id: str
    change: str
    at: datetime
    refresh: int
    version: int


@dataclass(frozen=True)
class RefreshCount:
    """Who entered and left an audience in one refresh.

    Attributes:
        refresh: Number of the refresh.
        at: The moment, aware UTC.
        version: Version of the rule.
        entered: Customers who entered.
        left: Customers who left.
        members: Members after it.
    """

    refresh: int
    at: datetime
    version: int
    entered: int
    left: int
    members: int


def members(engine: Reader, name: str) -> list[str]:
    """List who is in an audience, as of its last refresh.

    Args:
        engine: Opens `audience_changes`.
        name: The audience.

    Returns:
        Customer ids, in order; empty before its first refresh.
    """
    found = present(engine.table(TABLE), [name]).select("customer_id").order_by("customer_id")
    ids: list[str] = engine.arrow(found).column("customer_id").to_pylist()
    return ids


def changes(engine: Reader, name: str, *, after: int = 0) -> list[MemberChange]:
    """List who entered and who left an audience.

    Args:
        engine: Opens `audience_changes`.
        name: The audience.
        after: Only changes of refreshes with a higher number; whoever follows an audience keeps
            the highest number it has seen.

    Returns:
        Changes by refresh and customer.
    """
    table = engine.table(TABLE)
    rows = table.filter((_.audience == name) & (_.refresh > after))
    rows = rows.order_by("refresh", "customer_id").drop("audience")
    return [MemberChange(**row) for row in engine.rows(rows)]


def history(engine: Reader, name: str) -> list[RefreshCount]:
    """Tell how an audience grew and shrank.

    Returns:
        One line per refresh that changed it, the oldest first.
    """
    found, size = [], 0
    for row in engine.rows(by_refresh(engine.table(TABLE), name)):
        size += row["entered"] - row["left"]
        found.append(RefreshCount(**row, members=size))
    return found


def last_refreshed(state: State) -> dict[str, tuple[int, str]]:
    """Give the members of audiences, and the moment they were last judged, by name."""
    with state.reading() as opened:
        rows = opened.all(_QUERIES["positions"])
    return {row["name"]: (row["members"], row["refreshed_at"]) for row in rows}
