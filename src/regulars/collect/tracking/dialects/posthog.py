"""PostHog: batches with an api key, and events whose names say what kind of call they are."""

from typing import Any

import msgspec

from regulars.collect.tracking import bodies
from regulars.collect.tracking.clocks import moment, written
from regulars.collect.tracking.form import (
    id_at,
    object_at,
    operation,
    segment_form,
    text_at,
)
from regulars.collect.tracking.ids import content_id, text_id
from regulars.collect.tracking.keys import write_key
from regulars.collect.tracking.parsed import BadEvent, Parsed, Refused, Request

DIALECT = "posthog"


def parse(request: Request) -> Parsed:
    """Read a request of a PostHog client.

    Args:
        request: The request.

    Returns:
        One line per event.

    Raises:
        Refused: The body is unreadable, or no api key came with it.
    """
    text = bodies.unpack(request.body)
    if text[:1] not in {b"[", b"{"}:
        form = bodies.read_form(text)
        if not form.get("data"):
            raise Refused(400, "unreadable_body", "the body is neither JSON nor a form with data")
        text = bodies.unpack(bodies.from_base64(form["data"]))
    found = bodies.read_body(text)
    told = found if isinstance(found, dict) else {}
    events = told.get("batch", [told]) if told else found
    if not isinstance(events, list):
        raise Refused(400, "unreadable_body", "`batch` is not a list; send a list of events")
    first = events[0] if events and isinstance(events[0], dict) else {}
    inside = first.get("properties")
    token = inside.get("token") if isinstance(inside, dict) else None
    key = write_key(
        request, told.get("api_key"), told.get("token"), first.get("api_key"), token,
        request.asked().get("api_key"),
    )  # fmt: skip
    for event in events:
        if isinstance(event, dict):
            event.pop("api_key", None)
    lines = [msgspec.json.encode(event) for event in events]
    return Parsed(DIALECT, key, lines, [_message_id(event) for event in events], _sent(told))


def _sent(told: dict[str, Any]) -> Any:
    return moment(told.get("sent_at"))


def _message_id(event: Any) -> str:
    if not isinstance(event, dict):
        return content_id(event)
    inside = event.get("properties")
    inserted = inside.get("$insert_id") if isinstance(inside, dict) else None
    return text_id(event.get("uuid")) or text_id(inserted) or content_id(event)


def normalise(raw: Any) -> dict[str, Any]:
    """Give an event of a PostHog client in Segment form.

    Args:
        raw: The event as sent.

    Returns:
        $identify and $set become identify, $create_alias alias, $groupidentify group, $pageview
        page, $screen screen; every other event a track call. Traits set beside an event stand
        in `context.traits`.

    Raises:
        BadEvent: It has no name, or parts of the wrong type.
    """
    if not isinstance(raw, dict):
        raise BadEvent("not_an_object", "", f"is a {type(raw).__name__}, must be an object")
    name = text_at(raw, "event", "missing_name")
    properties = object_at(raw, "properties")
    user, anonymous = _who(raw, properties)
    if user is None and anonymous is None:
        raise BadEvent("no_id", "distinct_id", "names nobody; send one")
    parts: dict[str, Any] = {
        "messageId": _message_id(raw),
        "timestamp": written(moment(raw.get("timestamp"))),
        "sentAt": written(moment(raw.get("sent_at"))),
        "userId": user,
        "anonymousId": anonymous,
        "context": _context(raw, properties),
    }
    shape = _SHAPES.get(name)
    if shape is None:
        given = _given(raw, properties, "$set")
        if given:
            parts["context"]["traits"] = given
        return segment_form("track", event=name, properties=properties, **parts)
    return shape(raw, properties, parts)


def _who(raw: dict[str, Any], properties: dict[str, Any]) -> tuple[str | None, str | None]:
    """Tell customers that were identified from browsers that were not."""
    distinct = id_at(raw, "distinct_id") or id_at(properties, "distinct_id")
    device = id_at(properties, "$device_id")
    user = id_at(properties, "$user_id")
    before = id_at(properties, "$anon_distinct_id")
    is_anonymous = (
        properties.get("$is_identified") is False
        or properties.get("$process_person_profile") is False
        or (distinct is not None and distinct == device)
    )
    if user is None and not is_anonymous:
        user = distinct
    anonymous = before or device or (distinct if distinct != user else None)
    return user, anonymous


def _given(raw: dict[str, Any], properties: dict[str, Any], name: str) -> dict[str, Any]:
    return object_at(raw, name) | object_at(properties, name)


def _context(raw: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    parts = {
        "library": {"name": properties.get("$lib"), "version": properties.get("$lib_version")},
        "ip": properties.get("$ip"),
        "userAgent": properties.get("$raw_user_agent") or properties.get("$useragent"),
        "page": {
            "url": properties.get("$current_url"),
            "path": properties.get("$pathname"),
            "referrer": properties.get("$referrer"),
            "title": properties.get("title"),
        },
    }
    filled = {
        name: {key: value for key, value in part.items() if value is not None}
        if isinstance(part, dict)
        else part
        for name, part in parts.items()
    }
    return {name: part for name, part in filled.items() if part}


def _identify(
    raw: dict[str, Any], properties: dict[str, Any], parts: dict[str, Any]
) -> dict[str, Any]:
    traits = _given(raw, properties, "$set")
    once = _given(raw, properties, "$set_once")
    if once:
        op = operation("profile_set_once", once)
        parts["context"]["protocol"] = op
    kept = {key: part for key, part in properties.items() if key not in {"$set", "$set_once"}}
    return segment_form("identify", traits=traits, properties=kept, **parts)


def _alias(
    raw: dict[str, Any], properties: dict[str, Any], parts: dict[str, Any]
) -> dict[str, Any]:
    previous = id_at(properties, "distinct_id") or id_at(raw, "distinct_id")
    new = id_at(properties, "alias")
    if new is None or previous is None:
        raise BadEvent("no_id", "properties.alias", "is missing; give both ids")
    parts |= {"userId": new, "anonymousId": None}
    return segment_form("alias", previousId=previous, properties=properties, **parts)


def _group(
    raw: dict[str, Any], properties: dict[str, Any], parts: dict[str, Any]
) -> dict[str, Any]:
    group = id_at(properties, "$group_key")
    kind = text_at(properties, "$group_type", "no_id")
    if group is None:
        raise BadEvent("no_id", "properties.$group_key", "is missing; give the group's id")
    if parts["userId"] in {f"${kind}_{group}", f"{kind}_{group}"}:
        # The client makes this id up when no customer is named.
        parts["userId"] = None
    traits = object_at(properties, "$group_set")
    kept = {key: part for key, part in properties.items() if key != "$group_set"}
    return segment_form("group", groupId=group, traits=traits, properties=kept, **parts)


def _page(raw: dict[str, Any], properties: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    is_screen = raw["event"].strip() == "$screen"
    shown = properties.get("$screen_name") or properties.get("title")
    name = shown if isinstance(shown, str) else None
    kind = "screen" if is_screen else "page"
    return segment_form(kind, name=name, properties=properties, **parts)


_SHAPES = {
    "$identify": _identify,
    "$set": _identify,
    "$set_once": _identify,
    "$create_alias": _alias,
    "$groupidentify": _group,
    "$pageview": _page,
    "$screen": _page,
}
