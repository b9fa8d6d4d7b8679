"""An experiment in a real browser: written and planned live, started, read, stopped, concluded."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from selenium.webdriver.common.by import By
from tests.browsing import browser, complaints, enter, is_wide, press, says, text, waiting
from tests.measure.kept_experiments import orders_of, visits_of

from regulars.app import open_app
from regulars.measure.experiments.keeping.exposing.service import Exposing

__all__ = ["browser"]

IDS = [f"n{n:04}" for n in range(4000)]


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "shop"
    app, now = make_shop.empty(folder), datetime.now(UTC)
    visits_of(app, IDS, (now - timedelta(days=40)).date())
    visits_of(app, IDS, (now - timedelta(days=8)).date())
    orders_of(app, IDS[:1400], (now - timedelta(days=9)).date())
    with serve(folder) as server:
        yield server
    server.home.close()


def write(browser, **fields):
    for name, value in fields.items():
        field = browser.find_element(By.ID, name)
        field.clear()
        field.send_keys(value)


def take_part(server):
    """Customers come, and more of those with the coupon buy."""
    app = open_app(server.folder)
    gives = Exposing(app.state, seed=app.settings.loop.seed, global_holdout=0.0)
    now = datetime.now(UTC)
    given = {one: gives.given(one, now=now)[0].variant.name for one in IDS}
    gives.close()
    buy = [one for n, one in enumerate(IDS) if n % 10 < (2 if given[one] == "control" else 4)]
    orders_of(app, buy, datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date(), name="now")


def test_an_experiment_is_taken_from_the_idea_to_what_was_learned(browser, shop, tmp_path):
    browser.set_window_size(1280, 1700)
    enter(browser, shop, "approver")
    browser.get(shop.url + "/experiments?lang=en")
    press(browser, "New experiment")
    says(browser, "Who gets what")
    write(
        browser,
        **{
            "id": "coupon",
            "name": "Coupon for newcomers",
            "hypothesis": "A coupon in the first week brings more of them back.",
            "name-1": "coupon",
            "offers-1": "off10",
            "effect": "8",
        },
    )
    says(browser, "Enough customers come while it runs.", "#power")
    large = text(browser, "#power .figure")
    write(browser, effect="1")
    says(browser, "It would not find what it looks for", "#power")
    write(browser, effect="8")
    waiting(browser).until(lambda b: text(b, "#power .figure") == large)
    browser.save_screenshot(str(tmp_path / "new.png"))
    press(browser, "Keep the draft")
    says(browser, "Kept as a draft")
    press(browser, "Start it")
    says(browser, "Started.")
    assert "too few customers" in text(browser, "section[aria-labelledby=effect]")
    take_part(shop)
    browser.refresh()
    says(browser, "The interval holds however often you look.")
    waiting(browser).until(lambda b: b.find_elements(By.CSS_SELECTOR, "figure canvas, figure svg"))
    assert "+19.45" in text(browser, "section[aria-labelledby=effect]")
    for locale in ("zh-CN", "en"):
        for width in (500, 1280):
            browser.set_window_size(width, 1700)
            for path in ("/experiments/coupon", "/experiments/new", "/experiments"):
                browser.get(f"{shop.url}{path}?lang={locale}")
                name = path.rpartition("/")[2]
                browser.save_screenshot(str(tmp_path / f"{name}-{locale}-{width}.png"))
                assert not is_wide(browser), (path, width, locale)
                assert complaints(browser) == [], path
    browser.get(f"{shop.url}/experiments/coupon?lang=en")
    write(browser, reason="as many as planned have come")
    press(browser, "Stop it")
    says(browser, "Say below what follows from it")
    write(browser, says="A coupon brings 20 of 100 more back.")
    browser.save_screenshot(str(tmp_path / "stopped.png"))
    press(browser, "Conclude")
    says(browser, "A variant is adopted: coupon.")
    browser.save_screenshot(str(tmp_path / "concluded.png"))
    browser.get(shop.url + "/learnings?lang=en")
    says(browser, "A coupon brings 20 of 100 more back.", "section[aria-labelledby=tried]")
    assert complaints(browser) == []
