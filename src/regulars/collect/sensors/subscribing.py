"""Follow topics of an MQTT broker; a message is acknowledged once its event is on disk."""

import queue
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from regulars.collect.sensors.sending import Sending
from regulars.collect.sensors.topics import TopicRule, rule_for, sensor_event
from regulars.errors import InputError, Transient

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

MOST_AT_ONCE = 500
_PATIENCE_SECONDS = 0.2
_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Broker:
    """Where a broker listens.

    Attributes:
        host: Host name.
        port: Port.
        user: Name to sign in with; "" for none.
        password: Password.
        is_encrypted: True for TLS.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    is_encrypted: bool = False


def broker_at(address: str) -> Broker:
    """Read the address of a broker.

    Args:
        address: mqtt://user:password@host:1883, or mqtts:// for TLS; also host:port.

    Returns:
        The broker.

    Raises:
        InputError: It is no such address.

    Example:
        >>> broker_at("mqtt://127.0.0.1:1884").port, broker_at("mqtts://b").port
        (1884, 8883)
    """
    text = address if "://" in address else f"mqtt://{address}"
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError as error:
        raise InputError(f"broker {parts.hostname} has a port that is no number") from error
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise InputError("the broker must be such as mqtt://host:1883 or mqtts://host:8883")
    is_encrypted = parts.scheme == "mqtts"
    return Broker(
        parts.hostname,
        port or (8883 if is_encrypted else 1883),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        is_encrypted,
    )


@dataclass(frozen=True)
class Followed:
    """What was followed.

    Attributes:
        messages: Messages acknowledged, repeated ones included.
        strays: Of these, messages no rule fits; they are not kept.
    """

    messages: int
    strays: int


def follow_topics(
    broker: Broker,
    rules: Sequence[TopicRule],
    sending: Sending,
    *,
    client_id: str,
    clock: Callable[[], datetime],
    stop: Event,
) -> Followed:
    """Follow the topics of all rules until told to stop.

    The subscription is at least once: quality of service 1, a session the broker keeps while
    nobody is connected, and an acknowledgement by hand after the event is on disk. A message
    the broker sends again has the same message id, so it is stored once.

    Args:
        broker: The broker.
        rules: Rules of the topics.
        sending: Where events are handed over.
        client_id: Name of the session; the same name goes on where it ended.
        clock: Gives the moment, aware.
        stop: Set to end after what has arrived.

    Returns:
        What was followed.

    Raises:
        Transient: The broker cannot be reached, or refuses the sign-in.
    """
    waiting: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
    refusals: list[str] = []
    client = _client(broker, rules, client_id, waiting, refusals)
    try:
        client.connect(broker.host, broker.port, keepalive=30)
    except OSError as error:
        raise Transient(
            f"the broker at {broker.host}:{broker.port} does not answer ({error}); "
            "check the address and that it runs"
        ) from error
    client.loop_start()
    messages = strays = 0
    try:
        while not (stop.is_set() and waiting.empty()):
            if refusals:
                raise Transient(
                    f"the broker at {broker.host}:{broker.port} refused the sign-in "
                    f"({refusals[0]}); check name and password"
                )
            group = _group(waiting)
            pairs = [(rule_for(rules, message.topic), message) for message in group]
            events = [
                sensor_event(rule, message.topic, bytes(message.payload), received_at=clock())
                for rule, message in pairs
                if rule
            ]
            if not _handed_over(sending, events, stop):
                break
            for message in group:
                client.ack(message.mid, message.qos)
            messages += len(group)
            strays += len(group) - len(events)
    finally:
        client.disconnect()
        client.loop_stop()
    return Followed(messages, strays)


def _client(
    broker: Broker,
    rules: Sequence[TopicRule],
    client_id: str,
    waiting: "queue.SimpleQueue[MQTTMessage]",
    refusals: list[str],
) -> "Client":
    from paho.mqtt.client import Client  # noqa: PLC0415 - loaded by those who follow topics
    from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415

    client = Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
    )
    if broker.user:
        client.username_pw_set(broker.user, broker.password)
    if broker.is_encrypted:
        client.tls_set_context(ssl.create_default_context())
    filters = [(rule.match, 1) for rule in rules]

    def on_connect(here: "Client", _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        if code.is_failure:
            refusals.append(str(code))
        else:
            here.subscribe(filters)

    client.on_connect = on_connect
    client.on_message = lambda _client, _data, message: waiting.put(message)
    return client


def _group(waiting: "queue.SimpleQueue[MQTTMessage]") -> "list[MQTTMessage]":
    """Take what has arrived, waiting a moment when nothing has."""
    try:
        group = [waiting.get(timeout=_PATIENCE_SECONDS)]
    except queue.Empty:
        return []
    while len(group) < MOST_AT_ONCE and not waiting.empty():
        group.append(waiting.get())
    return group


def _handed_over(sending: Sending, events: list[dict[str, Any]], stop: Event) -> bool:
    """Hand over, again and again while that may pass; False when told to stop before."""
    while events:
        try:
            sending.send(events)
            break
        except Transient:
            if stop.wait(_RETRY_SECONDS):
                return False
    return True
