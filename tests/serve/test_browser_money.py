"""Budget and channels in a real browser: both languages, two widths, a pin made by clicks."""

import pytest
from selenium.webdriver.common.by import By
from tests.browsing import browser, complaints, enter, is_wide, press, says, text
from tests.serve.conftest import put
from tests.serve.test_money_faces import CELLS

from regulars.app import open_app

__all__ = ["browser"]

PAGES = {"Budget": "/budget?budget=900", "Channels": "/channels?customer=c001"}


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("money") / "shop"
    make_shop.filled(folder)
    put(open_app(folder), "cell_effects", CELLS, turn=2)
    with serve(folder) as server:
        yield server


@pytest.fixture(name="inside")
def signed_in(browser, shop):
    browser.get(shop.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    browser.set_window_size(1280, 900)
    enter(browser, shop, "marketer")
    return browser


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [1280, 500])
def test_both_pages_open_without_a_complaint_and_fit_the_window(
    inside, shop, locale, width, tmp_path
):
    inside.set_window_size(width, 1400)
    for name, path in PAGES.items():
        inside.get(f"{shop.url}{path}&lang={locale}")
        inside.save_screenshot(str(tmp_path / f"{name}-{locale}-{width}.png"))

        assert (text(inside, "h1") == name) == (locale == "en"), name
        assert complaints(inside) == [], name
        assert not is_wide(inside), (name, width)


def test_a_cell_is_pinned_and_let_go_again_by_keyboard_and_clicks(inside, shop):
    inside.get(shop.url + "/budget?lang=en")
    for name, value in {"offer_id": "ten", "amount": "75", "why": "contract"}.items():
        inside.find_element(By.ID, name).send_keys(value)
    inside.find_element(By.ID, "why").submit()
    says(inside, "Pinned.")

    assert "contract" in text(inside, "section[aria-labelledby=pins]")
    assert "pinned by a person" in text(inside, "section[aria-labelledby=cells]")
    press(inside, "Take the pin away")
    says(inside, "Nobody has pinned anything")
    assert complaints(inside) == []
