"""The one form every event takes, which is Segment's; and what keeps an event from taking it."""

from collections.abc import Iterable, Mapping
from typing import Any

from regulars.collect.tracking.clocks import moment, written
from regulars.collect.tracking.ids import content_id, is_junk, text_id
from regulars.collect.tracking.parsed import BadEvent

TYPES = ("track", "identify", "page", "screen", "group", "alias")
NAMESPACES = frozenset({
    "login",
    "phone",
    "email",
    "openid",
    "unionid",
    "card",
    "cookie",
    "device",
})


def segment_form(kind: str, **parts: Any) -> dict[str, Any]:
    """Lay out an event; parts that are None or empty are left out.

    Args:
        kind: One of `TYPES`.
        parts: messageId, timestamp, event, userId, properties, context...

    Returns:
        The event.

    Example:
        >>> segment_form("track", event="Paid", userId=None, properties={})
        {'type': 'track', 'event': 'Paid'}
    """
    return {"type": kind} | {
        name: part for name, part in parts.items() if part is not None and part not in ({}, [])
    }


def object_at(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give an object inside an event; empty when there is none.

    Args:
        raw: The event.
        name: Where the object stands.

    Returns:
        A copy of it.

    Raises:
        BadEvent: Something else stands there.
    """
    value = raw.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise BadEvent("wrong_type", name, f"is a {kind}, must be an object")
    return dict(value)


def text_at(raw: Mapping[str, Any], name: str, reason: str) -> str:
    """Give a text an event must have.

    Args:
        raw: The event.
        name: Where the text stands.
        reason: Reason code when it is missing.

    Returns:
        The text, without blanks around it.

    Raises:
        BadEvent: It is missing, blank or no text.
    """
    value = raw.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadEvent(reason, name, "is missing; give a name")
    if not isinstance(value, str):
        kind = type(value).__name__
        raise BadEvent("wrong_type", name, f"is a {kind}, must be text")
    return value.strip()


def id_at(raw: Mapping[str, Any], name: str) -> str | None:
    """Give the id of someone; None when there is none.

    Args:
        raw: The event.
        name: Where the id stands.

    Returns:
        The id as text.

    Raises:
        BadEvent: It stands for no one or everyone, or is no id at all.
    """
    value = raw.get(name)
    if value is None or value == "":
        return None
    text = text_id(value)
    if text is None and not isinstance(value, str):
        raise BadEvent("wrong_type", name, f"is a {type(value).__name__}, must be an id")
    if text is None or is_junk(text):
        raise BadEvent("junk_id", name, "stands for no one; leave it out when there is none")
    return text


def external_ids(pairs: Iterable[tuple[str, str | None]]) -> list[dict[str, str]]:
    """List identifiers as Segment's `context.externalIds`.

    Args:
        pairs: Namespace and value; pairs without a value are left out.

    Returns:
        One entry per identifier, in the given order.

    Example:
        >>> external_ids([("phone", "138"), ("email", None)])
        [{'id': '138', 'type': 'phone', 'collection': 'users', 'encoding': 'none'}]
    """
    found = dict.fromkeys((namespace, value) for namespace, value in pairs if value)
    return [
        {"id": value, "type": namespace, "collection": "users", "encoding": "none"}
        for namespace, value in found
    ]


def operation(op: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Say what an identify call does to traits when it does not simply set them.

    The values stand here and not in `traits`, so that who does not know the operation sets nothing.

    Args:
        op: profile_set_once, profile_increment, profile_append, profile_union, profile_unset
            or profile_delete.
        values: Values it works with, by trait.

    Returns:
        What stands as `context.protocol`.
    """
    return {"op": op} | ({"values": dict(values)} if values else {})


def in_segment_form(raw: Any) -> dict[str, Any]:
    """Put an event of a Segment client into order.

    Args:
        raw: The event as sent.

    Returns:
        The event with ids as text, moments that can be read, and nothing that is null.

    Raises:
        BadEvent: It is no object, of no known type, has no name, or parts of the wrong type.
    """
    if not isinstance(raw, dict):
        raise BadEvent("not_an_object", "", f"is a {type(raw).__name__}, must be an object")
    event = {name: value for name, value in raw.items() if value is not None}
    kind = event.get("type")
    if kind == "merge":
        event, kind = _merged(event), "identify"
    if kind not in TYPES:
        raise BadEvent("unknown_type", "type", f"must be one of {', '.join(TYPES)}")
    _put_parts_in_order(event)
    if kind == "track":
        event["event"] = text_at(event, "event", "missing_name")
    elif kind in {"page", "screen"} and not isinstance(event.get("name", ""), str):
        raise BadEvent("wrong_type", "name", "must be text")
    event["messageId"] = text_id(event.get("messageId")) or content_id(raw)
    return {name: value for name, value in event.items() if value is not None}


def _put_parts_in_order(event: dict[str, Any]) -> None:
    for name in ("userId", "anonymousId", "previousId", "groupId"):
        event[name] = id_at(event, name)
    for name in ("properties", "traits", "context", "integrations"):
        if name in event:
            event[name] = object_at(event, name)
    for name in ("timestamp", "originalTimestamp", "sentAt"):
        if name in event:
            event[name] = written(moment(event[name]))


def _merged(event: dict[str, Any]) -> dict[str, Any]:
    listed = event.get("mergeProperties")
    pairs: list[tuple[str, str | None]] = []
    for at, part in enumerate(listed if isinstance(listed, list) else []):
        namespace = part.get("type") if isinstance(part, dict) else None
        if namespace not in NAMESPACES:
            where = f"mergeProperties[{at}].type"
            raise BadEvent("undeclared_identity", where, "must be a declared namespace")
        pairs.append((namespace, id_at(part, "value")))
    context = object_at(event, "context")
    context["externalIds"] = external_ids(pairs)
    kept = {name: part for name, part in event.items() if name != "mergeProperties"}
    return kept | {"type": "identify", "context": context}
