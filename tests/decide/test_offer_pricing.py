"""A basket with offers: the best set that breaks no rule, off each line to the cent."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.decide.offers.definition import offer_from
from regulars.decide.offers.pricing import Candidate, Rules, allocated, basket_from, price
from regulars.errors import InputError

amounts = st.integers(0, 50_000).map(lambda cents: str(Decimal(cents) / 100))


def basket(*lines, **parts):
    """Lines as (amount, cost or None, category); named 1, 2, 3..."""
    made = [
        {"line_id": str(n), "product_id": f"p{n}", "amount": amount, "cost": cost, "category": kind}
        for n, (amount, cost, kind) in enumerate(lines, 1)
    ]
    return basket_from({"order_id": "o1", "lines": made, "shipping": "10"} | parts)


def coupon(offer_id, code="", **parts):
    named = {"offer_id": offer_id, "name": offer_id, "kind": "percent"}
    return Candidate(code or offer_id.upper(), offer_from(named | parts, offer_id))


TEN = coupon("ten", share="0.1", stacking={"stage": 3})
FIVE = coupon("five", kind="amount", amount="5", min_order="30")
TIERS = coupon(
    "tiers", kind="threshold", steps=[{"spend": 300, "off": 40}, {"spend": 500, "off": 80}]
)
TEA = [("100", "60", "tea"), ("50.05", "20", "milk")]


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_the_parts_come_to_exactly_the_sum_and_no_line_gets_more_than_it_has(cents, weights):
    cents = min(cents, sum(weights))
    parts = allocated(cents, weights)

    assert sum(parts) == cents
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


def test_rounding_each_line_by_itself_would_not_come_to_the_sum():
    """The bug of a share per line, rounded."""
    weights = [100, 100, 100]

    assert sum(round(100 * weight / 300) for weight in weights) != 100
    assert sum(allocated(100, weights)) == 100


@pytest.mark.parametrize(
    ("given", "lines", "discount"),
    [
        (TEN, [("19.99", None, "")], "2.00"),
        (FIVE, [("29.99", None, "")], None),
        (FIVE, [("30", None, "")], "5.00"),
        (TIERS, [("299.99", None, "")], None),
        (TIERS, [("300", None, "")], "40.00"),
        (TIERS, [("501", None, "")], "80.00"),
        (coupon("each", kind="threshold", repeats=True, steps=[{"spend": 300, "off": 40}]),
         [("950", None, "")], "120.00"),
        (coupon("most", share="0.5", most="20"), [("100", None, "")], "20.00"),
        (coupon("tea", share="0.5", scope={"categories": ["tea"], "not_products": ["p2"]}),
         [("100", None, "tea"), ("100", None, "tea"), ("100", None, "milk")], "50.00"),
        (coupon("ship", kind="free_shipping", most="8"), [("1", None, "")], "8.00"),
    ],
)  # fmt: skip
def test_each_kind_takes_off_what_it_says(given, lines, discount):
    found = price(basket(*lines), [given])

    if discount is None:
        assert found.refused == {given.code: "below_min_order"}
    else:
        assert found.discount == Decimal(discount)
        assert found.to_pay == found.amount + found.shipping - found.discount


def test_gifts_and_points_cost_margin_and_take_no_money_off():
    gift = coupon("gift", kind="gift", gift="p9", gift_cost="3", margin_floor="0.1")
    points = coupon("pts", kind="points", multiplier="3", point_cost="0.01", margin_floor="0.1")

    found = price(basket(("100", "80", "")), [gift, points])

    assert found.discount == 0
    assert [(one.gift, one.multiplier) for one in found.applied] == [("p9", 1), ("", 3)]
    # 20 of margin, less 3 for the gift and 2 for two more points on each of 100.
    assert found.margin_share == Decimal("0.15")


def test_stages_count_from_what_the_one_before_has_left():
    found = price(basket(("300", None, "")), [TIERS, TEN])

    # A tenth goes off first: 270 is below the first step, so the tiers alone are worth more.
    assert [one.code for one in found.applied] == ["TIERS"]
    assert found.refused == {"TEN": "below_min_order"}
    both = price(basket(("400", None, "")), [TIERS, TEN])
    assert [(one.code, one.discount) for one in both.applied] == [
        ("TEN", Decimal("40.00")), ("TIERS", Decimal("40.00")),
    ]  # fmt: skip


def test_rules_of_stacking_are_kept_and_refusals_say_which():
    a = coupon("a", share="0.1", stacking={"group": "g"})
    b = coupon("b", share="0.2", stacking={"group": "g"})
    alone = coupon("alone", share="0.15", stacking={"is_exclusive": True})
    twin = coupon("b", "B2", share="0.2", stacking={"group": "g"})

    found = price(basket(("100", None, "")), [a, b, alone, twin])

    assert [one.code for one in found.applied] == ["B"]
    assert found.refused == {"A": "same_group", "ALONE": "exclusive", "B2": "same_offer"}
    few = price(basket(("100", None, "")), [TEN, FIVE, b], Rules(most_per_order=2))
    assert len(few.applied) == 2
    assert few.refused == {"FIVE": "too_many"}


def test_the_floor_refuses_or_trims_as_the_offer_says():
    lines = [("100", "80", "")]
    refuse = coupon("r", share="0.15", margin_floor="0.1")
    trim = coupon("t", share="0.15", margin_floor="0.1", when_below_floor="trim")

    refused, trimmed = price(basket(*lines), [refuse]), price(basket(*lines), [trim])

    assert refused.refused == {"R": "below_floor"}
    assert (trimmed.discount, trimmed.applied[0].trimmed) == (Decimal("10.00"), Decimal("5.00"))
    assert trimmed.margin_share == trimmed.floor == Decimal("0.1")
    unknown = price(basket(("100", None, "")), [refuse])
    assert unknown.refused == {"R": "cost_unknown"}


def test_the_limit_of_the_order_is_kept():
    found = price(basket(("90", None, "")), [TEN, FIVE], Rules(most_share=Decimal("0.1")))

    assert found.discount == Decimal("10.00")
    assert sum(one.trimmed for one in found.applied) == Decimal("4.00")


OFFERS = [
    TEN,
    FIVE,
    coupon("tea", share="0.333", scope={"categories": ["tea"]}, margin_floor="0.2"),
    coupon("step", kind="threshold", steps=[{"spend": 50, "off": 7}, {"spend": 200, "off": 33}],
           margin_floor="0.15", when_below_floor="trim"),
    coupon("half", share="0.5", stacking={"group": "big"}, most="60"),
    coupon("also", share="0.6", stacking={"group": "big"}, margin_floor="0.05"),
    coupon("ship", kind="free_shipping", stacking={"is_exclusive": True}),
]  # fmt: skip
lines_of = st.lists(st.tuples(amounts, st.floats(0, 1.2), st.sampled_from(["tea", "milk"])),
                    min_size=1, max_size=6)  # fmt: skip


def costed(lines):
    return [
        (amount, str((Decimal(amount) * Decimal(share)).quantize(Decimal("0.01"))), kind)
        for amount, share, kind in lines
    ]


@settings(max_examples=60, deadline=None)
@given(lines_of, st.sets(st.sampled_from(range(len(OFFERS))), max_size=4), st.randoms())
def test_whatever_is_brought_in_whatever_order_sums_are_exact_and_floors_hold(lines, some, random):
    given = [OFFERS[n] for n in some]
    bought = basket(*costed(lines))
    found = price(bought, given)
    random.shuffle(given)

    again = price(bought, given)

    assert again == found
    for one in found.applied:
        assert sum(one.by_line.values(), Decimal(0)) + one.shipping == one.discount
    assert sum(one.discount for one in found.applied) == found.discount
    assert all(left >= 0 for left in found.by_line.values())
    shipping = sum((one.shipping for one in found.applied), Decimal(0))
    assert sum(found.by_line.values()) + bought.shipping - shipping == found.to_pay
    if found.applied and found.floor > 0 and found.margin_share is not None:
        assert found.margin_share >= found.floor
    assert {one.code for one in found.applied} | set(found.refused) == {one.code for one in given}


@settings(max_examples=20, deadline=None)
@given(lines_of)
def test_the_order_of_lines_does_not_matter(lines):
    bought = basket(*costed(lines))
    turned = type(bought)(bought.order_id, bought.lines[::-1], shipping=bought.shipping)

    one, other = price(bought, [TEN, FIVE]), price(turned, [TEN, FIVE])

    assert (one.discount, one.by_line) == (other.discount, other.by_line)


def test_offers_taken_off_as_they_come_would_depend_on_their_order():
    """The bug of taking codes one after the other, each from what is left."""

    def greedy(offers, left=Decimal(100)):
        for one in offers:
            left -= one.offer.amount if one.offer.kind == "amount" else left * one.offer.share
        return left

    half = coupon("half", share="0.5")
    assert len({greedy(order) for order in permutations([half, FIVE])}) == 2
    assert len({price(basket(("100", None, "")), order).to_pay
                for order in permutations([half, FIVE])}) == 1  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"lines": []}, "there are 0 lines"),
        ({"order_id": ""}, "order_id is empty"),
        ({"shipping": "-1"}, "shipping is -1"),
        ({"lines": [{"line_id": "1", "product_id": "p", "amount": "0.001"}]}, "in whole cents"),
        (
            {"lines": [{"line_id": "1", "product_id": "p", "amount": "1"}] * 2},
            "name each line once",
        ),
        ({"colour": 1}, "unknown field"),
    ],
)
def test_a_basket_that_cannot_be_used_says_what_is_wanted(changes, hint):
    whole = {"order_id": "o1", "lines": [{"line_id": "1", "product_id": "p", "amount": "1"}]}

    with pytest.raises(InputError, match=hint):
        basket_from(whole | changes)


def test_more_codes_than_eight_are_refused_as_a_whole():
    with pytest.raises(InputError, match="8 at most"):
        price(basket(("1", None, "")), [coupon(f"o{n}", share="0.1") for n in range(9)])
