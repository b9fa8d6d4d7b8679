"""Campaigns, approvals, triggers and explanations over HTTP, by the right caller and the wrong one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from regulars.app import open_app
from regulars.govern.access.api_keys.service import add_key
from regulars.serve.sending.passing import one_pass

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
TEA = {"channel": "sms", "topic": "news", "holdout": 0.1, "audience": {"segment": "champions"}}
RECEIPT = {"channel": "sms", "message_class": "transactional", "audience": "trigger"}


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    """A shop of its own: its campaigns are nobody else's."""
    folder = tmp_path_factory.mktemp("campaigns") / "shop"
    make_shop.filled(folder)
    with serve(folder) as running:
        yield running


@pytest.fixture(scope="module")
def caller(server):
    """Gives a client with a key whose word counts as that of the user of its role."""
    made = {}

    def of(role):
        if role not in made:
            _, key = add_key(
                server.home.state,
                name=f"{role}-campaigns",
                role=role,
                actor="t",
                owner=role,
                now=NOW,
            )
            made[role] = httpx.Client(
                base_url=server.url, headers={"authorization": f"Bearer {key}"}, timeout=120
            )
        return made[role]

    return of


def put(caller, name, given=TEA, *, role="marketer"):
    answer = caller(role).put(f"/api/reach/campaigns/{name}", json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def submit(caller, name, *, role="marketer"):
    answer = caller(role).post(f"/api/reach/campaigns/{name}/submit", json={})
    assert answer.status_code == 200, answer.text
    return answer.json()["request"]


def approve(caller, number, *, role="approver"):
    return caller(role).post(f"/api/govern/approvals/{number}/approve", json={})


def sent(caller, name):
    return caller("marketer").post(f"/api/reach/campaigns/{name}/send")


def passed(server):
    """One pass, as the ticker beside a server makes them."""
    app = open_app(server.home.folder)
    return one_pass(app, now=NOW, pause=lambda _seconds: None)


def test_a_campaign_goes_from_a_form_to_the_customers_who_are_told_why(caller, server):
    assert put(caller, "tea")["state"] == "draft"
    dossier = caller("marketer").get("/api/reach/campaigns/tea/dossier").json()
    number = submit(caller, "tea")
    [waiting] = caller("approver").get("/api/govern/approvals", params={"mine": True}).json()
    assert waiting["request_id"] == number
    assert waiting["evidence"]["audience"] == dossier["audience"] == 30
    assert approve(caller, number).json()["status"] == "approved"
    assert sent(caller, "tea").json()["state"] == "running"
    passed(server)
    view = caller("viewer").get("/api/reach/campaigns/tea").json()
    told = caller("viewer").get("/api/reach/customers/c001/explain").json()

    assert view["row"]["state"] == "finished"
    [phase] = view["phases"]
    assert phase["eligible"] == sum(phase["fates"].values()) == 30
    assert view["gates"]["all"]["measured"][0]["name"] == "bounce"
    assert told["attempts"][0]["campaign"] == "tea"
    assert told["zh"] != told["en"]


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("PUT", "/api/reach/campaigns/other", "marketer"),
        ("POST", "/api/reach/campaigns/tea/submit", "marketer"),
        ("POST", "/api/reach/campaigns/tea/send", "marketer"),
        ("POST", "/api/reach/campaigns/tea/pause", "marketer"),
        ("POST", "/api/reach/campaigns/tea/resume", "approver"),
        ("POST", "/api/reach/campaigns/tea/go-on", "approver"),
        ("POST", "/api/reach/trigger", "marketer"),
        ("POST", "/api/reach/stop", "marketer"),
        ("POST", "/api/reach/resume", "approver"),
        ("POST", "/api/reach/tick", "approver"),
        ("POST", "/api/govern/approvals/1/approve", "approver"),
        ("POST", "/api/govern/approvals/1/ask-changes", "approver"),
    ],
)
def test_a_lesser_role_is_refused(caller, method, path, least):
    lesser = {"marketer": "analyst", "approver": "marketer"}[least]
    answer = caller(lesser).request(method, path, json={})

    assert answer.status_code == 403


def test_the_author_approves_nothing_through_a_key_of_any_role(caller, server):
    put(caller, "own", role="approver")
    number = submit(caller, "own", role="approver")
    _, second = add_key(
        server.home.state, name="second", role="admin", actor="t", owner="approver", now=NOW
    )
    own = httpx.Client(base_url=server.url, headers={"x-api-key": second}, timeout=60)

    assert approve(caller, number, role="approver").status_code == 403
    assert own.post(f"/api/govern/approvals/{number}/approve", json={}).status_code == 403
    assert sent(caller, "own").status_code == 403
    assert approve(caller, number, role="admin").status_code == 200


def test_what_is_edited_after_the_request_needs_a_new_one(caller):
    put(caller, "edited")
    number = submit(caller, "edited")
    assert put(caller, "edited", TEA | {"holdout": 0.2})["version"] == 2

    assert approve(caller, number).status_code == 403
    assert sent(caller, "edited").status_code == 403
    changes = caller("viewer").get("/api/reach/campaigns/edited/changes").json()
    assert changes == [{"field": "holdout", "before": 0.1, "after": 0.2}]
    assert len(caller("viewer").get("/api/reach/campaigns/edited/versions").json()) == 2


def test_what_would_change_is_told_and_nothing_is_kept(caller):
    put(caller, "planned")
    told = caller("marketer").post(
        "/api/reach/campaigns/planned/changes", json=TEA | {"priority": 3}
    )

    assert told.json() == [{"field": "priority", "before": 0, "after": 3}]
    assert caller("viewer").get("/api/reach/campaigns/planned").json()["row"]["version"] == 1


def test_a_request_is_commented_and_sent_back(caller):
    put(caller, "back")
    number = submit(caller, "back")
    caller("marketer").post(f"/api/govern/approvals/{number}/comment", json={"note": "please"})
    back = caller("approver").post(
        f"/api/govern/approvals/{number}/ask-changes", json={"note": "name the price"}
    )

    assert back.json()["status"] == "changes_asked"
    assert [one["act"] for one in back.json()["acts"]] == ["request", "comment", "ask_changes"]
    assert caller("viewer").get("/api/reach/campaigns/back").json()["row"]["state"] == "draft"
    put(caller, "back", TEA | {"priority": 1})
    again = submit(caller, "back")
    taken = caller("marketer").post(f"/api/govern/approvals/{again}/withdraw", json={})
    assert taken.json()["status"] == "withdrawn"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (TEA | {"channel": "fax"}, None),
        (TEA | {"holdout": 2}, "holdout is 2"),
        (TEA | {"colour": "red"}, "colour"),
        ({"channel": "sms"}, "audience is None"),
    ],
)
def test_a_campaign_that_cannot_be_used_says_why(caller, given, says):
    answer = caller("marketer").put("/api/reach/campaigns/bad", json=given)

    assert answer.status_code in {400, 404}
    assert says is None or says in answer.json()["error"]["message"]


def test_a_list_of_a_hundred_thousand_customers_fits(caller):
    given = TEA | {"audience": {"customers": [f"customer-{n:08}" for n in range(100_000)]}}

    assert put(caller, "many", given)["campaign"]["audience"]["customers"] == 100_000


def test_triggers_of_many_callers_are_answered_each_once(caller, server):
    put(caller, "receipt", RECEIPT)
    approve(caller, submit(caller, "receipt"))
    assert sent(caller, "receipt").status_code == 200
    calls = [
        {"campaign": "receipt", "customer_id": f"t{n % 20}", "trigger_id": f"order-{n % 20}"}
        for n in range(40)
    ]
    with ThreadPoolExecutor(8) as callers:
        answers = list(
            callers.map(lambda one: caller("marketer").post("/api/reach/trigger", json=one), calls)
        )
    passed(server)
    view = caller("viewer").get("/api/reach/campaigns/receipt").json()

    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["is_new"] for answer in answers) == 20
    assert len({answer.json()["key"] for answer in answers}) == 20
    assert view["phases"][0]["fates"] == {"sent": 20}


def test_a_trigger_of_no_campaign_or_of_one_that_does_not_run_is_refused(caller):
    happened = {"customer_id": "ann", "trigger_id": "1"}
    put(caller, "asleep", RECEIPT)
    nowhere = caller("marketer").post("/api/reach/trigger", json=happened | {"campaign": "nowhere"})
    asleep = caller("marketer").post("/api/reach/trigger", json=happened | {"campaign": "asleep"})

    assert (nowhere.status_code, asleep.status_code) == (404, 403)


def test_everything_is_stopped_and_resumed_by_one_call(caller, server):
    put(caller, "late", TEA | {"audience": {"segment": "at_risk"}})
    approve(caller, submit(caller, "late"))
    sent(caller, "late")
    stopped = caller("marketer").post("/api/reach/stop", json={"reason": "wrong price"})
    passed(server)
    view = caller("viewer").get("/api/reach/campaigns/late").json()
    assert stopped.json() == {"stopped": "wrong price"}
    assert "sent" not in view["phases"][0]["fates"]

    assert caller("approver").post("/api/reach/resume").json() == {"resumed": True}
    assert caller("viewer").get("/api/reach/stop").json() == {"stopped": None}


def test_a_campaign_is_paused_and_ended_with_a_reason(caller):
    put(caller, "held", TEA | {"priority": -1})
    approve(caller, submit(caller, "held"))
    sent(caller, "held")
    paused = caller("marketer").post("/api/reach/campaigns/held/pause", json={"reason": "look"})
    assert paused.json()["state"] == "paused"
    assert caller("approver").post("/api/reach/campaigns/held/resume").json()["state"] == "running"
    assert caller("marketer").post("/api/reach/campaigns/held/end", json={}).status_code == 400
    ended = caller("marketer").post("/api/reach/campaigns/held/end", json={"reason": "over"})

    assert ended.status_code == 200
    assert caller("viewer").get("/api/reach/campaigns/held").json()["row"]["reason"] == "over"


def test_channels_tasks_doubts_and_alerts_are_listed(caller):
    channels = caller("viewer").get("/api/reach/channels").json()

    assert [one["name"] for one in channels] == ["sms", "app"]
    assert all(
        caller("viewer").get(f"/api/reach/{path}").status_code == 200
        for path in ("tasks", "unknown", "alerts", "campaigns")
    )


def test_the_description_of_the_calls_needs_a_session(caller):
    signed_in = caller("viewer")
    assert signed_in.get("/openapi.json").status_code == 401


def test_every_call_has_a_model_of_its_answer(server):
    client = server.client("viewer")
    paths = client.get("/openapi.json").json()["paths"]
    ours = {path: calls for path, calls in paths.items() if path.startswith("/api/reach/campaigns")}

    assert len(ours) >= 10
    for path, calls in ours.items():
        for call in calls.values():
            answer = call["responses"]["200"]["content"]["application/json"]["schema"]
            assert answer, path
