"""Guard rails of a plan: fixed, flexible and reserved money, floors, ceilings, pins and risk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from regulars.decide.budget.curves import Cell
from regulars.errors import InputError
from regulars.numerics.arrays import arrow_table, numbers, require_columns, words
from regulars.numerics.given import number_given


@dataclass(frozen=True)
class Guards:
    """What a plan may do with the budget.

    Attributes:
        flexible: Share that goes where it brings most, 0 to 1.
        reserve: Share kept back, 0 to 1. What is neither flexible nor reserve is fixed: it goes
            where it went before.
        risk: Most probability, 0 to 1, that the last flexible unit of money in a cell brings
            less than the hurdle.
        hurdle: What a unit of money must bring; 1 is its own cost.
        loss: Probability, 0 to 1, of losing from the first unit on at which a cell keeps no
            fixed part, unless a person gave it a base.
    """

    flexible: float = 0.4
    reserve: float = 0.2
    risk: float = 0.5
    hurdle: float = 1.0
    loss: float = 0.95

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name in ("flexible", "reserve", "risk", "loss"):
            share = number_given(getattr(self, name), name)
            if not 0 <= share <= 1:
                raise InputError(f"{name} is {share:g}, must be a share from 0 to 1")
        number_given(self.hurdle, "hurdle", least=0, below=np.inf)
        if self.flexible + self.reserve > 1 + 1e-12:
            raise InputError(
                f"flexible {self.flexible:g} and reserve {self.reserve:g} are more than 1 together"
            )

    @property
    def fixed(self) -> float:
        """Share that goes where it went before."""
        return max(0.0, 1 - self.flexible - self.reserve)


@dataclass(frozen=True)
class Limits:
    """What holds for one cell.

    Attributes:
        floor: Least spend.
        ceiling: Most spend.
        base: What it had before, by which the fixed part is shared; None for what was spent.
        pin: Exactly this, decided by a person; None for none.
        why: Who pinned it and why; "" for no pin.
    """

    floor: float = 0.0
    ceiling: float = float("inf")
    base: float | None = None
    pin: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        """Refuse limits nothing can keep to.

        Raises:
            InputError: One is below 0 or no number, or the floor is above the ceiling.
        """
        for name in ("floor", "ceiling", "base", "pin"):
            if getattr(self, name) is not None:
                number_given(getattr(self, name), name, least=0)
        if self.floor > self.ceiling:
            raise InputError(
                f"floor is {self.floor:g}, ceiling {self.ceiling:g}; give 0 <= floor <= ceiling"
            )


def limits_of_table(table: Any) -> Mapping[Cell, Limits]:
    """Read limits from a table.

    Args:
        table: Arrow, pandas or Ibis table, or columns by name: segment, channel, offer_id and
            any of floor, ceiling, base, pin; an empty value is no limit.

    Returns:
        Limits by cell.

    Raises:
        InputError: A column is missing, a cell is there twice, or a floor is above a ceiling.

    Example:
        >>> found = limits_of_table({"segment": ["all"], "channel": ["sms"],
        ...     "offer_id": ["ten"], "pin": [500.0]})
        >>> found[Cell("all", "sms", "ten")].pin
        500.0
    """
    given = arrow_table(table)
    require_columns(given, Cell._fields, of="limits")
    names = [words(given, name).tolist() for name in Cell._fields]
    columns = {
        name: numbers(given, name) if name in given.column_names else np.full(len(given), np.nan)
        for name in ("floor", "ceiling", "base", "pin")
    }
    found: dict[Cell, Limits] = {}
    for row, parts in enumerate(zip(*names, strict=True)):
        said = {name: float(column[row]) for name, column in columns.items()}
        given_only = {name: one for name, one in said.items() if not np.isnan(one)}
        cell = Cell(*parts)
        try:
            limits = Limits(
                given_only.get("floor", 0.0),
                given_only.get("ceiling", np.inf),
                given_only.get("base"),
                given_only.get("pin"),
            )
        except InputError as error:
            raise InputError(f"the limits of {cell} cannot be: {error}") from error
        if cell in found:
            raise InputError(f"{cell} has limits twice; give one row per cell")
        found[cell] = limits
    return found
