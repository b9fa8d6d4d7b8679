"""The closed form of the truth, held against what the twin then really does."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from regulars.twin import Contacts, Plan, Twin

SEEDS = range(100, 106)
WEEKS_AFTER = 8


def with_figures(twin, **figures):
    values = MappingProxyType(
        twin.rules.values | {k.replace("__", "."): v for k, v in figures.items()}
    )
    return replace(twin, rules=replace(twin.rules, values=values))


def reseeded(twin, seed):
    return replace(twin, plan=replace(twin.plan, seed=seed))


def mixed_contacts(size):
    rows = np.arange(size)
    return Contacts(rows, rows % 4, rows // 4 % 3)


def lived_margin(twin, state, contacts, weeks):
    total = np.zeros(len(twin.population.ids))
    for week in range(weeks):
        state, outcome = twin.advance(state, contacts if week == 0 else Contacts.none())
        total += outcome.margin
    return total


def slope_and_error(expected, found):
    """Least squares of what happened on what was expected: slope, mean difference, their errors.

    The errors allow for customers who vary more than others (White's sandwich).
    """
    design = np.stack([np.ones_like(expected), expected], axis=1)
    bread = np.linalg.inv(design.T @ design)
    weights = bread @ design.T @ found
    scores = design * (found - design @ weights)[:, None]
    errors = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    gap = found - expected
    return weights[1], errors[1], gap.mean(), gap.std() / np.sqrt(len(gap))


@pytest.mark.parametrize("measure", ["orders", "sales", "margin"])
def test_the_expected_effect_of_a_week_is_what_happens_on_average(begun, measure):
    twin, state = begun(20_000, history_weeks=2)
    contacts = mixed_contacts(20_000)
    effects = getattr(twin.week_effects(state), measure)
    expected = effects[contacts.customer, contacts.offer, contacts.channel]

    found = np.mean(
        [
            getattr(reseeded(twin, seed).advance(state, contacts)[1], measure)
            - getattr(reseeded(twin, seed).advance(state, Contacts.none())[1], measure)
            for seed in SEEDS
        ],
        axis=0,
    )

    slope, error, gap, gap_error = slope_and_error(expected, found)
    assert slope == pytest.approx(1, abs=3 * error)
    assert gap == pytest.approx(0, abs=3 * gap_error)
    assert error < 0.1


@pytest.mark.parametrize("offer", [1, 2, 3], ids=["percent", "money", "own brand"])
def test_the_discount_expected_is_the_discount_given(begun, offer):
    twin, state = begun(20_000, history_weeks=2)
    everybody = np.arange(20_000)
    effects = twin.week_effects(state)
    expected = effects.orders * twin.population.basket[:, None, None] - effects.sales

    given = np.mean(
        [
            reseeded(twin, seed)
            .advance(state, Contacts(everybody, everybody * 0 + offer, everybody * 0))[1]
            .discount_given
            for seed in SEEDS
        ],
        axis=0,
    )

    gap = given - expected[:, offer, 0]
    assert gap.mean() == pytest.approx(0, abs=3 * gap.std() / np.sqrt(len(gap)))
    assert gap.std() / np.sqrt(len(gap)) < 0.04 * given.mean()


def test_the_expected_worth_of_a_contact_is_what_nine_weeks_bring_on_average(begun):
    """Without later contacts there are no chances to lose, so that part is set to nothing."""
    twin, state = begun(20_000, history_weeks=2)
    twin = with_figures(twin, future__pace=0.0)
    contacts = mixed_contacts(20_000)
    worth = twin.expected_effects(state)
    expected = worth[contacts.customer, contacts.offer, contacts.channel]

    found = np.mean(
        [
            lived_margin(reseeded(twin, seed), state, contacts, 1 + WEEKS_AFTER)
            - lived_margin(reseeded(twin, seed), state, Contacts.none(), 1 + WEEKS_AFTER)
            for seed in SEEDS[:3]
        ],
        axis=0,
    )

    slope, error, gap, gap_error = slope_and_error(expected, found)
    assert slope == pytest.approx(1, abs=3 * error)
    assert gap == pytest.approx(0, abs=3 * gap_error)
    assert error < 0.1


def test_a_contact_is_worth_less_the_more_customers_leave_by_it(begun):
    twin, state = begun()

    calm = twin.expected_effects(state)
    rough = with_figures(twin, leave__base=0.1).expected_effects(state)

    assert (rough <= calm + 1e-9).all()
    assert rough.mean() < calm.mean()


def test_a_tired_customer_answers_less(begun):
    twin, state = begun()
    tired = replace(state, fatigue=np.full(2000, 3.0))

    rested_worth, tired_worth = twin.expected_effects(state), twin.expected_effects(tired)

    assert tired_worth.max(axis=(1, 2)).mean() < rested_worth.max(axis=(1, 2)).mean()


def test_the_heaviest_buyers_have_the_least_room(begun):
    twin, state = begun(5000)
    rate = twin.population.rate

    best = twin.week_effects(state).orders.max(axis=(1, 2))

    heavy, light = rate > np.quantile(rate, 0.9), rate < np.quantile(rate, 0.5)
    assert best[heavy].mean() < 0.3 * best[light].mean()


def test_the_null_world_has_no_truth_to_find():
    twin = Twin.begin(Plan(200, 1, "null", history_weeks=1))

    effects = twin.week_effects(twin.first())

    assert np.abs(effects.margin).max() == np.abs(effects.orders).max() == 0
