"""Scorecard and models in a real browser: both languages, charts drawn, a number opened to rows."""

from selenium.webdriver.common.by import By
from tests.browsing import browser, complaints, enter, text, waiting
from tests.serve.test_browser import INKED, fresh
from tests.serve.test_models_faces import server

__all__ = ["browser", "fresh", "server"]

PERIOD = "?until=2026-03-01&days=28"


def test_scorecard_and_models_are_drawn_in_both_languages_and_open_to_rows(fresh, server, tmp_path):
    fresh.set_window_size(1280, 1700)
    enter(fresh, server, "viewer")
    told = {}
    for locale in ("en", "zh-CN"):
        for page in ("scorecard", "models"):
            fresh.get(f"{server.url}/{page}{PERIOD}&lang={locale}")
            waiting(fresh).until(lambda b: b.find_elements(By.CSS_SELECTOR, "figure canvas"))
            told[page, locale] = text(fresh)
            fresh.save_screenshot(str(tmp_path / f"{page}-{locale}.png"))
            canvas = fresh.find_element(By.CSS_SELECTOR, "figure canvas")
            assert fresh.execute_script(INKED, canvas) > 1000

    fresh.get(f"{server.url}/scorecard{PERIOD}&lang=en")
    fresh.find_element(By.LINK_TEXT, "Active customers").click()
    waiting(fresh).until(lambda b: "/scorecard/active_customers" in b.current_url)
    rows = fresh.find_elements(By.CSS_SELECTOR, "section[aria-labelledby=rows] tbody tr")
    fresh.save_screenshot(str(tmp_path / "rows.png"))

    assert "Ask customers" in told["scorecard", "en"]
    assert "留存率" in told["scorecard", "zh-CN"]
    assert "rate so far serves since turn 3." in told["models", "en"]
    assert "冠军" in told["models", "zh-CN"]
    assert len(rows) == 60
    assert complaints(fresh) == []
