"""The report in a real browser: charts drawn, no errors, nothing loaded, readable on a phone."""

from tests.browsing import browser, waiting

from regulars.rehearse.report import write_report

__all__ = ["browser"]


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
            waiting(browser).until(
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
