"""`POST /api/decide`: one round trip to a logged decision, blind to whom it may not look at."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from regulars.app import open_app
from regulars.decide.online import log, service
from regulars.decide.online.log import FOLDER, rows_in
from regulars.decide.online.service import Decider, export_decisions
from regulars.decide.policies.step import decide
from regulars.govern.access.api_keys.service import add_key
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.measure.experiments.keeping.definition import definition_of
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.keeping.service import put_experiment, start_experiment
from regulars.reach.standing import contactable
from regulars.records import Turn
from regulars.serve.http.door.role_matrix import ROLE_MATRIX

SHY, OTHER = "c005", "c007"
# What says that a decision was seen, and what people say of money, decide on no customer.
# What is done to policies on their way decides on no customer either.
DECIDES = re.compile(
    r"POST /api/decide(?!/(exposed|reviews|plan/left|limits/try|policies/.+)$)"
).match
TRAITS = ("basket_size", "weekly_orders", "discount_share", "margin_rate", "recency_days",
          "contacts_28d", "age_group", "engaged_share", "trend_30d", "orders")  # fmt: skip


def consented(app, now):
    words = [Word(f"c{n:03}", "marketing", "granted", now) for n in range(1, 60)]
    words.append(Word(SHY, "profiling", "denied", now))
    set_consent(app.state, words, actor="test", now=now)


@pytest.fixture(name="shop")
def a_shop_that_decides(make_shop, tmp_path):
    folder = tmp_path / "shop"
    make_shop.filled(folder)
    app = open_app(folder)
    consented(app, datetime.now(UTC))
    return folder


class Api:
    """Calls the API with a key of its own."""

    def __init__(self, server):
        now = datetime.now(UTC)
        state = server.home.state
        name = f"site{len(str(now))}{now.microsecond}"
        _, key = add_key(state, name=name, role="analyst", actor="admin", owner="analyst", now=now)
        self.client, self.headers = server.client(None), {"authorization": f"Bearer {key}"}

    def __call__(self, path="", **body):
        return self.client.post(f"/api/decide{path}", json=body, headers=self.headers)


def told(answer, *names):
    found = answer.json()
    return {name: value for name, value in found.items() if name not in {"at", *names}}


def test_one_round_trip_decides_and_logs_and_the_same_request_gets_the_same(shop, serve):
    with serve(shop) as server:
        call = Api(server)
        first, again = (call(customer_id=OTHER, request_id="r1") for _time in range(2))
        other = call(customer_id="c000", request_id="r1")

        server.home.decider.log.flush()
        seen = [call("/exposed", decision_id=first.json()["decision_id"]).json() for _ in range(2)]
        unlogged = call("/exposed", decision_id="d0000").json()

    assert first.status_code == 200
    assert told(first) == told(again)
    assert first.json()["verdict"] in {"send", "abstain", "holdout"}
    assert 0 < first.json()["propensity"] <= 1
    assert other.json()["reason"] in {"no_consent", "global_holdout"}
    assert (seen, unlogged) == ([{"counts": True}, {"counts": False}], {"counts": False})
    rows = list(rows_in(shop / FOLDER))
    assert [row.get("customer_id") for row in rows] == [OTHER, "c000", None]


def test_what_was_answered_otherwise_the_second_time_is_logged_and_seen_for_itself(shop, serve):
    with serve(shop) as server:
        call = Api(server)
        asked = [
            call(customer_id=OTHER, request_id="r1", **more).json()
            for more in ({}, {"channels": ["app"]}, {"offers": ["news"]}, {"channels": ["app"]})
        ]
        server.home.decider.log.flush()
        seen = [call("/exposed", decision_id=one["decision_id"]).json()["counts"] for one in asked]
        wrong = call(customer_id=OTHER, request_id="r1", channels=["fax"])

    logged = {row["decision_id"]: row for row in rows_in(shop / FOLDER) if "decision_id" in row}
    assert len(logged) == 3
    for one in asked:
        assert one == logged[one["decision_id"]] | {"at": one["at"]}
    assert seen == [True, True, True, False]
    assert {name.partition(":")[2] for name in asked[1]["candidates"]} <= {"app"}
    assert asked[1]["ruled_out"]["not_asked"] == ["news:sms", "off10:sms"]
    assert (wrong.status_code, "fax" in wrong.json()["error"]["message"]) == (400, True)


def test_many_are_decided_at_once_and_the_log_reaches_the_lake_once(shop, serve):
    asked = [{"customer_id": f"c{n:03}", "request_id": "batch-1"} for n in range(1, 41)]
    with serve(shop) as server:
        call = Api(server)
        found = call("/batch", customers=asked, offers=["news"]).json()["decisions"]
        server.home.decider.log.flush()
        call("/exposed", decision_id=found[0]["decision_id"])
        server.home.decider.log.flush()

    app = open_app(shop)
    assert export_decisions(shop, app.lake) == 41
    assert export_decisions(shop, app.lake) == 0
    kept = app.engine.rows(app.engine.table("online_decisions").order_by("customer_id"))
    assert [row["customer_id"] for row in kept] == [one["customer_id"] for one in asked]
    assert {row["offer_id"] for row in kept} <= {"news", None}
    assert json.loads(kept[0]["candidates"]).keys() <= {"news:sms", "news:app"}
    [exposed] = app.engine.rows(app.engine.table("online_exposures"))
    assert exposed["decision_id"] == found[0]["decision_id"]


def test_a_batch_with_a_wrong_row_decides_nothing_and_says_which_rows(shop, serve):
    asked = [
        {"customer_id": "c001", "request_id": "b"},
        {"customer_id": "c002", "request_id": ""},
        {"customer_id": "c003", "request_id": "b", "channels": ["fax"]},
    ]
    with serve(shop) as server:
        answer = Api(server)("/batch", customers=asked)

    message = answer.json()["error"]["message"]
    assert answer.status_code == 400
    assert "customers[1]: request_id" in message
    assert "customers[2]: no channel named 'fax'" in message
    assert list(rows_in(shop / FOLDER)) == []


def test_with_profiling_off_no_route_that_decides_looks_at_the_customer(shop, serve, make_shop):
    answers, turns, asked = [], [], set()
    run_an_experiment(open_app(shop).state)
    for change in (None, 1, 2):
        if change:
            perturb(shop, change, make_shop)
        with serve(shop) as server:
            call = Api(server)
            shy = [call(customer_id=SHY, request_id=f"r{n}-{n}") for n in range(6)]
            call.headers["cookie"] = "a=b"  # which no short way takes
            shy += [call(customer_id=SHY, request_id=f"r{n}-{n}") for n in range(6)]
            batch = call("/batch", customers=[{"customer_id": SHY, "request_id": "b"}])
            given = call("/variants", customer_id=SHY)
            answers.append([told(a) for a in shy] + [told_all(batch), given.json()])
            asked |= {a.request.url.path for a in [*shy, batch, given]}
        turns.append(turn_decisions(shop))

    deciding = {one.removeprefix("POST ") for one in ROLE_MATRIX.least_by_route if DECIDES(one)}
    assert asked == deciding, "a route that decides is left out here"
    assert answers[0] == answers[1] == answers[2]
    assert all(answer["features"] == {} for answer in answers[0][:12])
    assert turns[0] == turns[1] == turns[2]


def run_an_experiment(state):
    """Start one whose variants close no offer."""
    definition = definition_of({
        "id": "banner",
        "name": "Banner",
        "hypothesis": "Red is seen.",
        "variants": [{"name": "grey", "share": 0.5}, {"name": "red", "share": 0.5}],
        "primary": "buyers",
        "effect": 0.05,
    })
    now, plan = datetime.now(UTC), PowerPlan(2, {"grey": 1, "red": 1}, 1, 7, 0.05, 0.1, True, "")
    put_experiment(state, definition, actor="test", now=now)
    start_experiment(state, "banner", plan, actor="test", now=now)


def test_the_test_of_blindness_would_see_a_look(shop, serve, make_shop):
    app = open_app(shop)
    set_consent(
        app.state, Word(SHY, "profiling", "granted", datetime.now(UTC)), actor="t",
        now=datetime.now(UTC),
    )  # fmt: skip
    found = []
    for change in (1, 2):
        perturb(shop, change, make_shop)
        with serve(shop) as server:
            found.append(told(Api(server)(customer_id=SHY, request_id="r")))

    assert found[0]["candidates"] != found[1]["candidates"]


def told_all(answer):
    return [{k: v for k, v in one.items() if k != "at"} for one in answer.json()["decisions"]]


def perturb(folder, change, make_shop, who=SHY):
    """Make another person of a customer, in every column a decision could look at."""
    app = open_app(folder)
    for turn in (1, 2):
        table = app.engine.table("profiles")
        rows = app.engine.rows(table.filter(table.turn == turn).order_by("customer_id"))
        for row in rows:
            if row["customer_id"] == who:
                row |= {name: another(row[name], change) for name in TRAITS}
        make_shop.put(app, "profiles", rows, turn=turn)


def another(value, change):
    if isinstance(value, str):
        return ("19-24", "65+")[change - 1]
    return type(value)(7 * change) if isinstance(value, int | Decimal) else 0.9 / change


def turn_decisions(folder):
    """Decide for a whole turn, as the loop does."""
    app = open_app(folder)
    turn = Turn(2, datetime(2026, 3, 1).date(), datetime(2026, 3, 2, 2, tzinfo=UTC), 7)
    settings = app.settings
    now = datetime.now(UTC)
    decide.run(
        app.bound(decide, 2),
        turn,
        loop=settings.loop,
        channel_costs={name: part.cost for name, part in settings.channels.items()},
        standing_of=lambda customers: contactable(
            app.state,
            Turn(2, turn.as_of, now, 7),
            customers,
            channels=tuple(settings.channels),
            policy=settings.policy,
            zone=settings.retailer.zone,
        ),
        profiling_refused={SHY},
    )
    engine = open_app(folder).engine
    table = engine.table("decisions")
    return engine.rows(table.filter(table.turn == 2).order_by("customer_id"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"request_id": "r"}, "say who"),
        ({"customer_id": "c1"}, "request_id"),
        ({"customer_id": "c1", "request_id": ""}, "request_id"),
        ({"customer_id": "c1", "request_id": "r", "verdict": "send"}, "verdict"),
        ({"namespace": "shoe size", "value": "44", "request_id": "r"}, "shoe size"),
        ({"namespace": "login", "value": "x", "customer_id": "c1", "request_id": "r"}, "say who"),
    ],
)
def test_a_request_that_names_nobody_or_too_much_is_refused(shop, serve, body, says):
    with serve(shop) as server:
        answer = Api(server)(**body)

    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


def test_a_shop_that_never_decided_says_what_must_happen_first(make_shop, serve, tmp_path):
    make_shop.empty(tmp_path / "empty")
    with serve(tmp_path / "empty") as server:
        answer = Api(server)(customer_id="c1", request_id="r")

    assert answer.status_code == 503
    assert "regulars run" in answer.json()["error"]["message"]


def test_money_for_online_decisions_is_never_overspent(shop, serve):
    with (shop / "regulars.toml").open("a", encoding="utf-8") as file:
        file.write('[loop]\nonline_budget = "0.20"\n')
    asked = [{"customer_id": f"c{n:03}", "request_id": "b"} for n in range(1, 60)]

    with serve(shop) as server:
        found = Api(server)("/batch", customers=asked).json()["decisions"]

    spent = sum(Decimal(one["cost"]) for one in found)
    assert 0 < spent <= Decimal("0.20")
    assert "budget" in {one["reason"] for one in found}


ASKED = [f"c{n:03}" for n in range(1, 60)]


@contextmanager
def deciding(folder):
    """Decide without a server, with 0.20 to spend between two turns."""
    app = open_app(folder)
    loop = replace(app.settings.loop, online_budget=Decimal("0.20"))

    @contextmanager
    def reading():
        yield app.engine

    decider = Decider(folder, reading, app.state, replace(app.settings, loop=loop))
    yield decider
    decider.log.flush()
    decider.close()


def decided(decider, request):
    return [
        decider.decide(
            one, request_id=request, refusals={"sms": "", "app": ""}, now=datetime.now(UTC)
        )
        for one in ASKED
    ]


def paid(decisions):
    return sum(one.cost for one in decisions)


def test_who_got_nothing_for_want_of_money_gets_nothing_after_a_restart_either(shop):
    with deciding(shop) as decider:
        before = decided(decider, "r")
    with deciding(shop) as decider:
        again, others = decided(decider, "r"), decided(decider, "other")

    assert "budget" in {one.reason for one in before}
    assert [(one.verdict, one.cost) for one in again] == [(one.verdict, one.cost) for one in before]
    assert 0 < paid(before) + paid(others) <= Decimal("0.20")
    for one in before:
        if one.reason == "budget":
            chance = one.candidates[f"{one.offer_id}:{one.channel}"][1]
            assert one.propensity == pytest.approx(0.9 * chance, abs=1e-6), "that of the draw"


def test_a_new_turn_has_its_own_money_and_nobody_waits_for_the_log_to_be_read(shop, monkeypatch):
    def read(*_args, **_kwargs):
        raise AssertionError("the whole log is read again")

    with deciding(shop) as decider:
        now = datetime.now(UTC)
        newest = decider.knowledge(now=now)
        earlier = replace(newest, turn=newest.turn - 1)
        decider._knowledge = earlier
        before = decided(decider, "r")
        monkeypatch.setattr(service, "rows_in", read)
        monkeypatch.setattr(log, "rows_in", read)

        decider._refresh(now)

        after = decided(decider, "r")
        decider._knowledge = earlier
        late = decided(decider, "late")

    assert {one.turn for one in before} == {newest.turn - 1}
    assert {one.turn for one in after} == {newest.turn}
    assert 0 < paid(before) + paid(late) <= Decimal("0.20")
    assert 0 < paid(after) <= Decimal("0.20")
