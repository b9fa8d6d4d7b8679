"""What is left of each cell's money once a turn has decided, and which cell a customer is in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from ibis import _
from numpy.typing import NDArray

from regulars.decide.budget.curves.curve import UNSCORED
from regulars.decide.offers import Arm
from regulars.decide.policies.tables import PLAIN
from regulars.numerics.hashing import key_of, keys_of
from regulars.ports.engine import Reader

_OF_A_CENT = 1e-9


class Cell(NamedTuple):
    """A cell of the budget: segment, channel and offer."""

    segment: str
    channel: str
    offer_id: str

    @property
    def name(self) -> str:
        """The cell in one word, as it is kept."""
        return "|".join(self)


class Limited(NamedTuple):
    """An action whose cell has a limit.

    Attributes:
        action: Offer and channel in one word.
        cell: Name of its cell.
        left: Cents the turn left of it.
        cents: What one contact takes.
    """

    action: str
    cell: str
    left: int
    cents: int


@dataclass(frozen=True)
class Cells:
    """The cells with a limit, and where customers belong.

    Attributes:
        keys: Hashes of customers with a segment, in order; shape (customers,).
        segment: Place of their segment in `names`; shape (customers,).
        names: Segments.
        left: Cents a cell has left after the turn's own sends, by cell with a limit.
    """

    keys: NDArray[np.uint64]
    segment: NDArray[np.int16]
    names: tuple[str, ...]
    left: Mapping[Cell, int]

    @cached_property
    def limited(self) -> "dict[str, tuple[Sequence[Arm], list[Limited]]]":
        """Actions with a limit by segment, and of which arms; `limited_of` fills it."""
        return {}

    def limited_of(self, segment: str, arms: Sequence[Arm]) -> "list[Limited]":
        """Give the actions of a segment that have a limit.

        Args:
            segment: The customer's.
            arms: The actions there are; worked out once for the same ones.

        Returns:
            Those with a limit, in their order.
        """
        known = self.limited.get(segment)
        if known is not None and known[0] is arms:
            return known[1]
        cells = [(arm, Cell(segment, arm.channel, arm.offer_id)) for arm in arms]
        found = [
            Limited(arm.name, cell.name, self.left[cell], int(arm.cost * 100))
            for arm, cell in cells
            if cell in self.left
        ]
        self.limited[segment] = (arms, found)
        return found

    @cached_property
    def called(self) -> Mapping[str, int]:
        """The same by the cell's name, which is never taken apart: an id may hold any letter."""
        return {cell.name: cents for cell, cents in self.left.items()}

    def segment_of(self, customer_id: str, *, is_plain: bool) -> str:
        """Give the segment a customer counts in; who lets no feature be used has none."""
        if is_plain or not len(self.keys):
            return UNSCORED
        key = np.uint64(key_of(customer_id))
        row = int(self.keys.searchsorted(key))
        if row == len(self.keys) or self.keys[row] != key:
            return UNSCORED
        return self.names[int(self.segment[row])]


def read_cells(engine: Reader, turn: int) -> Cells | None:
    """Read what a turn leaves of each cell that has a limit.

    Args:
        engine: Reads the tables.
        turn: The turn that decided.

    Returns:
        The cells; None where no cell of the turn has a limit.
    """
    plans = engine.table("budget_plans")
    bound = engine.rows(
        plans.filter((_.turn == turn) & _.is_binding & _.most.notnull()).select(
            "segment", "channel", "offer_id", "most"
        )
    )
    if not bound:
        return None
    scores = engine.table("rfm_scores").filter(_.turn == turn).select("customer_id", "segment")
    known = engine.arrow(scores)
    spent = _spent(engine, turn)
    keys = keys_of(known["customer_id"].to_pylist())
    order = np.argsort(keys, kind="stable")
    names, place = np.unique(
        np.array(known["segment"].to_pylist(), dtype=np.str_), return_inverse=True
    )
    left = {
        cell: max(_cents(row["most"]) - spent.get(cell, 0), 0)
        for row in bound
        for cell in [Cell(row["segment"], row["channel"], row["offer_id"])]
    }
    return Cells(
        keys[order],
        place[order].astype(np.int16),
        tuple(names.tolist()),
        dict(sorted(left.items())),
    )


def _spent(engine: Reader, turn: int) -> dict[Cell, int]:
    """Give the cents the turn's own sends take, by cell."""
    scores = engine.table("rfm_scores").filter(_.turn == turn).select("customer_id", "segment")
    decided = engine.table("decisions").filter((_.turn == turn) & (_.verdict == "send"))
    rows = decided.left_join(scores, "customer_id").select(
        "channel",
        "offer_id",
        "cost",
        segment=decided.model_version.endswith(PLAIN).ifelse(
            UNSCORED, scores.segment.fill_null(UNSCORED)
        ),
    )
    summed = rows.group_by(["segment", "channel", "offer_id"]).agg(cost=_.cost.sum())
    return {
        Cell(row["segment"], row["channel"], row["offer_id"]): _cents(row["cost"])
        for row in engine.rows(summed.order_by("segment", "channel", "offer_id"))
    }


def _cents(money: Any) -> int:
    if isinstance(money, Decimal):
        return int(money * 100)
    return math.floor(float(money) * 100 + _OF_A_CENT)
