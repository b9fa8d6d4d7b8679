"""Last touch within a window; a code used on the order beats every link followed before it."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Touch:
    """A link followed by a customer.

    Attributes:
        at: When, aware.
        creator_id: Whose link.
    """

    at: datetime
    creator_id: str


@dataclass(frozen=True)
class Credit:
    """Whom an order is attributed to.

    Attributes:
        creator_id: Who.
        by: "code" or "link".
    """

    creator_id: str
    by: str


def credit(
    ordered_at: datetime,
    *,
    codes: Sequence[str],
    touches: Sequence[Touch],
    window: timedelta,
) -> Credit | None:
    """Attribute one order.

    Args:
        ordered_at: When it was placed, aware.
        codes: Creators whose codes were used on it; empty for none.
        touches: Links its customer followed, by moment.
        window: How long before an order a link still counts.

    Returns:
        To whom it is attributed; None to nobody. An attribution says who came by which way, not
        who would have stayed away without it.

    Source:
        Last touch, as in Berman (2018), "Beyond the last touch", Marketing Science 37(5), section
        2; that a code wins is ours, because it is given at the till and a link may be anybody's.

    Example:
        >>> from datetime import UTC
        >>> at = datetime(2026, 3, 9, tzinfo=UTC)
        >>> seen = [Touch(at - timedelta(days=3), "li"), Touch(at - timedelta(days=1), "mo")]
        >>> credit(at, codes=[], touches=seen, window=timedelta(days=7))
        Credit(creator_id='mo', by='link')
        >>> credit(at, codes=["li"], touches=seen, window=timedelta(days=7))
        Credit(creator_id='li', by='code')
        >>> credit(at, codes=[], touches=seen, window=timedelta(hours=1)) is None
        True
    """
    if codes:
        return Credit(min(codes), "code")
    before = bisect_right(touches, ordered_at, key=lambda touch: touch.at)
    if not before or ordered_at - touches[before - 1].at > window:
        return None
    return Credit(touches[before - 1].creator_id, "link")


def touches_of(
    clicked: Mapping[str, Touch], followed: Sequence[tuple[str, str, datetime]]
) -> dict[str, list[Touch]]:
    """Say who followed which link: each click is the customer's whose page named it first.

    Args:
        clicked: What was clicked, by click.
        followed: Click, customer and moment of each page that named a click.

    Returns:
        Links followed by customer, each by moment; the moment is the click's own.

    Example:
        >>> from datetime import UTC
        >>> at = datetime(2026, 3, 9, tzinfo=UTC)
        >>> pages = [("k", "bob", at + timedelta(minutes=9)), ("k", "ann", at)]
        >>> sorted(touches_of({"k": Touch(at, "li")}, pages))
        ['ann']
    """
    first: dict[str, str] = {}
    for click, customer, _at in sorted(followed, key=lambda one: (one[2], one[1])):
        if click in clicked:
            first.setdefault(click, customer)
    found: dict[str, list[Touch]] = {}
    for click, customer in first.items():
        found.setdefault(customer, []).append(clicked[click])
    return {
        who: sorted(them, key=lambda one: (one.at, one.creator_id)) for who, them in found.items()
    }
