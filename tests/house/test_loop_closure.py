"""The loop is closed: over the real registry of steps, what one station writes the next one reads."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import regulars
from regulars.ports.steps import REGISTRY
from regulars.records import COMMERCE, EVENTS, FACTS, TABLES
from regulars.records.campaigns import CAMPAIGNS

ROUND = ("decide", "reach", "measure", "adjust", "decide")
SRC = Path(regulars.__file__).parent


@pytest.fixture(scope="module")
def steps():
    for path in sorted(SRC.rglob("step.py")):
        import_module("regulars." + ".".join(path.relative_to(SRC).with_suffix("").parts))
    return {
        name: step for name, step in REGISTRY.items() if step.run.__module__.startswith("regulars.")
    }


def open_links(steps):
    """Neighbours on the round between which no table passes."""
    return [
        f"{giver} -> {taker}"
        for giver, taker in zip(ROUND, ROUND[1:], strict=False)
        if not any(
            a.writes & b.reads
            for a in steps.values()
            for b in steps.values()
            if a.station == giver and b.station == taker
        )
    ]


def test_decide_reach_measure_adjust_decide_is_a_round_through_tables(steps):
    assert open_links(steps) == []


@pytest.mark.parametrize("station", ROUND[:-1])
def test_a_station_that_writes_nothing_would_be_noticed(steps, station):
    silent = {
        name: replace(s, writes=frozenset()) if s.station == station else s
        for name, s in steps.items()
    }

    assert any(link.startswith(station) for link in open_links(silent))


def test_every_step_reads_and_writes_declared_tables(steps):
    named = {table for step in steps.values() for table in step.reads | step.writes}

    assert named - set(TABLES) == set()


def test_every_table_a_step_reads_is_written_by_a_step_or_is_a_fact(steps):
    written = {table for step in steps.values() for table in step.writes}
    written |= {t.name for t in (*FACTS, *COMMERCE, *EVENTS, *CAMPAIGNS)}

    assert {table for step in steps.values() for table in step.reads} - written == set()


def test_every_declared_score_is_written_by_its_own_station(steps):
    strangers = {
        table: step.name
        for step in steps.values()
        for table in step.writes
        if table in TABLES and TABLES[table].station != step.station
    }
    unwritten = {t.name for t in TABLES.values() if t.by_turn} - {
        table for step in steps.values() for table in step.writes
    }

    assert strangers == {}
    assert unwritten == set()


def test_no_table_is_written_by_two_steps(steps):
    writers = [table for step in steps.values() for table in step.writes]

    assert sorted(writers) == sorted(set(writers))
