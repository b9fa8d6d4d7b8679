"""Budget and channels: on the command line, over HTTP and on the page."""

import json
import os
import re
import subprocess
import sys

import pytest
from tests.serve.conftest import put

from regulars.app import open_app
from regulars.serve.cli.main import main


def effects(channel, offer, *pairs):
    """Measured points of one cell of loyal customers: spend and margin caused, by turn."""
    return [
        {
            "measured_turn": turn, "segment": "loyal", "channel": channel, "offer_id": offer,
            "treated": 100, "expected": 100.0, "status": "ok", "spend": spend, "effect": effect,
            "standard_error": 20.0, "most": 900.0,
        }
        for turn, (spend, effect) in enumerate(pairs, start=1)
    ]  # fmt: skip


CELLS = [
    *effects("sms", "ten", (100.0, 260.0), (150.0, 340.0)),
    *effects("app", "news", (80.0, 30.0), (90.0, 35.0)),
]


@pytest.fixture(scope="module", name="server")
def shop_with_measured_cells(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("money") / "shop"
    make_shop.filled(folder)
    put(open_app(folder), "cell_effects", CELLS, turn=2)
    with serve(folder) as running:
        running.folder = folder
        yield running


@pytest.fixture(scope="module", name="bare")
def shop_without_turns(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare") / "shop"
    make_shop.empty(folder)
    with serve(folder) as running:
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


def writer(server, role="marketer"):
    client = server.client(role)
    client.headers["x-csrf-token"] = server.csrf(client)
    return client


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_command_line_and_http_tell_the_same_plan_and_channels(server, capsys):
    plan = get(server, "viewer", "/api/decide/plan").json()
    channels = get(server, "viewer", "/api/decide/channels").json()["channels"]

    assert told(capsys, server.folder, "decide", "plan") == plan
    assert told(capsys, server.folder, "decide", "channels")["channels"] == channels
    assert plan["cells"][0]["offer_id"] == "ten"
    assert plan["spend"] <= plan["budget"] - plan["reserve"]


def test_the_page_shows_the_plan_and_what_if_changes_nothing(server):
    plan = get(server, "viewer", "/api/decide/plan").json()

    shown = text_of(get(server, "viewer", "/budget?budget=200&flexible=80&reserve=0#what-if").text)

    assert "loyal / SMS / ten" in shown
    assert "Nothing is changed by looking." in shown
    assert f"{plan['shadow_price']:.2f}" in shown
    assert get(server, "viewer", "/api/decide/plan").json() == plan


def test_shares_that_are_none_are_refused_on_the_page_with_the_reason(server):
    client = server.client("viewer")

    page = client.get("/budget?flexible=90&reserve=90", headers={"accept-language": "en"})

    assert page.status_code == 400
    assert "more than 1 together" in text_of(page.text)


def test_a_pin_is_made_with_a_reason_kept_by_the_plan_and_taken_away_again(server):
    client = writer(server)
    cell = {"segment": "loyal", "channel": "app", "offer_id": "news"}
    wrong = client.put("/api/decide/pins", json=cell | {"amount": "120", "why": ""})
    client.put("/api/decide/pins", json=cell | {"amount": "120.50", "why": "contract"})

    pinned = get(server, "viewer", "/api/decide/plan").json()["cells"]
    shown = text_of(get(server, "viewer", "/budget").text)
    is_gone = client.request("DELETE", "/api/decide/pins", params=cell).json()

    assert wrong.status_code == 400
    assert next(c for c in pinned if c["offer_id"] == "news")["spend"] == 120.5
    assert "contract" in shown
    assert is_gone == {"was_pinned": True}
    assert get(server, "viewer", "/api/decide/pins").json() == {"pins": []}


def test_a_ceiling_is_tried_on_the_page_kept_taken_away_and_written_down_each_time(server):
    client, state = server.client("marketer"), server.home.state
    token = server.csrf(client)

    def send(path="limit", **fields):
        cell = {"segment": "loyal", "channel": "sms", "offer_id": "ten", "csrf_token": token}
        return client.post(f"/budget/{path}", data=cell | fields, follow_redirects=True)

    def held():
        return get(server, "viewer", "/api/decide/plan/followed").json()["limits"]

    before = get(server, "viewer", "/api/decide/plan").json()
    tried = send(ceiling="20", why="few codes", do="try")
    nothing = held()
    kept = send(ceiling="20", why="few codes", do="keep")
    after = get(server, "viewer", "/api/decide/plan").json()
    wrong = send(floor="9", ceiling="3", why="slip", do="keep")
    gone = send("unlimit")

    assert tried.status_code == 200
    assert nothing == []
    lost = after["expected"] - after["spend"] - before["expected"] + before["spend"]
    assert lost < -1
    # What the page says the ceiling costs is what it then does cost.
    row = re.search(r"Margin after the money</th>(.*?)</tr>", tried.text, re.S)[1]
    cells = [text_of(one) for one in re.findall(r"<td.*?</td>", row)]
    assert re.sub(r"[^\d.]", "", cells[-1]) == f"{abs(lost):.2f}"
    assert "few codes" in text_of(kept.text)
    assert next(c for c in after["cells"] if c["offer_id"] == "ten")["spend"] <= 20
    assert (wrong.status_code, "are no limits" in wrong.text) == (400, True)
    assert "Floor and ceiling are taken away." in text_of(gone.text)
    assert held() == []
    with state.reading() as opened:
        rows = opened.all("SELECT action FROM audit_log WHERE action LIKE 'budget.%limit'")
    assert [row["action"] for row in rows] == ["budget.limit", "budget.unlimit"]


def test_a_viewer_may_ask_what_a_floor_costs_and_not_set_it(server):
    cell = {"segment": "loyal", "channel": "app", "offer_id": "news", "floor": "50", "why": "x"}
    client = server.client("viewer")
    headers = {"x-csrf-token": server.csrf(client)}

    told_ = client.post("/api/decide/limits/try", json=cell, headers=headers).json()
    refused = client.put("/api/decide/limits", json=cell, headers=headers)
    form = {"csrf_token": headers["x-csrf-token"], "do": "try"} | cell

    assert told_["with"]["net"] < told_["without"]["net"]
    assert refused.status_code == 403
    assert client.post("/budget/limit", data=form).status_code == 403


def test_a_turn_that_is_left_out_is_behind_no_plan_on_any_face(server, capsys):
    client, where = writer(server), "/api/adjust/turns/2/unlearned"
    before = get(server, "viewer", "/api/decide/plan").json()

    client.put(where, json={"reason": "tills were down"}).raise_for_status()
    without = get(server, "viewer", "/api/decide/plan").json()
    printed = told(capsys, server.folder, "decide", "plan")
    client.delete(where).raise_for_status()

    assert (before["turns"], without["turns"]) == (2, 1)
    assert printed == without
    assert get(server, "viewer", "/api/decide/plan").json() == before


def test_a_turn_without_a_plan_is_not_kept_to_on_any_face(server, capsys):
    answer = writer(server, "approver").put(
        "/api/decide/plan/followed", json={"of_turn": 99, "why": "back to it"}
    )
    with pytest.raises(SystemExit) as ended:
        main([
            "decide",
            "follow-plan",
            "--of-turn",
            "99",
            "--why",
            "x",
            "--dir",
            str(server.folder),
        ])

    assert answer.status_code == 400
    assert "turn 99 has no plan to keep to" in answer.text
    assert ended.value.code not in {0, None}
    assert "turns with a plan: none so far" in " ".join(capsys.readouterr().err.split())


def test_a_cell_nobody_has_measured_may_be_pinned(server):
    client = writer(server)
    cell = {"segment": "new", "channel": "sms", "offer_id": "gift"}
    client.put("/api/decide/pins", json=cell | {"amount": "40", "why": "a new idea"})

    cells = get(server, "viewer", "/api/decide/plan").json()["cells"]
    client.request("DELETE", "/api/decide/pins", params=cell)

    assert [c["spend"] for c in cells if c["offer_id"] == "gift"] == [40.0]


def test_a_viewer_may_look_but_not_pin_nor_override(server):
    client = server.client("viewer")
    client.headers["x-csrf-token"] = server.csrf(client)
    cell = {"segment": "a", "channel": "sms", "offer_id": "b", "amount": "1", "why": "c"}

    assert client.put("/api/decide/pins", json=cell).status_code == 403
    said = {"value": 0.5, "why": "c"}
    assert client.put("/api/decide/channels/sms/*/reach", json=said).status_code == 403


def test_a_review_is_kept_once_a_period(server):
    client = writer(server)

    first = client.post("/api/decide/reviews", json={"kind": "monthly", "note": "more"}).json()
    again = client.post("/api/decide/reviews", json={"kind": "monthly", "note": "less"}).json()

    assert (first["note"], again["note"]) == ("more", "more")
    assert client.post("/api/decide/reviews", json={"kind": "daily"}).status_code == 400
    assert "more" in text_of(get(server, "viewer", "/budget").text)


def test_what_a_person_says_of_a_channel_stands_in_the_matrix_as_said(server):
    client = writer(server)
    learned = get(server, "viewer", "/api/decide/channels").json()["channels"]
    said = {"value": 0.5, "why": "new provider"}
    client.put("/api/decide/channels/sms/*/reach", json=said)

    matrix = get(server, "viewer", "/api/decide/channels").json()["channels"]
    shown = text_of(get(server, "viewer", "/channels?customer=c001").text)
    client.delete("/api/decide/channels/sms/*/reach")

    reach = {one["rates"]["reach"]["value"] for one in matrix if one["channel"] == "sms"}
    assert reach == {0.5}
    assert "said by a person" in shown
    assert "new provider" in shown
    assert get(server, "viewer", "/api/decide/channels").json()["channels"] == learned


def test_turns_are_told_to_keep_to_the_plan_and_to_leave_it_with_reasons(server, capsys):
    client = writer(server, "approver")
    wrong = client.put("/api/decide/plan/followed", json={"flexible": 0.9, "why": "a"})
    client.put("/api/decide/plan/followed", json={"reserve": 0.1, "why": "quarter plan"})

    followed = get(server, "viewer", "/api/decide/plan/followed").json()
    shown = text_of(get(server, "viewer", "/budget").text)
    told_ = told(capsys, server.folder, "decide", "followed")
    left = writer(server).post("/api/decide/plan/left", json={"why": "too tight"}).json()

    assert (wrong.status_code, left) == (400, {"was_followed": True})
    assert followed == told_
    assert followed["followed"]["guards"]["reserve"] == 0.1
    assert "quarter plan" in shown
    assert get(server, "viewer", "/api/decide/plan/followed").json()["followed"] is None
    assert "too tight" in text_of(get(server, "viewer", "/budget").text)


def test_a_floor_holds_money_in_a_cell_until_it_is_taken_away(server):
    client = writer(server)
    cell = {"segment": "loyal", "channel": "app", "offer_id": "news"}
    client.put("/api/decide/limits", json=cell | {"floor": "90", "why": "agreed"})

    cells = get(server, "viewer", "/api/decide/plan").json()["cells"]
    shown = text_of(get(server, "viewer", "/budget").text)
    is_gone = client.request("DELETE", "/api/decide/limits", params=cell).json()

    held = next(one for one in cells if one["offer_id"] == "news")
    assert (held["spend"], held["bound_by"]) == (90.0, "floor")
    assert "agreed" in shown
    assert is_gone == {"was_limited": True}


def test_before_the_first_turn_both_pages_say_what_is_missing(bare):
    budget = text_of(get(bare, "viewer", "/budget").text)
    channels = text_of(get(bare, "viewer", "/channels").text)

    assert "No turn has measured any cell yet" in budget
    assert "No contact was made yet" in channels


def test_offers_are_told_by_their_name_on_budget_and_effects(server):
    budget = text_of(get(server, "viewer", "/budget").text)
    effects = text_of(get(server, "viewer", "/effects").text)

    assert "loyal / App push / 新品快讯" in budget
    assert "loyal / App push / news" not in budget
    assert "九折券 (turn 1)" in effects
    assert "off10-001" not in effects


def test_a_server_computes_on_one_core_per_request(tmp_path):
    code = (
        "import atexit, os, sys\n"
        "from regulars.serve.cli.main import main\n"
        "assert 'numpy' not in sys.modules, 'numpy has chosen its threads already'\n"
        "atexit.register(lambda: print(os.environ['OPENBLAS_NUM_THREADS']))\n"
        f"main(['serve', '--dir', {str(tmp_path / 'none')!r}])\n"
    )
    inherited = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    environment = inherited | {"PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )

    assert done.stdout.strip() == "1", done.stderr
