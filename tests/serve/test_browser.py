"""The console in a real browser: both languages, no script errors, charts drawn, keys work."""

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from tests.browsing import browser, complaints, enter, is_wide, press, says, text, waiting

__all__ = ["browser"]

PAGES = {
    "home": "/",
    "customers": "/customers",
    "customer": "/customers/c001",
    "left alone": "/customers/c002",
    "campaigns": "/campaigns?turn=1",
    "campaign": "/campaigns/news-001",
}
WITH_CHART = {"home", "customer", "left alone", "campaigns"}
HEADINGS = {
    "en": {"home": "街角超市", "customers": "Customers"},
    "zh-CN": {"home": "街角超市", "customers": "顾客"},
}
INKED = """
const picture = arguments[0], context = picture.getContext("2d");
const points = context.getImageData(0, 0, picture.width, picture.height).data;
return points.reduce((inked, value) => inked + (value > 0), 0);
"""


@pytest.fixture
def fresh(browser, server):
    browser.get(server.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    return browser


def test_a_wrong_password_stays_outside_and_a_right_one_enters(fresh, server):
    [alert] = enter(fresh, server, "admin", "a wrong password")
    assert alert.text == "The name or the password is wrong."
    assert fresh.get_cookie("regulars_session") is None
    fresh.get_log("browser")

    enter(fresh, server, "admin")

    assert fresh.current_url == server.url + "/"
    assert fresh.get_cookie("regulars_session")["httpOnly"] is True
    assert fresh.execute_script("return document.cookie.includes('regulars_session')") is False
    assert complaints(fresh) == []


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_page_opens_without_a_complaint_and_draws_its_chart(fresh, server, locale, tmp_path):
    enter(fresh, server, "admin")
    for name, path in PAGES.items():
        fresh.get(f"{server.url}{path}{'&' if '?' in path else '?'}lang={locale}")
        fresh.save_screenshot(str(tmp_path / f"{name}-{locale}.png"))

        assert fresh.execute_script("return document.documentElement.lang") == locale
        assert fresh.find_element(By.TAG_NAME, "h1").text == HEADINGS[locale].get(
            name, fresh.find_element(By.TAG_NAME, "h1").text
        )
        drawn = fresh.find_elements(By.CSS_SELECTOR, ".canvas canvas")
        assert len(drawn) == (name in WITH_CHART), name
        assert all(fresh.execute_script(INKED, picture) > 1000 for picture in drawn), name
        assert complaints(fresh) == [], name


def test_pointing_at_a_chart_breaks_no_rule_of_the_page(fresh, server):
    enter(fresh, server, "admin")
    for path in ("/", "/customers/c001"):
        fresh.get(server.url + path)
        picture = fresh.find_element(By.CSS_SELECTOR, ".canvas canvas")
        fresh.execute_script("arguments[0].scrollIntoView({block: 'center'})", picture)
        width = picture.size["width"]
        for step in range(-4, 5):
            webdriver.ActionChains(fresh).move_to_element_with_offset(
                picture, step * width // 10, 20
            ).perform()

        assert complaints(fresh) == []


@pytest.mark.parametrize("width", [1366, 1024, 500])
def test_no_page_is_wider_than_the_window(fresh, server, width):
    enter(fresh, server, "admin")
    fresh.set_window_size(width, 900)
    wide = []
    for locale in ("en", "zh-CN"):
        for path in PAGES.values():
            fresh.get(f"{server.url}{path}{'&' if '?' in path else '?'}lang={locale}")
            if is_wide(fresh):
                wide.append((locale, path))
    fresh.set_window_size(1280, 900)

    assert wide == []


def test_searching_swaps_the_list_without_a_new_page(fresh, server):
    enter(fresh, server, "viewer")
    fresh.get(server.url + "/customers?lang=en")
    fresh.execute_script("window.same_page = true")
    fresh.find_element(By.ID, "text").send_keys("王小7", Keys.ENTER)
    waiting(fresh).until(lambda b: len(b.find_elements(By.CSS_SELECTOR, "#found tbody tr")) == 1)

    assert "c007" in text(fresh, "#found")
    assert fresh.execute_script("return window.same_page") is True
    assert fresh.current_url.endswith("/customers?lang=en")
    assert complaints(fresh) == []


def test_choosing_an_order_and_turning_pages_keeps_the_search(fresh, server):
    enter(fresh, server, "viewer")
    fresh.get(server.url + "/customers?lang=en")
    Select(fresh.find_element(By.ID, "sort")).select_by_value("customer_id")
    says(fresh, "c000", "#found")
    press(fresh, "Next")
    says(fresh, "Page 2 of 3", "#found")

    assert text(fresh, "#found tbody th") == "c025"


def test_a_turn_is_chosen_by_its_number(fresh, server):
    enter(fresh, server, "viewer")
    fresh.get(server.url + "/campaigns?lang=en")
    Select(fresh.find_element(By.ID, "turn")).select_by_value("1")
    says(fresh, "+¥21.50")

    assert "turn=1" in fresh.current_url


def test_a_viewer_sees_no_button_to_uncover_and_cannot_send_the_form(fresh, server):
    enter(fresh, server, "viewer")
    fresh.get(server.url + "/customers/c001?lang=en")
    assert "Show contact data" not in text(fresh)
    token = fresh.find_element(By.NAME, "csrf_token").get_attribute("value")

    status = fresh.execute_async_script(
        "const [token, done] = arguments;"
        "fetch('/customers/c001/reveal', {method: 'POST', headers: {'x-csrf-token': token}}).then(r => done(r.status))",
        token,
    )

    assert status == 403


def test_an_analyst_uncovers_contact_data_and_a_planted_script_stays_text(fresh, server):
    enter(fresh, server, "analyst")
    fresh.get(server.url + "/customers/c003?lang=en")
    press(fresh, "Show contact data")
    says(fresh, "13800130003")

    assert "<script>window.xss=1</script>" in text(fresh)
    assert fresh.execute_script("return window.xss") is None
    assert complaints(fresh) == []


def test_an_inline_script_would_be_refused(fresh, server):
    enter(fresh, server, "viewer")
    fresh.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.xss = 1'; document.body.append(s)"
    )

    assert fresh.execute_script("return window.xss") is None
    assert any("Content Security Policy" in line for line in complaints(fresh))


def test_the_keyboard_skips_to_the_content_and_reaches_every_control(fresh, server):
    enter(fresh, server, "viewer")
    fresh.get(server.url + "/customers?lang=en")
    body = webdriver.ActionChains(fresh)
    body.send_keys(Keys.TAB).perform()
    assert fresh.switch_to.active_element.text == "Skip to content"
    fresh.switch_to.active_element.send_keys(Keys.ENTER)
    assert fresh.execute_script("return document.activeElement.id") == "main"

    webdriver.ActionChains(fresh).send_keys(Keys.TAB).perform()

    assert fresh.switch_to.active_element.get_attribute("id") == "text"
    nameless = fresh.execute_script(
        "return [...document.querySelectorAll('input:not([type=hidden]), select, button, a')]"
        ".filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label')).map(e => e.outerHTML)"
    )
    assert nameless == []


def test_signing_out_leads_back_outside(fresh, server):
    enter(fresh, server, "viewer")
    press(fresh, "Sign out", within="//body")
    waiting(fresh).until(lambda b: "/sign-in" in b.current_url)
    fresh.get(server.url + "/customers")

    assert "/sign-in?next=" in fresh.current_url


def test_a_new_workspace_opens_without_a_complaint(fresh, empty_server):
    enter(fresh, empty_server, "admin")
    for path in ("/", "/customers", "/campaigns"):
        fresh.get(f"{empty_server.url}{path}?lang=zh-CN")

        assert fresh.find_elements(By.CSS_SELECTOR, ".empty"), path
        assert complaints(fresh) == [], path
