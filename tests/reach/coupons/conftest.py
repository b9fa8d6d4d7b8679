"""A shop whose offers have codes."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.decide.offers.definition import Offer, offer_from
from regulars.decide.offers.keeping.service import put_offer
from regulars.reach.coupons.service import issue_coupon
from regulars.reach.coupons.stocking.service import count_by_state, generate
from regulars.unify.identity.service import merge

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
SECRET = b"a secret of thirty-two bytes...."
COUNTS = {"free": 0, "reserved": 0, "issued": 0, "redeemed": 0, "expired": 0, "void": 0}


class Counter:
    """What a test does at the counter where coupons are given and taken."""

    now = NOW

    def __init__(self, shop):
        self.shop, self.state = shop, shop.state

    def offer(self, offer_id="ten_off", *, codes=0, **changes) -> Offer:
        given = {"offer_id": offer_id, "name": offer_id, "kind": "percent", "share": "0.1"}
        made = offer_from(given | changes, offer_id)
        put_offer(self.state, made, actor="test", now=NOW - timedelta(days=30))
        if codes:
            self.codes(codes, offer_id)
        return made

    def codes(self, count, offer_id="ten_off", **options):
        secret = SECRET + offer_id.encode()
        return generate(
            self.state, offer_id, count, secret=secret, actor="test", now=NOW, **options
        )

    def give(self, customer, key, offer_id="ten_off", *, state=None, now=NOW):
        with (state or self.state).sharing() as opened:
            return issue_coupon(opened, offer_id, customer, key, now)

    def merges(self, cookie, login):
        """Who was known by a cookie alone turns out to have a login; gives the merge's number."""
        with self.state.transaction() as opened:
            for order, (name, space) in enumerate(((login, "login"), (cookie, "cookie"))):
                opened.run(
                    """INSERT INTO identifiers
                       VALUES (:n, :s, :n, :n, :o, '2026-01-01', '2026-01-01', 'x', 0)""",
                    n=name,
                    s=space,
                    o=order,
                )
        return merge(self.state, login, cookie, actor="me", now=self.now).number

    def counts(self, offer_id="ten_off"):
        """Codes by state, those with any; the pool must agree with them."""
        found = count_by_state(self.state).get(offer_id, dict(COUNTS))
        [pool] = self.shop.all("SELECT free FROM coupon_pools WHERE offer_id = :o", o=offer_id)
        assert pool["free"] == found["free"]
        return {state: codes for state, codes in found.items() if codes}

    def given(self, offer_id="ten_off"):
        [row] = self.shop.all("SELECT given FROM offer_stock WHERE offer_id = :o", o=offer_id)
        return row["given"]

    def rows(self, offer_id="ten_off"):
        return self.shop.all(
            "SELECT * FROM coupon_codes WHERE offer_id = :o ORDER BY number", o=offer_id
        )


@pytest.fixture
def counter(shop):
    return Counter(shop)
