"""A real browser for tests: Chromium without a window, and ways to look and click that are patient.

A page that follows a click replaces the one before it at a moment nobody knows. Chromium's driver
answers a question about the page that goes away in several ways; here all of them mean the same:
ask again.
"""

import shutil
import time

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.command import Command
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 60.0
REPLACED = (
    "does not belong to the document",
    "Cannot find context with specified id",
    "Execution context was destroyed",
    "No node with given id",
    "uniqueContextId not found",
)
FINDING = {Command.FIND_ELEMENT, Command.FIND_ELEMENTS}
GONE = (NoSuchElementException, StaleElementReferenceException)


class Browser(webdriver.Chrome):
    """Chromium that looks again when what it was asked about is just being replaced."""

    def execute(self, driver_command, params=None):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return super().execute(driver_command, params)
            except WebDriverException as error:
                if not any(words in str(error) for words in REPLACED):
                    raise
                if driver_command not in FINDING or time.monotonic() > until:
                    raise StaleElementReferenceException(error.msg) from error
                time.sleep(0.05)

    def find_element(self, *args, **named):
        """Wait for an element that a page on its way will bring."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return super().find_element(*args, **named)
            except NoSuchElementException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def open_browser(profile, *, size="1280,900", prefs=None):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        "--lang=en",
        f"--window-size={size}",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    if prefs:
        options.add_experimental_option("prefs", prefs)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Browser(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(PATIENCE)
    return driver


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = open_browser(tmp_path_factory.mktemp("browser"))
    yield driver
    driver.quit()


def waiting(browser):
    """Wait up to a minute; a page that is just being replaced is asked again."""
    return WebDriverWait(browser, PATIENCE, ignored_exceptions=GONE)


def enter(browser, server, name, password=None):
    browser.get(server.url + "/sign-in?lang=en")
    browser.find_element(By.ID, "name").send_keys(name)
    browser.find_element(By.ID, "password").send_keys(password or server.password, Keys.ENTER)
    return waiting(browser).until(lambda b: b.find_elements(By.CSS_SELECTOR, "[role=alert], nav"))


def complaints(browser):
    """What the browser logged: script errors, refused scripts and styles, missing files.

    What the page still asks for is waited for: left halfway, it would complain of that.
    """
    waiting(browser).until(lambda b: not b.find_elements(By.CSS_SELECTOR, ".htmx-request"))
    return [line["message"] for line in browser.get_log("browser")]


def text(browser, css="main"):
    """The words of an element, empty ones too."""
    [words] = waiting(browser).until(lambda b: [b.find_element(By.CSS_SELECTOR, css).text])
    return words


def says(browser, wanted, css="main"):
    """Wait until an element says the wanted words."""
    waiting(browser).until(lambda b: wanted in b.find_element(By.CSS_SELECTOR, css).text)


def press(browser, name, place=0, within="//main"):
    """Press the button, or follow the link, of a name; the first of several, or another place."""
    wanted = (
        f"{within}//*[self::button or self::a]"
        f"[normalize-space()='{name}' or @aria-label='{name}'][not(@disabled)]"
    )

    def pressed(looked_at):
        shown = [one for one in looked_at.find_elements(By.XPATH, wanted) if one.is_displayed()]
        if len(shown) <= place:
            return False
        looked_at.execute_script("arguments[0].scrollIntoView({block: 'center'})", shown[place])
        shown[place].click()
        return True

    waiting(browser).until(pressed)


def is_wide(browser):
    """Whether the page is wider than the window."""
    return browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
