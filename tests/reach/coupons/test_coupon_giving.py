"""Giving codes: one per contact, in the transaction that claims it, and given back with it."""

from datetime import timedelta

import pytest

from regulars.decide.offers.keeping.service import put_offer
from regulars.errors import InputError, UnknownName
from regulars.reach.coupons import service as coupons
from regulars.reach.coupons.codes import is_whole
from regulars.reach.coupons.service import CouponRefused, codes_for, take_back_coupon
from regulars.reach.coupons.stocking.service import (
    expire_codes,
    import_codes,
    list_codes,
    share_code,
    void_code,
)
from regulars.reach.delivery.service import settle_unknown
from regulars.testing import Fault
from regulars.unify.identity.service import unmerge

ON_BOTH = True
EVERYBODY = [f"c{number:03d}" for number in range(30)]


def sent_codes(counter):
    """The code of every contact of the ledger that went out, or may have."""
    return counter.shop.all(
        """SELECT l.customer_id, l.state, c.code, c.state AS code_state FROM ledger AS l
           LEFT JOIN coupon_codes AS c ON c.issue_key = l.key AND c.customer_id = l.customer_id
           ORDER BY l.customer_id"""
    )


def test_every_contact_sent_has_exactly_one_code_and_no_other_contact_has_one(counter):
    counter.offer(codes=100)
    counter.shop.granted(EVERYBODY[:25])
    refused = dict.fromkeys(EVERYBODY[:5], "no_such_number")

    counter.shop.sends(
        [counter.shop.decision(c) for c in EVERYBODY], counter.shop.provider(refusals=refused)
    )

    rows = sent_codes(counter)
    assert len(rows) == len(EVERYBODY)
    assert all((row["code"] is not None) == (row["state"] == "sent") for row in rows)
    assert {row["code_state"] for row in rows} == {"issued", None}
    assert len({row["code"] for row in rows if row["code"]}) == 20
    assert counter.counts() == {"free": 80, "issued": 20}
    assert counter.given() == 20


def test_a_claim_that_forgets_to_give_codes_back_is_caught(counter, monkeypatch):
    counter.offer(codes=100)
    counter.shop.granted(EVERYBODY)
    monkeypatch.setattr(coupons, "give_back", lambda *_args, **_options: [])
    refused = dict.fromkeys(EVERYBODY[:5], "no_such_number")

    counter.shop.sends(
        [counter.shop.decision(c) for c in EVERYBODY], counter.shop.provider(refusals=refused)
    )

    assert any(row["code"] is not None and row["state"] != "sent" for row in sent_codes(counter))


def test_who_comes_when_the_codes_are_out_is_skipped_for_want_of_stock(counter):
    counter.offer(codes=7)
    counter.shop.granted(EVERYBODY)

    fates = counter.shop.sends(
        [counter.shop.decision(c) for c in EVERYBODY], counter.shop.provider()
    )

    ends = [fate for fate in fates.values()]
    assert ends.count(("sent", "handed_over")) == 7
    assert ends.count(("skipped", "out_of_stock")) == 23
    assert counter.counts() == {"issued": 7}


def test_the_code_of_a_contact_nobody_knows_of_is_kept_until_it_is_known(counter):
    counter.offer(codes=10)
    counter.shop.granted(EVERYBODY[:4])
    provider = counter.shop.provider(keyed=False, faults={1: Fault.TIMEOUT})

    counter.shop.sends([counter.shop.decision(c) for c in EVERYBODY[:4]], provider)

    assert {row["state"] for row in sent_codes(counter)} == {"unknown"}
    assert counter.counts() == {"free": 6, "reserved": 4}
    keys = [row["key"] for row in counter.shop.all("SELECT key FROM ledger ORDER BY key")]
    with counter.state.transaction() as opened:
        settle_unknown(opened, keys[0], is_sent=True, reason="receipt", at=counter.now)
        settle_unknown(opened, keys[1], is_sent=False, reason="receipt", at=counter.now)
        settle_unknown(opened, keys[1], is_sent=False, reason="receipt", at=counter.now)
    assert counter.counts() == {"free": 7, "reserved": 2, "issued": 1}
    assert counter.given() == 3


def test_an_offer_may_say_that_a_doubtful_code_is_void_and_its_place_free(counter):
    counter.offer(codes=10, stock=5, when_unknown="give_back")
    counter.shop.granted(EVERYBODY[:4])
    provider = counter.shop.provider(keyed=False, faults={1: Fault.TIMEOUT})

    counter.shop.sends([counter.shop.decision(c) for c in EVERYBODY[:4]], provider)

    assert counter.counts() == {"free": 6, "void": 4}
    assert counter.given() == 0


def test_a_contact_sent_again_after_a_crash_keeps_its_code(counter):
    counter.offer(codes=10)
    counter.shop.granted(EVERYBODY[:4])
    provider = counter.shop.provider(faults={1: Fault.TIMEOUT})

    counter.shop.sends([counter.shop.decision(c) for c in EVERYBODY[:4]], provider)

    assert {row["state"] for row in sent_codes(counter)} == {"sent"}
    assert counter.counts() == {"free": 6, "issued": 4}


def test_the_same_key_gives_the_same_code_and_nobody_elses(counter):
    counter.offer(codes=3)
    code = counter.give("ann", "order-1")

    assert counter.give("ann", "order-1") == code
    assert is_whole(code.replace("-", ""))
    with pytest.raises(InputError, match="a code of offer ten_off already"):
        counter.give("bob", "order-1")
    assert counter.counts() == {"free": 2, "issued": 1}


def test_a_refusal_says_why_and_writes_nothing(counter):
    counter.offer(codes=2, limit_per_customer=1, ends_on="2026-03-05")
    counter.offer("scarce", codes=2, stock=1)
    counter.give("ann", "1")
    counter.give("ann", "2", "scarce")
    before = counter.rows(), counter.rows("scarce")

    with pytest.raises(CouponRefused) as limit:
        counter.give("ann", "3")
    with pytest.raises(CouponRefused) as over:
        counter.give("bob", "4", now=counter.now + timedelta(days=30))
    with pytest.raises(CouponRefused) as stock:
        counter.give("bob", "5", "scarce")
    counter.give("bob", "6")
    with pytest.raises(CouponRefused) as none:
        counter.give("cid", "7")

    reasons = [one.value.reason for one in (limit, over, stock, none)]
    assert reasons == ["customer_limit", "offer_not_running", "out_of_stock", "no_codes"]
    assert before == (counter.rows()[:1] + before[0][1:], counter.rows("scarce"))
    with pytest.raises(UnknownName):
        counter.give("ann", "8", "nothing")


def test_who_was_two_customers_may_have_no_more_codes_than_one(counter):
    counter.offer(codes=9, limit_per_customer=1)
    counter.give("c_1", "k1")
    number = counter.merges("c_1", "ann")

    for who in ("ann", "c_1"):
        with pytest.raises(CouponRefused) as refused:
            counter.give(who, f"k2/{who}")
        assert refused.value.reason == "customer_limit"
    counter.give("bob", "k3")

    unmerge(counter.state, number, actor="me", now=counter.now)
    assert counter.give("ann", "k4")


def test_a_send_gives_no_second_code_to_who_was_two_customers(counter):
    counter.offer(codes=9, limit_per_customer=1)
    counter.give("c_1", "k1")
    counter.merges("c_1", "c000")
    counter.shop.granted(EVERYBODY[:2])

    fates = counter.shop.sends(
        [counter.shop.decision(c) for c in EVERYBODY[:2]], counter.shop.provider()
    )

    assert sorted(fates.values()) == [("sent", "handed_over"), ("skipped", "customer_limit")]
    assert [row["customer_id"] for row in counter.rows() if row["state"] == "issued"] == [
        "c_1",
        "c001",
    ]


def test_a_limit_that_counts_by_id_alone_is_caught(counter, monkeypatch):
    counter.offer(codes=9, limit_per_customer=1)
    counter.give("c_1", "k1")
    counter.merges("c_1", "ann")
    monkeypatch.setattr(
        coupons, "ids_by_customer", lambda _opened, names: {name: (name,) for name in names}
    )

    assert counter.give("ann", "k2")


def test_what_was_taken_back_is_void_and_the_offer_may_be_given_again(counter):
    counter.offer(codes=2, stock=1)
    counter.give("ann", "points-1")

    with counter.state.sharing() as opened:
        assert take_back_coupon(opened, "points-1", counter.now)
        assert not take_back_coupon(opened, "points-1", counter.now)

    assert counter.counts() == {"free": 1, "void": 1}
    assert counter.given() == 0
    assert counter.give("bob", "points-2")


def test_imported_codes_are_given_as_their_maker_wrote_them(counter):
    counter.offer()
    made = import_codes(
        counter.state, "ten_off", ["TAXI-1", "taxi 1", "TAXI-2"], actor="test", now=counter.now
    )

    assert made.codes == 2
    assert {counter.give("ann", "1"), counter.give("bob", "2")} == {"taxi 1", "TAXI-2"}


def test_a_message_shows_its_own_code_or_the_one_everybody_may_use(counter):
    counter.offer(codes=1)
    counter.offer("spring")
    share_code(counter.state, "spring", "SPRING10", most_uses=5, actor="test", now=counter.now)
    code = counter.give("ann", "k1")

    with counter.state.reading() as opened:
        found = codes_for(
            opened, [("k1", "ten_off"), ("k2", "spring"), ("k3", "none")], now=counter.now
        )

    assert found == {"k1": code, "k2": "SPRING10"}


def test_codes_end_with_their_days_and_free_ones_with_their_batch(counter):
    counter.offer(valid_days=3, zone="Asia/Shanghai")
    counter.codes(2, expires_at=counter.now + timedelta(days=1))
    counter.give("ann", "1", now=counter.now - timedelta(hours=1))

    [row] = list_codes(counter.state, "ten_off", of="issued")
    # The sooner of both: the batch ends first.
    assert row["expires_at"] == (counter.now + timedelta(days=1)).isoformat(timespec="microseconds")
    with pytest.raises(CouponRefused, match="none is left"):
        counter.give("bob", "2", now=counter.now + timedelta(days=2))
    assert expire_codes(counter.state, now=counter.now + timedelta(days=2)) == 1
    assert counter.counts() == {"expired": 2}


def test_a_void_code_is_void_once_and_leaves_the_pool(counter):
    counter.offer(codes=2)
    [free, _] = counter.rows()

    void_code(counter.state, free["shown"], reason="leaked", actor="test", now=counter.now)

    assert counter.counts() == {"free": 1, "void": 1}
    with pytest.raises(InputError, match="is void and cannot be made void"):
        void_code(counter.state, free["code"], reason="again", actor="test", now=counter.now)


def test_codes_keep_the_terms_of_the_version_they_were_given_under(counter):
    offer = counter.offer(codes=2)
    counter.give("ann", "1")
    put_offer(
        counter.state, replace_share(offer), actor="test", now=counter.now - timedelta(hours=1)
    )
    counter.give("bob", "2")

    versions = {row["customer_id"]: row["offer_version"] for row in counter.rows()}
    assert versions == {"ann": 1, "bob": 2}


def replace_share(offer):
    import msgspec

    return msgspec.structs.replace(offer, share=offer.share * 2)
