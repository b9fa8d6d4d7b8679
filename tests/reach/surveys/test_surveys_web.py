"""The survey page: a real server, a real HTTP client, a real browser, in both languages."""

import shutil
from datetime import timedelta

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from tests.browsing import browser, complaints, waiting
from tests.serve.conftest import NOW, Server, empty_shop

from regulars.reach.links.service import Links
from regulars.reach.surveys.definition import survey_from
from regulars.reach.surveys.service import put_survey, results, tasks
from regulars.serve.http.unify.profiles import answer_for

__all__ = ["browser"]

NPS = {
    "id": "nps", "kind": "nps", "service_below": 7, "tags": {"promoter": "推荐者"},
    "locales": {"zh-CN": {"question": "您会向朋友推荐街角超市吗？", "thanks": "谢谢您！"},
                "en": {"question": "Would you recommend the corner shop?"}},
}  # fmt: skip
WORDS = {
    "en": ("Would you recommend the corner shop?", "Thank you for your answer.", "Send"),
    "zh-CN": ("您会向朋友推荐街角超市吗？", "谢谢您！", "提交"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("surveys") / "shop"
    empty_shop(folder)
    with Server(folder, clock=lambda: NOW + timedelta(hours=1)) as running:
        for given in (NPS, {"id": "csat", "kind": "csat", "service_below": 3}):
            put_survey(running.home.state, survey_from(given, "test"), actor="test", now=NOW)
        running.home.links.base_url = running.url
        yield running


def link(server, customer, survey="nps", key="k"):
    return server.home.links.survey_url(survey, customer, key)


def count(server, survey="nps"):
    return results(server.home.state, survey).score.answers


def test_looking_never_answers_and_the_form_needs_no_cookie(server):
    url = link(server, "looks")
    before = count(server)
    with httpx.Client() as bare:
        assert bare.get(url + "?score=9").status_code == 200
        assert bare.head(url).status_code == 200
        assert 'value="9" checked' in bare.get(url + "?score=9").text
        assert count(server) == before

        sent = bare.post(url, data={"score": "9", "comment": "快"},
                         headers={"sec-fetch-site": "cross-site"})  # fmt: skip
        again = bare.post(url, data={"score": "9", "comment": "快"})

    assert (sent.status_code, again.status_code) == (303, 303)
    assert count(server) == before + 1


@pytest.mark.parametrize("score", ["", "11", "-1", "nine", "９", "1e1", "99999999"])
def test_a_form_without_a_right_score_is_shown_again_and_counts_nothing(server, score):
    before = count(server)

    answer = httpx.post(
        link(server, "wrong"), data={"score": score, "comment": "<script>x</script>"}
    )

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert count(server) == before


def test_a_damaged_or_foreign_link_shows_no_question(server):
    token = link(server, "a").rsplit("/", 1)[1]
    other = Links(bytes(range(32)), base_url=server.url).survey_url("nps", "a")
    unsubscribe = server.home.links.unsubscribe_url("a", "email")
    gone = link(server, "a", survey="gone")
    changed = token[:12] + ("A" if token[12] != "A" else "B") + token[13:]

    for url, status in (
        (f"{server.url}/s/{changed}", 400),
        (other, 404),
        (f"{server.url}/s/{unsubscribe.rsplit('/', 1)[1]}", 400),
        (gone, 404),
        (f"{server.url}/s/x", 404),
    ):
        assert httpx.get(url).status_code == status
        assert httpx.post(url, data={"score": "9"}).status_code == status


def test_what_somebody_wrote_is_shown_as_text(server):
    url = link(server, "writes")
    httpx.post(url, data={"score": "8", "comment": "</textarea><script>window.xss=1</script>"})

    page = httpx.get(url).text
    assert "<script>window" not in page
    assert "&lt;script&gt;window" in page


def test_a_low_score_opens_a_task_that_a_person_closes_over_http(server):
    sent = httpx.post(link(server, "unhappy"), data={"score": "2", "comment": "给我打 13912345678"})
    assert sent.status_code == 303, sent.text
    viewer, analyst = server.client("viewer"), server.client("analyst")

    [task] = [
        t for t in viewer.get("/api/reach/service-tasks").json() if t["customer_id"] == "unhappy"
    ]
    path, csrf = (
        f"/api/reach/service-tasks/{task['task_id']}/close",
        {"x-csrf-token": server.csrf(viewer)},
    )
    assert viewer.post(path, json={"note": "x"}, headers=csrf).status_code == 403
    csrf = {"x-csrf-token": server.csrf(analyst)}
    done = analyst.post(path, json={"note": "已致电"}, headers=csrf)

    assert done.json()["closed_by"] == "analyst"
    assert not [t for t in tasks(server.home.state) if t.customer_id == "unhappy"]
    shown = viewer.get("/api/reach/surveys/nps").json()
    assert shown["count_by_group"]["detractor"] >= 1
    assert "13912345678" not in str(shown)
    assert viewer.get("/api/reach/surveys/none").status_code == 404


def test_the_result_stands_in_the_profile_other_systems_read(server):
    from regulars.unify.identity.identifiers import Identifier
    from regulars.unify.identity.picture import Evidence
    from regulars.unify.identity.service import adopt
    from regulars.unify.profiles.online.service import know_nodes

    workspace = server.home
    adopt(workspace.state, [([Identifier("login", "fan")], Evidence(NOW.isoformat(), "test"))])
    with workspace.profiles.transaction() as opened:
        know_nodes(opened, [("fan", int(NOW.timestamp() * 1e6))])
    httpx.post(link(server, "fan"), data={"score": "10"})

    found = answer_for(workspace, "login", "fan", now=NOW + timedelta(hours=2))
    assert found.tags["defined"] == ["推荐者"]


@pytest.fixture
def fresh(browser, server):
    browser.get(server.url + "/healthz")
    browser.delete_all_cookies()
    browser.get_log("browser")
    return browser


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("survey", ["nps", "csat"])
def test_the_page_is_answered_by_keyboard_alone(fresh, server, locale, width, survey, tmp_path):
    fresh.set_window_size(width, 900)
    url = link(server, f"{survey}-{locale}-{width}", survey=survey)
    fresh.get(f"{url}?lang={locale}")
    fresh.save_screenshot(str(tmp_path / "asked.png"))

    assert fresh.execute_script("return document.documentElement.lang") == locale
    assert fresh.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    if survey == "nps":
        assert fresh.find_element(By.TAG_NAME, "h1").text == WORDS[locale][0]
    button = fresh.find_element(By.CSS_SELECTOR, "button")
    assert button.text == WORDS[locale][2]
    wanted = "4" if survey == "csat" else "9"
    first = fresh.find_element(By.CSS_SELECTOR, "input[type=radio]")
    first.send_keys(Keys.SPACE)
    while fresh.switch_to.active_element.get_attribute("value") != wanted:
        fresh.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    fresh.switch_to.active_element.send_keys(Keys.TAB)
    assert fresh.switch_to.active_element.tag_name == "textarea"
    fresh.switch_to.active_element.send_keys("好")
    fresh.switch_to.active_element.send_keys(Keys.TAB, Keys.ENTER)
    waiting(fresh).until(lambda b: b.find_element(By.ID, "answered").text == wanted)
    fresh.save_screenshot(str(tmp_path / "answered.png"))

    assert fresh.find_element(By.ID, "thanks").get_attribute("role") == "status"
    if survey == "nps":
        assert fresh.find_element(By.CSS_SELECTOR, "#thanks h1").text == WORDS[locale][1]
    nameless = fresh.execute_script(
        "return [...document.querySelectorAll('input:not([type=hidden]), textarea, button, a')]"
        ".filter(e => !(e.labels && e.labels.length) && !e.textContent.trim()).length"
    )
    assert nameless == 0
    assert complaints(fresh) == []
    fresh.set_window_size(1280, 900)
    shutil.rmtree(tmp_path)


def test_the_page_works_without_scripts_and_names_nobody(server):
    page = httpx.get(link(server, "13800138000")).text

    assert "<script" not in page
    assert "13800138000" not in page
