"""Leakage: each planted leak is found with its rows, a clean month shows none."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.serve.conftest import put

from regulars.app import open_app
from regulars.decide.offers.definition import offer_from
from regulars.decide.offers.keeping.service import put_offer
from regulars.decide.offers.pricing import basket_from
from regulars.reach.coupons.leakage.finding import Use, guesses, leaks, needless, told_by_file
from regulars.reach.coupons.leakage.service import leakage
from regulars.reach.coupons.redeeming.service import redeem
from regulars.reach.coupons.service import issue_coupon
from regulars.reach.coupons.stocking.service import generate

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def offer(name="ten", **parts):
    given = {"offer_id": name, "name": name, "kind": "percent", "share": "0.1"}
    return offer_from(given | parts, name)


OFFERS = {
    "ten": offer(limit_per_customer=2, min_order="50"),
    "alone": offer("alone", stacking={"is_exclusive": True}),
    "open": offer("open"),
}


def use(number, **parts):
    clean = Use(
        f"u{number}",
        f"CODE{number}",
        "ten",
        f"c{number}",
        f"c{number}",
        f"o{number}",
        NOW + number * timedelta(hours=6),
        Decimal("10.00"),
        Decimal("100.00"),
        NOW + 90 * DAY,
    )
    return replace(clean, **parts)


CLEAN = [use(n) for n in range(60)]


def kinds(*odd):
    return [(one.kind, one.amount, one.uses) for one in leaks([*CLEAN, *odd], OFFERS)]


def test_a_clean_month_shows_no_leak():
    assert kinds() == []


@pytest.mark.parametrize(
    ("odd", "found"),
    [
        ([use(70, customer_id="thief")], [("wrong_customer", "10.00", ("u70",))]),
        ([use(3, use_id="again", order_id="x", at=NOW + 9 * DAY)],
         [("used_too_often", "10.00", ("again",))]),
        ([use(70 + n, customer_id="c5", holder_id="c5") for n in range(2)],
         [("over_limit", "10.00", ("u71",))]),
        ([use(70, at=NOW + 90 * DAY)], [("after_end", "10.00", ("u70",))]),
        ([use(70, order_amount=Decimal("49.99"), discount=Decimal("4.99"))],
         [("below_min_order", "4.99", ("u70",))]),
        ([use(70, discount=Decimal("25.00"))], [("over_amount", "15.00", ("u70",))]),
        ([use(70, offer_id="alone", order_id="o7", discount=Decimal("3.00"))],
         [("stacked", "3.00", ("u7", "u70"))]),
    ],
)  # fmt: skip
def test_each_planted_leak_is_found_with_its_rows(odd, found):
    assert kinds(*odd) == [(kind, Decimal(amount), uses) for kind, amount, uses in found]


def test_a_code_that_got_round_shows_as_a_burst():
    quiet = [use(100 + n, offer_id="open", at=NOW + n * DAY, most_uses=None) for n in range(9)]
    crowd = [
        use(200 + n, offer_id="open", at=NOW + 10 * DAY + n * timedelta(minutes=1), most_uses=None)
        for n in range(30)
    ]

    [burst] = leaks([*CLEAN, *quiet, *crowd], OFFERS)

    assert (burst.kind, burst.amount, len(burst.uses)) == ("burst", Decimal(300), 30)
    assert leaks([*CLEAN, *quiet, *crowd[:15]], OFFERS) == []


def test_who_tries_codes_one_after_the_other_is_found():
    tries = [
        {"key": f"k{n}", "code": f"X{n}", "reason": "unknown_code", "customer_id": "",
         "store_id": "s1", "at": (NOW + n * timedelta(minutes=3)).isoformat()}
        for n in range(12)
    ]  # fmt: skip

    [found] = guesses(tries)

    assert (found.kind, found.detail, len(found.uses)) == ("guessing", "s1", 12)
    assert guesses(tries[:9]) == []
    slow = [one | {"at": (NOW + n * DAY).isoformat()} for n, one in enumerate(tries)]
    assert guesses(slow) == []


def test_a_day_of_a_file_counts_as_in_time_to_its_end():
    ends = NOW + timedelta(hours=1)
    first_moment = NOW.replace(hour=0)

    assert leaks([told_by_file(use(1, at=first_moment, ends_at=ends))], OFFERS) == []
    [late] = leaks([told_by_file(use(1, at=first_moment + DAY, ends_at=ends))], OFFERS)
    assert late.kind == "after_end"


@pytest.mark.parametrize(
    ("orders", "extra", "share"), [(50, 10.0, "0.80"), (50, -3.0, "1.00"), (50, 80.0, "0.00"), (0, 0.0, "0.00")]
)  # fmt: skip
def test_discounts_nobody_needed_are_those_of_orders_that_are_not_extra(orders, extra, share):
    assert needless(Decimal(100), orders, extra) == Decimal(100) * Decimal(share)


def test_the_report_puts_ledger_files_and_holdouts_together(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "regulars.toml").write_text('[retailer]\nzone = "Asia/Shanghai"\n', "utf-8")
    app = open_app(folder, workers=1)
    put_offer(app.state, OFFERS["ten"], actor="test", now=NOW)
    generate(app.state, "ten", 3, secret=b"sixteen bytes...", actor="test", now=NOW)
    with app.state.sharing() as opened:
        codes = [issue_coupon(opened, "ten", c, c, NOW) for c in ("ann", "bob")]
    line = {"line_id": "1", "product_id": "p", "amount": "100"}
    basket = basket_from({"order_id": "o1", "customer_id": "ann", "lines": [line]})
    redeem(app.state, basket, [codes[0]], key="t1", now=NOW)
    told = {"redeemed_on": date(2026, 3, 5), "campaign_id": "spring", "amount": Decimal(9)}
    put(app, "redemptions", [
        told | {"redemption_id": "f1", "customer_id": "eve", "coupon_id": codes[1].lower(),
                "order_id": "o2"},
        told | {"redemption_id": "f2", "customer_id": "ann", "coupon_id": codes[0],
                "order_id": "o1"},
        told | {"redemption_id": "f3", "customer_id": "ann", "coupon_id": "PARTNER",
                "order_id": "o3"},
    ])  # fmt: skip
    order = {"order_id": "o2", "customer_id": "eve", "total": Decimal(30)}
    put(app, "orders", [order | {"ordered_at": NOW, "business_date": date(2026, 3, 5)}])
    put(app, "effects", [
        {"measured_turn": 1, "campaign_id": "spring", "metric": "orders", "status": "ok",
         "estimate": 1.5, "low": 0.0, "high": 3.0, "cost": Decimal(0)},
    ], turn=2)  # fmt: skip

    found = leakage(app.state, since=NOW - DAY, now=NOW + 9 * DAY, reader=app.engine)

    assert (found.uses, found.discount) == (2, Decimal(19))
    assert [(one.kind, one.uses) for one in found.leaks] == [
        ("wrong_customer", ("file/f1/o2",)),
        ("below_min_order", ("file/f1/o2",)),
        ("over_amount", ("file/f1/o2",)),
    ]
    assert found.rows["file/f1/o2"]["customer_id"] == "eve"
    [spring] = found.needless
    assert (spring.orders, spring.discount, spring.needless) == (3, Decimal(27), Decimal("13.50"))
    assert (spring.low, spring.high) == (Decimal(0), Decimal(27))
