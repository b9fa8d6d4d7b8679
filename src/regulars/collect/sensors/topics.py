"""A message of a device becomes an event, by a rule per topic that a person can write."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from regulars.errors import InputError, UnknownName

KINDS = ("door", "ble", "wifi", "rfid", "nfc", "camera", "voice")
_MILLISECONDS_FROM = 10**11


@dataclass(frozen=True)
class TopicRule:
    """How messages of some topics are read.

    A part is read from a key of the JSON payload ("data.mac" goes inside), or from a level of
    the topic ("topic:2", the first level being 1).

    Attributes:
        match: MQTT topic filter: + stands for one level, # for the rest.
        kind: Kind of sensor, one of `KINDS`.
        store_id: Part that names the store.
        entered: Part that counts people; for doors.
        card: Part that holds the number of a member card.
        device: Part that names a phone or tag.
        at: Part that says when: ISO 8601 with zone, seconds or milliseconds since 1970.
        id: Part that names the message; its content does when left out.
    """

    match: str
    kind: str
    store_id: str
    entered: str = ""
    card: str = ""
    device: str = ""
    at: str = ""
    id: str = ""


def topic_rules(text: str, origin: str = "the topics file") -> tuple[TopicRule, ...]:
    """Read the rules of a topics file.

    Args:
        text: TOML of [[topic]] sections.
        origin: Name used in messages.

    Returns:
        The rules, in the order they are tried.

    Raises:
        InputError: The text is not TOML, or a rule lacks what it needs.

    Example:
        >>> lines = ['[[topic]]', 'match = "store/+/door"', 'kind = "door"', 'store_id = "topic:2"',
        ...          'entered = "in"', 'at = "ts"']
        >>> topic_rules(chr(10).join(lines))[0].kind
        'door'
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{origin} is not TOML: {error}; mend the line it names") from error
    sections = given.get("topic")
    if not isinstance(sections, list) or not sections or not isinstance(sections[0], dict):
        raise InputError(f"{origin} has no [[topic]] section; write one per topic filter")
    return tuple(_rule(part, origin) for part in sections)


def _rule(given: Mapping[str, Any], origin: str) -> TopicRule:
    where = f"{origin}, [[topic]] {given.get('match')!r}"
    known = {part.name for part in fields(TopicRule)}
    for name, value in given.items():
        if name not in known:
            raise InputError(f"{where}: {UnknownName('setting', name, known)}")
        if not isinstance(value, str):
            raise InputError(f"{where}: {name} is {value!r}, must be text in quotes")
    missing = [name for name in ("match", "kind", "store_id") if not given.get(name)]
    if missing:
        raise InputError(f"{where} lacks {missing[0]}; every topic needs match, kind and store_id")
    rule = TopicRule(**given)
    if rule.kind not in KINDS:
        raise InputError(f"{where}: {UnknownName('kind of sensor', rule.kind, KINDS)}")
    if not (rule.at or rule.id):
        raise InputError(
            f"{where} has neither `at` nor `id`; without one, a message sent again could not be "
            "told from another: name the payload's time or number"
        )
    wanted = ("entered",) if rule.kind == "door" else ("card", "device")
    if not any(getattr(rule, name) for name in wanted):
        raise InputError(f"{where}: a {rule.kind} needs `{'` or `'.join(wanted)}`")
    return rule


def rule_for(rules: Sequence[TopicRule], topic: str) -> TopicRule | None:
    """Find the first rule whose filter fits a topic.

    Args:
        rules: The rules.
        topic: Topic of a message.

    Returns:
        The rule; None when none fits.

    Source: MQTT 5.0, section 4.7.
    """
    levels = topic.split("/")
    return next((rule for rule in rules if _fits(rule.match.split("/"), levels)), None)


def _fits(wanted: list[str], levels: list[str]) -> bool:
    if wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    if len(wanted) != len(levels):
        return False
    return all(want in {"+", level} for want, level in zip(wanted, levels, strict=True))


def sensor_event(
    rule: TopicRule, topic: str, payload: bytes, *, received_at: datetime
) -> dict[str, Any]:
    """Write a message in Segment form.

    A door that counts becomes "Door Counted" of nobody, a tag, card or phone seen becomes
    "Store Visited" of whoever it stands for. What cannot be read is left out, so that the
    message is held back with its reason later instead of being lost here.

    Args:
        rule: The rule of its topic.
        topic: Its topic.
        payload: Its bytes, a JSON object.
        received_at: Moment of arrival, aware; used when the message does not say when.

    Returns:
        A track event; sent again, the same message has the same `messageId`.
    """
    said = _read(payload)
    properties: dict[str, Any] = {"sensor": rule.kind, "topic": topic}
    if said is None:
        properties["unreadable"] = payload[:500].decode("utf-8", "replace")
    found = said or {}
    properties["store_id"] = _part(rule.store_id, topic, found)
    if rule.kind == "door":
        properties["entered"] = _part(rule.entered, topic, found)
    number = _part(rule.id, topic, found) if rule.id else None
    name = f"{topic}\0{number}".encode() if number is not None else topic.encode() + payload
    card = _text(_part(rule.card, topic, found)) if rule.card else None
    device = _text(_part(rule.device, topic, found)) if rule.device else None
    known = [("card", card), ("device", device)]
    return {
        "type": "track",
        "event": "Door Counted" if rule.kind == "door" else "Store Visited",
        "messageId": blake2b(name, digest_size=16).hexdigest(),
        "anonymousId": next((f"{kind}:{value}" for kind, value in known if value), None),
        "timestamp": _moment(_part(rule.at, topic, found) if rule.at else None, received_at),
        "properties": properties,
        "context": {
            "externalIds": [
                {"id": value, "type": kind, "collection": "users", "encoding": "none"}
                for kind, value in known
                if value
            ]
        },
    }


def _read(payload: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(payload, parse_float=Decimal)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _part(name: str, topic: str, said: Mapping[str, Any]) -> Any:
    if name.startswith("topic:"):
        level, levels = name.removeprefix("topic:"), topic.split("/")
        return levels[int(level) - 1] if level.isdigit() and 0 < int(level) <= len(levels) else None
    found: Any = said
    for key in name.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, bool) else str(value).strip() or None


def _moment(value: Any, received_at: datetime) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        seconds = number / (1000 if abs(number) >= _MILLISECONDS_FROM else 1)
        try:
            return datetime.fromtimestamp(float(seconds), UTC).isoformat()
        except (OverflowError, ValueError, OSError):
            return received_at.isoformat()
    return value if isinstance(value, str) and value else received_at.isoformat()
