"""Experiments and effects in a real browser: both languages, two widths, an experiment planned."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from tests.browsing import browser, complaints, enter, is_wide, text, waiting
from tests.serve.conftest import put
from tests.serve.experiment_rows import ASSIGNED, MEASURED

from regulars.app import open_app

__all__ = ["browser"]

PAGES = {"Effects": "/effects", "Experiments": "/experiments"}


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments") / "shop"
    make_shop.filled(folder)
    app = open_app(folder)
    put(app, "campaign_assignments", ASSIGNED)
    put(app, "campaign_effects", MEASURED, turn=2)
    with serve(folder) as server:
        yield server


@pytest.fixture(name="inside")
def signed_in(browser, shop):
    browser.get(shop.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    enter(browser, shop, "marketer")
    return browser


def test_both_pages_fit_the_window_in_both_languages_and_draw_their_charts(inside, shop, tmp_path):
    for locale in ("en", "zh-CN"):
        for width in (1280, 500):
            inside.set_window_size(width, 1900)
            for name, path in PAGES.items():
                inside.get(f"{shop.url}{path}?lang={locale}")
                waiting(inside).until(
                    lambda b: b.find_elements(By.CSS_SELECTOR, "figure canvas, figure svg")
                )
                inside.save_screenshot(str(tmp_path / f"{name}-{locale}-{width}.png"))

                assert (text(inside, "h1") == name) == (locale == "en"), name
                assert complaints(inside) == [], name
                assert not is_wide(inside), (name, locale, width)


def test_an_experiment_is_planned_by_keyboard(inside, shop):
    inside.get(shop.url + "/experiments?lang=en")
    before = text(inside, "section[aria-labelledby=plan] .figure")
    Select(inside.find_element(By.ID, "kind")).select_by_value("money")
    for name, value in {"baseline": "40", "effect": "2"}.items():
        field = inside.find_element(By.ID, name)
        field.clear()
        field.send_keys(value)
    inside.find_element(By.ID, "effect").submit()
    waiting(inside).until(lambda b: text(b, "section[aria-labelledby=plan] .figure") != before)

    plan = text(inside, "section[aria-labelledby=plan]")
    assert "34,884" in plan
    assert Select(inside.find_element(By.ID, "kind")).first_selected_option.text == (
        "Money per customer"
    )
    for field in inside.find_elements(
        By.CSS_SELECTOR, "main input:not([type=hidden]), main select"
    ):
        name = field.get_attribute("id")
        assert inside.find_elements(By.CSS_SELECTOR, f"label[for='{name}']"), name
    assert complaints(inside) == []
