"""Records by customer, from the one JSON text a statement gives them in."""

from functools import cache
from typing import Protocol, TypeVar

import msgspec


class _OfCustomer(Protocol):
    @property
    def customer_id(self) -> str:
        """Whose record it is."""


Row = TypeVar("Row", bound=_OfCustomer)


@cache
def _decoder(kind: type[Row]) -> "msgspec.json.Decoder[list[Row]]":
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


def by_customer(text: str, kind: type[Row]) -> dict[str, list[Row]]:
    """Read records and group them by customer.

    One text for a whole window costs a fraction of a row at a time.

    Args:
        text: JSON list of lists, each with the fields of a record.
        kind: The record, a named tuple.

    Returns:
        Records by customer; customers without any are not in it.

    Example:
        >>> from regulars.reach.standing.picture import Bar
        >>> found = by_customer('[["sms", "bounced", null, "ann"]]', Bar)
        >>> found["ann"][0].reason
        'bounced'
    """
    found: dict[str, list[Row]] = {}
    rows: list[Row] = _decoder(kind).decode(text) if text != "[]" else []
    for row in rows:
        found.setdefault(row.customer_id, []).append(row)
    return found
