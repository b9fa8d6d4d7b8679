"""Take from what is shared: in the store for everybody, in memory for a part taken beforehand."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from regulars.ports.state import Queries, State, Transaction

_SQL = Queries(__package__)
_PARTS = 20
MONEY, CELL, STOCK = "money", "cell", "stock"


class Limit(NamedTuple):
    """Something that is shared and may run out.

    Attributes:
        turn: The turn it is of; 0 where it lasts beyond turns, as stock does.
        kind: "money", "cell" or "stock".
        name: Which: "" for all money, a cell, an offer.
    """

    turn: int
    kind: str
    name: str


class Want(NamedTuple):
    """So much of something.

    Attributes:
        limit: Of what.
        amount: Cents, or contacts for stock.
        most: All there is for decisions made online; not looked at for stock, which is counted
            with the contacts of everybody.
    """

    limit: Limit
    amount: int
    most: int = 0


def take_within(opened: Transaction, wants: Sequence[Sequence[Want]], *, taker: str) -> list[str]:
    """Take what decisions want, one after the other; a decision gets all it wants or nothing.

    Args:
        opened: The write transaction; what is taken is taken when it ends.
        wants: What each decision wants.
        taker: Who takes; others' takings stay as they are.

    Returns:
        By decision "" for one that got it, else the kind of what had run out.
    """
    every = sorted({want.limit for one in wants for want in one})
    left: dict[Limit, int] = {}
    most = {want.limit: want.most for one in wants for want in one}
    for limit in every:
        left[limit] = _left(opened, Want(limit, 0, most[limit]), taker)
    found, took = [], dict.fromkeys(every, 0)
    for one in wants:
        short = [want.limit.kind for want in one if want.amount > left[want.limit]]
        found.append(short[0] if short else "")
        for want in () if short else one:
            left[want.limit] -= want.amount
            took[want.limit] += want.amount
    for limit, amount in took.items():
        if amount:
            _take(opened, limit, amount, taker)
    return found


class Shares:
    """What one process took beforehand, so that a decision does not wait for the disk.

    A part is taken when there is too little left of the one before: a twentieth of what there
    is, and at the end one contact at a time. What was not used is given back by `close`; after a
    crash by `restore`, told what the log says was used.

    Args:
        state: The transactional store.
        taker: Names the process; nobody else takes under this name meanwhile.
    """

    def __init__(self, state: State, *, taker: str) -> None:
        """Take nothing yet."""
        self._state, self._taker = state, taker
        self._lock = threading.Lock()
        self._held: dict[Limit, int] = {}
        self._empty: dict[Limit, int] = {}

    def restore(self, used: Mapping[Limit, int]) -> None:
        """Give back what was taken before and not used, as a crash leaves it.

        Args:
            used: What was used, by limit, as far as the log on disk knows.
        """
        with self._lock, self._state.transaction() as opened:
            rows = opened.all(_SQL["held"], taker=self._taker)
            for row in rows:
                limit = Limit(row["turn"], row["kind"], row["name"])
                _take(opened, limit, used.get(limit, 0) - int(row["taken"]), self._taker)
            known = {Limit(row["turn"], row["kind"], row["name"]) for row in rows}
            for limit, amount in sorted(used.items()):
                if limit.kind == MONEY and limit not in known:
                    # Spent before the store was told of it.
                    _taken(opened, limit, self._taker)
                    _take(opened, limit, amount, self._taker)

    def take(self, wants: Iterable[Want]) -> str:
        """Take all that one decision wants, or nothing.

        Args:
            wants: What it wants.

        Returns:
            "" when it got it, else the kind of what has run out.
        """
        asked = [want for want in wants if want.amount > 0]
        with self._lock:
            for want in asked:
                if self._held.get(want.limit, 0) < want.amount and not self._fill(want):
                    return want.limit.kind
            for want in asked:
                self._held[want.limit] -= want.amount
        return ""

    def has(self, limit: Limit) -> bool:
        """Say whether some of it is held here, whatever the store says is left."""
        return self._held.get(limit, 0) > 0

    @property
    def has_run_out(self) -> bool:
        """Whether anything could not be had the last time it was asked for."""
        return bool(self._empty)

    def is_out(self, limit: Limit, amount: int) -> bool:
        """Say whether so much of it could not be had the last time it was asked for."""
        return limit in self._empty and self._empty[limit] <= amount

    def look_again(self) -> None:
        """Forget what had run out: others may have given some back."""
        with self._lock:
            self._empty.clear()

    def close(self) -> None:
        """Give back what was not used."""
        with self._lock:
            if any(self._held.values()):
                with self._state.transaction() as opened:
                    for limit, amount in sorted(self._held.items()):
                        if amount:
                            _take(opened, limit, -amount, self._taker)
            self._held.clear()

    def _fill(self, want: Want) -> bool:
        """Take a part from the store; False when there is not even enough for this decision."""
        if self.is_out(want.limit, want.amount):
            return False
        here = self._held.get(want.limit, 0)
        with self._state.transaction() as opened:
            left = _left(opened, want, self._taker)
            part = min(left, max(want.amount - here, left // _PARTS))
            if here + part >= want.amount:
                _take(opened, want.limit, part, self._taker)
                self._held[want.limit] = here + part
                return True
        self._empty[want.limit] = min(want.amount, self._empty.get(want.limit, want.amount))
        return False


def _left(opened: Transaction, want: Want, taker: str) -> int:
    taken = _taken(opened, want.limit, taker)
    if want.limit.kind != STOCK:
        return max(want.most - taken, 0)
    return _stock_left(opened, want.limit.name)


def _stock_left(opened: Transaction, offer_id: str) -> int:
    """Give what remains of an offer, alone with it until the transaction ends."""
    rows = opened.all(_SQL["stock"], offer_id=offer_id)
    return max(int(rows[0]["remaining"]), 0) if rows else 0


def _taken(opened: Transaction, limit: Limit, taker: str) -> int:
    """Give what all have taken together, alone with it until the transaction ends."""
    for one in ("", taker):
        opened.run(_SQL["begin"], **limit._asdict(), taker=one)
    [row] = opened.all(_SQL["taken"], **limit._asdict(), taker="")
    return int(row["taken"])


def _take(opened: Transaction, limit: Limit, amount: int, taker: str) -> None:
    """Count what is taken; below 0 it is given back."""
    if limit.kind == STOCK:
        opened.run(_SQL["take_stock"], offer_id=limit.name, amount=amount)
    opened.run(_SQL["take"], **limit._asdict(), taker=taker, amount=amount)
