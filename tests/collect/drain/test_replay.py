"""Refused events are decided again after a fix: each at most once, and the ledger stays closed."""

import json
from datetime import UTC, datetime

import pytest
from tests.collect.drain.shop import event

from regulars.collect.ingest.drain.replay.service import (
    Asking,
    Sealing,
    await_replays,
    dismiss,
    fix_and_replay,
    is_waiting,
    list_refused,
    read_refused,
    request_replay,
)
from regulars.collect.tracking import BadEvent, normalise
from regulars.errors import InputError, Transient, UnknownName

ASKING = Asking("ann", datetime(2026, 11, 22, tzinfo=UTC))
SEALING = Sealing(lambda raw: raw.hex(), bytes.fromhex)


def refuse(shop, *numbers, reason="type"):
    """Send events that are refused; gives their ids in quarantine by message id."""
    shop.send(*(event(n, type="shout") for n in numbers))
    shop.drain()
    return {row["message_id"]: row["refused_id"] for row in list_refused(shop.lake, shop.state)}


def fix(shop, refused_id, line):
    fix_and_replay(
        shop.lake,
        shop.state,
        SEALING,
        refused_id,
        line,
        asking=ASKING,
        partitions=shop.partitions,
        normalise=normalise,
    )


def counts(shop):
    found = shop.totals()
    return tuple(found[n] for n in ("received", "stored", "duplicate", "quarantined", "suppressed"))


def test_a_mended_event_moves_from_quarantined_to_stored(shop):
    ids = refuse(shop, 1, 2)
    before = json.loads(read_refused(shop.lake, shop.state, SEALING, ids["m1"]))

    fix(shop, ids["m1"], json.dumps(before | {"type": "track"}))
    assert is_waiting(shop.state)
    shop.drain()

    assert not is_waiting(shop.state)
    assert shop.rows("events", "message_id", "receipt") == [("m1", "r000001")]
    assert counts(shop) == (2, 1, 0, 1, 0)
    assert [row["message_id"] for row in list_refused(shop.lake, shop.state)] == ["m2"]
    [row] = list_refused(shop.lake, shop.state, status="stored")
    assert row["message_id"] == "m1"


def test_a_correction_leaves_what_was_received_as_it_was(shop):
    ids = refuse(shop, 1)
    fix(shop, ids["m1"], json.dumps(event(1)))
    shop.drain()

    [decided, correction] = sorted(
        shop.rows("receipts", "log_sequence", "received", "stored", "quarantined")
    )
    assert decided[1:] == (1, 0, 1)
    assert correction[1:] == (0, 1, -1)


def test_a_mended_event_that_is_known_already_is_a_duplicate(shop):
    ids = refuse(shop, 1)
    shop.send(event(1))
    shop.drain()

    fix(shop, ids["m1"], json.dumps(event(1)))
    shop.drain()

    assert counts(shop) == (2, 1, 1, 0, 0)
    assert len(shop.rows("events")) == 1


def test_replaying_twice_stores_nothing_twice(shop):
    """The plan is mended between the two: the rule that refused is gone."""
    refuse(shop, *range(10))
    opened = shop.open()
    rules = opened._parts[0]._inside.rules

    def lenient(dialect, raw):
        return normalise(dialect, raw | {"type": "track"})

    object.__setattr__(rules, "normalise", lenient)
    for asked in (10, 0):
        assert len(request_replay(shop.lake, shop.state, ASKING)) == asked
        while opened.cycle():
            pass
        opened.apply()
    opened.close()

    assert counts(shop) == (10, 10, 0, 0, 0)
    assert len(shop.rows("events")) == 10


def test_what_is_refused_again_stays_open_with_its_new_reason(shop):
    ids = refuse(shop, 1)
    with pytest.raises(BadEvent):
        fix(shop, ids["m1"], json.dumps(event(1, type="whisper")))
    fix(shop, ids["m1"], json.dumps(event(1, userId=None, anonymousId=None)))
    shop.drain()

    [row] = list_refused(shop.lake, shop.state)
    assert (row["status"], row["reason"], row["path"]) == ("open", "no_id", "userId")
    assert counts(shop) == (1, 0, 0, 1, 0)
    fix(shop, ids["m1"], json.dumps(event(1)))
    shop.drain()
    assert counts(shop) == (1, 1, 0, 0, 0)


def test_a_dismissed_event_is_not_replayed(shop):
    ids = refuse(shop, 1)
    dismiss(shop.lake, shop.state, ids["m1"], asking=ASKING)

    assert request_replay(shop.lake, shop.state, ASKING) == []
    assert list_refused(shop.lake, shop.state) == []
    with pytest.raises(InputError, match="not open"):
        fix(shop, ids["m1"], json.dumps(event(1)))


def test_only_what_was_asked_for_is_replayed(shop):
    shop.send(event(1, type="shout"), source="web")
    shop.send(event(2, type="shout"), event(3, userId="null"), source="app")
    shop.drain()

    assert len(list_refused(shop.lake, shop.state, source="app")) == 2
    assert len(list_refused(shop.lake, shop.state, reason="junk_id")) == 1
    named = request_replay(shop.lake, shop.state, ASKING, source="app", reason="junk_id")
    assert len(named) == 1
    assert len(request_replay(shop.lake, shop.state, ASKING)) == 2
    with pytest.raises(Transient, match="regulars collect drain"):
        await_replays(shop.state, seconds=0)


def test_an_unknown_refused_event_is_told(shop):
    with pytest.raises(UnknownName, match="no refused event named '0-1-1'"):
        read_refused(shop.lake, shop.state, SEALING, "0-1-1")


def test_a_replay_killed_between_fates_and_tables_is_finished(shop):
    ids = refuse(shop, 1)
    fix(shop, ids["m1"], json.dumps(event(1)))
    opened = shop.open()
    for part in opened._parts:
        part.apply = lambda: None
        part.replay()
    opened.close()
    assert counts(shop) == (1, 0, 0, 1, 0)

    shop.drain()

    assert counts(shop) == (1, 1, 0, 0, 0)
    assert shop.rows("events", "message_id") == [("m1",)]
