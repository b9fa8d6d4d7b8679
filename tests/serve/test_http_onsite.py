"""The on-site slot: what a campaign left for a customer is given to the page that asks, once shown."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from regulars.app import open_app
from regulars.govern.access.api_keys.service import add_key
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

    [waiting] = call("home/ask", {"customer_id": "c1"}).json()
    assert (waiting["key"], waiting["title"], waiting["text"]) == ("k1", "新茶", "今日到店")
    assert call("home/ask", {"customer_id": "c2"}).json() == []
    assert call("home/shown", {"key": "k1"}).json() == {"is_first": True}
    assert call("home/shown", {"key": "k1"}).json() == {"is_first": False}
    assert call("sms/ask", {"customer_id": "c1"}).status_code == 404
