"""A drain killed anywhere leaves what a calm one leaves; planted bugs do not, and are caught."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.collect.drain import prove_drain
from tests.collect.drain.prove_drain import IndexFirst, IndexLast, PositionFirst
from tests.collect.drain.shop import Shop, event

from regulars.collect.ingest.drain.known.fingerprints import Fingerprints
from regulars.collect.ingest.drain.partition import PartitionDrain

ROOT = Path(__file__).parents[3]


def filled(folder, seed=1, requests=24):
    return prove_drain.fill(Shop(folder / "template", segment_bytes=4000), seed, requests)


def chosen(moments, of_each):
    """Some moments of every kind, spread over the run."""
    found = []
    for name in sorted({name for _, name in moments}):
        numbers = [number for number, one in moments if one == name]
        step = max(1, len(numbers) // of_each)
        found += numbers[::step][:of_each]
    return sorted(found)


def survey(folder, *, seed, requests, of_each, power_cut):
    """Kill at moments of every kind; give deaths per kind, and how many left something else."""
    template = filled(folder, seed, requests)
    places = prove_drain.copies(folder, template)
    moments, expected = prove_drain.moments_of(next(places))
    names = dict(moments)
    deaths, wrong = Counter(), Counter()
    for at in chosen(moments, of_each):
        found = prove_drain.killed(next(places), [at], power_cut=power_cut)
        deaths[names[at]] += 1
        wrong[names[at]] += found != expected
    return deaths, wrong, expected


def test_a_drain_killed_at_any_moment_leaves_what_a_calm_one_leaves(tmp_path):
    deaths, wrong, expected = survey(tmp_path, seed=1, requests=20, of_each=1, power_cut=False)

    assert sum(wrong.values()) == 0
    assert len(deaths) >= 14
    assert min(expected["totals"][name] for name in prove_drain.FATES) > 0


def test_a_power_cut_at_any_moment_of_a_commit_leaves_it_too(tmp_path):
    template = filled(tmp_path, seed=2)
    places = prove_drain.copies(tmp_path, template)
    moments, expected = prove_drain.moments_of(next(places))
    kinds = {"half written", "before sync", "before rename", "after rename", "after fates"}

    for at in chosen([one for one in moments if one[1] in kinds], of_each=2):
        assert prove_drain.killed(next(places), [at], power_cut=True) == expected


def test_deaths_one_after_the_other_leave_it_too(tmp_path):
    template = filled(tmp_path, seed=3)
    places = prove_drain.copies(tmp_path, template)
    moments, expected = prove_drain.moments_of(next(places))
    draw = np.random.default_rng(3)

    for _ in range(4):
        several = draw.integers(1, len(moments), size=4).tolist()
        assert prove_drain.killed(next(places), several, power_cut=True) == expected


@pytest.mark.parametrize("kind", [PositionFirst, IndexFirst, IndexLast])
def test_planted_bugs_are_caught(tmp_path, kind):
    template = filled(tmp_path, seed=4)
    places = prove_drain.copies(tmp_path / "watched", template)
    moments, _ = prove_drain.moments_of(next(places), kind)
    around = [n for n, name in moments if name in {"create", "after rename", "after fates"}]

    assert prove_drain.caught(template, tmp_path, kind, around[:12])
    assert not prove_drain.caught(template, tmp_path, PartitionDrain, around[:2])


def test_splitting_the_log_by_offset_is_caught(new_shop):
    def drained(shop, shares):
        """Each share of the frames is decided by somebody who knows only his own."""
        shop.send(*(event(n) for n in range(20)))
        shop.send(*(event(n) for n in range(20)))
        return shares(shop)

    def by_fingerprint(shop):
        for partition in range(2):
            shop.drain(partitions=[partition])
        return len(shop.rows("events")), len({row[0] for row in shop.rows("events", "message_id")})

    def by_offset(shop):
        opened = shop.open()
        for part in opened._parts:
            while part.advance(1):
                part._known = Fingerprints()
        opened.apply()
        opened.close()
        return len(shop.rows("events")), len({row[0] for row in shop.rows("events", "message_id")})

    assert drained(new_shop(), by_fingerprint) == (20, 20)
    assert drained(new_shop(), by_offset) == (40, 20)


def test_a_process_killed_by_the_system_leaves_it_too(tmp_path):
    template = filled(tmp_path, seed=5, requests=12)
    places = prove_drain.copies(tmp_path, template)
    moments, expected = prove_drain.moments_of(next(places))
    place = next(places)

    for at in (len(moments) // 3, len(moments) // 4):
        ended = subprocess.run(
            [sys.executable, prove_drain.__file__, str(place.folder), str(at)],
            env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": os.environ["PATH"]},
            capture_output=True,
            check=False,
        )
        assert ended.returncode == -9, ended.stderr
    prove_drain.drain_all(place, prove_drain.CrashPoints(0, prove_drain.die))

    assert place.all() == expected


def prove():
    """Every kind of moment fifty times and more, over several logs, with and without power cuts."""
    deaths = Counter()
    for seed in range(1, 9):
        with tempfile.TemporaryDirectory() as name:
            found, wrong, _ = survey(
                Path(name), seed=seed, requests=120, of_each=7, power_cut=bool(seed % 2)
            )
        assert sum(wrong.values()) == 0, wrong
        deaths.update(found)
    for kind in (PositionFirst, IndexFirst, IndexLast):
        with tempfile.TemporaryDirectory() as name:
            test_planted_bugs_are_caught(Path(name), kind)
    rare = {name: count for name, count in deaths.items() if count < 50}
    assert not rare, f"too few deaths at {rare}"
    return (
        f"{sum(deaths.values())} deaths at {len(deaths)} kinds of moment, each at least "
        f"{min(deaths.values())} times, half of them with a power cut: 0 events lost, doubled or "
        "counted otherwise; position first, index first, index last and a split by offset caught"
    )
