"""A plain page of a shop, on another origin, in a real browser: the script fills its place."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from selenium.webdriver.common.by import By
from tests.browsing import open_browser, press, says, text, waiting

from regulars.decide.online.log import FOLDER, rows_in
from regulars.govern.access.publishable_keys.service import add_publishable_key
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.reach.content.definition import Content, Variant
from regulars.reach.content.service import put_content
from regulars.records.identifiers import COOKIE, customer_id_of

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150"
NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
PLACE = "[data-regulars-slot]"
SETTINGS = """
[channels.home]
via = "onsite"
cost = "0.01"
[channels.foot]
via = "onsite"
cost = "0.01"
[loop]
global_holdout = 0.0
campaign_holdout = 0.02
"""
PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>街角超市</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.6 sans-serif; margin: 2rem auto; max-width: 40rem; color: #222 }}
.regulars-offer {{ display: flex; align-items: center; gap: 1rem; padding: 1rem 1.25rem;
  border: 1px solid #e3b7a0; border-radius: 8px; background: #fff6f0 }}
.regulars-body {{ flex: 1; color: inherit; text-decoration: none }}
.regulars-title {{ color: #b3401a }}
.regulars-dismiss {{ border: 0; background: none; font-size: 1.25rem; cursor: pointer }}
.far {{ margin-top: 2000px }}
</style></head><body>
<h1>街角超市</h1><p>今天到货：青菜、草莓、鲜奶。</p>
<div data-regulars-slot="home" data-dismiss="关闭">满 99 元免运费</div>
<p id="after">下单后两小时送达。</p>
<div class="far" data-regulars-slot="foot">每周一到新货</div>
<script async src="{address}/onsite.js" data-key="{key}" {more}></script>
</body></html>"""


class Shop(BaseHTTPRequestHandler):
    """One page and the place an offer leads to."""

    pages: dict[str, str]

    def do_GET(self):
        path = self.path.partition("?")[0]
        body = self.pages.get(path, "<title>sale</title>").encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(name="site")
def a_web_server_of_the_shop():
    handler = type("OneShop", (Shop,), {"pages": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.pages = handler.pages
    server.port = server.server_address[1]
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(name="browser", scope="module")
def a_browser_people_use(tmp_path_factory):
    """Without a window it would call itself headless, and programs are shown nothing."""
    driver = open_browser(tmp_path_factory.mktemp("browser"), size="900,700")
    driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": AGENT})
    yield driver
    driver.quit()


@pytest.fixture(name="regulars")
def a_running_regulars(make_shop, serve, site, tmp_path):
    folder = tmp_path / "shop"
    app = make_shop.filled(folder)
    with (folder / "regulars.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    variant = Variant(
        subject="老客专享",
        text="<b>新茶</b>到店，试饮一杯",
        link=f"http://127.0.0.1:{site.port}/sale",
    )
    for place in ("home", "foot"):
        content = Content(f"{place}.news", place, "marketing", {"zh-CN": variant})
        put_content(app.state, content, actor="test", at=NOW)
    with serve(folder, clock=lambda: NOW) as running:
        running.key = add_publishable_key(
            running.home.state,
            name="site",
            origins=[f"http://localhost:{site.port}"],
            actor="test",
            now=NOW,
        ).key
        yield running


def page_for(server, site, more):
    site.pages["/"] = PAGE.format(address=server.url, key=server.key, more=more)
    return f"http://localhost:{site.port}/"


def logged(server, kind):
    server.home.decider.log.flush()
    return [row for row in rows_in(server.folder / FOLDER) if kind in row]


def visitor_shown_something(server, site):
    """An id, as another script keeps it, of a visitor who agreed and is not held out."""
    client = server.client(None)
    client.headers = {"origin": f"http://localhost:{site.port}", "user-agent": AGENT}
    for number in range(60):
        visitor = f"kept-by-analytics-{number:04}"
        word = Word(customer_id_of(COOKIE, visitor), "marketing", "granted", NOW)
        set_consent(server.home.state, word, actor="test", now=NOW)
        answers = [
            client.post(
                f"/api/reach/slot/{server.key}/ask",
                content=json.dumps({"slot": place, "visitor": visitor}),
            )
            for place in ("home", "foot")
        ]
        if all(answer.json()["shown"] for answer in answers):
            return visitor
    raise AssertionError("nobody is shown anything")


def asks_sent(browser):
    """Requests the page made of Regulars, once the script has run."""
    waiting(browser).until(lambda b: b.execute_script("return document.readyState === 'complete'"))
    return browser.execute_script(
        "return performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/ask')).length"
    )


def test_the_offer_is_shown_as_text_seen_once_and_a_click_is_told(browser, regulars, site):
    visitor = visitor_shown_something(regulars, site)
    address = page_for(regulars, site, 'data-visitor-from="ajs_anonymous_id"')
    site.pages["/blank"] = "<title>blank</title>"
    browser.get(f"{address}blank")
    browser.execute_script("localStorage.ajs_anonymous_id = JSON.stringify(arguments[0])", visitor)

    browser.get(address)
    for place in ("home", "foot"):
        says(browser, "老客专享", f"[data-regulars-slot={place}]")
    assert text(browser, ".regulars-text") == "<b>新茶</b>到店，试饮一杯"
    waiting(browser).until(lambda _: logged(regulars, "exposed"))
    browser.get(address)
    says(browser, "老客专享", PLACE)
    browser.find_element(By.CSS_SELECTOR, "a.regulars-body").click()
    waiting(browser).until(lambda b: "/sale" in b.current_url)
    waiting(browser).until(lambda _: logged(regulars, "responded"))

    assert "utm_medium=home" in browser.current_url
    [exposed] = logged(regulars, "exposed")
    channels = {row["decision_id"]: row["channel"] for row in logged(regulars, "verdict")}
    assert channels[exposed["exposed"]] == "home", "the other one is below the window"
    assert [row["kind"] for row in logged(regulars, "responded")] == ["clicked"]
    browser.get(address)
    says(browser, "老客专享", PLACE)
    press(browser, "关闭", within="//body")
    assert text(browser, PLACE) == "满 99 元免运费"
    waiting(browser).until(lambda _: len(logged(regulars, "responded")) == 2)
    browser.get(address)
    waiting(browser).until(asks_sent)
    assert text(browser, PLACE) == "满 99 元免运费", "what was put away stays away"


def test_a_foreign_page_gets_nothing_and_a_page_stands_when_regulars_is_down(
    browser, regulars, site
):
    visitor = visitor_shown_something(regulars, site)
    address = page_for(regulars, site, f'data-visitor="{visitor}"')
    foreign = address.replace("localhost", "127.0.0.1")
    before = len(logged(regulars, "verdict"))

    browser.get(foreign)
    waiting(browser).until(asks_sent)
    assert text(browser, PLACE) == "满 99 元免运费"
    assert "may not be used by pages" not in browser.page_source
    assert len(logged(regulars, "verdict")) == before

    page_for(regulars, site, f'data-visitor="{visitor}" data-wait')
    browser.get(address)
    assert asks_sent(browser) == 0, "the page has not said that it may ask"
    browser.execute_script("document.dispatchEvent(new Event('regulars:ask'))")
    says(browser, "老客专享", PLACE)

    site.pages["/"] = site.pages["/"].replace(regulars.url, "http://127.0.0.1:9")
    browser.get(address)
    assert browser.title == "街角超市"
    assert asks_sent(browser) == 0
    assert text(browser, PLACE) == "满 99 元免运费"
    assert text(browser, "#after") == "下单后两小时送达。"
