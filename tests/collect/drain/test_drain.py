"""What a drain makes of a log: rows, refusals, receipts and totals that add up."""

import json
import threading
from concurrent.futures import Executor, Future
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from tests.collect.drain.shop import AT, event

from regulars.collect.ingest.drain.lag import Passing, read_lags
from regulars.collect.ingest.drain.ledger.service import read_receipt
from regulars.collect.ingest.drain.service import drain_once, run_forever
from regulars.collect.ingest.drain.suppression.service import suppress_ids
from regulars.collect.ingest.keys.service import UNKNOWN_SOURCE
from regulars.collect.ingest.log.reader import partition_folder, segments_in
from regulars.collect.tracking.depth import MOST_DEPTH
from regulars.errors import NotReady, Permanent

MOMENT = datetime.fromtimestamp(AT / 1e6, UTC)


def counts(received, stored=0, duplicate=0, quarantined=0, suppressed=0):
    return {
        "received": received,
        "stored": stored,
        "duplicate": duplicate,
        "quarantined": quarantined,
        "suppressed": suppressed,
    }


def only(shop, *events, **options):
    """Send, drain and give the rows stored."""
    shop.send(*events, **options)
    shop.drain()
    return shop.rows("events")


def test_good_events_are_stored_once_and_everything_adds_up(shop):
    shop.send(*(event(n) for n in range(10)))
    shop.send(event(3), event(10), event(10), event(11, type="shout"))

    assert shop.drain()["events"] == 14
    ids = [row[0] for row in shop.rows("events", "message_id")]
    assert sorted(ids) == sorted(f"m{n}" for n in range(11))
    whole = counts(14, stored=11, duplicate=2, quarantined=1)
    assert shop.totals() == {**whole, "sources": {"shop": whole}}
    assert shop.rows("refused_events", "message_id", "reason", "path") == [
        ("m11", "unknown_type", "type")
    ]


def test_draining_again_and_opening_again_change_nothing(shop):
    shop.send(*(event(n) for n in range(10)))
    shop.drain()
    before = shop.all()

    assert shop.drain()["events"] == 0
    assert shop.all() == before
    shop.send(*(event(n) for n in range(10)))
    shop.drain()
    assert shop.totals()["duplicate"] == 10
    assert shop.all()["events"] == before["events"]


def test_an_id_counts_once_per_source(shop):
    shop.send(event(1), source="web")
    shop.send(event(1), source="app")

    shop.drain()

    assert shop.rows("events", "source", "message_id") == [("app", "m1"), ("web", "m1")]


def test_a_refused_event_hides_no_good_one_of_the_same_id(shop):
    shop.send(event(1, userId="null"), event(1))

    shop.drain()

    assert shop.totals()["sources"]["shop"] == counts(2, stored=1, quarantined=1)


def test_the_columns_say_what_the_event_says(shop):
    [row] = only(
        shop,
        event(1, userId=17, anonymousId=" a-1 ", sentAt="2026-11-21T09:10:00.000Z"),
        agent="analytics-python/2.4.0",
    )

    assert json.loads(row.pop("payload"))["properties"] == {"sku": "s1", "price": 9.9}
    log = {"log_partition": row["log_partition"], "log_sequence": 1}
    assert row == {
        "source": "shop",
        "message_id": "m1",
        "dialect": "segment",
        "type": "track",
        "event": "Product Viewed",
        "occurred_at": MOMENT - timedelta(minutes=10),
        "sent_at": datetime(2026, 11, 21, 9, 10, tzinfo=UTC),
        "received_at": MOMENT,
        "business_date": date(2026, 11, 21),
        "anonymous_id": "a-1",
        "user_id": "17",
        "receipt": "r000001",
        "is_late": False,
        "is_future": False,
        "marks": None,
        **log,
    }


@pytest.mark.parametrize(
    ("parts", "header", "occurred", "late", "future"),
    [
        # The client's clock is two hours slow; the event lay there for ten minutes.
        (
            {"timestamp": "2026-11-21T07:00:00Z", "sentAt": "2026-11-21T07:10:00Z"},
            {},
            MOMENT - timedelta(minutes=10),
            False,
            False,
        ),
        # Sent at is said by the request.
        (
            {"timestamp": "2026-11-21T07:00:00Z"},
            {"sent_at": AT - 2 * 3600 * 10**6},
            MOMENT - timedelta(minutes=20),
            False,
            False,
        ),
        # Nobody says when it was sent: the event's own word counts.
        (
            {"timestamp": "2026-11-01T00:00:00Z"},
            {},
            datetime(2026, 11, 1, tzinfo=UTC),
            True,
            False,
        ),
        (
            {"timestamp": "2026-11-22T00:00:00Z"},
            {},
            datetime(2026, 11, 22, tzinfo=UTC),
            False,
            True,
        ),
        # Seconds and milliseconds since 1970 are moments too.
        ({"timestamp": AT // 10**6}, {}, MOMENT, False, False),
        ({"timestamp": AT // 10**3}, {}, MOMENT, False, False),
        ({"timestamp": None}, {}, MOMENT, False, False),
    ],
    ids=["slow clock", "sent by request", "late", "future", "seconds", "milliseconds", "none"],
)
def test_clocks_are_corrected_and_what_is_late_or_ahead_is_marked(
    shop, parts, header, occurred, late, future
):
    [row] = only(shop, event(1, **parts), **header)

    # 20 minutes lie between 09:00 and the moment of receipt.
    assert datetime(2026, 11, 21, 9, 20, tzinfo=UTC) == MOMENT
    assert row["occurred_at"] == occurred
    assert (row["is_late"], row["is_future"], row["marks"]) == (late, future, None)


def test_an_unreadable_moment_is_no_loss_but_a_mark(shop):
    rows = only(shop, event(1, timestamp="yesterday"), event(2))

    assert {r["message_id"]: (r["occurred_at"] == MOMENT, r["marks"]) for r in rows} == {
        "m1": (True, "clock_unreadable"),
        "m2": (False, None),
    }


def test_the_day_is_the_day_in_the_zone_of_the_workspace(shop):
    [row] = only(shop, event(1, timestamp="2026-11-20T17:00:00Z"))

    assert row["business_date"] == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("parts", "reason", "path"),
    [
        ({"userId": "Guest"}, "junk_id", "userId"),
        ({"userId": 0}, "junk_id", "userId"),
        ({"anonymousId": "00000000-0000-0000-0000-000000000000"}, "junk_id", "anonymousId"),
        ({"userId": "13800138000"}, "junk_id", "userId"),
        ({"userId": None, "anonymousId": None}, "no_id", "userId"),
        ({"userId": "", "anonymousId": "  "}, "no_id", "userId"),
        ({"event": None}, "missing_name", "event"),
        ({"type": None}, "unknown_type", "type"),
        ({"type": ["track"]}, "unknown_type", "type"),
        ({"properties": {"note": "x" * (1 << 20)}}, "too_large", None),
    ],
)
def test_bad_events_are_refused_with_a_reason_and_their_neighbours_stored(
    shop, parts, reason, path
):
    rows = only(shop, event(1), event(2, **parts), event(3))

    assert [row["message_id"] for row in rows] == ["m1", "m3"]
    assert shop.rows("refused_events", "message_id", "reason", "path") == [("m2", reason, path)]


def test_what_is_no_object_is_refused_and_its_neighbours_stored(shop):
    rows = only(shop, event(1), b'"text"', b"{torn", b"\xff\xfe", event(2), b"[]")

    assert [row["message_id"] for row in rows] == ["m1", "m2"]
    assert sorted(row[0] for row in shop.rows("refused_events", "reason")) == [
        "not_an_object",
        "not_an_object",
        "unreadable",
        "unreadable",
    ]


def test_flipped_types_are_kept_in_the_payload(shop):
    rows = only(
        shop,
        event(1, properties="a string", context=[1], event=7),
        event(2, userId={"id": 1}, traits=3),
        event(3, name="caf\ud800"),
    )

    assert [row["event"] for row in rows] == ["7", "Product Viewed", "Product Viewed"]
    assert [row["user_id"] for row in rows] == ["u1", None, "u3"]
    assert json.loads(rows[0]["payload"])["properties"] == "a string"
    assert json.loads(rows[1]["payload"])["userId"] == {"id": 1}


def test_other_dialects_are_put_into_segment_form(shop):
    sensors = {
        "distinct_id": "d1",
        "type": "track",
        "event": "Paid",
        "time": AT // 1000,
        "properties": {"amount": 3},
    }
    [row] = only(shop, sensors, dialect="sensors")

    assert (row["type"], row["event"], row["dialect"]) == ("track", "Paid", "sensors")
    assert json.loads(row["payload"])["properties"]["amount"] == 3


def test_events_of_an_unknown_key_are_held_back(shop):
    assert only(shop, event(1), source=UNKNOWN_SOURCE) == []
    assert shop.rows("refused_events", "reason") == [("unknown_key",)]


def test_nothing_is_written_that_was_not_protected(shop):
    def covered(rows):
        return rows.set_column(
            rows.schema.get_field_index("user_id"), "user_id", pa.array(["tok"] * rows.num_rows)
        )

    shop.send(event(1), event(2, type="shout"))
    shop.drain(protect=covered, seal=lambda raw: "00" * 3)

    assert shop.rows("events", "user_id") == [("tok",)]
    assert shop.rows("refused_events", "raw") == [("000000",)]


def test_events_of_the_erased_are_counted_and_not_kept(shop):
    token = f"tok_email_{'0' * 32}"
    shop.send(event(0))
    shop.drain()
    suppress_ids(shop.state, ["u1", token], now=MOMENT)
    shop.send(event(1), event(2, traits={"email": token}), event(3, anonymousId="u1"), event(4))

    shop.drain()

    assert [row[0] for row in shop.rows("events", "message_id")] == ["m0", "m4"]
    assert shop.totals()["sources"]["shop"] == counts(5, stored=2, suppressed=3)


def test_a_receipt_is_pending_until_all_of_it_is_decided(shop):
    receipt = shop.send(*(event(n) for n in range(20)), event(1))

    assert read_receipt(shop.lake, receipt)["state"] == "pending"
    shop.drain(partitions=[0])
    assert read_receipt(shop.lake, receipt, accepted=21)["state"] == "pending"
    shop.drain(partitions=[1])
    assert read_receipt(shop.lake, receipt, accepted=21) == {
        **counts(21, stored=20, duplicate=1),
        "state": "decided",
    }
    assert read_receipt(shop.lake, "nobody's")["state"] == "pending"


def test_segments_behind_the_drain_are_deleted(new_shop):
    shop = new_shop(segment_bytes=1000)
    for n in range(60):
        shop.send(event(n))
    folder = partition_folder(shop.folder / "log", 0)
    assert len(segments_in(folder)) > 3

    shop.drain()

    assert len(segments_in(folder)) == 1
    assert shop.drain()["events"] == 0


class WatchedLake:
    """A lake that notes how many segments there are when tables are synced."""

    def __init__(self, lake, folder):
        self._lake, self._folder, self.seen = lake, folder, []

    def __getattr__(self, name):
        return getattr(self._lake, name)

    def sync(self, name, /):
        self.seen.append(len(segments_in(self._folder)))
        self._lake.sync(name)


def test_segments_go_only_once_tables_are_on_disk(new_shop):
    shop = new_shop(partitions=1, segment_bytes=1000)
    for n in range(20):
        shop.send(event(n))
    folder = partition_folder(shop.folder / "log", 0)
    before = len(segments_in(folder))
    lake = WatchedLake(shop.lake, folder)

    shop.drain(lake=lake)

    assert lake.seen[0] == before > len(segments_in(folder)) == 1


def test_small_files_are_joined_and_the_rows_stay(new_shop):
    shop = new_shop(partitions=1)
    opened = shop.open()
    [part] = opened._parts
    for n in range(40):
        shop.send(event(n))
        part.advance(1 << 20)
        part.apply()
    assert len(shop.lake.files("events")) == 40

    opened.tidy(is_busy=False)
    opened.close()

    assert len(shop.lake.files("events")) == len(shop.lake.files("receipts")) == 1
    assert len(shop.rows("events")) == len(shop.rows("receipts")) == 40
    assert shop.drain()["events"] == 0
    assert [row[0] for row in shop.rows("events", "message_id")] == sorted(
        f"m{n}" for n in range(40)
    )


class NeverDone(Executor):
    """Takes work and does not get to it."""

    def submit(self, *_):
        return Future()


def test_segments_stay_while_their_events_are_being_written(new_shop):
    shop = new_shop(partitions=1, segment_bytes=1000)
    for n in range(20):
        shop.send(event(n))
    folder = partition_folder(shop.folder / "log", 0)
    before = segments_in(folder)
    opened = shop.open()
    [part] = opened._parts
    while part.advance(1 << 20):
        part.begin(NeverDone())

    assert part.advance(1 << 20) is None
    assert segments_in(folder) == before
    opened.close()
    shop.drain()
    assert shop.totals()["stored"] == 20


def test_one_partition_has_one_drain(shop):
    opened = shop.open()

    with pytest.raises(NotReady, match="another process drains"):
        shop.open()
    opened.close()
    shop.open().close()


def wait_for(passing):
    """Wait until another thread's drain has passed the log, at most half a minute."""
    pause = threading.Event()
    for _ in range(1500):
        if passing.is_over():
            return
        pause.wait(0.02)
    raise AssertionError("the drain did not get through the log")


class FullDisk:
    """A lake whose disk is full for some writes."""

    def __init__(self, lake, failures):
        self._lake, self.failures = lake, failures

    def __getattr__(self, name):
        return getattr(self._lake, name)

    def append(self, name, rows, /, **named):
        if self.failures > 0:
            self.failures -= 1
            raise Permanent("no space left on device")
        return self._lake.append(name, rows, **named)


def test_a_full_disk_is_waited_for_and_nothing_is_lost(shop, monkeypatch):
    monkeypatch.setattr("regulars.collect.ingest.drain.service.FIRST_PATIENCE_SECONDS", 0.01)
    shop.send(*(event(n) for n in range(10)))
    stop, lake = threading.Event(), FullDisk(shop.lake, 2)
    opened = []

    def open_again():
        opened.append(shop.open(lake=lake))
        return opened[-1]

    running = threading.Thread(
        target=run_forever, args=(open_again,), kwargs={"stop": stop, "now": lambda: AT}
    )
    running.start()
    wait_for(Passing(shop.folder, "log"))
    stop.set()
    running.join()

    assert lake.failures == 0
    assert len(opened) > 1
    assert shop.totals()["sources"]["shop"] == counts(10, stored=10)
    assert len(shop.rows("events")) == 10


def test_a_running_drain_says_how_it_stands_and_ends_when_told(shop):
    stop = threading.Event()
    running = threading.Thread(
        target=run_forever, args=(shop.open,), kwargs={"stop": stop, "now": lambda: AT + 5}
    )
    running.start()
    shop.send(*(event(n) for n in range(10)))
    wait_for(Passing(shop.folder, "log"))
    stop.set()
    running.join()

    [lag] = read_lags(shop.folder)
    assert (lag.at, lag.partitions, lag.backlog_bytes, lag.trouble) == (AT + 5, [0, 1], 0, "")
    assert lag.positions == {"0": 1, "1": 1}
    assert shop.totals()["stored"] == 10


def test_many_small_batches_are_packed_and_known_after_opening_again(new_shop):
    shop = new_shop(partitions=1)
    for n in range(150):
        shop.send(event(n))
    opened = shop.open(batch_bytes=1)
    for part in opened._parts:
        while part.advance(1):
            if part.sequence % 10 == 0:
                part.apply()
        part.apply()
    opened.close()

    files = sorted(path.name for path in (shop.folder / "fates" / "p0").iterdir())
    assert sum(name.endswith(".known") for name in files) == 2
    assert sum(name.endswith(".fates") for name in files) < 64
    for n in range(150):
        shop.send(event(n))
    assert drain_once(shop.open())["events"] == 150
    assert shop.totals()["sources"]["shop"] == counts(300, stored=150, duplicate=150)


def nested(levels, inside):
    return f'{{"type":"track","event":"x","messageId":"d{levels}","userId":"u","properties":' \
        f'{{"x":{"[" * (levels - 2)}{inside}{"]" * (levels - 2)}}}}}'.encode()  # fmt: skip


@pytest.mark.parametrize("levels", [MOST_DEPTH + 1, 600, 960, 990, 50_000])
def test_an_event_nested_too_deep_is_held_back_alone(shop, levels):
    deep = nested(levels, '{"phone":"13912345678"}')

    shop.send(event(1), deep, event(2))
    shop.drain()

    assert [row[0] for row in shop.rows("events", "message_id")] == ["m1", "m2"]
    assert shop.rows("refused_events", "reason") == [("too_deep",)]


@pytest.mark.parametrize("others", [(), (b"no json",)])
def test_an_event_nested_just_as_deep_as_allowed_is_stored_whatever_it_came_with(shop, others):
    shop.send(event(1), nested(MOST_DEPTH - 1, "{}"), *others, event(2))
    shop.drain()

    stored = [row[0] for row in shop.rows("events", "message_id")]
    assert sorted(stored) == [f"d{MOST_DEPTH - 1}", "m1", "m2"]
