"""Thousands of histories in which everything goes wrong, and bugs planted to see that they are caught."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from tempfile import TemporaryDirectory
from time import process_time

import pytest
from tests.reach.ledger_bugs import BUGS
from tests.reach.ledger_world import history

from regulars.adapters.state import migrate

SEEDS, PLANTED_SEEDS = range(100), range(640)
EVENTS = 200
# What each bug breaks; a bug that breaks something else first is seen as well.
SYMPTOMS = {
    "cursor_at_fetch": "lost",
    "random_key": "twice",
    "consent_checked_at_enqueue": "sent after a withdrawal",
    "count_then_insert_cap": "over the cap",
    "stock_outside_transaction": "stock",
    "stop_ignored": "sent after the emergency stop",
    "lane_starvation": "before what customers wait for",
    "cancelled_run_goes_on": "cancelled",
}


@lru_cache(maxsize=1)
def image():
    """An empty database with the newest schema, as bytes."""
    with TemporaryDirectory() as folder:
        migrate(f"sqlite:///{folder}/state.db")
        opened = sqlite3.connect(f"{folder}/state.db")
        opened.execute("PRAGMA journal_mode=DELETE")
        made = opened.serialize()
        opened.close()
    return made


def live(seeds):
    """Live some seeds; give events, kills, what broke by seed, and processor seconds."""
    events, kills, broken, began = 0, 0, {}, process_time()
    for seed in seeds:
        world = history(seed, image(), events=EVENTS)
        world.expect(world.events >= EVENTS, "a history with too few events")
        events, kills = events + world.events, kills + world.kills
        if world.broken:
            broken[seed] = sorted(set(world.broken))
    return events, kills, broken, process_time() - began


def found_by(bug, seeds=PLANTED_SEEDS):
    """The first seed that sees a planted bug, and what it sees."""
    for seed in seeds:
        with BUGS[bug]() as planted:
            world = history(seed, image(), events=EVENTS, **planted)
        if world.broken:
            return seed, sorted(set(world.broken))
    return None, []


def prove():
    """10,000 seeds; and every planted bug seen; how many seeds a processor second is good for."""
    count, at_once = 10_000, 250
    parts = [range(first, first + at_once) for first in range(0, count, at_once)]
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(live, parts))
        seen = dict(zip(BUGS, pool.map(found_by, BUGS), strict=True))
    events = sum(part[0] for part in found)
    kills = sum(part[1] for part in found)
    seconds = sum(part[3] for part in found)
    broken = {seed: what for part in found for seed, what in part[2].items()}
    assert not broken, f"failing seeds: {broken}"
    unseen = [bug for bug, (seed, _) in seen.items() if seed is None]
    assert not unseen, f"planted bugs nobody saw: {unseen}"
    assert events >= EVENTS * count
    return (
        f"{count:,} seeds with {EVENTS} events or more, {events // count} on average, and {kills:,} "
        f"deaths, {count / seconds:.0f} seeds a processor second: nobody lost, "
        f"nobody twice, every count to the unit; {len(seen)} planted bugs, each seen by the first "
        f"{max(seed for seed, _ in seen.values()) + 1} seeds"
    )


def test_whatever_goes_wrong_nobody_is_lost_and_nobody_is_contacted_twice():
    events, kills, broken, _ = live(SEEDS)

    assert broken == {}, "failing seeds; live one again with history(seed, image())"
    assert events >= EVENTS * len(SEEDS)
    assert kills > 10


def test_a_seed_is_one_history():
    first, again = history(5, image()), history(5, image())

    assert (first.events, first.kills, first.seq) == (again.events, again.kills, again.seq)
    assert [p.delivered for p in first.providers.values()] == [
        p.delivered for p in again.providers.values()
    ]


@pytest.mark.parametrize("bug", BUGS)
def test_the_planted_bug_is_seen(bug):
    seed, broken = found_by(bug)

    assert seed is not None
    assert SYMPTOMS.get(bug, "") in " ".join(broken)
