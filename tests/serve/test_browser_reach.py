"""Pages about reaching people in a real browser: both languages, two widths, written to sent by clicks."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from tests.browsing import browser, complaints, enter, is_wide, press, says, text

__all__ = ["browser"]

PAGES = {
    "Campaigns": "/campaigns",
    "Write a campaign": "/campaigns/edit",
    "Approvals": "/approvals",
    "Delivery": "/delivery",
    "Rules of contact": "/policy",
    "Copy review": "/copy",
    "Offers": "/offers",
    "Contents": "/contents",
}


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reach") / "shop"
    make_shop.filled(folder)
    with serve(folder) as server:
        yield server


@pytest.fixture
def fresh(browser, shop):
    browser.get(shop.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    browser.set_window_size(1280, 900)
    return browser


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [1280, 500])
def test_every_page_opens_without_a_complaint_and_fits_the_window(fresh, shop, locale, width):
    enter(fresh, shop, "admin")
    fresh.set_window_size(width, 900)
    for name, path in PAGES.items():
        fresh.get(f"{shop.url}{path}?lang={locale}")

        assert fresh.execute_script("return document.documentElement.lang") == locale
        assert (text(fresh, "h1") == name) == (locale == "en"), name
        assert complaints(fresh) == [], name
        assert not is_wide(fresh), (name, width)


def test_every_field_of_the_form_has_a_label_and_can_be_reached_by_keyboard(fresh, shop):
    enter(fresh, shop, "marketer")
    fresh.get(shop.url + "/campaigns/edit?lang=en")
    fields = fresh.find_elements(
        By.CSS_SELECTOR, "main input:not([type=hidden]), main select, main textarea"
    )

    assert len(fields) > 12
    for field in fields:
        name = field.get_attribute("id")
        assert fresh.find_elements(By.CSS_SELECTOR, f"label[for='{name}']"), name
        assert field.get_attribute("tabindex") in {None, "", "0"}, name


def test_a_campaign_goes_from_a_form_to_its_customers_by_clicks_of_two_people(fresh, shop):
    enter(fresh, shop, "marketer")
    fresh.get(shop.url + "/campaigns/edit?lang=en")
    for name, value in {
        "id": "browser-tea",
        "name": "Tea by clicks",
        "customers": "c001\nc002",
        "text_zh": "【街角超市】新茶已到店，欢迎品尝。拒收请回复R",
    }.items():
        fresh.find_element(By.ID, name).send_keys(value)
    Select(fresh.find_element(By.ID, "audience")).select_by_value("list")
    Select(fresh.find_element(By.ID, "roll_out")).select_by_value("at_once")
    press(fresh, "Save and review")
    says(fresh, "Saved as a draft")
    press(fresh, "Ask for approval")
    says(fresh, "Waits for somebody else to approve it.")

    fresh.delete_all_cookies()
    enter(fresh, shop, "approver")
    fresh.get(shop.url + "/approvals?lang=en")
    fresh.find_element(By.CSS_SELECTOR, "#mine + .scroll a").click()
    press(fresh, "Approve")
    says(fresh, "Your decision is kept.")
    press(fresh, "Open the campaign")
    press(fresh, "Send now")
    says(fresh, "Contacts go out by themselves")

    assert complaints(fresh) == []


def test_why_a_customer_got_it_or_not_is_three_clicks_away(fresh, shop):
    enter(fresh, shop, "viewer")
    fresh.get(shop.url + "/?lang=en")
    fresh.find_element(By.LINK_TEXT, "Customers").click()
    fresh.find_element(By.CSS_SELECTOR, "main table tbody a").click()

    assert fresh.find_elements(By.ID, "why")


def test_everything_is_stopped_by_one_click(fresh, shop):
    enter(fresh, shop, "approver")
    fresh.get(shop.url + "/delivery?lang=en")
    press(fresh, "Stop everything now")
    says(fresh, "All contacts are stopped")
    press(fresh, "Let contacts go out again")
    says(fresh, "Contacts may go out again.")

    assert fresh.find_elements(By.ID, "reason"), "it can be stopped again"
