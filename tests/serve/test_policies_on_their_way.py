"""A policy is staged, promoted only on evidence and taken back: state, faces, online decisions."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from tests.measure.kept_experiments import put_rows
from tests.serve.test_http_decide import Api, consented

from regulars.adjust.policies.service import (
    Serving,
    find_policy,
    policies,
    promote_policy,
    roll_back_policy,
    stage_policy,
)
from regulars.app import open_app
from regulars.decide.policies.rule import Choosing, Rule
from regulars.errors import InputError, NotAllowed
from regulars.govern.audit.service import newest
from regulars.measure.off_policy import Challenger, Stage
from regulars.serve.cli.main import main

NOW = datetime(2026, 3, 30, 2, tzinfo=UTC)
GREEDY = Rule("greedy")
RULES = [
    GREEDY,
    Rule("greedy", Choosing.SOFT_VALUE, temperature=0.3),
    Rule("greedy", Choosing.EPSILON_GREEDY, epsilon=0.03),
    Rule("greedy", Choosing.THOMPSON, width=0.5),
    Rule("greedy", Choosing.LIN_UCB, width=2.0),
]


def decided(
    app,
    *,
    gain,
    customers=3000,
    at=NOW - timedelta(days=20),
    version="loop",
    turn=1,
    spreads=(0.3,),
):
    """Decisions of two actions tried alike; whoever got the better one pays `gain` more."""
    draw = np.random.default_rng(turn)
    ids = [f"c{n:05}" for n in range(customers)]
    good = draw.random(customers) < 0.5
    put_rows(
        app,
        "online_decisions",
        {
            "decision_id": [f"{turn}-{one}" for one in ids],
            "customer_id": ids,
            "request_id": ["r"] * customers,
            "at": [at] * customers,
            "turn": [turn] * customers,
            "verdict": ["send"] * customers,
            "reason": ["chosen"] * customers,
            "offer_id": ["off10" if one else "news" for one in good],
            "channel": ["app"] * customers,
            "propensity": [0.5] * customers,
            "send_propensity": [1.0] * customers,
            "candidates": [
                json.dumps({"news:app": [1.0, 0.5, *spreads], "off10:app": [2.0, 0.5, *spreads]})
            ] * customers,
            "policy_version": [version] * customers,
        },
    )  # fmt: skip
    paid = 40 + draw.normal(0, 4, customers) + np.where(good, gain, 0.0)
    pay(app, ids, paid, at + timedelta(hours=2), name=f"d{turn}")


def pay(app, ids, paid, at, *, name):
    put_rows(
        app,
        "orders",
        {
            "order_id": [f"{name}-{one}" for one in ids],
            "customer_id": ids,
            "ordered_at": [at] * len(ids),
            "business_date": [at.date()] * len(ids),
            "total": [Decimal(f"{one:.2f}") for one in paid],
        },
    )


@pytest.fixture
def app(tmp_path):
    (tmp_path / "regulars.toml").write_text(
        '[retailer]\nname = "S"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\nlocale = "en"\n', "utf-8"
    )
    return open_app(tmp_path, workers=1)


def promote(app, *, now=NOW, name="greedy"):
    loop = app.settings.loop
    return promote_policy(app.engine, app.state, name, loop, actor="mei", now=now)


@pytest.mark.parametrize("rule", RULES, ids=[one.choosing for one in RULES])
def test_a_better_policy_goes_from_the_shadow_to_a_canary_to_all_and_back(app, rule):
    stage_policy(app.state, rule, share=0.2, actor="mei", now=NOW)
    decided(app, gain=8, customers=1200)
    serving, ids = Serving(app.state, seed=7), [f"c{n:05}" for n in range(1200)]
    assert serving.rule_of(ids[0], NOW) is None
    canary = promote(app)
    serving.forget()
    mine = [serving.rule_of(one, NOW) == rule for one in ids]
    early = pytest.raises(NotAllowed, promote, app)
    later = NOW + timedelta(days=1)
    draw = np.random.default_rng(9)
    put_rows(
        app,
        "online_decisions",
        {
            "decision_id": [f"2-{one}" for one in ids],
            "customer_id": ids,
            "request_id": ["r"] * len(ids),
            "at": [later] * len(ids),
            "turn": [2] * len(ids),
            "verdict": ["send"] * len(ids),
            "reason": ["chosen"] * len(ids),
            "offer_id": ["off10"] * len(ids),
            "channel": ["app"] * len(ids),
            "propensity": [0.5] * len(ids),
            "send_propensity": [1.0] * len(ids),
            "candidates": ['{"off10:app": [2.0, 0.5, 0.3]}'] * len(ids),
            "policy_version": ["challenger/greedy" if one else "loop" for one in mine],
        },
    )
    paid = 40 + draw.normal(0, 4, len(ids)) + np.where(mine, 8, 0)
    pay(app, ids, paid, later + timedelta(hours=1), name="canary")
    live = promote(app, now=NOW + timedelta(days=20))
    serving.forget()
    everybody = serving.rule_of("anybody", NOW)
    back = roll_back_policy(app.state, "greedy", reason="stock ran out", actor="mei", now=NOW)
    serving.forget()

    assert canary.stage is Stage.CANARY
    assert "doubly robust value" in canary.moves[-1].reason
    assert mine == Challenger("greedy", 0.2, Stage.CANARY).serves(ids, seed=7).tolist()
    assert "wait for more" in str(early.value)
    assert (live.stage, everybody) == (Stage.LIVE, rule)
    assert (back.stage, serving.rule_of("anybody", NOW)) == (Stage.ROLLED_BACK, None)
    assert [one.verb for one in back.moves] == ["stage", "promote", "promote", "rollback"]
    assert [one.action for one in newest(app.state, size=2)] == [
        "policy.rollback", "policy.promote",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("gain", "customers", "says"),
    [
        (0, 3000, "doubly robust value"),
        (8, 150, "effective, must be"),
        (8, 0, "no logged decision"),
    ],
)
def test_what_is_no_better_or_cannot_be_told_stays_in_the_shadow(app, gain, customers, says):
    stage_policy(app.state, GREEDY, share=0.2, actor="mei", now=NOW)
    if customers:
        decided(app, gain=gain, customers=customers)

    with pytest.raises(NotAllowed, match=says):
        promote(app)
    assert find_policy(app.state, "greedy").stage is Stage.SHADOW


def test_a_log_from_before_spreads_were_kept_cannot_judge_what_asks_for_them(app):
    stage_policy(app.state, RULES[-1], share=0.2, actor="mei", now=NOW)
    decided(app, gain=8, customers=300, spreads=())

    with pytest.raises(NotAllowed, match="no logged decision"):
        promote(app)


def test_a_canary_that_earns_less_is_rolled_back_by_its_evidence(app):
    stage_policy(app.state, GREEDY, share=0.2, actor="mei", now=NOW - timedelta(days=40))
    decided(app, gain=8, at=NOW - timedelta(days=30))
    promote(app, now=NOW - timedelta(days=20))
    mine = Challenger("greedy", 0.2, Stage.CANARY).serves([f"c{n:05}" for n in range(3000)], seed=7)
    decided(app, gain=0, at=NOW - timedelta(days=19), turn=2)
    worse = [f"c{n:05}" for n, one in enumerate(mine) if not one]
    pay(app, worse, [15.0] * len(worse), NOW - timedelta(days=18), name="more")

    assert promote(app).stage is Stage.ROLLED_BACK


def test_one_canary_at_a_time_and_one_name_for_one_policy(app):
    for name in ("greedy", "soft"):
        stage_policy(app.state, Rule(name), share=0.2, actor="mei", now=NOW)
    decided(app, gain=8)
    promote(app)

    with pytest.raises(NotAllowed, match="greedy is a canary now"):
        promote(app, name="soft")
    with pytest.raises(InputError, match="there is a policy soft already"):
        stage_policy(app.state, Rule("soft"), share=0.2, actor="mei", now=NOW)
    with pytest.raises(InputError, match="must be in"):
        stage_policy(app.state, Rule("x"), share=1.0, actor="mei", now=NOW)
    assert len(policies(app.state)) == 2


def test_a_rule_gives_probabilities_that_leave_the_rest_to_doing_nothing():
    values, is_open = [-1.0, 2.0, 5.0], [True, True, False]
    greedy = GREEDY.shares(values, is_open)
    soft = Rule("soft", Choosing.SOFT_VALUE, 2.0).shares(values, is_open)

    assert greedy.tolist() == [0.0, 1.0, 0.0]
    assert GREEDY.shares([-1.0], [True]).tolist() == [0.0]
    assert soft[2] == 0
    assert soft[1] / soft[0] == pytest.approx(np.exp(1.5))
    assert soft.sum() < 1


def test_faces_stage_refuse_and_take_back_and_a_live_policy_decides_online(
    make_shop, serve, tmp_path, capsys
):
    folder = tmp_path / "shop"
    shop = make_shop.filled(folder)
    consented(shop, make_shop.now)

    def told(*words, code=0):
        with pytest.raises(SystemExit) as ended:
            main(["decide", "policy", *words, "--dir", str(folder), "--json"])
        assert (ended.value.code or 0) == code
        return json.loads(capsys.readouterr().out)

    staged = told("stage", "greedy", "--share", "0.1")
    refused = told("promote", "greedy", code=3)["error"]
    bold = told("stage", "bold", "--choosing", "lin_ucb", "--width", "2")
    too_often = told("stage", "never", "--choosing", "epsilon_greedy", "--epsilon", "2", code=2)
    with serve(folder) as server:
        viewer, marketer, approver = (server.client(r) for r in ("viewer", "marketer", "approver"))
        page = viewer.get("/policies").text
        cookies = f"regulars_session={viewer.cookies['regulars_session']}; regulars_locale=zh-CN"
        chinese = viewer.get("/policies", headers={"cookie": cookies}).text
        put = marketer.put(
            "/api/decide/policies/soft",
            json={"choosing": "soft_value", "temperature": 2},
            headers={"x-csrf-token": server.csrf(marketer)},
        )
        some = marketer.put(
            "/api/decide/policies/some",
            json={"choosing": "epsilon_greedy", "epsilon": 0.25},
            headers={"x-csrf-token": server.csrf(marketer)},
        )
        form = {"csrf_token": server.csrf(marketer), "name": "x", "choosing": "epsilon_greedy"}
        wrong = marketer.post("/policies", data=form | {"epsilon": "120"})
        session = f"regulars_session={marketer.cookies['regulars_session']}; regulars_locale=zh-CN"
        wrong_zh = marketer.post(
            "/policies", data=form | {"epsilon": "120"}, headers={"cookie": session}
        )
        fine = marketer.post("/policies", data=form | {"name": "drawn", "choosing": "thompson"})
        no = approver.post("/policies/soft/promote", data={"csrf_token": server.csrf(approver)})
        with server.home.state.transaction() as opened:
            opened.run("update policies set stage = 'live' where name = 'greedy'")
        server.home.policies.forget()
        call = Api(server)
        by_policy = call(customer_id="c007", request_id="r1").json()["policy_version"]
        back = marketer.post(
            "/policies/greedy/rollback",
            data={"csrf_token": server.csrf(marketer), "reason": "it was wrong"},
        )
        told_back = marketer.get(back.headers["location"]).text
        again = call(customer_id="c007", request_id="r1").json()["policy_version"]
        listed = viewer.get("/api/decide/policies").json()["policies"]
        barred = viewer.post("/policies", data={"csrf_token": server.csrf(viewer), "name": "x"})
    server.home.close()

    assert staged["stage"] == "shadow"
    assert "no logged decision has had its outcome window yet" in refused["message"]
    assert "no logged decision counts yet" in page
    assert "尚无可用的决策" in chinese and "decision" not in re.sub(r"<[^>]*>", " ", chinese)
    assert "Where no other is live, the policy of the loop decides." in told_back
    assert put.json()["rule"]["choosing"] == "soft_value"
    assert (no.status_code, "stays in the shadow" in no.text) == (400, True)
    assert (bold["rule"]["choosing"], bold["rule"]["width"]) == ("lin_ucb", 2.0)
    assert "epsilon is 2.0, must be from 0 to 1" in too_often["error"]["message"]
    assert some.json()["rule"]["epsilon"] == 0.25
    assert (wrong.status_code, wrong_zh.status_code, fine.status_code) == (400, 400, 303)
    assert "must be from 0 to 100 per cent" in wrong.text
    assert "随机尝试的决策占比须在 0 到 100% 之间" in wrong_zh.text
    assert by_policy == "challenger/greedy"
    assert (back.status_code, again.startswith("online-")) == (303, True)
    assert {one["policy"]["rule"]["name"]: one["policy"]["stage"] for one in listed} == {
        "greedy": "rolled_back", "soft": "shadow", "bold": "shadow", "some": "shadow",
        "drawn": "shadow",
    }  # fmt: skip
    assert barred.status_code == 403
