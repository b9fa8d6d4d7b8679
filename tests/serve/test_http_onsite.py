"""The on-site slot: what a campaign left for a customer is given to the page that asks, once shown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.app import open_app
from regulars.govern.access.api_keys.service import add_key
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.govern.policy.service import stop
from regulars.ports.channels import Contact, Message


@pytest.fixture(name="shop")
def a_shop_with_a_slot(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "shop")
    with (tmp_path / "shop" / "regulars.toml").open("a", encoding="utf-8") as file:
        file.write('[channels.home]\nvia = "onsite"\ncost = "0"\n')
    with serve(tmp_path / "shop") as server:
        yield server


def test_a_page_asks_what_waits_and_says_that_it_showed_it(shop, tmp_path):
    now = datetime.now(UTC)
    app = open_app(tmp_path / "shop")
    _, key = add_key(
        app.state, name="site", role="analyst", actor="admin", owner="analyst", now=now
    )
    message = Message(
        address="c1", subject="新茶", text="今日到店", link="https://shop.example/tea"
    )
    app.channels["home"].send([
        Contact("k1", "c1", "tea", "", "home", Decimal(0), now, message=message)
    ])
    client = shop.client(None)
    headers = {"authorization": f"Bearer {key}"}

    def call(path, body):
        return client.post(f"/api/reach/onsite/{path}", json=body, headers=headers)

    assert call("home/ask", {"customer_id": "c1"}).json() == [], "without consent nothing is shown"
    set_consent(app.state, Word("c1", "marketing", "granted", now), actor="test", now=now)
    [waiting] = call("home/ask", {"customer_id": "c1"}).json()
    assert (waiting["key"], waiting["title"], waiting["text"]) == ("k1", "新茶", "今日到店")
    assert call("home/ask", {"customer_id": "c2"}).json() == []
    assert call("home/shown", {"key": "k1"}).json() == {"is_first": True}
    assert call("home/shown", {"key": "k1"}).json() == {"is_first": False}
    assert call("home/ask", {"customer_id": "c1"}).json() == [], "what was shown is not shown again"
    assert call("sms/ask", {"customer_id": "c1"}).status_code == 404


def test_who_withdraws_or_a_stop_ends_what_waits(shop, tmp_path):
    now = datetime.now(UTC)
    app = open_app(tmp_path / "shop")
    client = shop.client("analyst")
    token = shop.csrf(client)
    for customer in ("c1", "c2"):
        set_consent(app.state, Word(customer, "marketing", "granted", now), actor="t", now=now)
        message = Message(address=customer, text="今日到店")
        app.channels["home"].send([
            Contact(f"k-{customer}", customer, "tea", "", "home", Decimal(0), now, message=message)
        ])

    def seen(customer):
        path, body = "/api/reach/onsite/home/ask", {"customer_id": customer}
        return client.post(path, json=body, headers={"x-csrf-token": token}).json()

    assert len(seen("c1")) == len(seen("c2")) == 1
    later = now + timedelta(seconds=1)
    set_consent(app.state, Word("c1", "marketing", "withdrawn", later), actor="t", now=later)
    assert (seen("c1"), len(seen("c2"))) == ([], 1)
    stop(app.state, "wrong price", actor="test", at=later)
    assert seen("c2") == []
