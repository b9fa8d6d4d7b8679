"""The audit chain: every tampering is found, and the first bad entry is named."""

import random
import shutil
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, NotReady
from regulars.govern.audit.anchors import (
    Anchor,
    first_bad_anchor,
    from_line,
    is_genuine,
    sign,
    to_line,
)
from regulars.govern.audit.chain import GENESIS, Entry, first_fault, hash_of, link
from regulars.govern.audit.service import COPY_FILE, KEY_FILE, anchor, newest, record, verify

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def chain(length):
    entries = []
    for n in range(length):
        entries.append(
            link(
                entries[-1] if entries else None,
                at=f"2026-03-02T09:00:{n:02}",
                actor="mei",
                action="customer.reveal",
                subject=f"c{n}",
                detail={"n": n},
            )
        )
    return entries


def relink(entries):
    """Write a chain anew, as somebody who knows the algorithm but not the key would."""
    made = []
    for n, entry in enumerate(entries, 1):
        before = made[-1].hash if made else GENESIS
        e = replace(entry, number=n, previous_hash=before)
        made.append(replace(e, hash=hash_of(e)))
    return made


def edited(entry, rng):
    field = rng.choice([
        "at",
        "actor",
        "action",
        "subject",
        "detail",
        "previous_hash",
        "hash",
        "number",
    ])
    if field == "number":
        return replace(entry, number=entry.number + rng.choice([-1, 1, 1000]))
    text = getattr(entry, field)
    place = rng.randrange(len(text))
    return replace(
        entry, **{field: text[:place] + chr((ord(text[place]) + 1) % 128) + text[place + 1 :]}
    )


def tampered(entries, rng):
    """Change a log in one random way; gives the way and the new log."""
    way = rng.choice([
        "edit",
        "delete",
        "insert",
        "reorder",
        "cut",
        "edit+relink",
        "delete+relink",
        "insert+relink",
        "reorder+relink",
    ])
    rows, place = list(entries), rng.randrange(len(entries))
    if way.startswith("edit"):
        rows[place] = edited(rows[place], rng)
        while relink(rows) == entries:
            rows[place] = edited(entries[place], rng)
    elif way.startswith("delete"):
        del rows[place : place + rng.randint(1, 5)]
    elif way.startswith("insert"):
        rows.insert(place, replace(rows[place], subject="planted"))
    elif way.startswith("reorder"):
        other = rng.choice([n for n in range(len(rows)) if n != place])
        rows[place], rows[other] = rows[other], rows[place]
    else:
        del rows[place:]
    return way, relink(rows) if way.endswith("relink") else rows


def missed_tamperings(rounds):
    """The tamperings of so many random ones that nobody noticed, and the ways tried."""
    entries = chain(24)
    hash_by_anchor = {n: entries[n - 1].hash for n in (7, 15, 24)}
    rng = random.Random(20260302)
    missed, ways = [], set()
    for _ in range(rounds):
        way, rows = tampered(entries, rng)
        ways.add(way)
        if first_fault(rows, hash_by_anchor)[0] is None:
            missed.append((way, rows))
    return missed, ways


def test_every_random_tampering_is_found():
    missed, ways = missed_tamperings(2000)

    assert missed == []
    assert len(ways) == 9


def prove():
    missed, ways = missed_tamperings(10_000)
    assert missed == []
    return f"10,000 random tamperings in {len(ways)} ways, cut tails included: all found"


def test_a_chain_without_anchors_misses_cuts_and_rewriting():
    # What the anchors are for: were this found without them, they would prove nothing.
    entries = chain(40)

    assert first_fault(entries[:20], {})[0] is None
    assert first_fault(relink(entries[1:]), {})[0] is None


def test_an_untouched_chain_has_no_fault():
    entries = chain(40)

    assert first_fault(entries, {40: entries[-1].hash}) == (None, 40)
    assert first_fault(entries[10:], {40: entries[-1].hash}, after=entries[9]) == (None, 40)


@given(st.integers(1, 30), st.data())
def test_the_first_bad_entry_is_named(length, data):
    entries = chain(length)
    place = data.draw(st.integers(0, length - 1))
    entries[place] = replace(entries[place], subject="somebody else")

    fault, _ = first_fault(entries, {})

    assert (fault.number, fault.problem) == (place + 1, "edited")


@given(st.binary(min_size=64, max_size=64))
def test_nobody_guesses_a_signature(signature):
    assert not is_genuine(Anchor(1, "ab", "t", signature.hex()), KEY.public_key())


def test_anchors_lost_changed_or_out_of_order_are_found():
    kept = [sign(KEY, number=n, hash=f"h{n}", at="t") for n in (3, 6, 9, 12)]
    forged = sign(Ed25519PrivateKey.from_private_bytes(bytes(32)), number=9, hash="x", at="t")

    def fault(state_side, copy_side):
        return first_bad_anchor(state_side, copy_side, KEY.public_key())

    assert fault(kept, kept) is None
    assert fault(kept[:3], kept) is None, "the copy is written first; one more is a crash"
    assert fault(kept[:2], kept).number == 9
    assert fault(kept, kept[:3]).number == 12
    assert fault(kept, [*kept[:2], forged, kept[3]]).number == 9
    assert fault([*kept[:2], forged, kept[3]], kept).number == 9
    assert fault(kept, [kept[1], kept[0], *kept[2:]]).number == 6
    assert fault(kept, [*kept[:2], None, kept[3]]).number == 9
    assert fault(kept, []).number == 3


def test_an_anchor_survives_being_written_and_read():
    signed = sign(KEY, number=3, hash="ab", at="t")

    assert from_line(to_line(signed)) == signed
    assert from_line("{}") is None
    assert from_line("not json") is None


@pytest.fixture
def shop(tmp_path):
    return filled(tmp_path / "shop")


def filled(folder):
    folder.mkdir()
    url = f"sqlite:///{folder / 'state.db'}"
    migrate(url)
    state = SQLState(url)
    for n in range(30):
        moment = NOW + timedelta(minutes=n)
        with state.transaction() as transaction:
            record(
                transaction,
                actor="mei",
                action="customer.reveal",
                subject=f"c{n}",
                detail={"字": n},
                at=moment,
            )
        if n % 10 == 9:
            anchor(state, folder=folder, at=moment)
    return state, folder


def test_an_entry_commits_or_vanishes_with_the_callers_transaction(shop):
    state, _ = shop

    with pytest.raises(RuntimeError), state.transaction() as transaction:
        record(transaction, actor="mei", action="x.y", subject="s", detail={}, at=NOW)
        raise RuntimeError

    assert len(newest(state, size=100)) == 30


def test_what_people_write_is_kept_masked(shop):
    state, _ = shop
    detail = {"reason": "rang from 13912345678", "to": "x", "note": None}

    with state.transaction() as transaction:
        record(transaction, actor="mei", action="x.y", subject="s", detail=detail, at=NOW)

    [kept] = newest(state, size=1)
    assert "139****5678" in kept.detail
    assert "13912345678" not in kept.detail


def test_a_sound_log_is_verified_to_its_last_entry(shop):
    state, folder = shop

    found = verify(state, folder=folder)

    assert found.intact
    assert (found.entries, found.checked_from, found.anchors, found.anchored_to) == (30, 1, 3, 30)
    assert verify(state, folder=folder, last=5).checked_from == 26


def test_the_key_is_private(shop):
    _, folder = shop

    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600


TAMPERINGS = {
    "edit": ("update audit_log set actor = 'eve' where number = 5", 5),
    "edit the detail": ("update audit_log set detail = '{}' where number = 30", 30),
    "delete": ("delete from audit_log where number = 12", 12),
    "delete the first": ("delete from audit_log where number = 1", 1),
    "cut the tail": ("delete from audit_log where number > 27", 28),
    "cut all": ("delete from audit_log", 1),
    "cut with anchors": (
        "delete from audit_log where number > 15; delete from audit_anchors where number > 15",
        20,
    ),
    "insert after the end": (
        "insert into audit_log select 32, at, actor, action, subject, detail, previous_hash, hash from audit_log where number = 30",
        31,
    ),
    "insert before the start": (
        "insert into audit_log select 0, at, actor, action, subject, detail, previous_hash, hash from audit_log where number = 1",
        0,
    ),
    "insert under a text number": (
        "insert into audit_log select 'x', at, actor, action, subject, detail, previous_hash, hash from audit_log where number = 1",
        0,
    ),
    "swap": (
        "update audit_log set number = -1 where number = 8; update audit_log set number = 8 where number = 9; update audit_log set number = 9 where number = -1",
        8,
    ),
    "edit an anchor": ("update audit_anchors set hash = 'x' where number = 20", 20),
    "delete the anchors": ("delete from audit_anchors", 10),
}


@pytest.mark.parametrize("way", TAMPERINGS)
def test_tampering_with_the_file_is_found_and_named(shop, way):
    state, folder = shop
    sql, first_bad = TAMPERINGS[way]

    with sqlite3.connect(folder / "state.db") as eve:
        eve.executescript(sql)

    fault = verify(state, folder=folder).fault
    assert fault is not None
    assert fault.number == first_bad


def test_a_rewritten_chain_is_found_by_its_anchors(shop):
    state, folder = shop
    rows = relink([
        replace(e, actor="eve") if e.number == 14 else e for e in reversed(newest(state))
    ])

    with sqlite3.connect(folder / "state.db") as eve:
        eve.execute("delete from audit_log")
        eve.executemany(
            "insert into audit_log values (?,?,?,?,?,?,?,?)",
            [tuple(vars(e).values()) for e in rows],
        )

    fault = verify(state, folder=folder).fault
    assert (fault.number, fault.problem) == (11, "rewritten")


def test_an_older_state_put_back_is_found_by_the_copy_outside(tmp_path):
    state, folder = filled(tmp_path / "shop")
    state.close()
    shutil.copy(folder / "state.db", tmp_path / "old.db")
    for n in range(2):
        with state.transaction() as transaction:
            record(transaction, actor="mei", action="x.y", subject=str(n), detail={}, at=NOW)
        anchor(state, folder=folder, at=NOW)
    state.close()

    for leftover in folder.glob("state.db-*"):
        leftover.unlink()
    shutil.copy(tmp_path / "old.db", folder / "state.db")

    assert verify(state, folder=folder).fault.number == 31


def test_a_missing_copy_or_key_is_a_fault(shop):
    state, folder = shop
    (folder / COPY_FILE).rename(folder / "elsewhere")

    assert verify(state, folder=folder).fault.problem == "anchor"
    assert verify(state, folder=folder, copy=folder / "elsewhere").intact
    (folder / KEY_FILE).unlink()
    assert "missing" in verify(state, folder=folder, copy=folder / "elsewhere").fault.message


def test_anchoring_without_the_key_says_to_restore_it(shop):
    state, folder = shop
    (folder / KEY_FILE).unlink()
    with state.transaction() as transaction:
        record(transaction, actor="mei", action="x.y", subject="s", detail={}, at=NOW)

    with pytest.raises(NotReady, match="restore it from your backup"):
        anchor(state, folder=folder, at=NOW)


def test_a_crash_between_copy_and_state_is_no_fault_and_heals(shop):
    state, folder = shop
    with sqlite3.connect(folder / "state.db") as crash:
        crash.execute("delete from audit_anchors where number = 30")

    assert verify(state, folder=folder).intact
    assert anchor(state, folder=folder, at=NOW).number == 30
    assert len((folder / COPY_FILE).read_text().splitlines()) == 3
    assert verify(state, folder=folder).anchors == 3


def test_a_line_half_written_when_the_power_went_is_replaced(shop):
    state, folder = shop
    with state.transaction() as transaction:
        record(transaction, actor="mei", action="x.y", subject="s", detail={}, at=NOW)
    with (folder / COPY_FILE).open("a") as file:
        file.write('{"at":"2026-03')

    assert verify(state, folder=folder).intact
    assert anchor(state, folder=folder, at=NOW).number == 31
    assert verify(state, folder=folder).intact


def test_anchoring_twice_signs_once(shop):
    state, folder = shop

    assert anchor(state, folder=folder, at=NOW) is None
    assert verify(state, folder=folder).anchors == 3


def test_entries_not_yet_signed_are_counted(shop):
    state, folder = shop
    with state.transaction() as transaction:
        record(transaction, actor="mei", action="x.y", subject="s", detail={}, at=NOW)

    found = verify(state, folder=folder)

    assert (found.entries, found.anchored_to) == (31, 30)


def test_a_moment_without_a_zone_is_refused(shop):
    state, _ = shop

    with state.transaction() as transaction, pytest.raises(InputError, match="time zone"):
        record(transaction, actor="a", action="b", subject="c", detail={}, at=datetime(2026, 1, 1))


def test_an_empty_log_is_sound(tmp_path):
    migrate(f"sqlite:///{tmp_path / 'state.db'}")
    state = SQLState(f"sqlite:///{tmp_path / 'state.db'}")

    assert verify(state, folder=tmp_path).intact
    assert anchor(state, folder=tmp_path, at=NOW) is None
    assert newest(state) == []


def test_a_page_of_entries_ends_where_the_next_begins(shop):
    state, _ = shop

    first = newest(state, size=10)
    second = newest(state, size=10, before=first[-1].number)

    assert [e.number for e in first + second] == list(range(30, 10, -1))
    assert isinstance(first[0], Entry)
