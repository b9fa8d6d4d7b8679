"""The pages about data in a real browser, on a server that takes real events in."""

import re

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import Select
from tests.browsing import browser, complaints, enter, is_wide, press, says, text, waiting

__all__ = ["browser"]

PAGES = {
    "data": "/data",
    "live events": "/data/events",
    "one event": "/data/events/one?source=paged&id=p1",
    "quarantine": "/data/quarantine?source=paged&reason=no_id",
    "plan": "/data/plan",
    "tags": "/tags",
    "a tag": "/tags/edit?name=常客",
    "a new tag": "/tags/edit",
    "customer": "/customers/c020",
    "somebody new": "/customers/{stranger}",
}
HEADINGS = {
    "en": {"data": "Data", "live events": "Live events", "quarantine": "Quarantine",
           "plan": "Tracking plan", "tags": "Tags"},
    "zh-CN": {"data": "数据", "live events": "事件流", "quarantine": "隔离区",
              "plan": "埋点方案", "tags": "标签"},
}  # fmt: skip


@pytest.fixture(scope="module")
def paged(live, make_key):
    """A source that has sent something for every page; gives the pages with their addresses."""
    live.send(
        make_key("paged"),
        {"type": "identify", "messageId": "p1", "userId": "c020", "anonymousId": "paged-device-1",
         "traits": {"phone": "13612345678"}},
        {"type": "track", "event": "Sofa Tried", "messageId": "p2", "anonymousId": "paged-dev-2"},
        {"type": "track", "event": "Product Viewed", "messageId": "p3"},
    )  # fmt: skip
    rule = {"kind": "rule", "g0.word": "all", "g0.r0.field": "orders", "g0.r0.value": "1"}
    live.post("marketer", "/tags/save", name="常客", **rule)
    viewer = live.client("viewer")
    stream = live.until(
        lambda: (
            (page := viewer.get("/data/events?source=paged").text)
            and re.search(r"id=p2.*?/customers/(c_\w+)", page, re.S)
        )
    )
    refused = live.until(
        lambda: re.search(
            r"/data/quarantine/([\d-]+)", viewer.get("/data/quarantine?source=paged").text
        )
    )
    pages = {name: path.format(stranger=stream[1]) for name, path in PAGES.items()}
    return pages | {"refused event": f"/data/quarantine/{refused[1]}"}


@pytest.fixture
def fresh(browser, live):
    browser.get(live.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    return browser


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [1280, 500])
def test_every_page_opens_without_a_complaint_and_fits_the_window(
    fresh, live, paged, locale, width
):
    enter(fresh, live, "admin")
    fresh.set_window_size(width, 900)
    wide = []
    for name, path in paged.items():
        fresh.get(f"{live.url}{path}{'&' if '?' in path else '?'}lang={locale}")

        assert fresh.execute_script("return document.documentElement.lang") == locale
        assert text(fresh, "h1") == HEADINGS[locale].get(name, text(fresh, "h1"))
        assert complaints(fresh) == [], name
        if is_wide(fresh):
            wide.append(name)
    fresh.set_window_size(1280, 900)

    assert wide == []


def test_every_control_of_the_new_pages_has_a_name(fresh, live, paged):
    enter(fresh, live, "admin")
    nameless = []
    for path in paged.values():
        fresh.get(live.url + path)
        nameless += fresh.execute_script(
            "return [...document.querySelectorAll('input:not([type=hidden]), select, textarea, "
            "button:not([aria-hidden]), a, summary')]"
            ".filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() "
            "&& !e.getAttribute('aria-label')).map(e => e.outerHTML)"
        )

    assert nameless == []


def test_a_key_is_made_an_event_is_sent_and_shows_up_in_the_stream(fresh, live):
    enter(fresh, live, "admin")
    fresh.get(live.url + "/data?lang=en")
    fresh.find_element(By.ID, "source").send_keys("browsed", Keys.ENTER)
    key = waiting(fresh).until(lambda b: b.find_element(By.ID, "new-key").get_attribute("value"))
    fresh.get(live.url + "/data/events?source=browsed&lang=en")
    assert "No such event" in text(fresh, "#stream")
    event = {"userId": "c021", "event": "Kettle Touched", "messageId": "k1",
             "properties": {"phone": "13687654321"}}  # fmt: skip
    sent = httpx.post(f"{live.url}/v1/track", auth=(key, ""), json=event)

    says(fresh, "Kettle Touched", "#stream")
    fresh.find_element(By.LINK_TEXT, "Kettle Touched").send_keys(Keys.ENTER)
    says(fresh, '"phone": "136****4321"', "#one")

    assert sent.status_code == 200
    assert fresh.current_url.endswith("/data/events?source=browsed&lang=en"), "the same page"
    assert "13687654321" not in fresh.page_source
    assert complaints(fresh) == []


def test_a_paused_stream_stands_still_until_it_goes_on(fresh, live, make_key):
    key = make_key("paused")
    enter(fresh, live, "viewer")
    fresh.get(live.url + "/data/events?lang=en")
    Select(fresh.find_element(By.ID, "source"))
    press(fresh, "Pause")
    waiting(fresh).until(lambda b: not b.find_elements(By.CSS_SELECTOR, ".htmx-request"))
    asked = "return performance.getEntriesByType('resource').filter(e => e.name.endsWith('search')).length"
    before = fresh.execute_script(asked)
    live.send(key, {"type": "track", "event": "Late Lamp", "userId": "c022", "messageId": "l1"})
    live.until(lambda: "Late Lamp" in live.client("viewer").get("/data/events").text)
    stands = fresh.execute_script(asked), "Late Lamp" in text(fresh, "#stream")
    press(fresh, "Go on")
    says(fresh, "Late Lamp", "#stream")

    assert stands == (before, False)
    assert complaints(fresh) == []


def test_a_refused_event_is_mended_in_the_browser_and_stored(fresh, live, make_key):
    live.send(make_key("fixed"), {"type": "track", "event": "Bare", "messageId": "b1"})
    page = live.client("viewer")
    at = live.until(
        lambda: re.search(
            r"/data/quarantine/[\d-]+", page.get("/data/quarantine?source=fixed").text
        )
    )[0]
    enter(fresh, live, "analyst")
    fresh.get(f"{live.url}{at}?lang=en")
    press(fresh, "Show it clear and mend it")
    area = waiting(fresh).until(lambda b: b.find_element(By.ID, "text"))
    mended = area.get_attribute("value").replace("{", '{"userId": "c023",', 1)
    area.clear()
    area.send_keys(mended)
    press(fresh, "Save and replay")
    says(fresh, "Stored. It counts like any other event now.", "#standing")

    assert complaints(fresh) == []


def test_two_customers_are_merged_and_taken_apart_in_the_browser(fresh, live, paged):
    stranger = paged["somebody new"]
    enter(fresh, live, "analyst")
    fresh.get(f"{live.url}/customers/c024?lang=en")
    fresh.find_element(By.ID, "other").send_keys("paged-dev-2", Keys.ENTER)
    waiting(fresh).until(lambda b: b.find_elements(By.ID, "reason"))
    fresh.find_element(By.ID, "reason").send_keys("told us so")
    press(fresh, "Merge")
    says(fresh, "Merged. You can take this back", "[role=status]")
    fresh.get(live.url + stranger)
    moved = fresh.current_url
    fresh.find_element(By.CSS_SELECTOR, "details.ask summary").click()
    fresh.find_element(By.CSS_SELECTOR, "details.ask input[name=reason]").send_keys("an error")
    press(fresh, "Take apart again")
    says(fresh, "Taken apart again.", "[role=status]")
    fresh.get(live.url + stranger)

    assert moved.endswith("/customers/c024")
    assert fresh.current_url == live.url + stranger
    assert complaints(fresh) == []


def replaced(browser, field, value):
    """Choose a value, and wait until the answer has replaced the form."""
    form = browser.find_element(By.ID, "tag-form")
    Select(browser.find_element(By.ID, field)).select_by_value(value)
    waiting(browser).until(staleness_of(form))
    waiting(browser).until(lambda b: b.find_elements(By.ID, "g0.r0.value"))


def test_what_is_typed_while_the_form_is_being_replaced_stays(fresh, live):
    enter(fresh, live, "marketer")
    fresh.get(live.url + "/tags/edit?lang=en")
    replaced(fresh, "g0.r0.field", "recency_days")
    fresh.execute_script("""
        const sign = document.getElementById("g0.r0.sign");
        const value = document.getElementById("g0.r0.value");
        window.old = value;
        sign.value = "<=";
        sign.dispatchEvent(new Event("change", { bubbles: true }));
        value.value = "4";
        value.dispatchEvent(new Event("input", { bubbles: true }));
    """)

    waiting(fresh).until(lambda b: b.execute_script("return !window.old.isConnected"))
    waiting(fresh).until(lambda b: b.find_elements(By.ID, "g0.r0.value"))
    shown = "return document.getElementById('g0.r0.value').value"
    assert fresh.execute_script(shown) == "4"


def test_a_tag_is_written_with_a_count_that_follows(fresh, live, make_shop):
    enter(fresh, live, "marketer")
    fresh.get(live.url + "/tags/edit?lang=zh-CN")
    fresh.find_element(By.ID, "name").send_keys("最近来过")
    replaced(fresh, "g0.r0.field", "recency_days")
    assert fresh.find_element(By.ID, "name").get_attribute("value") == "最近来过"
    assert fresh.switch_to.active_element.get_attribute("id") == "g0.r0.field"
    replaced(fresh, "g0.r0.sign", "<=")
    fresh.find_element(By.ID, "g0.r0.value").send_keys("4")
    says(fresh, f"共 {make_shop.customers} 位顾客", "#count")
    first = text(fresh, "#count .figure")
    fresh.find_element(By.ID, "g0.r0.value").send_keys("0")
    waiting(fresh).until(lambda b: text(b, "#count .figure") != first)

    assert (first, text(fresh, "#count .figure")) == ("5", "41")
    press(fresh, "保存标签")
    says(fresh, "标签已保存", "[role=status]")
    assert "最近来过" in text(fresh, "main")
    assert complaints(fresh) == []
