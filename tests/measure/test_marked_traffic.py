"""What programs do moves no effect, and leaving it out favours neither side."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

BEGUN = date(2026, 1, 11)
INSIDE = BEGUN + timedelta(days=2)


def effects(made):
    made.measure(2)
    columns = ("metric", "campaign_id", "estimate", "low", "high", "treated", "control")
    return [tuple(row[c] for c in columns) for row in made.rows("effects")] + [
        tuple(row[c] for c in ("metric", "estimate", "low", "high", "treated"))
        for row in made.rows("programme_effects")
    ]


def treated(made, count):
    return [r["customer_id"] for r in made.rows("decisions", verdict="send")][:count]


def held_out(made, count):
    rows = made.rows("decisions", verdict="holdout", is_campaign_holdout=True)
    return [r["customer_id"] for r in rows if not r["is_global_holdout"]][:count]


def plant_orders(made, customers, names):
    """Orders of 90,000 each within the window of turn 1."""
    size = len(customers)
    about = {"order_id": names, "customer_id": customers, "business_date": [INSIDE] * size}
    made.put(
        "orders",
        about
        | {
            "ordered_at": [datetime(2026, 1, 13, 4, tzinfo=UTC)] * size,
            "total": [Decimal(90000)] * size,
        },
    )
    lines = {"line_id": ["1"] * size, "product_id": ["p"] * size, "quantity": [Decimal(1)] * size}
    made.put("order_lines", about | lines | {"sales": [Decimal(90000)] * size})


def mark_customers(made, customers, turn=1):
    size = len(customers)
    columns = {"customer_id": customers, "reasons": ["rate"] * size, "marked_on": [BEGUN] * size}
    made.put("marked_customers", columns, turn=turn)


@pytest.fixture
def twice(shop):
    """The same shop twice: one stays clean, one gets traffic of programs."""
    return shop(lift=10.0), shop(lift=10.0, folder="spoiled")


def test_orders_of_programs_would_move_the_effect(twice):
    clean, spoiled = twice
    names = treated(spoiled, 60)

    plant_orders(spoiled, names, [f"bot{i}" for i in range(60)])

    assert effects(spoiled) != effects(clean)


def test_orders_of_customers_marked_before_the_contact_move_nothing(twice):
    clean, spoiled = twice
    names = treated(spoiled, 60) + held_out(spoiled, 10)
    plant_orders(spoiled, names, [f"bot{i}" for i in range(70)])

    mark_customers(clean, names)
    mark_customers(spoiled, names)

    assert effects(spoiled) == effects(clean)


def test_customers_are_left_out_of_both_sides(twice):
    clean, spoiled = twice
    mark_customers(spoiled, treated(spoiled, 60) + held_out(spoiled, 10))

    before, after = (
        next(r for r in made.rows("effects", metric="margin", campaign_id="*"))
        for made in twice
        if effects(made)
    )

    assert (before["treated"] - after["treated"], before["control"] - after["control"]) == (60, 10)


def test_orders_placed_by_actors_marked_before_the_contact_move_nothing(twice):
    clean, spoiled = twice
    names = [f"bot{i}" for i in range(60)]
    plant_orders(spoiled, treated(spoiled, 60), names)

    spoiled.put("marked_orders", {"order_id": names, "marked_on": [BEGUN] * 60}, turn=2)

    assert effects(spoiled) == effects(clean)


def test_a_mark_set_after_the_contact_takes_nobody_and_nothing_out(twice):
    clean, spoiled = twice
    for made in twice:
        plant_orders(made, treated(made, 60), [f"bot{i}" for i in range(60)])
    late = [BEGUN + timedelta(days=1)] * 60

    spoiled.put(
        "marked_orders", {"order_id": [f"bot{i}" for i in range(60)], "marked_on": late}, turn=2
    )
    mark_customers(spoiled, treated(spoiled, 60), turn=2)

    assert effects(spoiled) == effects(clean)


def test_clicks_of_programs_move_nothing(twice):
    clean, spoiled = twice
    names = treated(spoiled, 500)

    at = [datetime(2026, 1, 12, 2, 0, 1, tzinfo=UTC)] * len(names)
    kinds = ["clicked"] * len(names)
    columns = {"contact_key": names, "customer_id": names, "kind": kinds, "occurred_at": at}
    spoiled.put("contact_outcomes", columns)

    assert effects(spoiled) == effects(clean)
