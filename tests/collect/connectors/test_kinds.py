"""Every kind of source has a contract that its own sample fits, and a row in the reference."""

from pathlib import Path

import pytest

from regulars.adapters.delta_lake import DeltaLake
from regulars.collect.commerce.epcis import epcis_events, segment_event
from regulars.collect.connectors import SOURCE_KINDS, source_kind
from regulars.collect.connectors.catalogue import PULLED, WAYS
from regulars.collect.sensors import topic_rules
from regulars.collect.sources.service import import_files
from regulars.errors import UnknownName
from regulars.govern.legal_basis import GATED
from regulars.records import TABLES

ROOT = Path(__file__).parents[3]
WITH_FILES = [name for name, kind in SOURCE_KINDS.items() if kind.contract]


@pytest.mark.parametrize("name", WITH_FILES)
def test_the_sample_of_a_kind_becomes_facts_whole(name, tmp_path):
    kind, lake = source_kind(name), DeltaLake(tmp_path / "lake")
    for sample in kind.samples:
        (tmp_path / sample.name).write_text(sample.text, encoding="utf-8")

    results = import_files(
        lake, [tmp_path / s.name for s in kind.samples], kind.contract, zone="Asia/Shanghai"
    )

    assert all(r.stored == r.received > 0 for r in results), [r.problems for r in results]
    assert {r.table for r in results} == set(kind.tables)


def test_there_are_kinds_of_every_family_and_all_are_whole():
    assert len(SOURCE_KINDS) >= 15
    for kind in SOURCE_KINDS.values():
        assert set(kind.ways) <= set(WAYS)
        assert set(kind.tables) <= set(TABLES)
        assert kind.samples
        assert not kind.gate or (kind.gate in GATED and kind.is_personal)
        assert bool(kind.contract) == bool(PULLED & set(kind.ways))


def test_personal_sources_of_others_are_gated():
    assert {kind.name for kind in SOURCE_KINDS.values() if kind.gate} == {
        "partner",
        "sensors",
        "social",
    }


def test_the_samples_that_are_no_files_can_be_read():
    [topics], [sale] = source_kind("sensors").samples, source_kind("epcis").samples

    assert len(topic_rules(topics.text)) == 2
    assert segment_event(epcis_events(sale.text)[0])["event"] == "Order Completed"


def test_a_kind_nobody_knows_is_said():
    with pytest.raises(UnknownName, match="known: ads"):
        source_kind("smell")


def test_the_reference_has_a_row_for_every_kind():
    page = (ROOT / "docs/reference/sources.md").read_text("utf-8")

    assert [name for name in SOURCE_KINDS if f"| `{name}` |" not in page] == []
