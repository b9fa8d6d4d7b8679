"""The baseline policies: same luck, budget, caps and consent for all; the order they must end in."""

from dataclasses import replace

import numpy as np
import pytest

from regulars.errors import InputError, UnknownName
from regulars.rehearse.baselines.informed import mean_given
from regulars.rehearse.baselines.panel import empty_panel, observed, profile
from regulars.rehearse.baselines.policies import POLICIES, View, play, watched_history
from regulars.twin import Contacts, Plan, Twin

CUSTOMERS, TURNS = 4000, 8


@pytest.fixture(scope="module")
def started():
    twin = Twin.begin(Plan(CUSTOMERS, 7, history_weeks=26, turns=TURNS))
    return twin, watched_history(twin)


@pytest.fixture(scope="module")
def played(started):
    twin, start = started
    budget = twin.suggested_budget()
    return {name: play(twin, start, policy=name, budget=budget, turns=TURNS) for name in POLICIES}


def earned(played, name):
    """Margin above contacting nobody, after the cost of contacts, over the last four turns."""
    return np.mean(played[name].margin[-4:]) - np.mean(played["nobody"].margin[-4:])


def view_of(twin, start, budget):
    state, panel = start
    shape = twin.rules.book.costs.shape
    allowed = state.consent & panel.may_contact[:, None]
    return View(twin, state, panel, allowed, budget, np.zeros(shape), np.zeros(shape))


def test_informed_earns_more_than_every_policy_without_truth(played):
    for name in ("nobody", "everybody", "random", "rfm", "propensity"):
        assert earned(played, "informed") > earned(played, name) + 500, name


def test_contacting_those_who_would_buy_anyway_earns_little(played):
    assert earned(played, "propensity") < 0.4 * earned(played, "informed")


def test_profiles_never_tell_all(played):
    assert earned(played, "informed") < 0.8 * earned(played, "oracle")


def test_the_effect_is_large_enough_for_a_global_holdout_of_five_in_a_hundred(started, played):
    """A loop that earns 65 % of informed must be seen with 1,000 of 20,000 held out."""
    _, (_, panel) = started
    informed, nobody = played["informed"].by_customer, played["nobody"].by_customer
    design = np.stack([np.ones(CUSTOMERS), panel.sales], axis=1)
    left = nobody - design @ np.linalg.lstsq(design, nobody, rcond=None)[0]
    weeks = 12 / TURNS

    half_width = 1.645 * left.std() * np.sqrt(weeks) * np.sqrt(1 / 1000)
    effect = (informed - nobody).mean() * weeks

    assert half_width <= 0.5 * 0.65 * effect * 1.1
    assert effect >= 0.045 * nobody.mean() * weeks


@pytest.mark.parametrize("name", POLICIES)
def test_no_policy_spends_more_than_its_budget(started, played, name):
    budget = started[0].suggested_budget()

    assert max(played[name].spend) <= budget + 0.005
    assert (max(played[name].contacts) > 0) == (name != "nobody")


def test_nobody_earns_what_the_twin_earns_by_itself(started, played):
    twin, (state, _) = started

    alone = []
    for _ in range(TURNS):
        state, outcome = twin.advance(state, Contacts.none())
        alone.append(round(float(outcome.margin.sum()), 2))

    assert played["nobody"].margin == alone == played["nobody"].gross


def test_the_same_policy_with_the_same_seed_does_the_same(started, played):
    twin, start = started

    again = play(twin, start, policy="informed", budget=twin.suggested_budget(), turns=2)

    assert again.margin == played["informed"].margin[:2]
    assert again.to_report()["contacts_by_turn"] == played["informed"].contacts[:2]


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "nobody"])
def test_caps_and_consent_hold_at_every_turn(started, name):
    twin, (state, panel) = started
    twice = np.zeros((CUSTOMERS, 4), dtype=np.int64)

    for _ in range(5):
        contacts = POLICIES[name](view_of(twin, (state, panel), twin.suggested_budget()))
        assert state.consent[contacts.customer, contacts.channel].all()
        now = np.bincount(contacts.customer, minlength=CUSTOMERS)
        twice = np.concatenate([twice[:, 1:], now[:, None]], axis=1)
        assert twice.sum(axis=1).max() <= 2
        state, outcome = twin.advance(state, contacts)
        panel = observed(panel, outcome)


def test_the_hostile_world_punishes_contacting_everybody():
    twin = Twin.begin(Plan(2000, 7, "hostile", history_weeks=8))
    start = watched_history(twin)
    budget = twin.suggested_budget()

    found = {
        name: play(twin, start, policy=name, budget=budget, turns=4)
        for name in ("nobody", "everybody", "informed")
    }

    assert sum(found["everybody"].opted_out) > 5 * sum(found["informed"].opted_out)
    assert sum(found["everybody"].margin) < 0.9 * sum(found["nobody"].margin)


def test_nothing_is_worth_a_contact_in_the_null_world():
    twin = Twin.begin(Plan(1000, 7, "null", history_weeks=8))
    start = watched_history(twin)

    for name in ("informed", "oracle"):
        found = play(twin, start, policy=name, budget=twin.suggested_budget(), turns=2)
        assert sum(found.contacts) == 0, name


def test_a_policy_or_budget_that_cannot_be_is_refused(started):
    twin, start = started

    with pytest.raises(UnknownName, match="no policy named 'luck'"):
        play(twin, start, policy="luck", budget=1, turns=1)
    with pytest.raises(InputError, match="budget is -1"):
        play(twin, start, policy="rfm", budget=-1, turns=1)


def test_rfm_contacts_the_recent_frequent_and_rich(started):
    twin, start = started

    chosen = POLICIES["rfm"](view_of(twin, start, twin.suggested_budget())).customer

    panel = start[1]
    assert panel.orders[chosen].mean() > 1.5 * panel.orders.mean()
    assert panel.sales[chosen].mean() > 1.5 * panel.sales.mean()
    assert panel.last_day[chosen].mean() > np.quantile(panel.last_day, 0.6)


def test_informed_reads_nobodys_own_truth():
    """Noise no profile explains must not be found again: that is what cross-fitting is for."""
    rng = np.random.default_rng(3)
    size = 3000
    column = {"x": rng.normal(size=size), "y": rng.normal(size=size)}
    signal = column["x"] - 0.5 * column["x"] * column["y"]
    hidden = rng.normal(size=size)
    keys = rng.integers(0, 2**63, size=size).astype(np.uint64)

    known = mean_given(column, (signal + hidden)[:, None], keys=keys, seed=1)[:, 0]

    assert np.corrcoef(known, signal)[0, 1] > 0.99
    assert abs(np.corrcoef(known - signal, hidden)[0, 1]) < 0.1


def test_the_panel_counts_what_the_weeks_brought(started):
    twin, _ = started
    state, panel = twin.first(), empty_panel(CUSTOMERS)
    orders = sales = 0.0
    everybody = np.arange(CUSTOMERS)
    contacts = Contacts(everybody, everybody * 0 + 1, everybody * 0)

    for turn in range(3):
        state, outcome = twin.advance(state, contacts if turn == 1 else Contacts.none())
        panel = observed(panel, outcome)
        orders, sales = orders + outcome.orders, sales + outcome.sales

    assert np.array_equal(panel.orders, orders)
    assert panel.sales == pytest.approx(sales)
    assert np.array_equal(panel.daily[:, -21:].sum(axis=1), orders)
    assert panel.contacts.tolist() == [[0, 0, 1, 0]] * CUSTOMERS
    assert panel.may_contact.all()
    assert ((panel.last_day >= 0) == (orders > 0)).all()
    twice = replace(panel, contacts=panel.contacts + [0, 0, 1, 0])
    assert not twice.may_contact.any()


def test_a_profile_has_no_gaps_and_keeps_its_bounds(started):
    twin, (_, panel) = started

    for watched in (panel, empty_panel(CUSTOMERS)):
        columns = np.stack(list(profile(twin, watched).values()))
        assert np.isfinite(columns).all()
        assert np.abs(columns).max() <= 2.5
