"""What matching remembers: found by numbers, read where it is touched, whole whatever came."""

import json
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import InputError, NotReady
from regulars.testing.people import make_records
from regulars.unify.matching import service
from regulars.unify.matching.memory import remembered
from regulars.unify.matching.memory.kept import Kept, write_parts
from regulars.unify.matching.memory.nearby import _Search
from regulars.unify.matching.memory.numbers import Sought, combined
from regulars.unify.matching.pairs.blocking import Rule, pack

KEY = bytes(32)
SIZE = 4_000
number = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(number, max_size=40), st.lists(number, max_size=40), st.data())
def test_numbers_are_found_where_they_are_and_nowhere_else(wanted, others, data):
    column = np.array(data.draw(st.permutations([*wanted, *others, 0])), dtype=np.int64)
    sought = Sought(np.array([*wanted, 0], dtype=np.int64))

    places, which = sought.found_in(column)

    expected = [n for n, value in enumerate(column.tolist()) if value in wanted and value]
    assert places.tolist() == expected
    assert sought.numbers[which].tolist() == column[expected].tolist()


class Remembers:
    """Records 0, 1, 2... with the parts of two keys."""

    def __init__(self, parts):
        self._columns = parts | {"rid": np.arange(len(parts["a"]))}

    def number(self, name):
        return self._columns[name]


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 2, 5]))
def test_pairs_with_a_new_record_are_those_blocks_give(seed, most):
    draw = np.random.default_rng(seed)
    parts = {name: draw.integers(0, 4, 30) * (np.int64(7) << 58) for name in ("a", "b")}
    old = {name: column[:20] for name, column in parts.items()}
    new = {name: column[20:] for name, column in parts.items()}
    stays = draw.random(20) < 0.9
    rules = [Rule("a+b", most, 0), Rule("a", most, 0)]

    pairs, by = _Search(Remembers(old), new, np.arange(20, 30), stays).pairs(rules)

    expected = {}
    there = [n for n in range(30) if n >= 20 or stays[n]]
    for place, rule in enumerate(rules):
        keys = combined(parts, rule.name)
        sizes = {key: sum(keys[n] == key for n in there) for key in set(keys.tolist())}
        for one, other in combinations(there, 2):
            fits = most is None or sizes[int(keys[one])] <= most
            if keys[one] == keys[other] != 0 and other >= 20 and fits:
                expected.setdefault(int(pack([one], [other])[0]), place)
    assert dict(zip(pairs.tolist(), by.tolist(), strict=True)) == expected


def test_a_part_is_read_alone_and_a_damaged_one_is_told(tmp_path):
    file = tmp_path / "one.sealed"
    write_parts(file, [("first", b"a" * 1000), ("second", b"b" * 1000)], KEY)
    whole = bytearray(file.read_bytes())
    whole[100] ^= 1
    file.write_bytes(whole)

    kept = Kept(file, KEY)

    assert kept.read("second") == b"b" * 1000
    with pytest.raises(InputError, match="cannot be opened"):
        kept.read("first")
    file.write_bytes(whole[:-9])
    with pytest.raises((NotReady, InputError)):
        Kept(file, KEY)


def test_many_small_files_become_one_that_says_the_same(resolve, home, monkeypatch):
    rows = make_records(SIZE, seed=33).drop_columns("person")
    _, apart = resolve(rows.slice(0, SIZE - 60), home=home)
    came = []
    monkeypatch.setattr(service, "MOST_FILES", 2)
    for start in range(SIZE - 60, SIZE, 20):
        run, ids = resolve(rows.slice(start, 20), home=home, name=f"part{start}")
        came += ids

    again, whole = resolve(rows, home=home, name="all")

    kept = sorted(file.name for file in (home.folder / "matching").iterdir())
    assert kept == ["records-000003-whole.sealed", "records-000004.sealed"]
    assert (run.mode, run.records, again.mode) == ("new only", SIZE, "unchanged")
    assert whole[-60:] == came
    assert sum(a != b for a, b in zip(whole, apart, strict=False)) <= 3
    assert again.customers == len(set(whole))


def test_a_record_that_leaves_a_customer_and_comes_back_is_counted_right(resolve, home):
    rows = make_records(SIZE, seed=34).drop_columns("person").to_pylist()
    _, before = resolve(rows, home=home)
    two = next(n for n in range(SIZE) if before.count(before[n]) == 2)
    other = {"name": "司马相如", "phone": "19900000001", "birth_date": "1950-01-01", "city": None}
    left = {**rows[two], **other, "email": None, "address": None}

    gone, away = resolve([left], home=home, name="left")
    back, home_again = resolve([rows[two]], home=home, name="back")

    assert (gone.incoming.changed, back.incoming.changed) == (1, 1)
    assert away != [before[two]]
    assert gone.customers == len(set(before)) + 1
    assert home_again == [before[two]]
    assert back.customers == len(set(before))


def test_a_remembered_customer_is_explained_beside_few_new_rows(resolve, home):
    rows = make_records(SIZE, seed=35).drop_columns("person")
    _, ids = resolve(rows.slice(0, SIZE - 10), home=home)
    twice = next(name for name in ids if ids.count(name) == 2)

    run, _ = resolve(rows.slice(SIZE - 10), home=home, name="new", explain=twice)

    assert run.mode == "new only"
    assert run.explanation["customer_id"] == twice
    assert len(run.explanation["pairs"]) == 1
    assert twice in json.dumps(run.explanation)


def test_another_version_of_the_engine_judges_all_again_and_ids_stay(resolve, home, monkeypatch):
    rows = make_records(SIZE, seed=36).drop_columns("person")
    with monkeypatch.context() as patched:
        patched.setattr("regulars.unify.matching.memory.keeping.engine_of", lambda _: "v0")
        _, before = resolve(rows, home=home)
        [file] = (home.folder / "matching").iterdir()

    run, after = resolve(rows.slice(0, 5), home=home, name="few")

    assert (run.mode, run.records, run.incoming.new) == ("full", SIZE, 0)
    assert after == before[:5]
    assert not file.exists()
    assert remembered.ROWS_PER_PART > SIZE


def test_what_an_earlier_version_kept_is_resolved_anew_to_the_same_ids(resolve, home):
    rows = make_records(SIZE, seed=37).drop_columns("person")
    _, before = resolve(rows, home=home)
    [file] = (home.folder / "matching").iterdir()
    file.write_bytes(b"RGM1" + file.read_bytes()[4:])

    run, after = resolve(rows, home=home, name="again")

    assert (run.mode, after) == ("full", before)
    assert not file.exists()
    assert resolve(rows, home=home, name="third")[0].mode == "unchanged"
