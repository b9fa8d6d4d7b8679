"""Creators end to end: a link is clicked, a page names the click, an order is attributed."""

import json
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from tests.serve.conftest import NOW, Server, empty_shop, put

from regulars.decide.offers.definition import offer_from
from regulars.decide.offers.keeping.service import put_offer
from regulars.decide.offers.pricing import basket_from
from regulars.measure.attribution.service import attribute_orders
from regulars.reach.coupons.redeeming.service import redeem, reverse
from regulars.reach.links.clicks.service import settle_clicks
from regulars.reach.links.creators.service import Creator, creator_links, put_creator
from regulars.unify.identity.identifiers import Identifier
from regulars.unify.identity.picture import Evidence
from regulars.unify.identity.service import link as joined

BROWSER = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari"
CLICKED_AT = NOW
SINCE, UNTIL = NOW - timedelta(days=1), NOW + timedelta(days=20)


class World:
    """A shop with two creators, whose server is asked as browsers and programs ask it."""

    def __init__(self, server, app):
        self.server, self.app = server, app
        app.links.base_url = server.home.links.base_url = server.url
        ten = {"offer_id": "ten", "name": "ten", "kind": "percent", "share": "0.1"}
        put_offer(app.state, offer_from(ten, "ten"), actor="mei", now=NOW)
        self.creators = [
            Creator(
                name, name, "koc", "xiaohongshu", f"{name.upper()}10", "https://shop.example/tea",
                Decimal("0.05"), "ten",
            )
            for name in ("li", "mo")
        ]  # fmt: skip
        for one in self.creators:
            put_creator(app.state, one, actor="mei", now=NOW)
        self.links = creator_links(app.state, app.links, self.creators, now=NOW)
        self.rows = defaultdict(list)

    def clicks(self, name, **headers):
        """Follow a creator's link; gives where it leads."""
        sent = {"user-agent": BROWSER} | headers
        return httpx.get(self.links[name], headers=sent).headers["location"]

    def lands(self, url, visitor, *, user=None, days=0.0):
        """The shop's page tells its address, as every analytics client does."""
        at = CLICKED_AT + timedelta(days=days, seconds=5)
        page = {"context": {"page": {"url": url}}, "type": "page"}
        row = {
            "source": "web", "message_id": f"m{len(self.rows['events'])}", "dialect": "segment", "type": "page",
            "occurred_at": at, "received_at": at, "business_date": at.date(),
            "anonymous_id": visitor, "user_id": user, "payload": json.dumps(page),
        }  # fmt: skip
        self.rows["events"].append(row)

    def is_one(self, visitor, customer):
        """Somebody signs in on the browser."""
        pair = (
            Identifier("login", customer),
            Identifier("cookie", visitor),
            Evidence(NOW.isoformat(), "web"),
        )
        joined(self.app.state, [pair])

    def orders_at(self, days, customer, order, *, sales="100.00", cost="60.00"):
        at = CLICKED_AT + timedelta(days=days)
        base = {"order_id": order, "customer_id": customer, "business_date": at.date()}
        self.rows["orders"].append(base | {"ordered_at": at, "total": Decimal(sales)})
        line = {"line_id": "1", "product_id": "p", "quantity": Decimal(1), "sales": Decimal(sales)}
        self.rows["order_lines"].append(base | line | {"cost": Decimal(cost) if cost else None})

    def uses(self, code, customer, order):
        line = {"line_id": "1", "product_id": "p", "amount": "100.00"}
        basket = basket_from({"order_id": order, "customer_id": customer, "lines": [line]})
        redeem(self.app.state, basket, [code], key=order, now=NOW)

    def settles(self):
        """What was told is stored, and clicks are judged."""
        for name, rows in self.rows.items():
            put(self.app, name, rows)
        settle_clicks(
            self.app.state, self.app.lake, now=datetime.now(NOW.tzinfo) + timedelta(days=1)
        )

    def attributes(self, **how):
        how = {"since": SINCE, "until": UNTIL} | how
        found = attribute_orders(self.app.engine, self.app.state, self.app.settings, **how)
        return {one.creator_id: one for one in found.creators}


@pytest.fixture
def world(tmp_path):
    app = empty_shop(tmp_path / "shop")
    with Server(tmp_path / "shop", clock=lambda: CLICKED_AT) as server:
        yield World(server, app)


def test_an_order_after_a_link_is_the_creators_whoever_signed_in_since(world):
    world.lands(world.clicks("li"), "a-1")
    world.is_one("a-1", "ann")
    world.orders_at(2, "ann", "o1")
    world.settles()

    li = world.attributes()["li"]

    assert (li.clicks, li.visitors, li.by_link, li.by_code) == (1, 1, 1, 0)
    assert (li.customers, li.new_customers) == (1, 1)
    assert (li.sales, li.margin) == (Decimal("100.00"), Decimal("40.00"))


def test_the_last_link_counts_a_code_beats_it_and_the_window_ends_both(world):
    for days, name in ((0, "li"), (0, "mo")):
        world.lands(world.clicks(name), "a-1", user="ann", days=days)
    world.orders_at(-3, "ann", "old")
    world.orders_at(2, "ann", "o1")
    world.orders_at(3, "ann", "o2")
    world.orders_at(9, "ann", "o3")
    world.uses("LI10", "ann", "o2")
    world.settles()

    found = world.attributes(window_days=7)
    wide = world.attributes(window_days=14)

    assert (found["mo"].by_link, found["mo"].by_code) == (1, 0)
    assert (found["li"].by_link, found["li"].by_code) == (0, 1)
    # She had bought before: nobody brought a new customer.
    assert found["mo"].new_customers == found["li"].new_customers == 0
    assert wide["mo"].by_link == 2


def test_programs_bring_nothing_and_a_copied_mark_counts_for_the_first_only(world):
    world.lands(world.clicks("li", **{"user-agent": "Googlebot/2.1"}), "bot", user="bot")
    passed_on = world.clicks("mo")
    world.lands(passed_on, "a-1", user="ann")
    world.lands(passed_on, "b-1", user="bob", days=0.1)
    for days, who in ((1, "bot"), (2, "ann"), (3, "bob")):
        world.orders_at(days, who, f"o-{who}")
    world.settles()

    found = world.attributes()

    assert (found["li"].clicks, found["li"].orders) == (0, 0)
    assert (found["mo"].by_link, found["mo"].customers) == (1, 1)


def test_what_was_paid_back_is_no_sale_and_a_code_taken_back_is_no_code(world):
    for order, who in (("o1", "ann"), ("o2", "bob"), ("o3", "eve")):
        world.uses("LI10", who, order)
    reverse(world.app.state, "o2", reverse_key="r", now=NOW)
    world.orders_at(1, "ann", "o1")
    world.orders_at(1, "bob", "o2", cost=None)
    back = {"return_id": "r1", "order_id": "o1", "customer_id": "ann", "product_id": "p"}
    world.rows["returns"].append(back | {"business_date": NOW.date(), "refund": Decimal("25.00")})

    world.settles()

    li = world.attributes()["li"]

    assert (li.by_code, li.sales, li.margin) == (1, Decimal("75.00"), Decimal("30.00"))
    # Told by the till, and not yet by the orders.
    assert li.unknown_orders == 1


def test_every_face_says_the_same_and_the_link_it_gives_out(world):
    world.uses("LI10", "ann", "o1")
    world.orders_at(-0.5, "ann", "o1", cost=None)
    world.settles()
    viewer = world.server.client("viewer")

    told = viewer.get("/api/measure/attribution?days=30&window=7").json()
    rows = viewer.get("/api/reach/creators").json()
    page = viewer.get("/creators?days=30&window=7").text

    li = next(one for one in told["creators"] if one["creator_id"] == "li")
    assert (li["by_code"], li["sales"], li["margin"]) == (1, "100.00", "25.00")
    assert "not caused" in told["rule"]
    assert rows[0]["link"] == world.links["li"]
    assert world.links["li"] in page
    assert "Attributed is not caused" in page
    assert viewer.get("/api/measure/attribution?window=91").status_code == 400
