"""History as a dry run walks through it: who did what when, as columns in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

NEVER = 1 << 60
"""A moment that does not come."""
_BITS = 42
_MOMENT = (1 << _BITS) - 1


@dataclass(frozen=True)
class Stream:
    """Things of one kind that happened, in the order of customers and moments.

    Attributes:
        customer: Place of the customer, shape (things,).
        at: When, milliseconds since 1970, shape (things,).
        properties: What each says, where the journey looks at it; empty otherwise.
    """

    customer: Integers
    at: Integers
    properties: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(
        cls, customer: Integers, at: Integers, properties: Sequence[Mapping[str, Any]] = ()
    ) -> "Stream":
        """Put things in order.

        Returns:
            The stream; things of one moment stay in the order given.

        Example:
            >>> Stream.of(np.array([1, 0]), np.array([5, 9])).at.tolist()
            [9, 5]
        """
        order = np.lexsort((at, customer))
        sorted_ = [properties[place] for place in order.tolist()] if len(properties) else ()
        return cls(customer[order], at[order], sorted_)

    def place_after(self, customer: Integers, after: Integers) -> Integers:
        """Find the first thing of each customer later than a moment.

        Args:
            customer: Places of customers, shape (asked,).
            after: Moments, shape (asked,).

        Returns:
            Its place in the stream; -1 where there is none.

        Example:
            >>> stream = Stream(np.array([0, 0, 2]), np.array([5, 9, 7]))
            >>> stream.place_after(np.array([0, 0, 1, 2]), np.array([5, 9, 0, 0])).tolist()
            [1, -1, -1, 2]
        """
        if not len(self.at):
            return np.full(len(customer), -1, dtype=np.int64)
        keys = (self.customer << _BITS) | self.at
        found = np.searchsorted(keys, (customer << _BITS) | np.clip(after, 0, _MOMENT), "right")
        is_there = found < len(keys)
        is_there[is_there] = self.customer[found[is_there]] == customer[is_there]
        return np.where(is_there, found, -1)

    def moments(self, places: Integers) -> Integers:
        """Give the moments at places `place_after` gave.

        Returns:
            Milliseconds; `NEVER` where the place is -1.
        """
        if not len(self.at):
            return np.full(len(places), NEVER, dtype=np.int64)
        return np.where(places >= 0, self.at[places], NEVER)


@dataclass(frozen=True)
class Exits:
    """One event that takes customers out.

    Attributes:
        stream: When it happened to whom.
        is_goal: True when the journey has then reached what it is for.
    """

    stream: Stream
    is_goal: bool


@dataclass(frozen=True)
class History:
    """Everything of the past a journey would have seen.

    Attributes:
        customers: Customer ids; other columns name them by place.
        zones: IANA zone by place.
        assigned: Drawn for by place: 0 contact, 1 held out of the journey, 2 of everything.
        comings: Who would come in when; `start` beside it says where.
        start: Node each coming begins at, in the order of `comings`.
        exits: Events that take customers out.
        waits: Events a node waits for, by node.
        from_ms: First moment.
        until_ms: Last moment.
    """

    customers: Sequence[str]
    zones: Sequence[str]
    assigned: Integers
    comings: Stream
    start: Sequence[str]
    exits: Sequence[Exits] = ()
    waits: Mapping[str, Stream] = field(default_factory=dict)
    from_ms: int = 0
    until_ms: int = NEVER
