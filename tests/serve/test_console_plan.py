"""The page of the tracking plan: coverage, strangers adopted, faults, conflicts, versions."""

import html
import re

import pytest

from regulars.app import open_app
from regulars.collect.quality.plan.service import adopted_plan, observed_events
from regulars.govern.audit.service import newest

STRANGER = "Fitting Room Used"


def text_of(page):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


@pytest.fixture(scope="module")
def planned(live, make_key):
    """A source that sent an event nobody declared, of two types, and one without its product."""
    used = [
        {
            "type": "track",
            "event": STRANGER,
            "messageId": f"f{n}",
            "userId": f"planned-{n}",
            "properties": {"minutes": n if n % 3 else "many", "room": "r1"},
        }
        for n in range(1, 31)
    ]
    bare = {"type": "track", "event": "Product Viewed", "messageId": "v1", "userId": "planned-1"}
    live.send(make_key("planned"), *used, bare)
    state = open_app(live.folder).state
    key = ("planned", STRANGER)
    live.until(lambda: key in observed_events(state).events)
    live.until(lambda: observed_events(state).events[key].seen == 30)
    return state


def page_of(live, role="viewer", query=""):
    return live.client(role).get(f"/data/plan{query}").text


def test_strangers_faults_and_conflicts_are_told(live, planned):
    said = text_of(page_of(live))

    assert re.search(rf"{STRANGER} 30 planned minutes: integer \* room: string \*", said)
    assert re.search(r"Product Viewed properties.product_id missing \d+ planned", said)
    assert re.search(rf"{STRANGER} minutes integer 20( came first)? · string 10", said)
    assert "the packaged plan" in said


def test_the_behaviours_are_counted(live, planned):
    said = text_of(page_of(live))

    assert re.search(r"Browsing 7 [12] \d+ ", said)
    assert "Declared, but nothing came:" in said


def test_a_stranger_is_declared_as_it_was_observed(live, planned):
    incomplete = live.post("analyst", "/data/plan/adopt", event=STRANGER, means=" ", family="trial")
    done = live.post(
        "analyst", "/data/plan/adopt", event=STRANGER, means="试衣间使用", family="trial"
    )
    held = adopted_plan(planned)
    said = text_of(page_of(live))

    assert incomplete.status_code == 400
    assert "Not adopted: say what happened, and choose a family." in text_of(incomplete.text)
    assert done.headers["location"] == "/data/plan?said=adopted"
    assert (held.version, held.actor) == (1, "analyst")
    assert held.plan.event[STRANGER].means == "试衣间使用"
    assert held.plan.event[STRANGER].property["room"].required
    assert f"{STRANGER} event added – declared" in said
    assert "No difference." in text_of(page_of(live, query="?old=1&new=1"))
    assert "plan.adopt" in [entry.action for entry in newest(planned, size=3)]
    again = live.post("analyst", "/data/plan/adopt", event=STRANGER, means="x", family="trial")
    assert again.status_code == 404, "it is declared already"


@pytest.mark.parametrize("query", ["?old=99&new=1", "?old=1&new=98"])
def test_a_version_there_is_none_of_is_not_found(live, planned, query):
    assert live.client("viewer").get(f"/data/plan{query}").status_code == 404


@pytest.mark.parametrize("query", ["?old=x&new=", "?old=²", "?old=-1"])
def test_odd_versions_still_give_a_page(live, planned, query):
    assert live.client("viewer").get(f"/data/plan{query}").status_code == 200


def test_a_viewer_cannot_adopt(live, planned):
    asked = {"event": "Another", "means": "x", "family": "trial"}

    assert live.post("viewer", "/data/plan/adopt", **asked).status_code == 403
    assert "/data/plan/adopt" not in page_of(live)


def test_a_new_workspace_says_what_to_do(empty_server):
    said = text_of(empty_server.client("viewer").get("/data/plan").text)

    assert "No events have come yet. Point a client here first:" in said
    assert "The packaged plan is in force" in said
