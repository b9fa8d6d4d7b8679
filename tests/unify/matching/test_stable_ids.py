"""Ids stay: rerun, new rows, changed rows, everything judged again."""

import json

import numpy as np
import pytest
from tests.unify.matching.conftest import NOW, agreement

from regulars.errors import InputError, NotReady
from regulars.records.identifiers import customer_id_of
from regulars.testing.people import make_records
from regulars.unify.identity.service import explain, members, merge, unmerge
from regulars.unify.matching.memory.naming import name_clusters
from regulars.unify.matching.service import aliases, apply_matches

SIZE = 4_000


@pytest.fixture
def people():
    return make_records(SIZE, seed=21)


def test_a_rerun_without_new_evidence_changes_no_id(resolve, home, people):
    rows = people.drop_columns("person")
    _, first = resolve(rows, home=home)

    run, again = resolve(rows, home=home)
    fresh, judged = resolve(rows, home=home, fresh=True)

    assert (run.mode, run.pairs, run.moved, again) == ("unchanged", 0, 0, first)
    assert (fresh.mode, fresh.moved, judged) == ("full", 0, first)


def test_new_rows_are_compared_with_what_is_remembered_and_join_it(resolve, home, people):
    rows, truth = people.drop_columns("person"), people.column("person").to_pylist()
    old, new = rows.slice(0, SIZE - 100), rows.slice(SIZE - 100)
    _, before = resolve(old, home=home)

    run, came = resolve(new, home=home, name="new")

    assert (run.mode, run.incoming.new, run.records) == ("new only", 100, SIZE)
    seen = agreement(before + came, truth)
    assert seen.precision >= 0.998
    assert seen.recall >= 0.93
    _, all_ids = resolve(rows, home=home, name="all")
    kept = sum(a == b for a, b in zip(all_ids, before, strict=False))
    assert kept >= len(before) - run.moved


def test_a_changed_row_is_judged_again_and_the_others_stay(resolve, home, people):
    rows = people.drop_columns("person").to_pylist()
    _, before = resolve(rows, home=home)
    rows[7] |= {"phone": "19900000001", "name": "司马相如", "email": "x@y.cn", "address": None,
                "birth_date": "1950-01-01", "city": None}  # fmt: skip

    run, after = resolve(rows, home=home)

    assert (run.mode, run.incoming.changed) == ("new only", 1)
    assert [n for n in range(SIZE) if before[n] != after[n]] in ([], [7])
    assert after[7] not in after[:7] + after[8:]


def test_new_rows_beyond_a_tenth_bring_a_full_run_in_which_ids_stay(resolve, home, people):
    rows = people.drop_columns("person")
    _, before = resolve(rows.slice(0, SIZE // 2), home=home)

    run, after = resolve(rows, home=home, name="all")

    same = np.mean([a == b for a, b in zip(before, after, strict=False)])
    assert run.mode == "full"
    assert same >= 0.98


def test_an_id_is_kept_by_the_larger_part_and_aliases_follow_merges():
    labels = np.array([0, 0, 0, 3, 3, 5])
    before = ["c_a", "c_a", "c_b", "c_b", None, "c_a"]

    found = name_clusters(labels, list("uvwxyz"), source="s", login=[None] * 6, before=before)

    assert found.ids.tolist()[:5] == ["c_a", "c_a", "c_a", "c_b", "c_b"]
    assert found.ids[5] not in {"c_a", "c_b"}
    assert (dict(found.aliases), found.moved) == ({}, 2)
    joined = name_clusters(
        np.zeros(3, dtype=int), list("uvw"), source="s", login=[None] * 3,
        before=["c_a", "c_a", "c_b"],
    )  # fmt: skip
    assert dict(joined.aliases) == {"c_b": "c_a"}


def test_what_is_remembered_is_sealed_and_a_lost_file_is_told(resolve, home, people):
    resolve(people.drop_columns("person").slice(0, 500), home=home)
    [file] = (home.folder / "matching").iterdir()

    phone = people.column("phone").drop_null()[0].as_py().encode()
    assert phone not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises((NotReady, InputError), match=r"damaged|cannot be opened"):
        resolve(people.drop_columns("person").slice(0, 500), home=home, name="again")
    file.unlink()
    with pytest.raises(NotReady, match="restore it from your backup"):
        resolve(people.drop_columns("person").slice(0, 500), home=home, name="again")


def test_a_table_without_ids_cannot_be_remembered(resolve, home):
    with pytest.raises(InputError, match="map one as id"):
        resolve([{"name": "王一", "phone": "13800138001"}], home=home)


def test_the_explanation_adds_up_and_tells_no_value(resolve, people):
    rows = people.drop_columns("person")
    _, ids = resolve(rows)
    twice = next(n for n in range(SIZE) if ids.count(ids[n]) == 2)

    run, _ = resolve(rows, explain=rows.column("id")[twice].as_py())

    why = run.explanation
    assert why["customer_id"] == ids[twice]
    [pair] = why["pairs"]
    bits = sum(part["bits"] for part in pair["parts"])
    assert bits > 0
    assert pair["weight"] == pytest.approx(bits - pair["parts"][-1]["bits"], abs=0.1)
    told = json.dumps(why, ensure_ascii=False)
    values = [v for v in rows.slice(twice, 1).to_pylist()[0].values() if v and len(v) > 3]
    assert not [v for v in values[1:] if v in told]


def test_matches_reach_the_identity_graph_and_are_taken_back_from_there(resolve, home):
    rows = [
        {"id": "1", "login": "u1", "name": "王小明", "phone": "13800138001"},
        {"id": "2", "login": None, "name": "王小明", "phone": "13800138001"},
        {"id": "3", "login": "u3", "name": "王小明", "phone": "13800138001"},
    ]
    run, _ = resolve(rows, home=home)

    outcomes = apply_matches(home.state, run.matches, now=NOW)

    owned = [one.value for one in members(home.state, "u1")]
    assert outcomes[""] >= 1
    assert "records:2" in owned
    [line] = explain(home.state, "u1").merges
    assert (line.kind, line.actor) == ("probabilistic", "matching")
    unmerge(home.state, line.number, actor="ann", now=NOW)
    assert [one.value for one in members(home.state, "u1")] == ["u1"]
    assert apply_matches(home.state, run.matches, now=NOW)
    assert "records:2" not in [one.value for one in members(home.state, "u1")]
    assert merge(home.state, "u1", customer_id_of("record", "records:2"), actor="ann", now=NOW)
    assert aliases(home.state) == {}
