"""Whatever carries an offer keeps to the variants of a running experiment, and logs who got which."""

from collections import Counter
from datetime import timedelta

import pytest
from tests.measure.kept_experiments import coupon, run_experiment
from tests.reach.campaign_shop import NOW, CampaignShop, people
from tests.reach.gate.desks import Desk, ask

from regulars.adapters.state import SQLState, migrate
from regulars.decide.assignment.dealing.giving import variants_of
from regulars.decide.assignment.dealing.service import Dealer, running_now
from regulars.measure.experiments import check_sample_ratio
from regulars.measure.experiments.keeping.service import exposed_rows, stop_experiment
from regulars.reach.standing.gate import Gate, gate_of

EVERYBODY = people(400)


@pytest.fixture
def shop(tmp_path):
    made = CampaignShop(tmp_path)
    made.gate = gate_of(made.settings, now=NOW)
    return made


@pytest.fixture
def desk(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    made = Keeping(SQLState(url))
    made.rules(cap_contacts=100)
    return made


class Keeping(Desk):
    """A desk whose gate keeps to experiments; nobody is held out of everything."""

    @property
    def gate(self):
        return Gate(self.policy, zone=self.zone, dealer=Dealer(7, 0.0))

    def variants(self, name="coupon"):
        return {row["customer_id"]: row["variant"] for row in exposed_rows(self.state, name)}


def expected(state, customers, *, holdout=0.05):
    """The variant each customer has, asked one at a time as a page asks."""
    running = running_now(state)
    given = {who: variants_of(who, running, seed=7, global_holdout=holdout) for who in customers}
    return {who: found[0].variant.name for who, found in given.items() if found}


def test_a_written_campaign_keeps_to_the_variants_and_logs_each_customer_once(shop):
    run_experiment(shop.state, now=NOW)
    shop.ready(EVERYBODY, offer="off10")
    shop.go()
    contacted = {who for who, arm in shop.assignments().items() if arm == "contact"}
    wanted = expected(shop.state, contacted)
    logged = {row["customer_id"]: row["variant"] for row in exposed_rows(shop.state, "coupon")}

    assert logged == wanted
    assert set(shop.delivered()) == {who for who in contacted if wanted[who] == "coupon"}
    assert shop.counts()["all"].reasons["skipped/experiment"] == Counter(wanted.values())["control"]
    assert shop.counts()["all"].is_balanced
    counts = Counter(logged.values())
    assert not check_sample_ratio([counts["control"], counts["coupon"]], [0.5, 0.5]).mismatch
    # A second campaign of the same offer finds them in the log as they are.
    shop.later(days=1)
    shop.put(EVERYBODY, id="milk", offer="off10")
    shop.approve(shop.submit("milk"))
    shop.start(EVERYBODY, name="milk")
    shop.go()
    again = {row["customer_id"]: row for row in exposed_rows(shop.state, "coupon")}
    assert {who: again[who]["at"] for who in logged} == dict.fromkeys(logged, NOW.isoformat())
    assert {who: row["variant"] for who, row in again.items()} == expected(shop.state, again)


def test_a_campaign_without_an_offer_of_the_experiment_exposes_nobody(shop):
    run_experiment(shop.state, now=NOW)
    shop.ready(EVERYBODY[:60])
    shop.go()

    assert exposed_rows(shop.state, "coupon") == []
    assert len(shop.delivered()) > 40


def test_only_who_would_have_got_the_offer_is_exposed(desk):
    run_experiment(desk.state)
    here, left, held = [f"h{n}" for n in range(20)], "left", "held"
    for who in (*here, held):
        desk.says(who)
    desk.says(left, "withdrawn")
    desk.judges(
        *[ask(who, who, offer_id="off10") for who in here],
        ask("left", left, offer_id="off10"),
        ask("held", held, offer_id="off10", holdout="campaign_holdout"),
    )
    wanted = expected(desk.state, here, holdout=0.0)

    assert desk.variants() == wanted
    assert set(wanted.values()) == {"control", "coupon"}


def test_what_is_refused_takes_no_room_and_what_a_customer_waits_for_passes(desk):
    run_experiment(desk.state)
    variants = expected(desk.state, [f"c{n}" for n in range(30)], holdout=0.0)
    control = next(who for who, name in variants.items() if name == "control")
    desk.says(control)
    desk.rules(cap_contacts=1)
    desk.stocks("off10", 1)

    said = desk.judges(
        ask("k1", control, offer_id="off10", priority=2),
        ask("k2", control, offer_id="receipt", priority=1),
    )
    waits = desk.judges(ask("k3", control, offer_id="off10", message_class="transactional"))
    assert said == [("skip", "experiment"), ("allow", "")]
    assert waits == [("allow", "")]
    assert desk.variants() == {control: "control"}


def test_layers_keep_experiments_apart_and_let_others_overlap(desk):
    """Two slices of one layer and another layer over both; each logs its own customers."""
    for name, layer in (("one", "a"), ("two", "a"), ("three", "b")):
        run_experiment(desk.state, coupon(id=name, layer=layer, traffic=0.5))
    customers = [f"c{n}" for n in range(300)]
    for who in customers:
        desk.says(who)
    said = desk.judges(*[ask(who, who, offer_id="off10") for who in customers])
    logged = {name: desk.variants(name) for name in ("one", "two", "three")}

    assert logged["one"].keys() | logged["two"].keys() == set(customers)
    assert not logged["one"].keys() & logged["two"].keys()
    assert logged["one"].keys() & logged["three"].keys()
    for who, (decision, _reason) in zip(customers, said, strict=True):
        mine = {found[who] for found in logged.values() if who in found}
        assert (decision == "allow") == ("control" not in mine)


def test_an_experiment_that_was_stopped_keeps_nothing_from_anybody(desk):
    run_experiment(desk.state)
    desk.says("ann")
    later = NOW + timedelta(days=1)
    stop_experiment(desk.state, "coupon", reason="enough", actor="mei", now=later)

    assert desk.judges(ask("k", "ann", offer_id="off10")) == [("allow", "")]
    assert desk.variants() == {}
