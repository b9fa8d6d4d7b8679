"""A coupon node gives no code of an offer that the customer's variant leaves out."""

from tests.measure.kept_experiments import GIVEN, coupon, run_experiment

from regulars.decide.assignment.dealing.service import Dealer
from regulars.measure.experiments.keeping.service import exposed_rows
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.walking.cohort import Doing
from regulars.serve.sending.journeys import means

WHO = [f"c{n}" for n in range(24)]
VARIANTS = [
    {"name": "control", "share": 0.5, "offers": []},
    {"name": "coupon", "share": 0.5, "offers": ["ten_off"]},
]


def doings():
    settings = {"offer": "ten_off"}
    return [
        Doing(f"trip/{n}/0", who, "trip", "gift", NodeKind.COUPON, settings, 0, {})
        for n, who in enumerate(WHO)
    ]


def gives(counter):
    with counter.state.sharing() as opened:
        found = means.coupon(opened, doings(), counter.now, dealer=Dealer(7, 0.0))
    return dict(zip(WHO, found, strict=True))


def test_control_takes_the_other_way_and_everybody_who_came_is_logged_once(counter):
    counter.offer(codes=4)
    run_experiment(counter.state, coupon(**GIVEN | {"variants": VARIANTS}), now=counter.now)
    codes, again = gives(counter), gives(counter)
    logged = {row["customer_id"]: row["variant"] for row in exposed_rows(counter.state, "coupon")}

    # Codes run out: who came too late is logged as well, or the split would lose him.
    assert logged.keys() == set(WHO)
    assert codes == again
    assert sum(code is not None for code in codes.values()) == 4
    assert {logged[who] for who, code in codes.items() if code} == {"coupon"}
    assert set(logged.values()) == {"control", "coupon"}


def test_without_an_experiment_everybody_gets_one(counter):
    counter.offer(codes=30)
    run_experiment(counter.state, coupon(), now=counter.now)

    assert all(gives(counter).values())
    assert exposed_rows(counter.state, "coupon") == []
