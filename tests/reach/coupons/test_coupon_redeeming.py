"""Redeeming: who may, once, all or nothing, given back with the order; floors hold at any haste."""

import threading
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from regulars.decide.offers.keeping.service import put_offer
from regulars.decide.offers.pricing import basket_from
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.reach.coupons.redeeming import service
from regulars.reach.coupons.redeeming.service import check, redeem, reverse
from regulars.reach.coupons.stocking.service import share_code, void_code

ON_BOTH = True
AT_ONCE = 50


def basket(order="o1", customer="ann", amount="100", cost="60", **parts):
    line = {"line_id": "1", "product_id": "p1", "amount": amount, "cost": cost}
    return basket_from({"order_id": order, "customer_id": customer, "lines": [line]} | parts)


def pay(counter, code, order="o1", *, key=None, now=None, customer="ann", **options):
    return redeem(
        counter.state,
        basket(order, customer),
        [code] if isinstance(code, str) else code,
        key=key or f"till/{order}",
        now=now or counter.now,
        **options,
    )


def at_once(works):
    ready, errors = threading.Barrier(len(works)), []

    def guarded(work):
        ready.wait()
        try:
            work()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_a_code_is_used_once_and_the_same_key_gives_the_same_answer(counter):
    counter.offer(codes=1)
    code = counter.give("ann", "1")

    first = pay(counter, code.lower())
    again = pay(counter, code.lower())
    second = pay(counter, code, "o2")

    assert first.is_redeemed
    assert first == again
    assert first.priced.to_pay == Decimal("90.00")
    assert (second.is_redeemed, second.reason) == (False, "refused")
    assert second.priced.refused == {code.replace("-", ""): "used"}
    assert counter.counts() == {"redeemed": 1}
    assert len(service.redemptions(counter.state)) == 1


def test_a_key_means_one_thing_and_an_order_stands_once(counter):
    counter.offer(codes=2)
    one, two = counter.give("ann", "1"), counter.give("ann", "2")
    pay(counter, one)

    with pytest.raises(InputError, match="was used for another order"):
        pay(counter, two, "o2", key="till/o1")
    with pytest.raises(NotAllowed, match="stands with codes already"):
        pay(counter, two, key="till/other")


def test_every_refusal_says_why(counter):
    offer = counter.offer(codes=6, limit_per_customer=2, valid_days=5)
    mine, late, gone = (counter.give(c, c) for c in ("ann", "bob", "cid"))
    share = {"most_uses": 1, "actor": "test", "now": counter.now}
    share_code(counter.state, "ten_off", "OPEN1", **share)
    void_code(counter.state, gone, reason="x", actor="test", now=counter.now)
    free = next(row["code"] for row in counter.rows() if row["state"] == "free")
    wrong = mine[:-1] + next(s for s in "23" if s != mine[-1])

    def why(code, customer="ann", now=counter.now):
        quote = check(counter.state, basket(customer=customer), [code], now=now)
        return next(iter(quote.priced.refused.values()), "")

    assert why(mine) == ""
    assert why(late) == "wrong_customer"
    assert why(mine, customer="") == "customer_needed"
    assert why("OPEN1", customer="") == "customer_needed"
    assert why(gone, "cid") == "void"
    assert why(free) == "not_issued"
    assert why(wrong) == "mistyped"
    assert why("NOSUCH") == "unknown_code"
    assert why(mine, now=counter.now + timedelta(days=7)) == "expired"
    ended = msgspec.structs.replace(offer, ends_on=counter.now.date() - timedelta(days=1))
    put_offer(counter.state, ended, actor="test", now=counter.now)
    assert why("OPEN1") == "offer_not_running"
    # What was given under the terms of before keeps them.
    assert why(mine) == ""
    assert why(late, "bob") == ""


def test_a_limit_counts_orders_that_stand(counter):
    counter.offer(limit_per_customer=1)
    share_code(counter.state, "ten_off", "OPEN", most_uses=None, actor="test", now=counter.now)

    assert pay(counter, "open").is_redeemed
    assert pay(counter, "open", "o2").priced.refused == {"OPEN": "customer_limit"}
    assert pay(counter, "open", "o3", customer="bob").is_redeemed
    assert reverse(counter.state, "till/o1", reverse_key="r1", now=counter.now)
    assert pay(counter, "open", "o4").is_redeemed


def test_a_limit_counts_orders_of_every_id_that_is_one_customer_now(counter):
    counter.offer(limit_per_customer=1)
    share_code(counter.state, "ten_off", "OPEN", most_uses=None, actor="test", now=counter.now)
    assert pay(counter, "open", "o1", customer="c_1").is_redeemed
    counter.merges("c_1", "ann")

    assert pay(counter, "open", "o2", customer="ann").priced.refused == {"OPEN": "customer_limit"}
    assert pay(counter, "open", "o3", customer="bob").is_redeemed


def test_an_order_that_comes_back_gives_its_code_back_once(counter):
    counter.offer(codes=1)
    code = counter.give("ann", "1")
    pay(counter, code)

    assert reverse(counter.state, "till/o1", reverse_key="r1", now=counter.now)
    assert not reverse(counter.state, "till/o1", reverse_key="r2", now=counter.now)

    assert counter.counts() == {"issued": 1}
    replayed = pay(counter, code)
    assert (replayed.is_redeemed, replayed.reason) == (False, "reversed")
    assert pay(counter, code, key="till/o1/again").is_redeemed
    with pytest.raises(UnknownName):
        reverse(counter.state, "nothing", reverse_key="r", now=counter.now)


def test_all_codes_apply_or_none_is_used_and_another_discount_than_shown_uses_none(counter):
    counter.offer(codes=2)
    code = counter.give("ann", "1")

    refused = pay(counter, [code, "NOSUCH"])
    changed = pay(counter, code, expected=Decimal("12.00"))

    assert (refused.is_redeemed, refused.reason) == (False, "refused")
    assert (changed.is_redeemed, changed.reason) == (False, "changed")
    assert counter.counts() == {"free": 1, "issued": 1}
    assert counter.shop.all("SELECT code, reason FROM coupon_refusals") == [
        {"code": "NOSUCH", "reason": "unknown_code"}
    ]
    assert pay(counter, code, expected=Decimal("10.00")).is_redeemed


def test_a_floor_raised_since_holds_for_codes_given_before(counter):
    offer = counter.offer(codes=1)
    code = counter.give("ann", "1")
    raised = msgspec.structs.replace(offer, margin_floor=Decimal("0.35"))
    put_offer(counter.state, raised, actor="test", now=counter.now)

    assert pay(counter, code).priced.refused == {code.replace("-", ""): "below_floor"}


def test_a_code_follows_its_customer_through_a_merge(counter):
    counter.offer(codes=1)
    code = counter.give("old", "1")
    counter.shop.run(
        """INSERT INTO identifiers (node, namespace, value, customer_id, ordinal, first_seen,
                                    last_seen, evidence, is_shared)
           VALUES ('old', 'customer', 'old', 'ann', 1, '', '', '', 0)""",
        {},
    )

    assert pay(counter, code).is_redeemed


def test_of_fifty_tills_that_redeem_one_code_at_once_one_succeeds(counter):
    counter.offer(codes=1)
    code, found = counter.give("ann", "1"), []

    errors = at_once([
        lambda n=n: found.append(pay(counter, code, f"o{n}").is_redeemed) for n in range(AT_ONCE)
    ])

    assert errors == []
    assert found.count(True) == 1
    assert counter.counts() == {"redeemed": 1}


def test_of_fifty_customers_at_the_last_use_of_a_shared_code_one_succeeds(counter):
    counter.offer()
    share_code(counter.state, "ten_off", "OPEN", most_uses=1, actor="test", now=counter.now)
    found = []

    errors = at_once([
        lambda n=n: found.append(pay(counter, "OPEN", f"o{n}", customer=f"c{n}").is_redeemed)
        for n in range(AT_ONCE)
    ])

    assert errors == []
    assert found.count(True) == 1


def test_one_customer_at_many_tills_uses_an_offer_as_often_as_its_limit(counter):
    counter.offer(limit_per_customer=2)
    share_code(counter.state, "ten_off", "OPEN", most_uses=None, actor="test", now=counter.now)
    found = []

    errors = at_once([
        lambda n=n: found.append(pay(counter, "OPEN", f"o{n}").is_redeemed) for n in range(20)
    ])

    assert errors == []
    assert found.count(True) == 2


def two_offers_for_one_order(counter):
    """Each leaves 30 of 100 as margin, both together 20: below the floor of either."""
    for name in ("one", "two"):
        counter.offer(name, codes=1, margin_floor="0.25")
    return [counter.give("ann", name, name) for name in ("one", "two")]


def test_two_tills_that_price_one_order_at_once_do_not_break_its_floor(counter):
    codes, found = two_offers_for_one_order(counter), []

    errors = at_once([
        lambda code=code: found.append(pay(counter, code, key=f"till/{code}")) for code in codes * 4
    ])

    assert sum(quote.is_redeemed for quote in set_of(found)) == 1
    assert all(isinstance(error, NotAllowed | InputError) for error in errors)
    assert off_the_order(counter) == 1000


def test_tills_that_do_not_take_the_order_break_its_floor_and_are_caught(counter, monkeypatch):
    codes = two_offers_for_one_order(counter)
    monkeypatch.setattr(service, "_earlier", lambda *_args: None)

    at_once([lambda code=code: pay(counter, code, key=f"till/{code}") for code in codes])

    assert off_the_order(counter) == 2000


def off_the_order(counter):
    [row] = counter.shop.all(
        """SELECT CAST(SUM(discount_cents) AS bigint) AS off FROM coupon_redemptions
           WHERE order_id = 'o1' AND reversed_at IS NULL"""
    )
    return row["off"]


def set_of(quotes):
    """Different answers; the same key gives the same one."""
    return list({tuple(quote.versions): quote for quote in quotes}.values())
