"""What windows read: a few rows asked for, or many held in memory; the answers are the same."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.reach.content.lookup import service
from regulars.reach.content.lookup.snapshot import Snapshot

IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(deadline=None)
@given(st.sets(IDS), st.lists(IDS))
def test_a_snapshot_gives_exactly_the_rows_of_those_asked_for(there, asked):
    ids = sorted(there)
    table = pa.table({
        "customer_id": pa.array(ids, pa.string()),
        "city": pa.array([f"city of {one}" for one in ids], pa.string()),
        "orders": pa.array(range(len(ids)), pa.int64()),
    })

    found = Snapshot(table).of(asked)

    assert found == {
        one: {"city": f"city of {one}", "orders": ids.index(one)} for one in asked if one in there
    }


def test_a_longer_id_is_not_cut_to_somebody_elses():
    table = pa.table({"customer_id": ["c1", "c2"], "city": ["a", "b"]})

    assert Snapshot(table).of(["c10", "c1", "c", ""]) == {"c1": {"city": "a"}}
    planted = np.array([b"c10"], dtype="S2")[0]
    assert planted == b"c1"


def test_two_rows_of_one_customer_are_refused():
    with pytest.raises(InputError, match="two rows"):
        Snapshot(pa.table({"customer_id": ["a", "a"], "city": ["x", "y"]}))


def test_an_empty_snapshot_knows_nobody():
    table = pa.table({"customer_id": pa.array([], pa.string()), "city": pa.array([], pa.string())})

    assert Snapshot(table).of(["a"]) == {}
    assert len(Snapshot(table)) == 0


def test_many_windows_read_what_few_did(written, monkeypatch):
    name = written.writes(
        id="same-either-way", channel="hook", message_class="transactional",
        uses=("customer.name", "profile.city", "profile.orders", "profile.monetary"),
        text="{{ customer.name }} {{ profile.city }} {{ profile.orders }} {{ profile.monetary | money }}",
    )  # fmt: skip
    few = written.composes(name, "ann", "bao", "chu", channel="hook")
    monkeypatch.setattr(service, "MANY", 1)
    composer = written.composer()

    many = written.composes(name, "ann", "bao", "chu", channel="hook", composer=composer)
    again = written.composes(name, "bao", "ann", "chu", channel="hook", composer=composer)

    assert few == many
    assert [one if isinstance(one, str) else one.text for one in again] == [
        few[1].text, few[0].text, few[2],
    ]  # fmt: skip
    assert few[0].text.startswith("Ann Lee Leeds 3")
