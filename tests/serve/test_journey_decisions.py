"""A decide node asks the same decision as `POST /api/decide`, keeps it, and takes the same money."""

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from regulars.app import open_app
from regulars.decide.online.reading.service import newest_turn
from regulars.decide.online.service import export_decisions
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.reach.journeys.definition.nodes import Decide
from regulars.serve.authoring.trying import Pretending
from regulars.serve.http.decide.online import Asked, decide_now
from regulars.serve.http.door.workspaces import Workspace
from regulars.serve.sending.journeys.deciding import Decisions

NOW = datetime(2026, 3, 3, 2, tzinfo=UTC)
NODE = Decide(("news", "off10"), ("sms", "app"))
SHY = "c005"
EVERYBODY = [f"c{n:03}" for n in range(1, 60)]
FREE = 'online_budget = "1000000"\n'


@pytest.fixture(scope="module")
def base(make_shop, tmp_path_factory):
    """Two turns decided, and everybody may be contacted."""
    folder = tmp_path_factory.mktemp("deciding") / "shop"
    app = make_shop.filled(folder)
    words = [Word(who, "marketing", "granted", NOW) for who in EVERYBODY]
    words.append(Word(SHY, "profiling", "denied", NOW))
    set_consent(app.state, words, actor="test", now=NOW)
    return folder


@pytest.fixture
def shop(base, tmp_path, copied):
    return copied(base, tmp_path / "shop")


@pytest.fixture
def copied():
    """Copies a shop and adds settings of the loop."""
    import shutil

    def copy(base, folder, loop=""):
        shutil.copytree(base, folder)
        path = folder / "regulars.toml"
        path.write_text(path.read_text("utf-8") + f"[loop]\n{loop}", "utf-8")
        return folder

    return copy


def asked_of(customers, visit=0):
    return [f"trip.ask/1.{visit}" for _one in customers]


def decided(app, customers=EVERYBODY, visit=0, node=NODE):
    with app.state.transaction() as opened:
        return Decisions(app).decide(opened, node, customers, asked_of(customers, visit), now=NOW)


def lines(app):
    with app.state.reading() as opened:
        rows = opened.all("SELECT line FROM journey_decisions ORDER BY decision_id")
    return [json.loads(row["line"]) for row in rows]


def kept(app):
    return {one["customer_id"]: one for one in lines(app)}


def test_a_node_decides_what_the_api_decides_and_keeps_every_decision_with_its_chance(shop):
    app, workspace = open_app(shop), Workspace(shop)
    chosen = dict(zip(EVERYBODY, decided(app), strict=True))
    logged = kept(app)

    for who in EVERYBODY:
        asked = Asked("trip.ask/1.0", who, offers=list(NODE.offers), channels=list(NODE.channels))
        same = json.loads(decide_now(workspace, asked, now=NOW).encoded())
        # Money of the turn is shared, so the one who comes second may get none.
        if same["reason"] != "budget":
            assert logged[who] | {"at": ""} == same | {"at": ""}
    workspace.close()
    assert logged.keys() == set(EVERYBODY)
    sends = {who for who, one in logged.items() if one["verdict"] == "send"}
    assert sends == {who for who, one in chosen.items() if one} != set()
    assert all(0 < logged[who]["propensity"] == chosen[who].propensity for who in sends)


def test_who_lets_no_feature_be_used_is_decided_on_alike_whatever_is_known_of_her(shop, make_shop):
    before = open_app(shop)
    decided(before)
    first = kept(before)[SHY]

    turn = newest_turn(before.engine)
    rows = before.engine.rows(before.engine.table("profiles").filter(lambda t: t.turn == turn))
    for row in rows:
        if row["customer_id"] == SHY:
            row |= {"basket_size": 900.0, "recency_days": 1, "weekly_orders": 9.0}
    make_shop.put(before, "profiles", rows, turn=turn)
    with before.state.transaction() as opened:
        opened.run("DELETE FROM journey_decisions")
    after = open_app(shop)
    decided(after)

    assert kept(after)[SHY] == first
    assert first["features"] == {}
    assert first["model_version"].endswith("/plain")


def test_a_window_that_is_rolled_back_decided_nothing_and_one_told_twice_is_told_once(shop):
    app = open_app(shop)
    with pytest.raises(KeyError), app.state.transaction() as opened:
        Decisions(app).decide(opened, NODE, EVERYBODY, asked_of(EVERYBODY), now=NOW)
        raise KeyError("killed")
    assert kept(app) == {}
    decided(app)
    decided(app)

    assert export_decisions(shop, app.lake, app.state) == len(EVERYBODY)
    assert export_decisions(shop, app.lake, app.state) == 0
    assert kept(app) == {}
    rows = app.engine.rows(app.engine.table("online_decisions"))
    assert sorted(row["customer_id"] for row in rows) == EVERYBODY
    decided(app, visit=2)
    assert export_decisions(shop, app.lake, app.state) == len(EVERYBODY)


def test_trying_a_journey_decides_the_same_and_takes_and_keeps_nothing(shop):
    app = open_app(shop)
    tried = Pretending(None, Decisions(app), now=NOW).decide(NODE, EVERYBODY, asked_of(EVERYBODY))
    nothing = kept(app), taken(app)

    assert nothing == ({}, {})
    assert tried == decided(app)


def test_before_any_turn_nothing_is_decided(make_shop, tmp_path):
    app = make_shop.empty(tmp_path / "new")

    assert decided(app, ["ann", "bob"]) == [None, None]
    assert kept(app) == {}


def taken(app):
    with app.state.reading() as opened:
        rows = opened.all("SELECT kind, name, taken FROM online_takings WHERE taker = ''")
    return {(row["kind"], row["name"]): row["taken"] for row in rows}


def test_journeys_and_pages_together_spend_no_cent_more_than_the_money_of_the_turn(
    base, tmp_path, copied
):
    folder = copied(base, tmp_path / "poor", 'online_budget = "0.60"\nglobal_holdout = 0.0\n')
    app, workspace, spent = open_app(folder), Workspace(folder), Decimal(0)
    for visit in range(3):
        for who in EVERYBODY[visit::3]:
            made = decide_now(workspace, Asked(f"page{visit}", who), now=NOW)
            spent += made.cost
        decided(app, EVERYBODY[visit::2], visit=visit)
        # A process that dies gives nothing back, and takes nothing twice.
        workspace.decider.log.flush()
        workspace._decider = lost(workspace)
    journeys = sum((Decimal(one["cost"]) for one in lines(app)), Decimal(0))

    assert spent > 0
    assert journeys > 0
    assert Decimal("0.50") < spent + journeys <= Decimal("0.60")
    assert "budget" in {one["reason"] for one in lines(app)}
    workspace.close()


def test_no_cell_takes_more_online_than_the_plan_of_the_turn_leaves_it(
    base, tmp_path, copied, make_shop
):
    folder = copied(base, tmp_path / "planned", "global_holdout = 0.0\nexploration_floor = 0.2\n")
    app = open_app(folder)
    cells = [
        {"segment": segment, "channel": "app", "offer_id": "news", "is_binding": True, "most": most}
        # The turn itself sends by sms only, so that all of it is left.
        for segment, most in (("champions", 0.03), ("at_risk", 0.0))
    ]
    make_shop.put(app, "budget_plans", cells, turn=2)
    workspace, made = Workspace(folder), []
    for visit in range(6):
        for who in EVERYBODY:
            asked = Asked(f"p{visit}", who, offers=["news"], channels=["app"])
            made.append(decide_now(workspace, asked, now=NOW))
        decided(app, visit=visit, node=Decide(("news",), ("app",)))
    workspace.close()

    rows = [json.loads(one.encoded()) for one in made] + lines(app)
    sends = [one for one in rows if one["verdict"] == "send"]
    by_cell = Counter(one["cell"] for one in sends)
    assert by_cell["champions|app|news"] == 3
    assert by_cell["at_risk|app|news"] == 0
    # Who lets no feature be used has no segment, and no cell binds her.
    assert {one["customer_id"] for one in sends if not one["cell"]} <= {SHY}
    assert any(one["ruled_out"].get("budget") == ["news:app"] for one in rows)


def test_a_stock_is_given_out_to_the_last_and_never_beyond_it(base, tmp_path, copied):
    folder = copied(base, tmp_path / "short", "global_holdout = 0.0\nexploration_floor = 0.2\n")
    app, made = open_app(folder), []
    with app.state.transaction() as opened:
        opened.run("INSERT INTO offer_stock (offer_id, stock, given) VALUES ('news', 4, 1)")
    for _process in range(2):
        workspace = Workspace(folder)
        for number, who in enumerate(EVERYBODY):
            asked = Asked(f"p{_process}", who, offers=["news"])
            made.append(decide_now(workspace, asked, now=NOW))
            if number == 5:
                # Who asks again takes no second one.
                again = decide_now(workspace, asked, now=NOW)
                assert (again.verdict, again.decision_id) == (
                    made[-1].verdict,
                    made[-1].decision_id,
                )
        workspace.close()
    with app.state.reading() as opened:
        [row] = opened.all("SELECT given FROM offer_stock")

    assert sum(one.takes_stock for one in made) == 3
    assert row["given"] == 4
    assert made[-1].ruled_out["stock"] == ["news:app", "news:sms"]


def lost(workspace):
    """The server is killed: what is on disk stays, nothing is given back."""
    workspace.decider.log.close()
