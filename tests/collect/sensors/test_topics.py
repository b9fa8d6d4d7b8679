"""Topics and payloads of devices become events that can be told from one another."""

from datetime import UTC, datetime

import pytest

from regulars.collect.sensors import rule_for, sensor_event, topic_rules
from regulars.collect.sensors.sending import requests_of
from regulars.errors import InputError

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
TOPICS = """
[[topic]]
match = "store/+/door"
kind = "door"
store_id = "topic:2"
entered = "in"
at = "ts"

[[topic]]
match = "beacons/#"
kind = "ble"
store_id = "place.store"
device = "mac"
card = "card"
id = "n"
"""


def event(topic, payload):
    rules = topic_rules(TOPICS)
    return sensor_event(rule_for(rules, topic), topic, payload, received_at=NOW)


def test_a_door_counts_nobody_in_particular():
    told = event("store/s1/door", b'{"in": 3, "ts": 1793592000}')

    assert (told["event"], told["anonymousId"]) == ("Door Counted", None)
    assert (told["properties"]["store_id"], told["properties"]["entered"]) == ("s1", 3)
    assert told["timestamp"] == "2026-11-02T04:00:00+00:00"
    assert (
        event("store/s1/door", b'{"in": 3, "ts": 1793592000000}')["timestamp"] == told["timestamp"]
    )


def test_a_card_tells_more_than_the_phone_that_carries_it():
    told = event("beacons/7/x", b'{"place": {"store": "s2"}, "mac": "aa", "card": 88, "n": 5}')

    assert (told["event"], told["anonymousId"]) == ("Store Visited", "card:88")
    assert [(e["type"], e["id"]) for e in told["context"]["externalIds"]] == [
        ("card", "88"),
        ("device", "aa"),
    ]
    assert told["timestamp"] == NOW.isoformat()


def test_a_message_sent_again_is_the_same_and_another_is_not():
    first = event("beacons/7", b'{"n": 5, "mac": "a"}')["messageId"]

    assert event("beacons/7", b'{"n": 5, "mac": "b"}')["messageId"] == first
    assert event("beacons/7", b'{"n": 6, "mac": "a"}')["messageId"] != first
    assert event("beacons/8", b'{"n": 5, "mac": "a"}')["messageId"] != first
    assert event("store/s1/door", b'{"in": 1, "ts": 1}') != event(
        "store/s1/door", b'{"in": 1, "ts": 2}'
    )


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[1]", b"7", b'{"in": '])
def test_a_message_that_cannot_be_read_is_passed_on_with_what_it_says(payload):
    told = event("store/s1/door", payload)

    assert told["properties"]["entered"] is None
    assert "unreadable" in told["properties"]


@pytest.mark.parametrize(
    ("topic", "fits"),
    [
        ("store/a/door", True),
        ("store/a/b/door", False),
        ("store/a/door/x", False),
        ("beacons", True),
    ],
)
def test_filters_fit_as_mqtt_says(topic, fits):
    assert (rule_for(topic_rules(TOPICS), topic) is not None) == fits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("topic", "not TOML"),
        ("[[smell]]", "no \\[\\[topic\\]\\]"),
        ('[[topic]]\nmatch = "a"\nkind = "door"', "lacks store_id"),
        ('[[topic]]\nmatch = "a"\nkind = "smell"\nstore_id = "s"', "smell"),
        ('[[topic]]\nmatch = "a"\nkind = "door"\nstore_id = "s"\nentered = "in"', "neither"),
        ('[[topic]]\nmatch = "a"\nkind = "ble"\nstore_id = "s"\nat = "ts"', "needs `card`"),
        ('[[topic]]\nmatch = 1', "must be text"),
        ('[[topic]]\nmatsch = "a"', "matsch"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_work_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        topic_rules(text)


def test_events_are_cut_into_requests_a_server_takes():
    events = [{"messageId": str(n), "properties": {"x": "y" * 1000}} for n in range(1200)]

    parts = requests_of(events)

    assert [event for part in parts for event in part] == events
    assert all(len(part) <= 500 for part in parts)
    assert len(parts) == 4
    assert requests_of([]) == []
