"""The set of known ids: exact, small, and the same after opening again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.collect.ingest.drain.fates import Fates, commit_fates, sequences_in
from regulars.collect.ingest.drain.known import fingerprints
from regulars.collect.ingest.drain.known.fingerprints import (
    Fingerprints,
    first_of_each,
    marks_of,
)
from regulars.collect.ingest.drain.known.packing import (
    forget,
    load_known,
    pack,
    packs_in,
    tidy,
)
from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.reader import Position
from regulars.errors import Permanent

# Few different halves, so that halves meet, wrap round a table and are zero.
HALVES = st.integers(0, 5) | st.integers(2**64 - 3, 2**64 - 1) | st.integers(0, 2**64 - 1)
BATCHES = st.lists(st.lists(st.tuples(HALVES, HALVES), max_size=60), max_size=12)


def marks(pairs):
    return np.array(pairs, np.uint64).reshape(-1, 2)


def without_zero(pair):
    # A first half of zero is kept as a one.
    return (pair[0] or 1, pair[1])


@given(BATCHES)
@settings(max_examples=200, deadline=None)
def test_a_set_of_fingerprints_answers_as_a_python_set_does(batches):
    known, expected = Fingerprints(), set()
    for batch in batches:
        asked = marks(batch)
        new = first_of_each(asked) & ~known.contains(asked)
        answers = known.contains(asked).tolist()

        assert answers == [without_zero(pair) in expected for pair in batch]
        first = [n for n in np.flatnonzero(new) if batch[n][0]]
        known.add(asked[first])
        expected |= {batch[n] for n in first}

    assert len(known) == len(expected)


@given(st.lists(st.tuples(HALVES, HALVES), max_size=200))
def test_the_first_of_equal_fingerprints_is_found(pairs):
    assert first_of_each(marks(pairs)).tolist() == [
        pair not in pairs[:place] for place, pair in enumerate(pairs)
    ]


def test_a_large_set_splits_its_tables_and_forgets_nothing(monkeypatch):
    monkeypatch.setattr(fingerprints, "MOST_BUCKETS", 1 << 9)
    monkeypatch.setattr(fingerprints, "SMALL_BUCKETS", 1 << 7)
    draw = np.random.default_rng(1)
    known = Fingerprints()
    batches = [draw.integers(0, 2**64, (1000, 2), dtype=np.uint64) for _ in range(50)]
    most = 0.0
    for number, batch in enumerate(batches):
        assert not known.contains(batch).any()
        known.add(batch)
        most = max(most, known.bytes / len(known)) if number > 20 else most

    assert len(known) == 50_000
    assert len(known._tables) > 8
    assert all(known.contains(batch).all() for batch in batches)
    assert most <= 24
    assert not known.contains(draw.integers(0, 2**64, (10_000, 2), dtype=np.uint64)).any()


def fates(sequence, stored, day=0):
    return Fates(
        partition=0,
        sequence=sequence,
        start=Position(),
        end=Position(sequence),
        day=day,
        fates=np.zeros(len(stored) // 16, np.uint8),
        reasons=np.zeros(len(stored) // 16, np.uint8),
        stored=stored,
    )


def keys(first, last):
    return b"".join(number.to_bytes(16, "little") for number in range(first, last))


# Files are not cut off from power here, so they need not wait for the disk.
HASTY = Disk(sync=lambda _: None, sync_folder=lambda _: None)


def commit(folder, first, last, day=0):
    """Commit batches of five ids each."""
    folder.mkdir(exist_ok=True)
    for sequence in range(first, last + 1):
        commit_fates(folder, fates(sequence, keys(5 * sequence, 5 * sequence + 5), day), HASTY)


def held(folder, last):
    return set(np.flatnonzero(load_known(folder).contains(marks_of(keys(0, 5 * last + 5)))) // 5)


def test_packing_keeps_every_id_and_the_newest_batch(tmp_path):
    folder = tmp_path / "p0"
    commit(folder, 1, 200)

    assert pack(folder, upto=199, disk=HASTY)
    assert sequences_in(folder) == [200]
    assert [(one.first, one.last) for one in packs_in(folder)] == [(1, 199)]
    assert held(folder, 200) == set(range(1, 201))
    assert not pack(folder, upto=199, disk=HASTY)


def test_packs_of_one_day_are_joined_so_that_files_stay_few(tmp_path):
    folder = tmp_path / "p0"
    for start in range(1, 64 * 20, 64):
        commit(folder, start, start + 63)
        pack(folder, upto=start + 63, disk=HASTY)

    assert len(packs_in(folder)) < 10
    assert held(folder, 64 * 20) == set(range(1, 64 * 20 + 1))


@pytest.mark.parametrize("moment", ["create", "write", "sync", "rename"])
def test_a_pack_that_was_not_finished_leaves_everything_as_it_was(tmp_path, moment):
    folder = tmp_path / "p0"
    commit(folder, 1, 100)

    def fails(*_):
        raise OSError(28, "No space left on device")

    broken = {
        "create": Disk(create=fails),
        "write": Disk(write=fails),
        "sync": Disk(sync=fails),
        "rename": Disk(sync_folder=fails),
    }[moment]
    with pytest.raises(OSError, match="No space"):
        pack(folder, upto=99, disk=broken)

    tidy(folder)
    assert sequences_in(folder) == list(range(1, 101))
    assert packs_in(folder) == []
    assert held(folder, 100) == set(range(1, 101))
    assert pack(folder, upto=99, disk=HASTY)


def test_files_a_pack_made_superfluous_are_deleted_after_a_crash(tmp_path):
    folder, kept = tmp_path / "p0", tmp_path / "kept"
    commit(folder, 1, 100)
    kept.mkdir()
    for path in folder.iterdir():
        (kept / path.name).write_bytes(path.read_bytes())
    pack(folder, upto=99, disk=HASTY)
    for path in kept.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())

    assert len(load_known(folder)) == 500
    tidy(folder)
    assert sequences_in(folder) == [100]


def test_ids_are_forgotten_after_days_with_events_whatever_the_clock_did(tmp_path):
    folder = tmp_path / "p0"
    days = [100, 101, 5000, 102, 103]
    for number, day in enumerate(days):
        commit(folder, 64 * number + 1, 64 * number + 64, day)
        pack(folder, upto=64 * number + 64, disk=HASTY)

    assert not forget(folder, days=5)
    assert forget(folder, days=3)
    # The wrong day in between counts as one day, no more.
    assert held(folder, 64 * 5) == set(range(2 * 64 + 1, 64 * 5 + 1))


def test_damage_is_told_and_not_taken_for_nothing_known(tmp_path):
    folder = tmp_path / "p0"
    commit(folder, 1, 70)
    pack(folder, upto=69, disk=HASTY)
    [packed] = packs_in(folder)
    data = bytearray(packed.path.read_bytes())
    data[-1] ^= 1
    packed.path.write_bytes(data)

    with pytest.raises(Permanent, match="is damaged; restore the file"):
        load_known(folder)
