"""Folds: how one number about a customer grows day by day, said once for batch and online.

A fold says what the number is before the first day (`start`), what a day's aggregate adds
(`update`), how two stretches of time join (`merge`), what it is as of a day (`read`), and the
same as one Ibis aggregate over all days (`batch`). A test holds the two speeds equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # At run time only the batch needs it: what follows events does without its memory.
    from ibis.expr.types import Table, Value


@dataclass(frozen=True)
class Fold:
    """One number that grows with the days.

    Attributes:
        name: What the number is called in the finish of indicators.
        source: Table of daily aggregates it grows from.
        column: Column of that table; whole numbers, or words for `distinct`.
        start: State before the first day.
        update: State, day number, amount or word: the state after one more, days in order.
        merge: Earlier and later state, of stretches of time that share no day: both as one.
        read: State, day number: the number as of the day.
        batch: Daily aggregates, day number: the number as an aggregate over all days.
        reach: Days that can matter, counted back from the day looked from; None for all.
    """

    name: str
    source: str
    column: str
    start: Any
    update: Callable[[Any, int, Any], Any]
    merge: Callable[[Any, Any], Any]
    read: Callable[[Any, int], int]
    batch: "Callable[[Table, int], Value]"
    reach: int | None = None


def total(name: str, source: str, column: str) -> Fold:
    """Declare the sum of a column over all days."""
    return Fold(
        name,
        source,
        column,
        start=0,
        update=lambda state, day, amount: state + amount,
        merge=lambda earlier, later: earlier + later,
        read=lambda state, as_of: state,
        batch=lambda days, as_of: days[column].sum(),
    )


def window(name: str, source: str, column: str, newest: int, oldest: int) -> Fold:
    """Declare the sum of a column over the days that are `newest` to `oldest` - 1 days old.

    Args:
        name: What it is called.
        source: Table of daily aggregates.
        column: Column of that table.
        newest: Age of the newest day counted; 0 is the day looked from.
        oldest: Age of the first day too old.

    Returns:
        The fold; its state keeps the days that can still matter.
    """

    def update(state: dict[int, int], day: int, amount: int) -> dict[int, int]:
        kept = {d: n for d, n in state.items() if d > day - oldest}
        return kept | {day: kept.get(day, 0) + amount}

    def read(state: dict[int, int], as_of: int) -> int:
        return sum(n for d, n in state.items() if newest <= as_of - d < oldest)

    def batch(days: "Table", as_of: int) -> "Value":
        import ibis  # noqa: PLC0415 - large, needed for the batch only

        inside = (days.day > as_of - oldest) & (days.day <= as_of - newest)
        return ibis.coalesce(days[column].sum(where=inside), 0)

    return Fold(
        name,
        source,
        column,
        start={},
        update=update,
        merge=lambda earlier, later: earlier | later,
        read=read,
        batch=batch,
        reach=oldest,
    )


def distinct(name: str, source: str, column: str) -> Fold:
    """Declare how many different values a column of words has had."""
    return Fold(
        name,
        source,
        column,
        start=frozenset(),
        update=lambda state, day, word: state | {word},
        merge=lambda earlier, later: earlier | later,
        read=lambda state, as_of: len(state),
        batch=lambda days, as_of: days[column].nunique(),
    )


def first_day(name: str, source: str) -> Fold:
    """Declare the earliest day; before any, the day looked from."""
    return Fold(
        name,
        source,
        "day",
        start=None,
        update=lambda state, day, amount: day if state is None else state,
        merge=lambda earlier, later: later if earlier is None else earlier,
        read=lambda state, as_of: as_of if state is None else state,
        batch=lambda days, as_of: days.day.min(),
    )


def last_day(name: str, source: str) -> Fold:
    """Declare the latest day; before any, the day looked from."""
    return Fold(
        name,
        source,
        "day",
        start=None,
        update=lambda state, day, amount: day,
        merge=lambda earlier, later: earlier if later is None else later,
        read=lambda state, as_of: as_of if state is None else state,
        batch=lambda days, as_of: days.day.max(),
    )


def gap_squares(name: str, source: str) -> Fold:
    """Declare the sum of squares of the days between one day and the next.

    Args:
        name: What it is called.
        source: Table of daily aggregates; its batch form has the gaps ready, in `gap`.

    Returns:
        The fold; its state is the first day, the last and the sum.
    """

    def update(state: tuple[int, int, int] | None, day: int, _: int) -> tuple[int, int, int]:
        first, last, squares = state or (day, day, 0)
        return first, day, squares + (day - last) ** 2

    def merge(
        earlier: tuple[int, int, int] | None, later: tuple[int, int, int] | None
    ) -> tuple[int, int, int] | None:
        if earlier is None or later is None:
            return earlier or later
        between = (later[0] - earlier[1]) ** 2
        return earlier[0], later[1], earlier[2] + later[2] + between

    def batch(days: "Table", as_of: int) -> "Value":
        import ibis  # noqa: PLC0415 - large, needed for the batch only

        return ibis.coalesce((days.gap * days.gap).sum(), 0)

    return Fold(
        name,
        source,
        "day",
        start=None,
        update=update,
        merge=merge,
        read=lambda state, as_of: 0 if state is None else state[2],
        batch=batch,
    )
