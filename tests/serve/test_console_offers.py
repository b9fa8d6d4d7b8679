"""The pages about offers and contents: a sample order worked out, codes made, facets kept."""

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.browsing import browser, complaints, enter

from regulars.app import open_app
from regulars.decide.offers.definition import offer_from
from regulars.decide.offers.keeping.service import put_offer
from regulars.decide.offers.pricing import basket_from
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import put_content
from regulars.reach.content.shelf.service import set_facets
from regulars.reach.coupons.redeeming.service import redeem
from regulars.reach.coupons.stocking.service import generate
from regulars.reach.links.creators.service import Creator, put_creator

__all__ = ["browser"]
NOW = datetime.now(UTC) - timedelta(days=20)
SHOTS = os.environ.get("REGULARS_SHOTS", "")


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("offers") / "shop"
    make_shop.filled(folder)
    state = open_app(folder).state
    ten = {"offer_id": "ten", "name": "九折券", "kind": "percent", "share": "0.1"}
    steps = {"steps": [{"spend": 300, "off": 40}], "margin_floor": "0.5", "stock": 100}
    for offer in (ten, {"offer_id": "full", "name": "满300减40", "kind": "threshold"} | steps):
        put_offer(state, offer_from(offer, "o"), actor="mei", now=NOW)
    generate(state, "ten", 5, secret=b"sixteen bytes...", actor="mei", now=NOW)
    li = Creator(
        "li", "小李", "koc", "xiaohongshu", "LI10", "https://shop.example/", Decimal("0.05")
    )
    put_creator(state, Creator(**{**vars(li), "offer_id": "ten"}), actor="mei", now=NOW)
    line = {"line_id": "1", "product_id": "p", "amount": "99.90"}
    basket = basket_from({"order_id": "o9", "customer_id": "c001", "lines": [line]})
    redeem(state, basket, ["LI10"], key="k9", now=NOW)
    text = "【街角超市】{{ retailer.name }}新茶已到店。拒收请回复R"
    put_content(
        state,
        Content("tea", "sms", "marketing", {"zh-CN": Variant(text=text)}),
        actor="mei",
        at=NOW,
    )
    set_facets(state, "tea", "interest", ["生鲜"], actor="mei", now=NOW)
    with serve(folder) as server:
        yield server


def test_a_sample_order_is_worked_out_and_refusals_say_why(shop):
    client = shop.client("viewer")
    form = {"lines": "320 180 tea\n40 22", "offer:ten": "on", "offer:full": "on"}
    sent = form | {"csrf_token": shop.csrf(client)}

    page = client.post("/offers/preview", data=sent).text
    odd = client.post("/offers/preview", data=sent | {"lines": "much"})

    assert "36.00" in page
    assert "too little margin would be left" in page
    assert odd.status_code == 400
    assert "write amount, cost, category" in odd.text


def test_marketers_make_codes_and_see_them_and_viewers_do_not(shop):
    client, viewer = shop.client("marketer"), shop.client("viewer")
    sent = {"count": "7", "csrf_token": shop.csrf(client)}

    made = client.post("/offers/full/codes", data=sent, follow_redirects=True)
    wrong = client.post("/offers/full/codes", data=sent | {"count": "0"})

    assert "The codes were made." in made.text
    assert made.text.count('class="nowrap"><code>') == 7
    assert wrong.status_code == 400
    assert "Codes that changed last" not in viewer.get("/offers/full").text


def test_contents_are_found_and_their_facets_kept(shop):
    client = shop.client("marketer")
    sent = {"tag": "春季，新品", "interest": "生鲜", "csrf_token": shop.csrf(client)}

    one = client.post("/contents/tea/facets", data=sent, follow_redirects=True).text
    found = client.get("/contents?tag=新品").text
    none = client.get("/contents?review=approved").text

    assert "The tags and interests were kept." in one
    assert "街角超市新茶已到店" in one
    assert ">tea</a>" in found
    assert "No content fits." in none
    assert "gap" in none
    assert "LI10" in client.get("/creators").text


@pytest.mark.parametrize(
    "path", ["/offers", "/offers/ten", "/contents", "/contents/tea", "/creators"]
)
def test_the_pages_open_in_a_browser_without_a_complaint(browser, shop, path):
    browser.get(shop.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    enter(browser, shop, "marketer")
    for locale in ("en", "zh-CN"):
        browser.get(f"{shop.url}{path}?lang={locale}")
        if SHOTS:
            name = path.strip("/").replace("/", "-")
            browser.set_window_size(1280, 1600)
            browser.save_screenshot(str(Path(SHOTS) / f"{name}-{locale}.png"))

        assert browser.execute_script("return document.documentElement.lang") == locale
        assert complaints(browser) == []
