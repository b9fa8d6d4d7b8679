"""What was changed, alerts and learnings: on the command line, over HTTP and on the page."""

import json
import re
from datetime import UTC, datetime

import pytest
from tests.serve.conftest import put

from regulars.adjust.alerts.laney_chart import Place
from regulars.adjust.alerts.service import ask_people
from regulars.adjust.alerts.watching import Alert, Gravity, Kind
from regulars.app import open_app
from regulars.serve.cli.main import main

EVIDENCE = json.dumps({"measured_turns": {"1": {"customers": 40, "slope": 0.8, "slope_sd": 0.2}}})
ALERT = {
    "measured_turn": 1, "channel": "sms", "kind": "delivered", "gravity": "broken", "share": 0.1,
    "usual": 0.98, "low": 0.95, "high": 1.0, "z": -40.0, "tried": 300, "action": "held",
}  # fmt: skip
HOLD = {"channel": "sms", "since_turn": 2, "until_turn": 6, "source": "automatic", "reason": "delivered broken"}  # fmt: skip
CHANGES = [
    {"subject": "effect.news:sms", "before": None, "after": 0.12, "evidence": EVIDENCE},
    {"subject": "spend_share", "before": 1.0, "after": 0.05, "evidence": EVIDENCE},
]


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adjust") / "shop"
    make_shop.filled(folder)
    app = open_app(folder)
    put(app, "alerts", [ALERT], turn=2)
    put(app, "channel_holds", [HOLD], turn=2)
    put(app, "adjustments", CHANGES, turn=2)
    with serve(folder) as running:
        running.folder = folder
        yield running


def told(capsys, folder, *words):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--dir", str(folder), "--json"])
    said = capsys.readouterr()
    assert ended.value.code in {0, None}, said.err
    return json.loads(said.out)


def get(server, role, path):
    answer = server.client(role).get(path, headers={"accept-language": "en"})
    assert answer.status_code == 200, answer.text
    return answer


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_command_line_and_http_tell_the_same(server, capsys):
    for words, path in (
        (["adjust", "log"], "/api/adjust/log"),
        (["adjust", "learnings"], "/api/adjust/learnings"),
        (["adjust", "review", "1"], "/api/adjust/review/1"),
    ):
        assert told(capsys, server.folder, *words) == get(server, "viewer", path).json()
    alerts = get(server, "viewer", "/api/adjust/alerts").json()
    assert told(capsys, server.folder, "adjust", "alerts") == {
        name: alerts[name] for name in ("alerts", "holds", "tasks")
    }
    assert alerts["alerts"][0]["kind"] == "delivered"


def test_every_change_says_what_it_was_before_and_why(server):
    changes = get(server, "viewer", "/api/adjust/log").json()["changes"]

    assert [one["subject"] for one in changes] == ["channel.sms", "effect.news:sms", "spend_share"]
    assert changes[0]["evidence"] == {
        "until_turn": 6,
        "source": "automatic",
        "reason": "delivered broken",
    }
    assert (changes[2]["before"], changes[2]["after"]) == (1.0, 0.05)
    assert changes[2]["evidence"]["measured_turns"]["1"]["customers"] == 40


def test_a_learning_cites_the_campaigns_it_rests_on(server):
    [one] = get(server, "viewer", "/api/adjust/learnings").json()["learnings"]

    assert (one["offer_id"], one["channel"], one["now"]) == ("news", "sms", 0.12)
    [cite] = one["cites"]
    assert cite["turn"] == 1
    assert cite["campaigns"] == ["news-001"]


def test_a_review_holds_plan_deed_finding_and_change(server):
    review = get(server, "viewer", "/api/adjust/review/1").json()

    assert review["plan"]["chosen"] > 0
    assert sum(review["do"]["customers_by_fate"].values()) > 0
    assert [one["kind"] for one in review["check"]["alerts"]] == ["delivered"]
    assert [one["subject"] for one in review["act"]["changes"]] == [
        "effect.news:sms",
        "spend_share",
    ]
    assert [one["channel"] for one in review["act"]["holds"]] == ["sms"]
    missing = server.client("viewer").get("/api/adjust/review/99")
    assert missing.status_code == 404


def test_a_person_overrules_the_loop_on_the_page_and_takes_it_back(server):
    client = server.client("marketer")

    def press(verb, reason=""):
        sent = {"verb": verb, "reason": reason, "csrf_token": server.csrf(client)}
        return client.post("/learnings/channels/sms", data=sent)

    page = text_of(get(server, "viewer", "/learnings").text)
    assert "left alone until turn 6" in page
    assert "contacts do not arrive" in page
    assert press("release", "mended").status_code == 303
    page = text_of(get(server, "viewer", "/learnings").text)
    assert "used whatever alerts say, until turn 7" in page
    assert "mended" in page
    assert press("undo").status_code == 303
    assert press("undo").status_code == 400
    assert "left alone until turn 6" in text_of(get(server, "viewer", "/learnings").text)
    refused = server.client("viewer").post("/learnings/channels/sms", data={"verb": "hold"})
    assert refused.status_code == 403


def test_http_holds_a_channel_and_refuses_nonsense(server):
    client = server.client("marketer")
    headers = {"x-csrf-token": server.csrf(client)}
    put_ = client.put(
        "/api/adjust/channels/app", json={"is_held": True, "reason": "x"}, headers=headers
    )
    assert put_.json() == {"channel": "app", "is_held": True, "from_turn": 3, "until_turn": 7}
    wrong = client.put(
        "/api/adjust/channels/fax", json={"is_held": True, "reason": "x"}, headers=headers
    )
    assert wrong.status_code == 404
    assert client.delete("/api/adjust/channels/app", headers=headers).status_code == 200


def test_a_turn_is_left_out_of_what_is_learned_by_every_face_and_counts_again(server, capsys):
    client = server.client("marketer")
    headers = {"x-csrf-token": server.csrf(client)}
    path = "/api/adjust/turns/{}/unlearned"

    left = client.put(path.format(1), json={"reason": "tills down"}, headers=headers)

    assert [(one["turn"], one["reason"]) for one in left.json()["left_out"]] == [(1, "tills down")]
    assert "left out: tills down" in text_of(client.get("/learnings").text)
    pressed = {"verb": "relearn", "csrf_token": server.csrf(client)}
    assert client.post("/learnings/turns/1", data=pressed).status_code == 303
    assert client.post("/learnings/turns/1", data=pressed).status_code == 400
    assert client.put(path.format(9), json={"reason": "x"}, headers=headers).status_code == 404
    told_ = told(capsys, server.folder, "adjust", "unlearn", "2", "--reason", "x")
    assert [one["turn"] for one in told_["left_out"]] == [2]
    assert told(capsys, server.folder, "adjust", "relearn", "2") == {"left_out": []}
    assert server.client("viewer").delete(path.format(1)).status_code == 403


def test_an_alert_that_waits_for_a_person_is_shown_until_somebody_looked(server, capsys):
    place = Place(0.2, 7.1, 3.2, 11.0, -4.0)
    for channel in ("*", "sms"):
        alert = Alert(1, channel, Kind.EFFECT, Gravity.BROKEN, place, 300)
        ask_people(server.home.state, [alert], now=datetime.now(UTC))
    client = server.client("marketer")
    headers = {"x-csrf-token": server.csrf(client)}

    page = text_of(client.get("/learnings").text)
    assert "The margin all contacts cause fell out of its range" in page
    assert "SMS is broken, and a limit keeps it" in page
    pressed = {"verb": "seen", "csrf_token": server.csrf(client)}
    assert client.post("/learnings/channels/%2A", data=pressed).status_code == 303
    assert told(capsys, server.folder, "adjust", "seen", "sms")["is_seen"]
    assert get(server, "viewer", "/api/adjust/alerts").json()["tasks"] == []
    again = client.post("/api/adjust/alerts/sms/seen", headers=headers)
    assert again.status_code == 404
