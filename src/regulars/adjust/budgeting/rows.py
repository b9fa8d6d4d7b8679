"""Rows of the plan a turn made: what binds it, and what it rests on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import fsum
from typing import Any

from regulars.decide.budget.curves import Cell
from regulars.decide.budget.planning import Limits
from regulars.decide.budget.planning.service import Planned

_INFINITE = float("inf")
_SAID = ("spend", "fixed", "before", "expected", "low", "high", "marginal", "chance_of_loss")
_CURVE = ("first_return", "spread", "saturation")
_NOTHING: dict[str, Any] = {name: None for name in (*_SAID, *_CURVE)}
_NEW = _NOTHING | {"bound_by": "unplanned", "points": 0, "shadow_price": 0.0}
_NONE = Limits()


def feasible(limits: Mapping[Cell, Limits], *, to_spend: float) -> dict[Cell, Limits]:
    """Lower floors and pins in one proportion where they come to more than there is.

    A turn goes on with what there is; whoever reviews it finds them bound by the budget.

    Args:
        limits: What people set.
        to_spend: Most that may be spent.

    Returns:
        The limits, none above what there is.

    Example:
        >>> cell = Cell("all", "sms", "ten")
        >>> feasible({cell: Limits(pin=200.0)}, to_spend=50.0)[cell].pin
        50.0
    """
    wanted = fsum(one.floor if one.pin is None else one.pin for one in limits.values())
    if wanted <= to_spend:
        return dict(limits)
    part = to_spend / wanted
    return {
        cell: replace(one, floor=one.floor * part, pin=None if one.pin is None else one.pin * part)
        for cell, one in limits.items()
    }


def of_plan(
    found: Planned, limits: Mapping[Cell, Limits], *, is_followed: bool
) -> list[dict[str, Any]]:
    """Write a plan as rows of table `budget_plans`.

    Args:
        found: The plan.
        limits: What people set.
        is_followed: True when the turn keeps to the whole plan.

    Returns:
        One row per cell, by segment, channel and offer.
    """
    plan, curves = found.plan, {curve.cell: curve for curve in found.curves}
    rows = []
    for one in plan.cells:
        limit, curve = limits.get(one.cell), curves[one.cell]
        least, most = _ends(limit)
        rows.append(
            one.cell._asdict()
            | {name: getattr(one, name) for name in _SAID}
            | {name: getattr(curve, name) for name in _CURVE}
            | {
                "is_binding": is_followed or limit is not None,
                "least": least,
                "most": one.spend if is_followed else most,
                "bound_by": one.bound_by,
                "points": curve.points,
                "why": limit.why if limit else "",
                "budget": plan.budget,
                "to_spend": plan.to_spend if is_followed else plan.budget,
                "shadow_price": plan.shadow_price,
            }
        )
    return sorted(rows, key=_place)


def of_people(
    limits: Mapping[Cell, Limits], *, money: float, to_spend: float
) -> list[dict[str, Any]]:
    """Write what people set, where nothing was measured to plan by.

    Args:
        limits: What people set.
        money: Money of the turn.
        to_spend: Most the turn may spend.

    Returns:
        One row per limited cell, by segment, channel and offer.
    """
    rows = []
    for cell, limit in limits.items():
        least, most = _ends(limit)
        is_pin = limit.pin is not None
        rows.append(
            cell._asdict()
            | _NOTHING
            | {
                "is_binding": True,
                "least": least,
                "most": most,
                "spend": limit.pin,
                "bound_by": "pin" if is_pin else "floor" if least else "ceiling",
                "points": 0,
                "why": limit.why,
                "budget": money,
                "to_spend": to_spend,
                "shadow_price": 0.0,
            }
        )
    return sorted(rows, key=_place)


def of_turn(
    earlier: Sequence[Mapping[str, Any]],
    limits: Mapping[Cell, Limits],
    *,
    money: float,
    reserve: float,
    cells: Iterable[Cell] = (),
) -> list[dict[str, Any]]:
    """Take the plan of an earlier turn again, within what there is now and what people set.

    Args:
        earlier: Rows of table `budget_plans` of that turn.
        limits: What people set now.
        money: Money of the turn.
        reserve: Share kept back.
        cells: The cells there are now; the earlier plan has no money for those it did not
            know, so they get none but what people set.

    Returns:
        One row per cell, by segment, channel and offer.
    """
    to_spend = money * (1 - reserve)
    said = {Cell(row["segment"], row["channel"], row["offer_id"]): row for row in earlier}
    each = {cell: limits.get(cell, _NONE) for cell in {*said, *limits, *cells}}
    least = {cell: _ends(limit)[0] for cell, limit in each.items()}
    wanted = {
        cell: _within(limit, said[cell]["spend"] if cell in said else 0.0)
        for cell, limit in each.items()
    }
    set_aside = fsum(least.values())
    free = fsum(wanted.values()) - set_aside
    part = min(1.0, max(to_spend - set_aside, 0.0) / free) if free > 0 else 1.0
    rows = []
    for cell, limit in each.items():
        spend = least[cell] + (wanted[cell] - least[cell]) * part
        before = said.get(cell, _NEW)
        binding = {"is_binding": True, "least": least[cell], "most": spend, "spend": spend}
        holds = _held_by(limit, wanted[cell]) or before["bound_by"]
        there_is = {"why": limit.why, "bound_by": holds, "budget": money, "to_spend": to_spend}
        rows.append({**before, **cell._asdict(), **binding, **there_is})
    return sorted(rows, key=_place)


def by_budget(
    rows: Sequence[Mapping[str, Any]],
    limits: Mapping[Cell, Limits],
    lowered: Mapping[Cell, Limits],
) -> list[dict[str, Any]]:
    """Say of floors and pins that were lowered that the money there is holds their cells.

    Args:
        rows: Rows of table `budget_plans`.
        limits: What people set.
        lowered: What `feasible` made of it.

    Returns:
        The rows, `bound_by` budget where a floor or pin of people would hold the cell but for
        the money.
    """
    found = []
    for row in rows:
        cell = Cell(row["segment"], row["channel"], row["offer_id"])
        is_lowered = cell in limits and lowered[cell] != limits[cell]
        is_held = is_lowered and row["bound_by"] in {"pin", "floor"}
        found.append({**row, "bound_by": "budget"} if is_held else dict(row))
    return found


def _within(limit: Limits, spend: float) -> float:
    return min(max(spend, limit.floor), limit.ceiling) if limit.pin is None else limit.pin


def _held_by(limit: Limits, wanted: float) -> str:
    """Say what people set holds a cell; "" for nothing."""
    if limit.pin is not None:
        return "pin"
    if limit.floor > 0 and wanted <= limit.floor:
        return "floor"
    return "ceiling" if wanted >= limit.ceiling else ""


def _ends(limit: Limits | None) -> tuple[float, float | None]:
    """Give the least and the most a person allows; None for no most."""
    if limit is None:
        return 0.0, None
    if limit.pin is not None:
        return limit.pin, limit.pin
    return limit.floor, None if limit.ceiling == _INFINITE else limit.ceiling


def _place(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["segment"], row["channel"], row["offer_id"]
