"""Lots with points left, in the order they are spent, read from the store only as far as needed.

What an operation costs must not grow with the lots a customer has: in memory are those that are due
and the first few by expiry, and more are read when a redemption reaches past them.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping

from regulars.reach.loyalty.ledger.records import ACTIVE, NEVER, PENDING, Lot

Order = tuple[str, str, str]
Reach = tuple[str, str]
"""A customer, and which of his lots: "active" or "pending"."""

START: Order = ("", "", "")
FIRST, MOST = 8, 2_048
"""Lots read at first for each customer who spends, and at most at once later."""

Further = Callable[[str, str, Order, int], list[Lot]]
"""Read lots after one: of whom, in which state, after which in order, how many at most."""


class OpenLots:
    """The lots of some customers, as far as they were read and changed since.

    Args:
        lots: Lots read: every one that is due, those a reversal may ask about, and the first
            ones in order as far as `read_to` says.
        read_to: How far lots in order were read, by customer and state; None for all.
        further: Reads more of them; None when every lot with points left was given.
    """

    def __init__(
        self,
        lots: Iterable[Lot] = (),
        read_to: Mapping[Reach, Order | None] | None = None,
        further: Further | None = None,
    ) -> None:
        """Keep what was read."""
        self.by_id: dict[str, Lot] = {}
        self._full: dict[Reach, list[Lot]] = {}
        self._read_to = dict(read_to or {})
        self._further = further
        self._brought: dict[str, str] = {}
        self._take_in(lots)

    def due(self, customer_id: str, at: str) -> tuple[list[Lot], list[Lot]]:
        """Give lots whose lock ended, and lots that expired; none is both.

        Args:
            customer_id: Whose.
            at: The moment, UTC ISO text.

        Returns:
            Pending lots that become active, then lots of which nothing may be spent any more.
        """
        if self._brought.get(customer_id) == at:
            return [], []
        self._brought[customer_id] = at
        locked = self._full.get((customer_id, PENDING), [])
        free = [lot for lot in locked if lot.available_at <= at]
        ending = []
        for pocket in (ACTIVE, PENDING):
            for lot in self._full.get((customer_id, pocket), []):
                if lot.expires_at > at:
                    break
                ending.append(lot)
        return free, sorted(ending, key=lambda lot: lot.order)

    def draw(self, customer_id: str, points: int, pocket: str) -> list[tuple[Lot, int]]:
        """Choose the lots points come from, the one that expires first before others.

        Returns:
            The lots, and how much of each.
        """
        self._reach(customer_id, points, pocket)
        found = []
        for lot in self._full.get((customer_id, pocket), []):
            if not points:
                break
            here = min(points, lot.remaining)
            points -= here
            found.append((lot, here))
        return found

    def of(self, customer_id: str) -> list[Lot]:
        """Give the lots of a customer that were read and have points left, in order.

        Returns:
            The lots.
        """
        both = [
            lot for name in (ACTIVE, PENDING) for lot in self._full.get((customer_id, name), [])
        ]
        return sorted(both, key=lambda lot: lot.order)

    def put(self, lot: Lot) -> None:
        """Put a lot where it belongs, after it was new, restored, freed or given to another."""
        self.by_id[lot.lot_id] = lot
        if not lot.remaining:
            return
        insort(
            self._full.setdefault((lot.customer_id, lot.state), []), lot, key=lambda one: one.order
        )
        at = self._brought.get(lot.customer_id, NEVER)
        if lot.expires_at <= at or (lot.state == PENDING and lot.available_at <= at):
            self._brought.pop(lot.customer_id, None)

    def take_out(self, lot: Lot) -> None:
        """Take a lot out before it changes its owner, its state or when it expires."""
        full = self._full.get((lot.customer_id, lot.state), [])
        place = bisect_left(full, lot.order, key=lambda one: one.order)
        if place < len(full) and full[place] is lot:
            del full[place]

    def _take_in(self, lots: Iterable[Lot]) -> None:
        touched = set()
        for lot in lots:
            # What was read before may have changed since, and stands as it is in memory.
            if lot.lot_id not in self.by_id:
                self.by_id[lot.lot_id] = lot
                if lot.remaining:
                    touched.add((lot.customer_id, lot.state))
                    self._full.setdefault((lot.customer_id, lot.state), []).append(lot)
        for name in touched:
            self._full[name].sort(key=lambda lot: lot.order)

    def _reach(self, customer_id: str, points: int, pocket: str) -> None:
        """Read on until the lots in order hold so many points, or there are no more."""
        name, size = (customer_id, pocket), FIRST
        while self._further and (last := self._read_to.get(name, START)) is not None:
            if self._holds(name, points, last):
                return
            size = min(size * 4, MOST)
            found = self._further(customer_id, pocket, last, size)
            self._read_to[name] = found[-1].order if len(found) == size else None
            self._take_in(found)

    def _holds(self, name: Reach, points: int, last: Order) -> bool:
        """Tell whether what was read in order, without a gap, holds so many points."""
        for lot in self._full.get(name, []):
            if points <= 0 or lot.order > last:
                break
            points -= lot.remaining
        return points <= 0
