"""Journeys in a real browser: from a template to customers inside, by clicks that are counted."""

import json
import os
from datetime import UTC, date, datetime, timedelta

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from tests.browsing import browser, complaints, enter, is_wide, press, says, text, waiting
from tests.serve.conftest import put

from regulars.app import open_app

__all__ = ["browser"]

LOOKED_AT = os.environ.get("REGULARS_SCREENSHOTS", "")
EDIT, NUMBERS, TRY, VERSIONS = (f"?view={one}" for one in ("edit", "numbers", "try", "versions"))


def event(name, customer, at, number):
    return {
        "source": "web", "message_id": f"j{number}", "type": "track", "event": name,
        "occurred_at": at, "sent_at": at, "received_at": at, "business_date": at.date(),
        "user_id": customer, "payload": json.dumps({"properties": {"name": "tea"}}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journeys") / "shop"
    app = make_shop.filled(folder)
    start = datetime.now(UTC) - timedelta(days=40)
    rows = [
        event(name, f"web{n}", start + timedelta(days=n % 30, hours=n % 11), 10 * n + k)
        for n in range(60)
        for k, name in enumerate(("Signed Up", "Product Added", "Order Completed"))
        if k < 2 or n % 4 == 0
    ]
    put(app, "events", rows)
    put(app, "customers", [{"customer_id": "b1", "born_on": date(1990, 5, 1)}])
    with serve(folder) as server:
        server.folder = folder
        yield server


@pytest.fixture
def fresh(browser, shop):
    browser.get(shop.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    browser.set_window_size(1280, 1000)
    return browser


class Clicks:
    """A browser that counts what is clicked."""

    def __init__(self, browser):
        self.browser, self.count = browser, 0

    def press(self, name):
        press(self.browser, name, within="//body")
        self.count += 1

    def says(self, wanted):
        says(self.browser, wanted)


def approve(browser, shop, journey):
    """Somebody else approves it; her clicks are hers."""
    browser.delete_all_cookies()
    enter(browser, shop, "approver")
    browser.get(shop.url + "/approvals?lang=en")
    other = Clicks(browser)
    row = f"//tr[td[contains(., '{journey}')]]//a"
    browser.find_element(By.XPATH, row).click()
    other.press("Approve")
    other.says("Your decision is kept.")
    browser.delete_all_cookies()
    enter(browser, shop, "marketer")
    browser.get(shop.url + "/?lang=en")


def from_template(browser, shop, use, title, path):
    """From the first page to a journey that lets customers in; gives the marketer's clicks."""
    enter(browser, shop, "marketer")
    browser.get(shop.url + "/?lang=en")
    mei = Clicks(browser)
    mei.press("Reach")
    mei.press("Journeys")
    mei.press(f"Use {use}")
    mei.press("Save and ask for approval")
    mei.says("Asked for approval.")
    approve(browser, shop, title)
    # The tab of the journey is still open.
    browser.get(shop.url + path + "?lang=en")
    mei.press("Publish")
    mei.says("Customers come in from now on.")
    return mei.count


def look(browser, name):
    """Keep a picture where somebody wants to look at it."""
    if LOOKED_AT:
        height = browser.execute_script("return document.documentElement.scrollHeight")
        browser.set_window_size(1280, max(1000, height + 140))
        browser.save_screenshot(f"{LOOKED_AT}/{name}.png")
        browser.set_window_size(1280, 1000)


def test_a_welcome_series_takes_eight_clicks_at_most_and_a_birthday_coupon_six(fresh, shop):
    assert from_template(fresh, shop, "Welcome in 7 days", "新客七日欢迎", "/journeys/welcome") <= 8
    fresh.delete_all_cookies()
    assert from_template(fresh, shop, "Birthday coupon", "生日礼券", "/journeys/birthday") <= 6
    assert complaints(fresh) == []
    rows = open_app(shop.folder).state
    with rows.reading() as opened:
        states = {r["journey_id"]: r["state"] for r in opened.all("SELECT * FROM journeys")}
    assert states == {"welcome": "running", "birthday": "running"}


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_side_of_a_journey_opens_without_a_complaint(fresh, shop, locale):
    enter(fresh, shop, "approver")
    for width in (1280, 500):
        fresh.set_window_size(width, 1000)
        for name, path in {
            "list": "/journeys", "new": "/journeys/new?template=birthday",
            "edit": "/journeys/welcome?view=edit&node=hello", "numbers": "/journeys/welcome" + NUMBERS,
            "try": "/journeys/welcome" + TRY, "versions": "/journeys/welcome" + VERSIONS, "home": "/",
        }.items():  # fmt: skip
            sign = "&" if "?" in path else "?"
            fresh.get(f"{shop.url}{path}{sign}lang={locale}")
            assert not is_wide(fresh), (name, width)
            assert complaints(fresh) == [], name
            if width == 1280:
                look(fresh, f"{name}-{locale}")
    fresh.get(f"{shop.url}/journeys/welcome{TRY}&lang={locale}")
    counts = [one.text for one in fresh.find_elements(By.CSS_SELECTOR, "svg.journey text.count")]
    assert len(counts) == 3
    assert all(("sent" in one) == (locale == "en") for one in counts)


def test_a_journey_is_edited_by_keys_alone_each_change_checked_and_undone(fresh, shop):
    enter(fresh, shop, "marketer")
    fresh.get(shop.url + "/journeys/welcome?view=edit&lang=en")
    mei = Clicks(fresh)
    nodes = fresh.find_elements(By.CSS_SELECTOR, "svg.journey a.node")
    assert len(nodes) == 7
    assert all(one.get_attribute("aria-label") for one in nodes)
    fresh.execute_script("document.querySelector('svg.journey a.node.wait').focus()")
    fresh.switch_to.active_element.send_keys(Keys.ENTER)
    days = waiting(fresh).until(lambda b: b.find_element(By.ID, "f-days"))
    days.clear()
    days.send_keys("many")
    fresh.find_element(By.CSS_SELECTOR, "button[value^='change:']").send_keys(Keys.ENTER)
    mei.says("must be a whole number")
    days = fresh.find_element(By.ID, "f-days")
    days.clear()
    days.send_keys("4")
    fresh.find_element(By.CSS_SELECTOR, "button[value^='change:']").send_keys(Keys.ENTER)
    mei.says("Undo (1)")
    assert "4 days" in text(fresh, "svg.journey")
    Select(fresh.find_element(By.ID, "kind")).select_by_value("split")
    fresh.find_element(By.CSS_SELECTOR, "button[value^='insert:']").send_keys(Keys.ENTER)
    mei.says("Undo (2)")
    assert len(fresh.find_elements(By.CSS_SELECTOR, "svg.journey a.node")) == 8
    look(fresh, "edited-en")
    fresh.find_element(By.CSS_SELECTOR, "button[value='undo']").send_keys(Keys.ENTER)
    mei.says("Undo (1)")
    assert len(fresh.find_elements(By.CSS_SELECTOR, "svg.journey a.node")) == 7
    mei.press("Save as the next version")
    mei.says("Nobody walks by it before it is published.")
    mei.says("nodes.day-3")
    look(fresh, "changed-en")
    assert complaints(fresh) == []


def field(browser, name):
    return waiting(browser).until(lambda b: b.find_element(By.NAME, name))


def test_ways_in_exits_and_cases_are_forms_that_keys_alone_fill(fresh, shop):
    enter(fresh, shop, "marketer")
    fresh.get(shop.url + "/journeys/birthday?view=edit&lang=en")
    mei = Clicks(fresh)
    assert field(fresh, "e.0.kind").get_attribute("value") == "date"
    assert not fresh.find_elements(By.CSS_SELECTOR, "#editor textarea")
    fresh.find_element(By.CSS_SELECTOR, "button[value='rows:add:e']").send_keys(Keys.ENTER)
    Select(field(fresh, "e.1.kind")).select_by_value("schedule")
    Select(field(fresh, "e.1.every")).select_by_value("week")
    field(fresh, "e.1.on.sat").send_keys(Keys.SPACE)
    fresh.find_element(By.CSS_SELECTOR, "button[value='rows:add:e.1.q']").send_keys(Keys.ENTER)
    Select(field(fresh, "e.1.q.0.what")).select_by_value("field:orders")
    value = field(fresh, "e.1.q.0.value")
    value.send_keys("many")
    look(fresh, "ways-in-en")
    fresh.find_element(By.CSS_SELECTOR, "button[value='settings']").send_keys(Keys.ENTER)
    mei.says("Not changed:")
    value = field(fresh, "e.1.q.0.value")
    assert value.get_attribute("value") == "many"  # what was typed is not lost
    value.clear()
    value.send_keys("2")
    fresh.find_element(By.CSS_SELECTOR, "button[value='settings']").send_keys(Keys.ENTER)
    mei.says("Undo (1)")
    assert "Comes in by schedule" in text(fresh, "svg.journey")
    Select(field(fresh, "kind")).select_by_value("branch")
    fresh.find_element(By.CSS_SELECTOR, "button[value^='insert:']").send_keys(Keys.ENTER)
    assert field(fresh, "c.0.q.0.what").get_attribute("value") == "field:orders"
    fresh.find_element(By.CSS_SELECTOR, "button[value='rows:add:c']").send_keys(Keys.ENTER)
    Select(field(fresh, "c.1.q.0.what")).select_by_value("segment")
    Select(field(fresh, "c.1.q.0.name")).select_by_value("champions")
    field(fresh, "c.1.name").send_keys("best")
    look(fresh, "cases-en")
    fresh.find_element(By.CSS_SELECTOR, "button[value^='change:']").send_keys(Keys.ENTER)
    mei.says("Undo (3)")
    assert "best" in text(fresh, "svg.journey")
    assert complaints(fresh) == []


def test_everything_stops_by_one_click_on_the_journeys_and_on_the_first_page(fresh, shop):
    enter(fresh, shop, "approver")
    for page in ("/journeys", "/"):
        fresh.get(f"{shop.url}{page}?lang=en")
        mei = Clicks(fresh)
        mei.press("Stop everything now")
        mei.says("All contacts are stopped.")
        assert mei.count == 1
        mei.press("Let contacts go out again")
        mei.says("Contacts may go out again.")
