"""Messages of a real broker are acknowledged after their events are on disk, and never before."""

import asyncio
import json
import socket
import threading
from datetime import UTC, datetime
from threading import Event, Thread
from time import sleep

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from regulars.collect.ingest.log.reader import (
    Position,
    partition_folder,
    partitions_in,
    read_stretch,
)
from regulars.collect.sensors import topic_rules
from regulars.collect.sensors.sending import LogSending
from regulars.collect.sensors.subscribing import broker_at, follow_topics
from regulars.errors import InputError, Transient
from regulars.settings import Ingest

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
RULES = topic_rules("""
[[topic]]
match = "store/+/door"
kind = "door"
store_id = "topic:2"
entered = "in"
at = "ts"
""")


class RunningBroker:
    """An amqtt broker in a thread, on a port of its own."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._broker = self._call(self._start())

    async def _start(self):
        from amqtt.broker import Broker

        broker = Broker({
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}},
        })  # fmt: skip
        await broker.start()
        return broker

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def unacknowledged(self):
        """Messages sent to our session the broker has no acknowledgement of."""
        return len(self._broker._sessions["regulars"][0].inflight_out)

    def left_unacknowledged(self, seconds=60):
        """The same, once nothing more is on its way to the broker."""
        for _ in range(seconds * 20):
            if not self.unacknowledged():
                break
            sleep(0.05)
        return self.unacknowledged()

    def wait_for_session(self):
        """Until our session has subscribed."""
        while not any(
            session.client_id == "regulars"
            for pairs in self._broker._subscriptions.values()
            for session, _ in pairs
        ):
            sleep(0.01)

    def close(self):
        self._call(self._broker.shutdown())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def broker():
    running = RunningBroker()
    yield running
    running.close()


def publish(broker, counts):
    client = Client(CallbackAPIVersion.VERSION2, client_id="door")
    client.username_pw_set("door")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for count in counts:
        text = json.dumps({"in": count, "ts": 1793592000 + count})
        client.publish("store/s1/door", text, qos=1).wait_for_publish(10)
    client.publish("store/s1/smell", "{}", qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


class Watched:
    """Hands over to a log; notes how many messages the broker waits for meanwhile."""

    def __init__(self, sending, broker):
        self.sending, self.broker = sending, broker
        self.events, self.unacknowledged = [], []
        self.news = threading.Condition()

    def send(self, events):
        self.sending.send(events)
        with self.news:
            self.unacknowledged.append(self.broker.unacknowledged() - len(events))
            self.events += events
            self.news.notify_all()

    def wait_for(self, number):
        with self.news:
            assert self.news.wait_for(lambda: len(self.events) >= number, 20)


class Full:
    """A log whose disk is full at first."""

    def __init__(self, times):
        self.left = times

    def send(self, events):
        self.left -= 1
        if self.left >= 0:
            raise Transient("the disk is full")


class Follow:
    """A subscription running in a thread."""

    def __init__(self, broker, sending):
        self.stop, self.result = Event(), None
        self.thread = Thread(target=self._run, args=(broker, sending), daemon=True)
        self.thread.start()

    def _run(self, broker, sending):
        address = broker_at(f"mqtt://shop:x@127.0.0.1:{broker.port}")
        self.result = follow_topics(
            address, RULES, sending, client_id="regulars", clock=lambda: NOW, stop=self.stop
        )

    def end(self):
        self.stop.set()
        self.thread.join(20)
        return self.result


def log_of(folder):
    return LogSending(folder, Ingest(), source="doors", clock=lambda: 1_793_592_000_000_000)


def counts_in(folder):
    lines = [json.loads(line) for line in lines_in(folder / "log")]
    return sorted(line["properties"]["entered"] for line in lines)


def lines_in(log):
    for partition in partitions_in(log):
        for frame in read_stretch(partition_folder(log, partition), Position()).frames:
            yield from frame.lines


def test_messages_are_acknowledged_after_their_events_are_on_disk(broker, tmp_path):
    log = log_of(tmp_path)
    watched = Watched(log, broker)
    following = Follow(broker, watched)
    broker.wait_for_session()
    publish(broker, range(1, 30))
    watched.wait_for(29)
    left = broker.left_unacknowledged()
    result = following.end()
    log.close()

    assert counts_in(tmp_path) == list(range(1, 30))
    assert min(watched.unacknowledged) >= 0
    assert (result.messages - result.strays, left) == (29, 0)


def test_what_was_published_while_nobody_listened_comes_with_the_same_session(broker, tmp_path):
    log = log_of(tmp_path)
    following = Follow(broker, Watched(log, broker))
    broker.wait_for_session()
    following.end()
    publish(broker, [1, 2])
    later = Watched(log, broker)

    following = Follow(broker, later)
    later.wait_for(2)
    following.end()
    log.close()

    assert counts_in(tmp_path) == [1, 2]


def test_a_full_disk_is_waited_for_and_nothing_is_acknowledged_meanwhile(broker):
    full = Full(1)
    watched = Watched(full, broker)
    following = Follow(broker, watched)
    broker.wait_for_session()
    publish(broker, [1])
    watched.wait_for(1)
    following.end()

    assert full.left == -1
    assert watched.unacknowledged == [0]


def test_a_broker_that_is_not_there_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Transient, match="does not answer"):
        follow_topics(broker_at(f"mqtt://127.0.0.1:{port}"), RULES, None,
                      client_id="x", clock=lambda: NOW, stop=Event())  # fmt: skip


@pytest.mark.parametrize("address", ["http://b", "mqtt://", "b:port"])
def test_an_address_that_is_no_broker_is_refused(address):
    with pytest.raises(InputError):
        broker_at(address)


def test_a_broker_that_refuses_the_sign_in_is_said(broker):
    with pytest.raises(Transient, match="refused the sign-in"):
        follow_topics(broker_at(f"127.0.0.1:{broker.port}"), RULES, None,
                      client_id="x", clock=lambda: NOW, stop=Event())  # fmt: skip
