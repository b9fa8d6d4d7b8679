"""One turn as a plan-do-check-act record."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Planned:
    """What the turn meant to do.

    Attributes:
        spend_share: Share of the weekly budget the evidence allowed, 0 to 1; None before any.
        chosen: Customers chosen, held out ones included.
        expected_margin: Incremental margin expected of those to be sent to.
        money: Money the plan put into cells; None before any plan.
        keeps_to_plan: True when the turn kept to the whole plan.
    """

    spend_share: float | None
    chosen: int
    expected_margin: float
    money: float | None = None
    keeps_to_plan: bool = False


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes:
        customers_by_fate: Customers by fate.
        cost: Spent on contacts.
    """

    customers_by_fate: Mapping[str, int]
    cost: Decimal


@dataclass(frozen=True)
class Checked:
    """What was found when the window had passed.

    Attributes:
        measured_by: Turn that measured; None while the window has not passed.
        predicted: Incremental margin expected.
        measured: Incremental margin measured; None when it must not be read.
        low: Lower end of its interval.
        high: Upper end of its interval.
        campaigns: Campaigns measured.
        surprises: Campaigns whose prediction lies outside the measured interval.
        alerts: Shares of channels that left their limits.
    """

    measured_by: int | None
    predicted: float | None
    measured: float | None
    low: float | None
    high: float | None
    campaigns: int
    surprises: tuple[str, ...]
    alerts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Changed:
    """What was changed because of it.

    Attributes:
        changes: Rows of table `adjustments` that cite this turn.
        holds: Channels left alone from the measuring turn on.
        plan: Cells whose money the next turn changed, where it keeps to the plan.
    """

    changes: tuple[Mapping[str, Any], ...]
    holds: tuple[Mapping[str, Any], ...]
    plan: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Cycle:
    """One turn, from plan to what was changed.

    Attributes:
        turn: The turn.
        plan: What it meant to do.
        do: What was done.
        check: What was found.
        act: What was changed; the next plan rests on it.
    """

    turn: int
    plan: Planned
    do: Done
    check: Checked
    act: Changed
