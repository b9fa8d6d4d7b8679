"""What a drain makes of a log: rows, refusals, receipts and totals that add up."""

from tests.collect.drain.shop import event


def test_good_events_are_stored_once_and_everything_adds_up(shop):
    shop.send(*(event(n) for n in range(10)))
    shop.send(event(3), event(10), event(10), event(11, type="shout"))

    assert shop.drain()["events"] == 14
    ids = [row[0] for row in shop.rows("events", "message_id")]
    assert sorted(ids) == sorted(f"m{n}" for n in range(11))
    counts = {"received": 14, "stored": 11, "duplicate": 2, "quarantined": 1, "suppressed": 0}
    assert shop.totals() == {**counts, "sources": {"shop": counts}}
    assert shop.rows("refused_events", "message_id", "reason", "path") == [
        ("m11", "unknown_type", "type")
    ]
