"""Orders online: the version that counts, whatever comes first, files or messages."""

from datetime import date
from decimal import Decimal
from itertools import count

import pytest
from tests.unify.online.conftest import ZONE

from regulars.unify.profiles.online.loading.service import load_facts

AS_OF = date(2026, 3, 1)
PRODUCTS = {"products": [{"product_id": "p1", "price": 10, "quantity": 1}]}


@pytest.fixture
def tell(shop, event, moment):
    """Give a function that tells messages about one order, all at one moment or at their own."""

    numbers = count()

    def told(*messages):
        rows = [
            event(
                f"m{next(numbers)}",
                moment(at),
                event=name,
                user="u1",
                properties={"order_id": "o1", **PRODUCTS, **more},
            )
            for name, at, more in messages
        ]
        shop.tell(rows)
        shop.online.refresh_population(as_of=AS_OF, aliases={})
        return shop.online.of("u1", ["u1"], as_of=AS_OF).indicators

    return told


@pytest.mark.parametrize("first", [0, 1])
def test_at_one_moment_a_cancellation_wins_over_an_update(tell, first):
    messages = [
        ("Order Updated", "2026-02-03T10:00", {}),
        ("Order Cancelled", "2026-02-03T10:00", {}),
    ]
    placed = ("Order Completed", "2026-02-01T10:00", {})

    found = tell(placed, messages[first], messages[1 - first])

    assert found["orders"] == 0


def test_an_update_that_comes_before_its_order_still_counts(tell):
    found = tell(
        ("Order Updated", "2026-02-03T10:00", {"total": 30, "shipping": 20}),
        ("Order Completed", "2026-02-01T10:00", {}),
    )

    assert (found["orders"], found["monetary"], found["recency_days"]) == (1, 30.0, 28)


def test_a_version_declared_an_error_leaves_the_one_before(tell):
    found = tell(
        ("Order Completed", "2026-02-01T10:00", {}),
        ("Order Updated", "2026-02-03T10:00", {"total": 30, "shipping": 20}),
        ("Order Voided", "2026-02-04T10:00", {"voids": "m1"}),
    )

    assert found["monetary"] == 10.0


def test_an_order_of_a_file_gives_way_to_messages_and_not_to_a_refund(shop, tell, moment):
    order = {"customer_id": "u1", "business_date": date(2026, 1, 5), "total": Decimal("99.00")}
    shop.put(
        "orders",
        [order | {"order_id": o, "ordered_at": moment("2026-01-05T09:00")} for o in ("o1", "o2")],
    )
    load_facts(shop.engine, shop.store, zone=ZONE, as_of=AS_OF)

    refunded = tell(("Order Refunded", "2026-02-01T10:00", {}))
    told = tell(("Order Completed", "2026-02-01T10:00", {}))
    load_facts(shop.engine, shop.store, zone=ZONE, as_of=AS_OF)
    again = shop.online.of("u1", ["u1"], as_of=AS_OF).indicators

    assert refunded["monetary"] == 198.0
    assert told["monetary"] == again["monetary"] == 109.0
