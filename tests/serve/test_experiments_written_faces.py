"""An experiment from idea to learning: on the command line, over HTTP, and while deciding."""

import json

import pytest
from tests.serve.test_http_decide import Api, consented

from regulars.app import open_app
from regulars.decide.assignment import assign
from regulars.measure.experiments.keeping.service import exposed_rows
from regulars.numerics.hashing import keys_of
from regulars.serve.cli.main import main

GIVEN = {
    "id": "coupon",
    "name": "Coupon for newcomers",
    "hypothesis": "A coupon brings more of them back.",
    "variants": [
        {"name": "control", "share": 0.5, "offers": []},
        {"name": "coupon", "share": 0.5, "offers": ["off10"], "values": {"banner": "red"}},
    ],
    "primary": "buyers",
    "guardrails": ["refunds"],
    "effect": 0.05,
    "inference": "any_time",
}


@pytest.fixture
def server(make_shop, serve, tmp_path):
    folder = tmp_path / "shop"
    make_shop.filled(folder)
    consented(open_app(folder), make_shop.now)
    with serve(folder) as running:
        yield running
    running.home.close()


def told(capsys, *words, code=0):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert (ended.value.code or 0) == code
    return json.loads(capsys.readouterr().out)


class Caller:
    """Calls the API of experiments as somebody signed in."""

    def __init__(self, server, role):
        self.client = server.client(role)
        self.headers = {"x-csrf-token": server.csrf(self.client)}

    def __call__(self, method, path="", **body):
        return self.client.request(
            method,
            f"/api/measure/experiments/{path}",
            headers=self.headers,
            **({"json": body} if method in {"POST", "PUT"} else {}),
        )


def test_the_command_line_goes_from_a_file_to_a_learning(make_shop, tmp_path, capsys):
    folder = tmp_path / "shop"
    make_shop.empty(folder)
    file = tmp_path / "coupon.json"
    file.write_text(json.dumps(GIVEN), "utf-8")
    run, where = ("measure", "experiments"), ("--dir", str(folder))

    made = told(capsys, *run, "create", str(file), *where)
    plan = told(capsys, *run, "plan", "coupon", *where)["plan"]
    small = told(capsys, *run, "start", "coupon", *where, code=3)["error"]
    begun = told(capsys, *run, "start", "coupon", "--anyway", "to learn how", *where)
    locked = told(capsys, *run, "create", str(file), *where, code=3)["error"]
    shown = told(capsys, *run, "show", "coupon", *where)
    listed = told(capsys, *run, *where)["written"]
    stopped = told(capsys, *run, "stop", "coupon", "--reason", "enough", *where)
    end = (*run, "conclude", "coupon", *where, "--says", "nobody came")
    refused = told(capsys, *end, "--decision", "keep", code=3)["error"]
    told(capsys, *end, "--decision", "nothing_learned")
    learned = told(capsys, "adjust", "learnings", *where)["experiments"]

    assert (made["stand"], made["experiment"]["primary"]) == ("draft", "buyers")
    assert not plan["fits"]
    assert "would not find what it looks for" in small["message"]
    assert (begun["stand"], stopped["stand"]) == ("running", "stopped")
    assert "cannot be changed any more" in locked["message"]
    assert shown["readout"]["is_refused"]
    assert shown["readout"]["refusals"][0]["gate"] == "too_few"
    assert [one["verb"] for one in shown["changes"]] == ["put", "start"]
    assert [one["stand"] for one in listed] == ["running"]
    assert "has 0 customers" in refused["message"]
    assert [(one["experiment_id"], one["decision"]) for one in learned] == [
        ("coupon", "nothing_learned")
    ]


def test_the_decision_of_a_customer_keeps_to_her_variant_and_is_logged(server):
    approver, call = Caller(server, "approver"), Api(server)
    before = call(customer_id="c007", request_id="r0").json()
    assert approver("PUT", "coupon", **GIVEN).status_code == 200
    assert approver("POST", "coupon/start", anyway="a test").status_code == 200
    ids = [f"c{n:03}" for n in range(1, 40)]
    asked = [{"customer_id": one, "request_id": "r1"} for one in ids]
    found = {d["customer_id"]: d for d in call("/batch", customers=asked).json()["decisions"]}
    told_only = call("/variants", customer_id="c040").json()["variants"]
    server.home.exposing.flush()
    rows = {r["customer_id"]: r["variant"] for r in exposed_rows(server.home.state, "coupon")}
    stopped = approver("POST", "coupon/stop", reason="enough")
    after = call(customer_id="c041", request_id="r1").json()

    assert (before["variants"], after["variants"]) == ({}, {})
    assert stopped.json()["stand"] == "stopped"
    loop = server.home.settings.loop
    part = {one for one, d in found.items() if d["variants"]}
    assert part == {one for one in ids if found[one]["reason"] != "global_holdout"}
    number = assign(keys_of(ids), server_assignment(), seed=loop.seed)
    for one, place in zip(ids, number.tolist(), strict=True):
        if one not in part:
            continue
        mine = found[one]
        assert mine["variants"]["coupon"]["variant"] == ("control", "coupon")[place]
        open_offers = {name.partition(":")[0] for name in mine["candidates"]}
        assert open_offers <= (set(), {"off10"})[place], one
        assert "news:app" in mine["ruled_out"]["experiment"] or mine["reason"] == "no_consent"
    assert {"variant": "coupon", "banner": "red"} in [
        d["variants"]["coupon"] for d in found.values() if d["variants"]
    ]
    assert set(told_only) <= {"coupon"}
    assert {one: v for one, v in rows.items() if one != "c040"} == {
        one: found[one]["variants"]["coupon"]["variant"] for one in part
    }


def server_assignment():
    from regulars.measure.experiments.keeping.definition import definition_of

    return definition_of(GIVEN).assignment()


def test_each_step_asks_for_its_role_and_a_closed_gate_lets_no_figure_out(server):
    viewer, marketer, approver = (Caller(server, r) for r in ("viewer", "marketer", "approver"))

    assert viewer("PUT", "coupon", **GIVEN).status_code == 403
    assert marketer("PUT", "coupon", **GIVEN).json()["stand"] == "draft"
    assert viewer("POST", "plan", **GIVEN).json()["plan"]["by_variant"].keys() == {
        "control", "coupon",
    }  # fmt: skip
    assert viewer("GET", "coupon/plan").status_code == 200
    assert marketer("POST", "coupon/start", anyway="x").status_code == 403
    assert approver("POST", "coupon/start", anyway="x").json()["stand"] == "running"
    assert viewer("POST", "coupon/stop", reason="x").status_code == 403
    seen = viewer("GET", "coupon").json()
    assert (seen["readout"]["findings"], seen["readout"]["is_refused"]) == ([], True)
    assert marketer("POST", "coupon/stop", reason="enough").json()["stand"] == "stopped"
    refused = marketer("POST", "coupon/conclude", decision="adopt", variant="coupon", says="x")
    assert refused.status_code == 403
    assert "coupon shows no effect" in refused.json()["error"]["message"]
    ended = marketer("POST", "coupon/conclude", decision="nothing_learned", says="too few")
    assert ended.json()["conclusion"]["actor"] == "marketer"
    assert viewer("GET", "written").json()["experiments"][0]["stand"] == "concluded"
    learned = viewer.client.get("/api/adjust/learnings").json()["experiments"]
    assert [one["experiment_id"] for one in learned] == ["coupon"]


def test_what_cannot_be_is_refused_with_what_is_wanted(server):
    call = Caller(server, "approver")
    for method, path, body, status, says in (
        ("PUT", "coupon", GIVEN | {"effect": 0}, 400, "effect is 0.0, must be above 0"),
        ("PUT", "other", GIVEN, 400, "in the body and 'other' in the path"),
        ("PUT", "coupon", {"name": "x"}, 400, "give either variants or factors"),
        ("PUT", "written", {**GIVEN, "id": "written"}, 400, "is an address of its own"),
        ("GET", "nobody", {}, 404, "There is nothing here"),
        ("POST", "nobody/stop", {"reason": "x"}, 404, "There is nothing here"),
    ):
        answer = call(method, path, **body)

        assert answer.status_code == status, path
        assert says in answer.json()["error"]["message"], path


def test_a_draft_somebody_else_wrote_anew_is_neither_overwritten_nor_started(server):
    call = Caller(server, "approver")
    seen = call("PUT", "coupon", **GIVEN).json()["edited_at"]
    newer = call("PUT", "coupon", **GIVEN | {"effect": 0.1, "level": 0.9}).json()["edited_at"]
    form = {
        "csrf_token": call.headers["x-csrf-token"],
        "id": "coupon", "name": "Renamed", "hypothesis": "It does.", "primary": "buyers",
        "effect": "10", "guard-refunds": "yes", "inference": "any_time", "days": "28",
        "looks": "1", "layer": "default", "traffic": "100", "factors": "",
        "name-0": "control", "share-0": "50", "offers-0": "",
        "name-1": "coupon", "share-1": "50", "offers-1": "off10",
    }  # fmt: skip

    def save(**fields):
        return call.client.post("/experiments/new", data=form | fields, follow_redirects=False)

    refused = [save(), save(edited_at=seen), save(edited_at=seen, id="gone")]
    stale = call("POST", "coupon/start", anyway="x", edited_at=seen)
    unseen = call.client.post(
        "/experiments/coupon/start", data={"csrf_token": form["csrf_token"], "anyway": "x"}
    )
    saved = save(edited_at=newer)
    kept = call("GET", "coupon").json()

    assert [one.status_code for one in refused] == [400, 400, 400]
    assert "open that one and change it" in refused[1].text
    assert (stale.status_code, unseen.status_code) == (403, 400)
    assert "wrote coupon anew" in stale.json()["error"]["message"]
    assert (saved.status_code, kept["stand"]) == (303, "draft")
    assert (kept["definition"]["name"], kept["definition"]["level"]) == ("Renamed", 0.9)
    assert kept["definition"]["variants"][1]["values"] == {"banner": "red"}
    assert call("POST", "coupon/start", anyway="x", edited_at=kept["edited_at"]).is_success
    look = call("POST", "coupon/look")
    assert (look.status_code, Caller(server, "viewer")("POST", "coupon/look").status_code) == (
        403, 403,
    )  # fmt: skip
    assert "no look at coupon is due" in look.json()["error"]["message"]
