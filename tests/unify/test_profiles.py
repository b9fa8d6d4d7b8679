"""What a profile says of a customer, run on a real lake and a real DuckDB."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

AS_OF = date(2017, 4, 30)


def shop(orders, **more):
    facts = {
        "customers": [{"customer_id": "ann"}],
        "products": [
            {"product_id": "milk", "category": "dairy", "is_private_label": True},
            {"product_id": "tea", "category": "drinks", "is_private_label": False},
        ],
        "orders": [head for head, _ in orders],
        "order_lines": [line for _, lines in orders for line in lines],
    }
    return facts | more


def milk(sales, **more):
    return {"product_id": "milk", "sales": Decimal(sales), **more}


def tea(sales, **more):
    return {"product_id": "tea", "sales": Decimal(sales), **more}


def test_three_orders_give_the_numbers_worked_out_by_hand(profiles_of, order):
    facts = shop([
        order("ann", "2017-03-04T10:00", milk("6.00"), tea("2.00")),
        order("ann", "2017-03-08T18:30", milk("10.00", coupon_discount=Decimal("2.50"))),
        order("ann", "2017-04-20T18:05", milk("4.00"), tea("18.00"), store="s2"),
    ])

    ann = profiles_of(facts, AS_OF)["ann"]

    assert (ann["days_known"], ann["recency_days"], ann["orders"]) == (57, 10, 3)
    assert (ann["orders_30d"], ann["orders_90d"]) == (1, 3)
    assert ann["monetary"] == Decimal("40.00")
    assert ann["monetary_30d"] == Decimal("22.00")
    assert ann["basket_size"] == pytest.approx(40 / 3)
    assert ann["weekly_orders"] == pytest.approx(3 / (58 / 7))
    assert ann["gap_mean_days"] == pytest.approx((4 + 43) / 2)
    assert ann["gap_sd_days"] == pytest.approx(27.577164)
    assert ann["trend_30d"] == pytest.approx((1 + 1) / (2 + 1))
    assert ann["category_entropy"] == pytest.approx(1.0)
    assert (ann["favourite_category"], ann["second_category"]) == ("dairy", "drinks")
    assert ann["discount_share"] == pytest.approx(2.5 / 42.5)
    assert ann["coupon_share"] == pytest.approx(1 / 3)
    assert ann["private_label_share"] == pytest.approx(0.5)
    assert ann["weekend_share"] == pytest.approx(1 / 3)
    assert ann["evening_share"] == pytest.approx(2 / 3)
    assert ann["favourite_hour"] == 18
    assert ann["store_loyalty"] == pytest.approx(2 / 3)
    assert ann["margin_rate"] == pytest.approx(0.25)
    assert (ann["contacts_ever"], ann["engaged_share"]) == (0, None)


def test_what_happens_after_the_day_changes_nothing(profiles_of, order, random_facts):
    facts = random_facts(3)
    day = date(2017, 7, 15)
    known = {
        name: [row for row in rows if _day_of(name, row) <= day] for name, rows in facts.items()
    }

    assert len(known["orders"]) < len(facts["orders"])
    assert profiles_of(facts, day, name="all") == profiles_of(known, day, name="known")


def _day_of(table, row):
    local = timedelta(hours=-4)
    if table in {"orders", "order_lines"}:
        return row["business_date"]
    if table == "redemptions":
        return row["redeemed_on"]
    moment = row.get("occurred_at") or row.get("at")
    return (moment + local).date() if moment else date(2017, 1, 1)


def test_a_customer_without_an_order_is_there_and_silent_since_joining(profiles_of, order):
    facts = shop([order("ann", "2017-03-04T10:00", milk("6.00"))])
    facts["customers"] += [
        {"customer_id": "joined", "joined_on": date(2017, 4, 1)},
        {"customer_id": "unknown"},
        {"customer_id": "tomorrow", "joined_on": AS_OF + timedelta(days=1)},
    ]

    found = profiles_of(facts, AS_OF)

    assert sorted(found) == ["ann", "joined", "unknown"]
    assert (found["joined"]["recency_days"], found["joined"]["days_known"]) == (29, 29)
    assert (found["unknown"]["recency_days"], found["unknown"]["days_known"]) == (57, 0)
    assert found["joined"]["orders"] == 0
    assert found["joined"]["monetary"] == 0
    assert found["joined"]["basket_size"] is None
    assert found["joined"]["favourite_category"] is None
    assert found["joined"]["margin_rate"] == pytest.approx(0.25)


def test_contacts_count_when_sent_and_engage_once(profiles_of, order):
    def contact(key, at, fate="sent"):
        return {
            "turn": 1,
            "key": key,
            "customer_id": "ann",
            "campaign_id": f"news-{key}",
            "cost": Decimal(0),
            "at": at,
            "fate": fate,
            "reason": "-",
        }

    def answer(key, kind, at):
        return {"contact_key": key, "customer_id": "ann", "kind": kind, "occurred_at": at}

    def at(day):
        return datetime(2017, 4, day, 14, tzinfo=UTC)

    facts = shop(
        [order("ann", "2017-03-04T10:00", milk("6.00"))],
        contacts=[
            contact("1", at(1)),
            contact("2", at(25)),
            contact("3", at(29)),
            contact("4", at(30)),
            contact("5", None, "abstained"),
            contact("6", at(28), "failed"),
        ],
        contact_outcomes=[
            answer("2", "delivered", at(25)),
            answer("3", "opened", at(29)),
            answer("3", "clicked", at(30)),
        ],
        redemptions=[
            {
                "redemption_id": "1",
                "customer_id": "ann",
                "coupon_id": "k",
                "campaign_id": "news-1",
                "redeemed_on": date(2017, 4, 3),
            }
        ],
    )

    ann = profiles_of(facts, AS_OF)["ann"]

    assert (ann["contacts_7d"], ann["contacts_28d"], ann["contacts_ever"]) == (3, 3, 4)
    assert ann["engaged_share"] == pytest.approx(2 / 4)


def test_hours_are_local_on_both_sides_of_a_clock_change(profiles_of, order):
    facts = shop([
        order("ann", "2017-03-11T17:30", milk("1.00")),
        order("ann", "2017-03-12T17:30", milk("1.00")),
        order("ann", "2017-03-13T16:59", milk("1.00")),
    ])

    ann = profiles_of(facts, AS_OF)["ann"]

    assert ann["favourite_hour"] == 17
    assert ann["evening_share"] == pytest.approx(2 / 3)


def test_margin_uses_the_line_then_the_product_then_the_setting(profiles_of, order):
    facts = shop([
        order("line", "2017-03-04T10:00", milk("10.00", cost=Decimal("4.00"))),
        order("product", "2017-03-04T10:00", tea("10.00", quantity=Decimal(2))),
        order("setting", "2017-03-04T10:00", {"product_id": "gone", "sales": Decimal("10.00")}),
    ])
    facts["products"][1]["unit_cost"] = Decimal("3.50")
    facts["customers"] = [{"customer_id": name} for name in ("line", "product", "setting")]

    found = profiles_of(facts, AS_OF, margin_rate=0.2)

    mean, prior = (6 + 3 + 2) / 30, 2.5
    for name, margin in (("line", 6), ("product", 3), ("setting", 2)):
        assert found[name]["margin_rate"] == pytest.approx((margin + prior * mean) / (10 + prior))


def test_threads_do_not_change_a_bit(profiles_of, random_facts):
    facts = random_facts(5)

    one = profiles_of(facts, date(2017, 9, 1), workers=1, name="one")
    two = profiles_of(facts, date(2017, 9, 1), workers=2, name="two")

    assert one == two
