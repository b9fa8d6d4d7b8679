"""One customer has one variant at every door: a page, a decide node, a coupon node, a campaign."""

from collections import Counter

from tests.measure.kept_experiments import coupon, run_experiment
from tests.serve.test_journey_decisions import (  # noqa: F401 - fixtures
    EVERYBODY,
    NOW,
    SHY,
    asked_of,
    base,
    copied,
    decided,
    kept,
    shop,
)

from regulars.app import open_app
from regulars.measure.experiments.keeping.service import exposed_rows
from regulars.reach.journeys.definition.nodes import Decide
from regulars.serve.authoring.trying import Pretending
from regulars.serve.http.decide.online import Asked, decide_now
from regulars.serve.http.door.workspaces import Workspace
from regulars.serve.sending.journeys.deciding import Decisions

OFFER = Decide(("off10",), ("sms", "app"))


def logged(app, name="coupon"):
    return {row["customer_id"]: row["variant"] for row in exposed_rows(app.state, name)}


def test_a_decide_node_keeps_to_the_variants_a_page_gives(shop):  # noqa: F811
    app, workspace = open_app(shop), Workspace(shop)
    run_experiment(app.state, now=NOW)
    chosen = dict(zip(EVERYBODY, decided(app), strict=True))
    by_node, decisions = logged(app), kept(app)
    pages = {
        who: decide_now(workspace, Asked("trip.ask/1.0", who, offers=["off10"]), now=NOW)
        for who in EVERYBODY
    }
    workspace.exposing.flush()
    by_page = {who: one.variants for who, one in pages.items() if one.variants}
    workspace.close()

    assert Counter(by_node.values()).keys() == {"control", "coupon"}
    assert {who: told["coupon"]["variant"] for who, told in by_page.items()} == by_node
    assert {who: one["variants"] for who, one in decisions.items() if one["variants"]} == by_page
    assert logged(app) == by_node
    for who, variant in by_node.items():
        assert chosen[who] is None or (variant, chosen[who].offer) == ("coupon", "off10")
        if variant == "control":
            assert not any(pages[who].candidates)
            assert set(decisions[who]["ruled_out"]["experiment"]) >= {"off10:sms"}


def test_who_had_no_way_to_be_reached_was_not_exposed(shop):  # noqa: F811
    app = open_app(shop)
    run_experiment(app.state, now=NOW)
    with app.state.transaction() as opened:
        opened.run("DELETE FROM consents WHERE customer_id = 'c001' AND purpose = 'marketing'")
    decided(app)

    assert "c001" not in logged(app)
    assert logged(app).keys() <= set(EVERYBODY) - {"c001"}


def test_a_journey_that_is_tried_exposes_nobody(shop):  # noqa: F811
    app = open_app(shop)
    run_experiment(app.state, now=NOW)
    tried = Pretending(None, Decisions(app), now=NOW).decide(OFFER, EVERYBODY, asked_of(EVERYBODY))

    assert logged(app) == {}
    assert tried == decided(app, node=OFFER)
    assert logged(app) != {}


def test_an_experiment_of_other_offers_changes_nothing_in_a_node(shop):  # noqa: F811
    app = open_app(shop)
    before = Pretending(None, Decisions(app), now=NOW).decide(OFFER, EVERYBODY, asked_of(EVERYBODY))
    variants = [{"name": n, "share": 0.5, "offers": o} for n, o in (("a", []), ("b", ["gift"]))]
    run_experiment(app.state, coupon(variants=variants), now=NOW)

    assert decided(app, node=OFFER) == before
    assert logged(app) == {}
    assert any(before)
