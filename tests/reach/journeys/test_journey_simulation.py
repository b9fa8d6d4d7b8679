"""Random journeys under crashes, held against a plain interpreter; planted bugs are seen."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest
from tests.reach.journeys.journey_bugs import BUGS
from tests.reach.journeys.journey_world import history
from tests.reach.test_ledger_simulation import image

SEEDS, PLANTED_SEEDS = range(60), range(120)


def live(seeds):
    """Live some seeds; give looks, kills, steps by edge, and what broke, by seed."""
    looks, kills, edges, broken = 0, 0, Counter(), {}
    for seed in seeds:
        world = history(seed, image())
        looks, kills, edges = looks + world.looks, kills + world.kills, edges + world.done
        if world.broken:
            broken[seed] = sorted(set(world.broken))
    return looks, kills, edges, broken


def found_by(bug, seeds=PLANTED_SEEDS):
    """The first seed that sees a planted bug, and what it sees."""
    for seed in seeds:
        with BUGS[bug]():
            world = history(seed, image())
        if world.broken:
            return seed, sorted(set(world.broken))
    return None, []


def test_everybody_takes_every_step_the_plain_interpreter_takes_once():
    looks, kills, edges, broken = live(SEEDS)

    assert broken == {}
    assert looks > 500 and kills > 100
    # Every way of leaving a node was gone: edges, moved, taken out, goal reached, ended.
    assert all(edges[edge] > 0 for edge in (0, 1, 2, -1, -2, -3, -4))


@pytest.mark.parametrize("bug", sorted(BUGS))
def test_a_planted_bug_is_seen(bug):
    seed, _ = found_by(bug)

    assert seed is not None


def prove():
    """Thousands of histories, on all cores.

    Returns:
        What was lived and found, for GUARANTEES.md.
    """
    from tests.reach.journeys import test_journey_simulation as suite  # a name processes can find

    parts = [range(start, start + 200) for start in range(0, 4_000, 200)]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(suite.live, parts))
    looks, kills = sum(one[0] for one in found), sum(one[1] for one in found)
    steps = sum(sum(one[2].values()) for one in found)
    broken = {seed: what for one in found for seed, what in one[3].items()}
    assert broken == {}, broken
    seen = {bug: found_by(bug)[0] for bug in sorted(BUGS)}
    assert None not in seen.values(), seen
    return (
        f"4,000 histories, {looks:,} looks of which {kills:,} died, {steps:,} steps: 0 lost, "
        f"0 repeated, 0 otherwise than the plain interpreter; {len(seen)} planted bugs each seen"
    )
