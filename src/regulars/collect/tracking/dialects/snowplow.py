"""Snowplow: lists of events whose every value is text, with self-describing parts inside."""

from typing import Any

import msgspec

from regulars.collect.tracking import bodies
from regulars.collect.tracking.clocks import moment, written
from regulars.collect.tracking.form import id_at, segment_form
from regulars.collect.tracking.ids import content_id, text_id
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import Answer, BadEvent, Parsed, Refused, Request

DIALECT = "snowplow"
_STRUCTURED = {
    "category": "se_ca",
    "action": "se_ac",
    "label": "se_la",
    "property": "se_pr",
    "value": "se_va",
}
_PINGED = {"min_x": "pp_mix", "max_x": "pp_max", "min_y": "pp_miy", "max_y": "pp_may"}
_TRANSACTION = {
    "order_id": "tr_id",
    "affiliation": "tr_af",
    "total": "tr_tt",
    "tax": "tr_tx",
    "shipping": "tr_sh",
    "city": "tr_ci",
    "state": "tr_st",
    "country": "tr_co",
    "currency": "tr_cu",
}
_ITEM = {
    "order_id": "ti_id",
    "sku": "ti_sk",
    "name": "ti_nm",
    "category": "ti_ca",
    "price": "ti_pr",
    "quantity": "ti_qu",
    "currency": "ti_cu",
}
_CALLS = {
    "se": _STRUCTURED,
    "pp": _PINGED,
    "tr": _TRANSACTION,
    "ti": _ITEM,
}
_NUMBERS = {
    "value", "min_x", "max_x", "min_y", "max_y", "total", "tax", "shipping", "price", "quantity",
}  # fmt: skip
_NAMES = {"pp": "page_ping", "tr": "transaction", "ti": "transaction_item"}
_CLIENT_SESSION = "client_session"


def parse(request: Request) -> Parsed:
    """Read a request of a Snowplow tracker.

    Args:
        request: The request: a list in the body, or one event as the address of an image.

    Returns:
        One line per event.

    Raises:
        Refused: The body is unreadable, or neither a key nor an app id came with it.
    """
    if request.method == "GET":
        asked = request.asked()
        events: Any = [asked]
    else:
        found = bodies.read_body(bodies.unpack(request.body))
        events = found.get("data") if isinstance(found, dict) else None
    if not isinstance(events, list):
        raise Refused(400, "unreadable_body", "`data` is no list; send a payload_data object")
    first = events[0] if events and isinstance(events[0], dict) else {}
    key = write_key(request, first.get("aid"))
    lines = [msgspec.json.encode(event) for event in events]
    ids = [_message_id(event) for event in events]
    answer = Answer("gif") if request.method == "GET" else Answer()
    return Parsed(DIALECT, key, lines, ids, moment(first.get("stm")), answer)


def _message_id(event: Any) -> str:
    own = text_id(event.get("eid")) if isinstance(event, dict) else None
    return own or content_id(event)


def normalise(raw: Any) -> dict[str, Any]:
    """Give an event of a Snowplow tracker in Segment form.

    Args:
        raw: The event as sent.

    Returns:
        Page views become page calls, screen views screen calls, everything else track calls:
        structured events under their action, self-describing ones under the name of their
        schema. Attached entities stand decoded in `context.entities`.

    Raises:
        BadEvent: It is of no known kind, or a part of it cannot be decoded.
    """
    if not isinstance(raw, dict):
        raise BadEvent("not_an_object", "", f"is a {type(raw).__name__}, must be an object")
    entities = _entities(raw)
    parts: dict[str, Any] = {
        "messageId": _message_id(raw),
        "timestamp": written(moment(raw.get("ttm")) or moment(raw.get("dtm"))),
        "sentAt": written(moment(raw.get("stm"))),
        "userId": id_at(raw, "uid"),
        "anonymousId": id_at(raw, "duid") or _session_customer(entities) or id_at(raw, "tnuid"),
    }
    context = _context(raw, entities)
    kind = raw.get("e")
    if kind == "pv":
        page = {"url": raw.get("url"), "title": raw.get("page"), "referrer": raw.get("refr")}
        filled = {name: value for name, value in page.items() if value}
        shown = raw.get("page") if isinstance(raw.get("page"), str) else None
        return segment_form("page", name=shown, properties=filled, context=context, **parts)
    if kind == "ue":
        return _self_described(raw, context, parts)
    if not isinstance(kind, str) or kind not in _CALLS:
        raise BadEvent("unknown_type", "e", "must be pv, pp, se, ue, tr or ti")
    properties = {
        name: _number(raw[short]) if name in _NUMBERS else raw[short]
        for name, short in _CALLS[kind].items()
        if raw.get(short)
    }
    name = _NAMES.get(kind) or properties.get("action")
    if not isinstance(name, str):
        raise BadEvent("missing_name", "se_ac", "is missing; give the action")
    return segment_form("track", event=name, properties=properties, context=context, **parts)


def _number(value: Any) -> Any:
    """Read a number that came as text; give anything else as it is."""
    try:
        return msgspec.json.decode(value, type=int | float) if isinstance(value, str) else value
    except msgspec.MsgspecError:
        return value


def _self_described(
    raw: dict[str, Any], context: dict[str, Any], parts: dict[str, Any]
) -> dict[str, Any]:
    found = _decoded(raw, "ue_px", "ue_pr")
    inner = found.get("data") if isinstance(found, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("schema"), str):
        raise BadEvent("missing_schema", "ue_pr", "holds no schema; send a self-describing event")
    name = _schema_name(inner["schema"])
    data = inner.get("data")
    properties = data if isinstance(data, dict) else {"data": data}
    context["protocol"] = {"schema": inner["schema"]}
    if name == "screen_view":
        shown = properties.get("name")
        parts["name"] = shown if isinstance(shown, str) else None
        return segment_form("screen", properties=properties, context=context, **parts)
    return segment_form("track", event=name, properties=properties, context=context, **parts)


def _schema_name(schema: str) -> str:
    """Give the name inside a schema's address.

    Returns:
        The name; the whole address when it has no parts.

    Example:
        >>> _schema_name("iglu:com.acme/add_to_cart/jsonschema/1-0-0")
        'add_to_cart'
    """
    parts = schema.removeprefix("iglu:").split("/")
    return (parts[1] if len(parts) > 1 else schema) or "unnamed"


def _decoded(raw: dict[str, Any], packed: str, plain: str) -> Any:
    """Read a JSON part that came as text, perhaps as base64; None when there is none."""
    where = packed if raw.get(packed) else plain
    value = raw.get(where)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadEvent("wrong_type", where, f"is a {type(value).__name__}, must be text")
    try:
        text = bodies.from_base64(value) if where == packed else value.encode("utf-8", "replace")
        return bodies.read_json(text)
    except Refused as error:
        raise BadEvent("unreadable_part", where, "is no JSON") from error


def _entities(raw: dict[str, Any]) -> list[dict[str, Any]]:
    found = _decoded(raw, "cx", "co")
    listed = found.get("data") if isinstance(found, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _session_customer(entities: list[dict[str, Any]]) -> str | None:
    for entity in entities:
        schema, data = entity.get("schema"), entity.get("data")
        if isinstance(schema, str) and _schema_name(schema) == _CLIENT_SESSION:
            return id_at(data, "userId") if isinstance(data, dict) else None
    return None


def _context(raw: dict[str, Any], entities: list[dict[str, Any]]) -> dict[str, Any]:
    page = {"url": raw.get("url"), "title": raw.get("page"), "referrer": raw.get("refr")}
    parts = {
        "library": {"name": raw["tv"]} if raw.get("tv") else {},
        "app": {"name": raw["aid"]} if raw.get("aid") else {},
        "ip": raw.get("ip"),
        "userAgent": raw.get("ua"),
        "locale": raw.get("lang"),
        "timezone": raw.get("tz"),
        "channel": raw.get("p"),
        "page": {name: value for name, value in page.items() if value},
        "entities": entities,
    }
    return {name: part for name, part in parts.items() if part}
