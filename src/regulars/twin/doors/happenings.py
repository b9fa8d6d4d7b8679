"""What clients of the twin would send of a week: accounts, carts, watched products, orders."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.numerics.hashing import uniforms
from regulars.twin.doors.files import Doors
from regulars.twin.state import State
from regulars.twin.week import Outcome

Integers = NDArray[np.int64]

_MINUTE = 60_000_000
_DAY = 24 * 60 * _MINUTE
_KINDS = {
    "Signed Up": "sign_up",
    "Product Added": "cart",
    "Price Dropped": "price",
    "Back In Stock": "stock",
    "Points Expiring": "points",
}
"""Events by the part of the figures that says how often they happen."""
_SAYS = {
    "Product Added": '{"name": "tea", "product_id": "P0001"}',
    "Price Dropped": '{"name": "tea", "product_id": "P0001"}',
    "Back In Stock": '{"name": "tea", "product_id": "P0001"}',
    "Points Expiring": '{"points": 120, "expires_on": "soon"}',
}


def week_events(doors: Doors, state: State, outcome: Outcome, orders: pa.Table) -> pa.Table:
    """Give the events of one week.

    What happens is drawn apart from what a contact does: nobody gets a cart, an account or a
    cheaper product because she was contacted. Only her orders follow.

    Args:
        doors: The twin's doors.
        state: The twin before the week.
        outcome: The week.
        orders: The fact `orders` of the week.

    Returns:
        customer_id, event, at (microseconds since 1970 UTC), says (JSON), in order of moments.
    """
    people, week = doors.population, outcome.week
    customers, names, moments = [], [], []
    for event, part in _KINDS.items():
        draw = uniforms(people.keys, "happening", part, week)
        happens = draw < doors.values[f"stimulus.{part}"]
        if event == "Signed Up":
            happens = _first_time(doors, week)
        if event == "Product Added":
            happens &= state.shopping
        who = np.flatnonzero(happens)
        customers.append(who)
        names += [event] * len(who)
        moments.append(_moments(doors, who, event, week))
    table = pa.table({
        "customer_id": pa.array(people.ids.tolist(), pa.string()).take(
            pa.array(np.concatenate(customers))
        ),
        "event": pa.array(names, pa.string()),
        "at": pa.array(np.concatenate(moments), pa.int64()),
    })
    bought = pa.table({
        "customer_id": orders["customer_id"].cast(pa.string()),
        "event": pa.array(["Order Completed"] * orders.num_rows, pa.string()),
        "at": orders["ordered_at"].cast(pa.int64()),
    })
    whole = pa.concat_tables([table.combine_chunks(), bought.combine_chunks()])
    whole = whole.sort_by([("at", "ascending"), ("customer_id", "ascending")])
    says = [_SAYS.get(name, "{}") for name in whole["event"].to_pylist()]
    return whole.append_column("says", pa.array(says, pa.string()))


def birthdays(doors: Doors) -> pa.Array:
    """Give the day of birth of every customer, as the members' file has it.

    Returns:
        Days, in the order of customers; adults all of them.
    """
    days = (uniforms(doors.population.keys, "happening", "born") * 40 * 365).astype(np.int64)
    return pa.array((days + 365 * -5).astype(np.int32), pa.int32()).cast(pa.date32())


def _first_time(doors: Doors, week: int) -> NDArray[np.bool_]:
    """Who opens an account in exactly this week: once in a life, at the same pace every week."""
    draw = uniforms(doors.population.keys, "happening", "sign_up")
    pace = doors.values["stimulus.sign_up"]
    at = np.floor(np.log(draw) / np.log1p(-pace)).astype(np.int64)
    return np.asarray(at == week % _YEAR)


def _moments(doors: Doors, who: Integers, event: str, week: int) -> Integers:
    keys = doors.population.keys[who]
    day = (uniforms(keys, "happening", event, week, "day") * 7).astype(np.int64)
    monday = doors.monday(week)
    midnights = np.array([doors.midnight(monday + timedelta(days=n)) for n in range(7)])
    opens, hours = doors.values["customers.day_start"], doors.values["customers.day_hours"]
    minute = opens * 60 + uniforms(keys, "happening", event, week, "minute") * hours * 60
    return np.asarray(midnights[day] + minute.astype(np.int64) * _MINUTE)


_YEAR = 10_000
"""Weeks after which nobody counts any more."""
