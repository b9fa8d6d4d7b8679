"""The best fixed split: nothing static earns more on what it was fitted on, and it never changes."""

import numpy as np
import pytest

from regulars.errors import InputError
from regulars.rehearse.baselines.fixed_split import (
    FIT_TURNS,
    SEGMENTS,
    Cells,
    best_split,
    play_fixed_split,
    segments,
)
from regulars.rehearse.baselines.policies import play, watched_history
from regulars.twin import Plan, Twin

CUSTOMERS, TURNS = 2000, 20
COSTS = np.array([[1.0, 2.0], [3.0, 1.0]])


@pytest.fixture(scope="module", name="worlds")
def every_world():
    found = {}
    for world in ("normal", "shift"):
        twin = Twin.begin(Plan(CUSTOMERS, 5, world, history_weeks=16, turns=TURNS))
        start, budget = watched_history(twin), twin.suggested_budget()
        fixed = play_fixed_split(twin, start, budget=budget, turns=TURNS)
        others = {n: play(twin, start, policy=n, budget=budget, turns=TURNS)
                  for n in ("nobody", "informed")}  # fmt: skip
        found[world] = others | {"fixed_split": fixed}
    return found


def per_yuan(played, name, turns):
    """True margin above nobody's per yuan spent, in some turns."""
    own, none = played[name], played["nobody"]
    return (sum(own.margin[turns]) - sum(none.margin[turns])) / sum(own.spend[turns])


def some_cells(seed):
    random = np.random.default_rng(seed)
    people = random.integers(50, 150, SEGMENTS).astype(float)
    reach = (people[:, None] * random.uniform(0.4, 0.9, (1, 2))).round()
    return Cells(random.normal(1.0, 1.0, (SEGMENTS, 2, 2)), people, reach)


def fits(cells, contacts):
    """Contacts lowered until people and channels are enough; half of them, under the cap."""
    over = np.maximum(contacts.sum(axis=(1, 2)) / (cells.people / 2), 1.0)
    contacts = contacts / over[:, None, None]
    over = np.maximum(contacts.sum(axis=1) / (cells.reach / 2), 1.0)
    return contacts / over[:, None, :]


@pytest.mark.parametrize("seed", range(3))
def test_no_other_split_of_the_same_cells_is_worth_more(seed):
    cells, budget = some_cells(seed), 200.0

    best = (best_split(cells, COSTS, budget=budget) / COSTS * cells.worth).sum()

    random = np.random.default_rng(seed + 100)
    for _ in range(300):
        contacts = fits(cells, random.exponential(20, cells.worth.shape) ** 2)
        contacts *= min(1.0, budget / (contacts * COSTS).sum())
        assert (contacts * cells.worth).sum() <= best + 1e-6


def test_a_split_keeps_to_the_money_and_to_what_the_cap_allows():
    cells = some_cells(7)

    split = best_split(cells, COSTS, budget=150.0)

    contacts = split / COSTS
    assert split.sum() <= 150.0 + 1e-9
    assert (contacts.sum(axis=(1, 2)) <= cells.people / 2 + 1e-9).all()
    assert (contacts.sum(axis=1) <= cells.reach / 2 + 1e-9).all()
    assert (split[cells.worth < 0] == 0).all()


def test_the_money_of_every_turn_is_enough(worlds):
    budget = CUSTOMERS * 0.15

    for played in worlds.values():
        spend = played["fixed_split"].spend
        assert max(spend) <= budget + 0.005
        assert np.mean(spend[FIT_TURNS:]) > 0.7 * budget


def test_until_the_world_changes_the_split_does_the_same_in_both(worlds):
    before = slice(0, TURNS // 2)

    normal, shift = (worlds[name]["fixed_split"] for name in ("normal", "shift"))
    assert normal.margin[before] == shift.margin[before]
    assert normal.margin != shift.margin


def test_what_is_held_earns_less_once_the_world_has_changed(worlds):
    after = slice(TURNS // 2, TURNS)

    normal, shift = (per_yuan(worlds[name], "fixed_split", after) for name in ("normal", "shift"))
    assert shift < 0.9 * normal
    for played in worlds.values():
        assert 0 < per_yuan(played, "fixed_split", after) < per_yuan(played, "informed", after)


def test_holding_is_better_than_the_random_turns_it_was_fitted_on(worlds):
    played = worlds["normal"]

    held = per_yuan(played, "fixed_split", slice(FIT_TURNS, TURNS))
    assert held > 1.2 * per_yuan(played, "fixed_split", slice(0, FIT_TURNS))


def test_segments_are_eight_of_like_meaning():
    twin = Twin.begin(Plan(400, 3, history_weeks=12))
    _, panel = watched_history(twin)

    mine = segments(panel)

    assert set(mine.tolist()) <= set(range(SEGMENTS))
    assert panel.sales[mine >= 4].min() > panel.sales[mine < 4].max()


def test_a_fit_that_leaves_no_turn_is_refused():
    twin = Twin.begin(Plan(100, 3, history_weeks=2))

    with pytest.raises(InputError, match="fit_turns is 8, must be 1 to 5 with 6 turns"):
        play_fixed_split(twin, watched_history(twin), budget=1.0, turns=6)
