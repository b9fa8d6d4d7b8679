"""The preference page in a real browser without scripts: both languages, keys only, no complaint."""

import secrets
from datetime import UTC, datetime

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from tests.browsing import complaints, open_browser, waiting

from regulars.govern.consent.notices import Notice
from regulars.govern.consent.notices.service import publish
from regulars.govern.consent.service import set_consent, show
from regulars.govern.consent.word import Word
from regulars.govern.suppression import Bar
from regulars.govern.suppression.service import suppress
from regulars.reach.links.tokens import Purpose

GRANTED = datetime(2026, 3, 1, tzinfo=UTC)
SAID = {
    "en": ("What would you like to get from us?", "You are unsubscribed", "Saved."),
    "zh-CN": ("您希望收到什么？", "已退订", "已保存。"),
}
NOTICE = (
    "我们用您的购买记录挑选优惠，不会转给他人。\n您可以随时在此页面更改。",
    "We use what you bought to pick offers, and give it to nobody.\nYou can change that here.",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory, make_shop, serve):
    folder = tmp_path_factory.mktemp("page") / "shop"
    app = make_shop.empty(folder)
    with (folder / "regulars.toml").open("a", encoding="utf-8") as file:
        file.write('[channels.email]\ncost = "0.01"\n[channels.wecom]\ncost = "0.00"\n')
    notice = Notice("2026-03", GRANTED, ("marketing", "profiling"), *NOTICE)
    publish(app.state, notice, actor="test", now=GRANTED)
    with serve(folder) as running:
        yield running


@pytest.fixture
def customer(shop):
    name, now = f"c_{secrets.token_hex(6)}", datetime.now(UTC)
    word = Word(name, "marketing", "granted", now, notice_version="2026-03")
    set_consent(shop.home.state, word, actor="test", now=now)
    suppress(shop.home.state, [Bar(name, "bounced", now, "email")], actor="test", now=now)
    return name


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    without_scripts_or_cookies = {
        "profile.managed_default_content_settings.javascript": 2,
        "profile.default_content_setting_values.cookies": 2,
    }
    driver = open_browser(
        tmp_path_factory.mktemp("browser"), size="900,1400", prefs=without_scripts_or_cookies
    )
    yield driver
    driver.quit()


def address(shop, customer, kind="p"):
    signer = shop.home.links.signer
    if kind == "p":
        return f"{shop.url}/p/{signer.seal(Purpose.PREFERENCES, customer, '')}"
    return f"{shop.url}/u/{signer.seal(Purpose.UNSUBSCRIBE, customer, 'sms', '')}"


def known(shop, customer, channel="sms", purpose="marketing"):
    found = show(shop.home.state, customer, now=datetime.now(UTC))
    return found.status(purpose, channel=channel).value


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_a_customer_changes_what_he_gets_with_keys_alone(browser, shop, customer, locale, tmp_path):
    title, _, saved = SAID[locale]
    browser.get(f"{address(shop, customer)}?lang={locale}")
    browser.save_screenshot(str(tmp_path / f"preferences-{locale}.png"))
    assert browser.find_element(By.TAG_NAME, "h1").text == title
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == locale

    for _step in range(60):
        here = browser.switch_to.active_element
        if here.get_attribute("value") == "use:profiling":
            break
        here.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.SPACE)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    status = waiting(browser).until(lambda b: b.find_element(By.ID, "saved"))
    browser.save_screenshot(str(tmp_path / f"saved-{locale}.png"))

    assert saved in status.text
    assert known(shop, customer, "*", "profiling") == "withdrawn"
    assert known(shop, customer) == "granted"
    assert browser.get_cookies() == []
    assert complaints(browser) == []


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_one_button_unsubscribes_and_looking_does_not(browser, shop, customer, locale, tmp_path):
    browser.get(f"{address(shop, customer, 'u')}?lang={locale}")
    browser.save_screenshot(str(tmp_path / f"unsubscribe-{locale}.png"))
    assert known(shop, customer) == "granted"

    [button] = browser.find_elements(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    done = waiting(browser).until(lambda b: b.find_element(By.ID, "done"))
    browser.save_screenshot(str(tmp_path / f"unsubscribed-{locale}.png"))

    assert SAID[locale][1] in done.text
    assert known(shop, customer) == "withdrawn"
    assert complaints(browser) == []


def test_every_switch_has_a_name_and_a_reason_and_fits_a_small_screen(
    browser, shop, customer, tmp_path
):
    browser.set_window_size(500, 900)
    browser.get(f"{address(shop, customer)}?lang=zh-CN")
    browser.save_screenshot(str(tmp_path / "small.png"))

    switches = browser.find_elements(By.CSS_SELECTOR, "input[type=checkbox]")
    assert len(switches) == 4 + 5 + 2
    for one in switches:
        own = one.get_attribute("id")
        assert browser.find_element(By.CSS_SELECTOR, f"label[for='{own}']").text
        assert one.get_attribute("aria-describedby") == f"{own}-gives"
        assert one.rect["x"] + one.rect["width"] <= 500
    body = browser.find_element(By.TAG_NAME, "body")
    assert body.rect["width"] <= 500
    closed = browser.find_element(By.ID, "channel-email-gives")
    assert "门店" in closed.text
    browser.set_window_size(900, 1400)
