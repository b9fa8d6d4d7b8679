"""A change of rules, tried on past orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from regulars.ports.engine import Reader
from regulars.reach.loyalty.earning.tables import Facts
from regulars.reach.loyalty.programme.definition import Programme
from regulars.reach.loyalty.simulating.tables import points_by_month
from regulars.reach.loyalty.tiers.tables import spend

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Given:
    """What one month's orders give under the rules in force, and under others.

    Attributes:
        month: As YYYY-MM.
        orders: Orders of known customers.
        points: Points under the rules in force; 0 when there are none.
        proposed: Points under the proposed ones.
    """

    month: str
    orders: int
    points: int
    proposed: int


@dataclass(frozen=True)
class Simulated:
    """What a change of rules would have cost.

    Attributes:
        first: First day of the orders looked at.
        as_of: Last day.
        orders: Orders of known customers.
        points: Points under the rules in force.
        proposed: Points under the proposed ones.
        cost: What the first are worth, in the workspace's currency, spent to the last.
        proposed_cost: What the second are worth.
        by_month: The same by month.
    """

    first: date
    as_of: date
    orders: int
    points: int
    proposed: int
    cost: Decimal
    proposed_cost: Decimal
    by_month: list[Given]


def simulate(
    engine: Reader,
    current: Programme | None,
    proposed: Programme,
    *,
    as_of: date,
    days: int = 365,
    aliases: Mapping[str, str] | None = None,
) -> Simulated:
    """Try rules on the orders of the past; nothing is posted.

    Every customer has the tier that what he paid by the last day gives him under each of the
    programmes. That other rules would have made him buy otherwise is left aside.

    Args:
        engine: Opens the facts.
        current: The programme in force; None when there is none.
        proposed: The other one.
        as_of: Last day of orders.
        days: Days looked at.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        Points and what they are worth under both.
    """
    first = as_of - timedelta(days=days - 1)
    facts = Facts(*map(engine.table, ("orders", "order_lines", "returns", "products")))
    found = {
        name: _by_month(engine, facts, one, first, as_of, aliases or {}) if one else {}
        for name, one in (("now", current), ("then", proposed))
    }
    rows = [
        Given(
            month,
            row["orders"],
            found["now"].get(month, {}).get("points", 0),
            row["points"],
        )
        for month, row in found["then"].items()
    ]
    points, other = sum(one.points for one in rows), sum(one.proposed for one in rows)
    worth = current.point_value if current else Decimal(0)
    return Simulated(
        first,
        as_of,
        sum(one.orders for one in rows),
        points,
        other,
        (points * worth).quantize(_CENT),
        (other * proposed.point_value).quantize(_CENT),
        rows,
    )


def newest_day(engine: Reader) -> date | None:
    """Give the day of the newest order; None when there are none."""
    orders = engine.table("orders")
    [row] = engine.rows(orders.agg(day=orders.business_date.max()))
    found: date | None = row["day"]
    return found


def _by_month(
    engine: Reader,
    facts: Facts,
    programme: Programme,
    first: date,
    as_of: date,
    aliases: Mapping[str, str],
) -> dict[str, dict[str, int]]:
    tiers = programme.tiers
    multipliers: dict[str, Decimal] = {}
    if tiers.levels and tiers.measure == "spend":
        measured = spend(
            facts.orders, facts.returns, aliases=aliases, as_of=as_of, days=tiers.period_days
        )
        for row in engine.rows(measured):
            place = tiers.reached(row["measured"])
            if place:
                multipliers[row["customer_id"]] = tiers.levels[place - 1].multiplier
    for node, present in sorted(aliases.items()):
        if present in multipliers:
            multipliers.setdefault(node, multipliers[present])
    rows = engine.rows(points_by_month(facts, programme, multipliers, first=first, as_of=as_of))
    return {
        row["month"]: {"orders": int(row["orders"]), "points": int(row["points"] or 0)}
        for row in rows
    }
