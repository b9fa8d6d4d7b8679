"""One week of the twin: the same luck for everybody, money that adds up, worlds as declared."""

from dataclasses import replace

import numpy as np
import pytest

from regulars.errors import InputError, UnknownName
from regulars.twin import Contacts, Plan, Twin


def test_a_customer_left_alone_does_the_same_whoever_else_is_contacted(begun):
    twin, state = begun()
    some = np.arange(0, 2000, 2)
    contacts = Contacts(some, some % 4, some % 3)

    _, with_contacts = twin.advance(state, contacts)
    _, alone = twin.advance(state, Contacts.none())

    others = np.setdiff1d(np.arange(2000), some)
    assert np.array_equal(with_contacts.margin[others], alone.margin[others])
    assert not np.array_equal(with_contacts.margin[some], alone.margin[some])


def test_the_first_customers_of_a_larger_twin_are_a_smaller_twin(begun):
    small, small_state = begun(500)
    large, large_state = begun(2000)

    _, few = small.advance(small_state, Contacts.none())
    _, many = large.advance(large_state, Contacts.none())

    assert np.array_equal(few.margin, many.margin[:500])
    assert few.sales.sum() > 0


def test_two_seeds_are_two_histories(begun):
    _, one = begun()[0].advance(begun()[1], Contacts.none())
    _, other = begun(seed=8)[0].advance(begun(seed=8)[1], Contacts.none())

    assert not np.array_equal(one.orders, other.orders)


def test_every_cent_of_a_week_adds_up(begun, contact_everybody):
    twin, state = begun()

    _, outcome = twin.advance(state, contact_everybody(twin))

    rows, lines = outcome.order_rows, outcome.line_rows
    assert outcome.orders.sum() == len(rows.customer) == len(np.unique(lines.order))
    assert outcome.sales.sum() == pytest.approx(lines.sales.sum() / 100)
    assert outcome.margin.sum() == pytest.approx((lines.sales - lines.cost).sum() / 100)
    assert outcome.discount_given.sum() == pytest.approx(lines.offer_discount.sum() / 100)
    assert (lines.sales >= 0).all()
    off = np.bincount(lines.order, lines.offer_discount, minlength=len(rows.customer))
    assert np.array_equal(off > 0, rows.uses_offer)
    assert np.bincount(rows.customer, rows.uses_offer).max() == 1


def test_money_off_is_used_only_from_its_least_order(begun):
    twin, state = begun()
    everybody = np.arange(2000)
    money = twin.rules.book.offers[2]

    _, outcome = twin.advance(state, Contacts(everybody, everybody * 0 + 2, everybody * 0))

    lines = outcome.line_rows
    before = np.bincount(lines.order, lines.sales + lines.offer_discount) / 100
    used = outcome.order_rows.uses_offer
    assert used.sum() > 100
    assert before[used].min() >= money.least
    assert outcome.discount_given[outcome.redeemed].mean() == pytest.approx(money.amount, abs=0.02)


def test_margins_lie_where_a_grocers_margins_lie(begun):
    rates = begun()[0].population.margin_rate

    assert 0.20 < rates.min() < rates.mean() < rates.max() < 0.35


def test_orders_pulled_forward_are_missing_in_the_next_weeks(begun):
    twin, state = begun(20_000)
    everybody = np.arange(20_000)

    after, now = twin.advance(state, Contacts(everybody, everybody * 0 + 1, everybody * 0))
    _, next_week = twin.advance(after, Contacts.none())
    untouched, before = twin.advance(state, Contacts.none())
    _, next_alone = twin.advance(untouched, Contacts.none())

    assert now.orders.sum() > before.orders.sum()
    owed = after.debt.sum(axis=1) > 0
    assert next_week.orders[owed].sum() < next_alone.orders[owed].sum()


def test_some_redeem_who_would_have_bought_anyway(begun):
    twin, state = begun()
    everybody = np.arange(2000)

    _, outcome = twin.advance(state, Contacts(everybody, everybody * 0 + 1, everybody * 0))
    _, alone = twin.advance(state, Contacts.none())

    gave_away = outcome.redeemed & (outcome.orders <= alone.orders)
    assert gave_away.sum() > 50
    assert (outcome.margin[gave_away] < alone.margin[gave_away]).mean() > 0.5


def test_contacts_do_nothing_in_the_null_world(begun, contact_everybody):
    twin, state = begun(world="null")

    for _ in range(4):
        _, alone = twin.advance(state, Contacts.none())
        state, outcome = twin.advance(state, contact_everybody(twin))
        assert np.array_equal(outcome.margin, alone.margin)
        assert not outcome.redeemed.any()
        assert not outcome.opted_out.any()
    assert np.abs(twin.expected_effects(state)).max() == 0


def test_half_the_customers_or_so_gain_nothing_from_a_usual_contact_in_the_normal_world(begun):
    twin, state = begun(5000)

    usual = twin.expected_effects(state).mean(axis=(1, 2))

    assert 0.30 <= (usual <= 0).mean() <= 0.6


def test_the_hostile_world_tires_harms_and_loses_customers(begun, contact_everybody):
    left, harm = {}, {}
    for world in ("normal", "hostile"):
        twin, state = begun(world=world)
        gone = 0
        for _ in range(4):
            state, outcome = twin.advance(state, contact_everybody(twin))
            gone += outcome.opted_out.sum()
        left[world], harm[world] = gone, twin.expected_effects(state).mean()

    assert left["hostile"] > 10 * left["normal"]
    assert harm["hostile"] < 0


def test_the_shift_changes_answers_at_mid_run_and_not_before(begun):
    normal, shift = begun()[0], begun(world="shift")[0]
    halfway = shift.plan.history_weeks + shift.plan.turns // 2

    before = shift.rules.response(shift.population, halfway)
    after = shift.rules.response(shift.population, halfway + 1)

    assert np.array_equal(before.lift, normal.population.before.lift)
    assert not np.array_equal(after.lift, before.lift)
    assert not np.array_equal(after.notice, before.notice)


def test_yuan_are_dollars_times_the_declared_scale(begun):
    us, us_state = begun(500)
    zh, zh_state = begun(500, skin="zh")

    _, dollars = us.advance(us_state, Contacts.none())
    _, yuan = zh.advance(zh_state, Contacts.none())

    assert yuan.sales.sum() == pytest.approx(4 * dollars.sales.sum(), rel=0.001)
    assert zh.suggested_budget() == 4 * us.suggested_budget()


@pytest.mark.parametrize(
    ("contacts", "says"),
    [
        (([1, 1], [0, 0], [0, 0]), "twice"),
        (([5000], [0], [0]), "customer is 5000"),
        (([1], [4], [0]), "offer is 4"),
        (([1], [0], [3]), "channel is 3"),
    ],
    ids=["twice", "unknown customer", "unknown offer", "unknown channel"],
)
def test_contacts_that_cannot_be_are_refused(begun, contacts, says):
    twin, state = begun()

    with pytest.raises(InputError, match=says):
        twin.advance(state, Contacts(*(np.array(part) for part in contacts)))


def test_a_plan_that_cannot_be_is_refused():
    with pytest.raises(UnknownName, match="no world named 'calm'"):
        Twin.begin(Plan(10, 1, world="calm"))
    with pytest.raises(UnknownName, match="no skin named 'fr'"):
        Twin.begin(Plan(10, 1, skin="fr"))
    with pytest.raises(InputError, match="customers is 0"):
        Twin.begin(replace(Plan(10, 1), customers=0))
