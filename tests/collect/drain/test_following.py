"""Followers get every batch once, in order, whether they keep up, lag, fail or come later."""

from collections import defaultdict

import pytest
from tests.collect.drain.shop import event

from regulars.collect.ingest.drain.following import service as following


class Diary:
    """Follows and notes what it was given; forgets nothing over openings."""

    def __init__(self, name="diary"):
        self.name = name
        self.seen = defaultdict(list)
        self.fails = False

    def position(self, partition, /):
        return self.seen[partition][-1][0] if self.seen[partition] else 0

    def follow(self, batch, /):
        if self.fails:
            raise RuntimeError("out of order")
        if batch.sequence <= self.position(batch.partition):
            return
        ids = batch.rows.column("message_id").to_pylist()
        self.seen[batch.partition].append((batch.sequence, ids))

    def check(self, shop):
        """Each sequence once, in order, with just its rows in the order of the log."""
        for partition in range(shop.partitions):
            numbers = [sequence for sequence, _ in self.seen[partition]]
            assert numbers == list(range(1, len(numbers) + 1))
        given = sorted(
            (partition, sequence, one)
            for partition, batches in self.seen.items()
            for sequence, ids in batches
            for one in ids
        )
        rows = shop.rows("events", "log_partition", "log_sequence", "message_id")
        assert given == rows
        return len(given)


def fill(shop, first, last):
    for n in range(first, last, 4):
        shop.send(*(event(m) for m in range(n, n + 4)))


def test_a_follower_gets_every_batch_once_in_order(shop):
    diary = Diary()
    fill(shop, 0, 40)
    shop.drain(followers=[diary], batch_bytes=1)
    shop.drain(followers=[diary])

    assert diary.check(shop) == 40
    assert diary.position(0) >= 8


def test_a_follower_that_comes_later_reads_from_the_tables(shop):
    fill(shop, 0, 40)
    shop.drain(batch_bytes=1)
    late = Diary()

    shop.drain(followers=[late])

    assert late.check(shop) == 40


def test_a_follower_that_fails_holds_nobody_up_and_catches_up(shop, caplog):
    broken, well = Diary("broken"), Diary("well")
    broken.fails = True
    fill(shop, 0, 20)
    answer = shop.drain(followers=[broken, well], batch_bytes=1)

    assert answer["not_followed"] > 0
    assert well.check(shop) == 20
    assert "follower broken failed" in caplog.text
    broken.fails = False
    assert shop.drain(followers=[broken, well])["not_followed"] == 0
    assert broken.check(shop) == 20


def test_a_follower_that_lags_behind_memory_reads_the_rest_from_the_tables(shop, monkeypatch):
    monkeypatch.setattr(following, "MOST_HELD_BYTES", 1)
    slow = Diary()
    fill(shop, 0, 40)
    opened = shop.open(followers=[slow], batch_bytes=1)
    while opened.cycle():
        pass
    opened.apply()

    assert slow.seen == {}
    assert opened.feed()
    opened.close()
    assert slow.check(shop) == 40


def test_feeding_ends_when_its_time_is_up(shop):
    diary = Diary()
    fill(shop, 0, 40)
    opened = shop.open(followers=[diary], batch_bytes=1)
    while opened.cycle():
        pass

    assert not opened.feed(0.0)
    assert diary.seen == {}
    opened.apply()
    assert opened.feed()
    opened.close()
    assert diary.check(shop) == 40


@pytest.mark.parametrize("tidied", [False, True])
def test_batches_are_the_same_from_compacted_tables(shop, tidied):
    first, second = Diary(), Diary()
    for start in range(0, 80, 8):
        fill(shop, start, start + 8)
        shop.drain(followers=[first], batch_bytes=1)
    if tidied:
        shop.lake.tidy("events", file_mb=16, keep_hours=0)
        assert len(shop.lake.files("events")) == 1

    shop.drain(followers=[second])

    assert second.seen == first.seen
