"""Journeys over HTTP: kept, approved, published, taken on, watched, by the right caller and the wrong one."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from regulars.app import open_app
from regulars.govern.access.api_keys.service import add_key
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.reach.journeys.entering.following.service import Event, hand_in
from regulars.serve.sending.passing import one_pass

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
TEA = {
    "holdout": 0,
    "entry": {"event": "Signed Up"},
    "nodes": {
        "who": {
            "kind": "branch",
            "cases": [{"name": "champion", "when": {"segment": "champions"}, "next": "ask"}],
            "otherwise": "rest",
        },
        "ask": {
            "kind": "decide",
            "offers": ["off10", "news"],
            "channels": ["sms", "app"],
            "next": "say",
            "otherwise": "rest",
        },
        "say": {
            "kind": "message",
            "channels": ["sms", "app"],
            "follows_decision": True,
            "next": "rest",
        },
        "rest": {"kind": "wait", "days": 2, "next": "end"},
        "end": {"kind": "exit"},
    },
}


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journeys") / "shop"
    make_shop.filled(folder)
    with serve(folder) as running:
        yield running


@pytest.fixture(scope="module")
def caller(server):
    """Gives a client with a key of a role."""
    made = {}

    def of(role):
        if role not in made:
            _, key = add_key(
                server.home.state, name=f"{role}-j", role=role, actor="t", owner=role, now=NOW
            )
            made[role] = httpx.Client(
                base_url=server.url, headers={"authorization": f"Bearer {key}"}, timeout=120
            )
        return made[role]

    return of


def read(caller, path, *, role="viewer"):
    answer = caller(role).get(f"/api/reach/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_journey_goes_from_a_form_to_customers_who_are_decided_about(caller, server):
    marketer = caller("marketer")
    kept = marketer.put("/api/reach/journeys/tea", json=TEA)
    assert kept.status_code == 200, kept.text
    assert (kept.json()["state"], kept.json()["newest"]) == ("draft", 1)
    refused = marketer.post("/api/reach/journeys/tea/publish", json={})
    assert refused.status_code == 403 and "nobody has approved it" in refused.text
    number = marketer.post("/api/reach/journeys/tea/submit", json={"note": "spring"}).json()[
        "request"
    ]
    own = marketer.post(f"/api/govern/approvals/{number}/approve", json={})
    assert own.status_code == 403
    approved = caller("approver").post(f"/api/govern/approvals/{number}/approve", json={})
    assert approved.status_code == 200, approved.text
    now = datetime.now(UTC)
    published = marketer.post("/api/reach/journeys/tea/publish", json={})
    assert published.json()["version"] == 1, published.text

    app = open_app(server.home.folder)
    people = [f"c{number:03}" for number in range(20)]
    words = [Word(one, "marketing", "granted", now) for one in people]
    set_consent(app.state, words, actor="t", now=now)
    with app.state.transaction() as opened:
        later = now + timedelta(seconds=30)
        hand_in(opened, [Event("Signed Up", one, f"e{one}", later, {}) for one in people])
    done = one_pass(app, now=now + timedelta(minutes=1), pause=lambda _seconds: None)

    assert done.journeys.errors == {}
    assert done.journeys.entered == 20
    flow = read(caller, "journeys/tea/flow")
    ways = {(way["node"], way["edge"]): way["steps"] for way in flow["passed"]}
    walking = flow["entered"]["contact"]
    assert ways["who", "champion"] + ways.get(("who", "otherwise"), 0) == walking
    decided = ways.get(("ask", "chosen"), 0)
    assert decided + ways.get(("ask", "none"), 0) == ways["who", "champion"] > 0
    assert 0 < decided == ways["say", "next"] == done.journeys.contacts
    assert [one["node"] for one in read(caller, "journeys/tea/standing")] == ["rest"]
    with app.state.reading() as opened:
        offers = {
            row["offer_id"]
            for row in opened.all("SELECT offer_id FROM ledger WHERE run_id = 'journey/tea'")
        }
    assert offers and offers <= {"off10", "news"}
    [stay] = read(caller, "customers/c001/journeys")
    assert (stay["journey"], stay["version"]) == ("tea", 1)


def test_versions_are_compared_and_taken_back_and_only_an_approver_resumes(caller):
    marketer = caller("marketer")
    plain = {
        "holdout": 0,
        "entry": {"event": "Came"},
        "nodes": {"rest": {"kind": "wait", "days": 2, "next": "end"}, "end": {"kind": "exit"}},
    }
    marketer.put("/api/reach/journeys/plain", json=plain)
    assert marketer.post("/api/reach/journeys/plain/publish", json={}).status_code == 200
    longer = plain | {
        "nodes": plain["nodes"] | {"rest": {"kind": "wait", "days": 3, "next": "end"}}
    }
    would = marketer.post("/api/reach/journeys/plain/changes", json=longer).json()
    assert [one["field"] for one in would] == ["nodes.rest.does.seconds"]
    marketer.put("/api/reach/journeys/plain", json=longer)
    assert len(read(caller, "journeys/plain/changes")) == 1
    assert marketer.post("/api/reach/journeys/plain/publish", json={}).json()["replaces"] == 1
    assert marketer.post("/api/reach/journeys/plain/rollback", json={}).json()["version"] == 1
    paused = marketer.post("/api/reach/journeys/plain/pause", json={"reason": "a mistake"})
    assert paused.json()["state"] == "paused"
    assert marketer.post("/api/reach/journeys/plain/resume").status_code == 403
    assert caller("approver").post("/api/reach/journeys/plain/resume").json()["state"] == "running"
    stopped = marketer.post("/api/reach/journeys/plain/stop", json={"reason": "over"})
    assert stopped.json()["state"] == "stopped"
    assert {one["journey"] for one in read(caller, "journeys")} >= {"plain"}
    assert read(caller, "journeys/plain")["definition"]["nodes"]["rest"]["days"] == 3
    wrong = marketer.put("/api/reach/journeys/bad", json={"nodes": {}})
    assert wrong.status_code in {400, 422} and "nodes are 0" in wrong.text
