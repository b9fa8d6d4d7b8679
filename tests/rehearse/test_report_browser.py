"""The report in a real browser: charts drawn, no errors, nothing loaded, readable on a phone."""

import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from regulars.rehearse.report import write_report


@pytest.fixture
def browser():
    """Give a headless Chromium that keeps its console."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def test_the_page_draws_its_charts_without_an_error_or_a_request_on_any_screen(
    tmp_path, report, browser
):
    for locale in ("en", "zh-CN"):
        write_report(tmp_path, report, locale=locale)
        for width in (390, 1200):
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
            )
            browser.get((tmp_path / "report.html").as_uri())
            WebDriverWait(browser, 30).until(
                lambda b: (
                    b.execute_script("return document.querySelectorAll('figure svg').length") == 5
                )
            )

            assert browser.get_log("browser") == []
            assert (
                browser.execute_script("return performance.getEntriesByType('resource').length")
                == 0
            )
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            assert browser.execute_script(
                "return [...document.querySelectorAll('figure svg')].every(s => s.querySelectorAll('path').length > 5)"
            )
