"""Pages about audiences in a real browser: an audience written with nested groups, saved and followed."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import Select
from tests.browsing import browser, complaints, enter, is_wide, press, says, text, waiting

__all__ = ["browser"]

PAGES = {"Audiences": "/audiences", "New audience": "/audiences/edit?start=grid:high-active"}


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audiences") / "shop"
    make_shop.filled(folder)
    with serve(folder) as server:
        yield server


@pytest.fixture
def fresh(browser, shop):
    browser.get(shop.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    browser.set_window_size(1280, 1000)
    return browser


def field(browser, name):
    return waiting(browser).until(lambda b: b.find_element(By.NAME, name))


def choose(browser, name, value):
    """Choose an option, and wait for the editor that follows from it."""
    old = field(browser, name)
    Select(old).select_by_value(value)
    waiting(browser).until(staleness_of(old))
    field(browser, name)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_page_opens_without_a_complaint_and_fits_the_window(fresh, shop, locale):
    enter(fresh, shop, "admin")
    for width in (1280, 500):
        fresh.set_window_size(width, 1000)
        for name, path in PAGES.items():
            fresh.get(f"{shop.url}{path}{'&' if '?' in path else '?'}lang={locale}")

            assert (text(fresh, "h1") == name) == (locale == "en"), name
            assert complaints(fresh) == [], name
            assert not is_wide(fresh), (name, width)


def test_an_audience_is_written_in_nested_groups_saved_and_followed(fresh, shop):
    enter(fresh, shop, "marketer")
    fresh.get(f"{shop.url}/audiences?lang=en")
    press(fresh, "New audience")
    field(fresh, "name").send_keys("Spenders")
    choose(fresh, "n0.0.what", "field:monetary")
    field(fresh, "n0.0.value").send_keys("300")
    says(fresh, "48", "#count")
    says(fresh, "王**", "#count")

    press(fresh, "Add a group")
    choose(fresh, "n0.1.0.what", "sequence")
    Select(field(fresh, "n0.1.word")).select_by_value("none")
    field(fresh, "n0.1.0.event").send_keys("Product Viewed")
    field(fresh, "n0.1.0.second").send_keys("Order Completed")
    press(fresh, "Add a condition", 0)
    choose(fresh, "n0.1.1.what", "field:city")
    field(fresh, "n0.1.1.value").send_keys("北京")
    says(fresh, "48", "#count")
    assert field(fresh, "name").get_attribute("value") == "Spenders"
    press(fresh, "Save the audience")

    says(fresh, "The audience was saved")
    press(fresh, "Judge again now")
    says(fresh, "Judged again")
    assert "48" in text(fresh, "section[aria-labelledby=over]")
    assert complaints(fresh) == []
    press(fresh, "Edit")
    assert field(fresh, "n0.1.word").get_attribute("value") == "none"
    assert field(fresh, "n0.1.0.second").get_attribute("value") == "Order Completed"
    field(fresh, "n0.0.value").send_keys("0")
    says(fresh, "0", "#count .figure")
    press(fresh, "Save as version 2")
    press(fresh, "Make it count again")
    says(fresh, "The earlier version counts again")


def test_every_field_has_a_label_and_can_be_reached_by_keyboard(fresh, shop):
    enter(fresh, shop, "marketer")
    fresh.get(f"{shop.url}/audiences/edit?lang=en")
    choose(fresh, "n0.0.what", "event")

    unlabelled = fresh.execute_script(
        "return [...document.querySelectorAll('main input, main select, main textarea, main button')]"
        ".filter(e => e.type !== 'hidden' && !e.closest('.hidden') && !(e.labels && e.labels.length)"
        " && !e.textContent.trim() && !e.getAttribute('aria-label')).map(e => e.name || e.outerHTML)"
    )
    assert unlabelled == []
    assert fresh.switch_to.active_element is not None
    unreachable = fresh.execute_script(
        "return [...document.querySelectorAll('main input, main select, main button')]"
        ".filter(e => e.tabIndex < 0 && !e.classList.contains('hidden')).map(e => e.name)"
    )
    assert unreachable == []
