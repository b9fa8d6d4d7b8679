"""Signed links over HTTP: a real client, the real application, a real socket."""

import random
from datetime import timedelta

import httpx
import pytest
from tests.reach.test_links_tokens import tampered
from tests.serve.conftest import NOW, Server, empty_shop

from regulars.reach.links.clicks.service import requests_by_verdict
from regulars.reach.links.service import Links, keep

SHOP = "https://shop.example/spring?colour=%E7%BA%A2"
KEY = "ab" * 16
BROWSER = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari"
TAMPERINGS = 400


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("links") / "shop"
    empty_shop(folder)
    with Server(folder, clock=lambda: NOW + timedelta(hours=1)) as running:
        keep(running.home.state, [SHOP], now=NOW)
        yield running


@pytest.fixture(scope="module")
def links(server):
    """The workspace's links, at the address of the test."""
    made = server.home.links
    made.base_url = server.url
    return made


def client(server):
    """A mail client's browser: no cookies, no redirects followed."""
    return httpx.Client(base_url=server.url, headers={"user-agent": BROWSER})


def test_a_signed_link_opens_on_its_destination_without_a_cookie(server, links):
    with client(server) as browser:
        answer = browser.get(links.click_url(SHOP, KEY))

    assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


def test_a_head_request_is_answered_and_never_counts(server, links):
    with client(server) as browser:
        assert browser.head(links.click_url(SHOP, KEY)).status_code == 302


def test_a_tampered_link_never_redirects(server, links):
    draw, genuine = random.Random(7), links.click_url(SHOP, KEY)
    token = genuine.rsplit("/", 1)[1]
    statuses = set()
    with client(server) as browser:
        for _ in range(TAMPERINGS):
            changed = tampered(token, draw)
            if changed == token or not changed.isascii() or set(changed) & set("/.%"):
                continue
            answer = browser.get(f"/r/{changed}")
            statuses.add(answer.status_code)
            assert "location" not in answer.headers
        body_changed = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
        assert browser.get(f"/r/{body_changed}").status_code == 400

    assert statuses <= {400, 404}


def test_a_link_of_another_workspace_leads_nowhere(server):
    other = Links(bytes(range(32)), base_url=server.url)
    with client(server) as browser:
        answer = browser.get(other.click_url(SHOP, KEY))
        assert (answer.status_code, "location" in answer.headers) == (404, False)
        for path in ("/r/short", "/r/AAAAAAAAAAA", "/o/x", "/r/" + "A" * 5000):
            assert browser.get(path).status_code == 404


def test_a_link_of_another_purpose_is_refused(server, links):
    with client(server) as browser:
        token = links.survey_url("nps", "c1", KEY).rsplit("/", 1)[1]
        assert browser.get(f"/r/{token}").status_code == 400
        assert browser.get(f"/o/{token}").status_code == 400


def test_no_word_of_the_query_changes_where_a_link_leads(server, links):
    with client(server) as browser:
        for query in ("url=https://evil.example/", "next=//evil.example", "workspace=other"):
            answer = browser.get(links.click_url(SHOP, KEY) + "?" + query)
            assert answer.headers["location"] == SHOP


def test_the_picture_is_a_clear_dot_and_the_trap_is_empty(server, links):
    with client(server) as browser:
        picture, trap = browser.get(links.open_url(KEY)), browser.get(links.trap_url(KEY))

    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/gif")
    assert (trap.status_code, trap.text) == (204, "")


def test_a_refused_link_says_so_in_the_language_of_the_browser(server):
    for language, says in (("en", "leads nowhere"), ("zh-CN", "链接")):
        answer = httpx.get(f"{server.url}/r/AAAA", headers={"accept-language": language})
        assert says in answer.text


def test_everything_asked_for_was_kept(server, links):
    before = sum(row["requests"] for row in requests_by_verdict(server.home.state))
    with client(server) as browser:
        browser.get(links.click_url(SHOP, KEY))
        browser.get(links.trap_url(KEY))

    assert sum(row["requests"] for row in requests_by_verdict(server.home.state)) == before + 2
