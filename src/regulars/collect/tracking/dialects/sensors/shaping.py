"""Events of Sensors clients in Segment form: calls, identities, profile operations, items."""

from dataclasses import dataclass
from typing import Any

from regulars.collect.tracking.clocks import moment, written
from regulars.collect.tracking.dialects.sensors.reading import UNREADABLE
from regulars.collect.tracking.form import (
    NAMESPACES,
    external_ids,
    id_at,
    object_at,
    operation,
    segment_form,
    text_at,
)
from regulars.collect.tracking.ids import content_id, is_junk, text_id
from regulars.collect.tracking.parsed import BadEvent

_ANONYMOUS = "anonymous"
_NAMESPACE = {
    "$identity_login_id": "login",
    "$identity_mobile": "phone",
    "$identity_email": "email",
    "$identity_mp_openid": "openid",
    "$identity_mp_unionid": "unionid",
    "$identity_cookie_id": "cookie",
    "$identity_anonymous_id": _ANONYMOUS,
    "$identity_distinct_id": _ANONYMOUS,
    "$identity_mp_id": "device",
    "$identity_device_id": "device",
    "$identity_android_id": "device",
    "$identity_android_uuid": "device",
    "$identity_oaid": "device",
    "$identity_imei": "device",
    "$identity_idfa": "device",
    "$identity_idfv": "device",
    "$identity_ios_uuid": "device",
    "$identity_harmony_uuid": "device",
}
_PROFILE = (
    "profile_set",
    "profile_set_once",
    "profile_increment",
    "profile_append",
    "profile_unset",
    "profile_delete",
)
_PAGES = {"$pageview": "page", "$AppViewScreen": "screen", "$MPViewScreen": "screen"}


def normalise(raw: Any) -> dict[str, Any]:
    """Give an event of a Sensors client in Segment form.

    Args:
        raw: The event as sent.

    Returns:
        track and pages keep name and properties; track_signup and track_id_bind become identify;
        profile calls become identify with traits, or with an operation in `context.protocol`;
        items and track_id_unbind become track calls under the names $ItemSet, $ItemDelete and
        $UnbindID, the latter with what was unbound in `context.protocol`.

    Raises:
        BadEvent: It is unreadable, of no known type, or names an identity nobody declared.
    """
    if not isinstance(raw, dict):
        raise BadEvent("not_an_object", "", f"is a {type(raw).__name__}, must be an object")
    if UNREADABLE in raw:
        raise BadEvent("unreadable_body", "", "is no base64 of JSON; the bytes are kept")
    if "ekey" in raw and "payload" in raw:
        raise BadEvent("encrypted", "payload", "is encrypted by the client; turn that off there")
    kind = text_at(raw, "type", "unknown_type")
    if kind in {"item_set", "item_delete"}:
        return _item(raw, kind)
    shape = _SHAPES.get(kind)
    if shape is None:
        raise BadEvent("unknown_type", "type", "is none of the calls a Sensors client makes")
    ids = _ids(raw)
    if not (ids.user or ids.anonymous or ids.pairs):
        raise BadEvent("no_id", "distinct_id", "names nobody; send one")
    happened = written(moment(raw.get("time")))
    if happened is None:
        raise BadEvent("bad_time", "time", "must be milliseconds since 1970")
    parts: dict[str, Any] = {
        "messageId": content_id(raw),
        "timestamp": happened,
        "sentAt": written(moment(raw.get("_flush_time"))),
        "userId": ids.user,
        "anonymousId": ids.anonymous,
        "context": _context(raw, ids),
    }
    return shape(raw, kind, parts)


@dataclass(frozen=True)
class _Ids:
    """Who an event is about."""

    user: str | None
    anonymous: str | None
    pairs: list[tuple[str, str]]


def _ids(raw: dict[str, Any]) -> _Ids:
    pairs = _identities(raw)
    by_namespace = dict(reversed(pairs))
    distinct = id_at(raw, "distinct_id")
    user = by_namespace.get("login") or id_at(raw, "login_id")
    anonymous = (
        id_at(raw, "anonymous_id") or by_namespace.get(_ANONYMOUS) or by_namespace.get("cookie")
    )
    properties = raw.get("properties")
    is_login = isinstance(properties, dict) and properties.get("$is_login_id") is True
    joined = {f"{key}+{value}" for key, value in _plain(raw.get("identities"))}
    if distinct and distinct not in joined and distinct != user:
        if is_login and not user:
            user = distinct
        elif not anonymous and distinct not in by_namespace.values():
            anonymous = distinct
    if raw.get("type") == "track_signup":
        user = user or distinct
        anonymous = id_at(raw, "original_id")
    kept = [
        (namespace, value)
        for namespace, value in pairs
        if namespace != _ANONYMOUS
        and (namespace, value) not in {("login", user), ("cookie", anonymous)}
    ]
    return _Ids(user, anonymous, kept)


def _plain(identities: Any) -> list[tuple[str, str]]:
    """List identities as sent: a key may have one value or several."""
    found = []
    for key, value in identities.items() if isinstance(identities, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if (text := text_id(one)) is not None:
                found.append((key, text))
    return found


def _identities(raw: dict[str, Any]) -> list[tuple[str, str]]:
    named = object_at(raw, "identities")
    undeclared = sorted(key for key in named if key not in _NAMESPACE and key not in NAMESPACES)
    if undeclared:
        where = f"identities.{undeclared[0][:100]}"
        raise BadEvent("undeclared_identity", where, "is a key nobody declared; declare it first")
    pairs = [(_NAMESPACE.get(key, key), value) for key, value in _plain(named)]
    if any(is_junk(value) for _, value in pairs):
        raise BadEvent("junk_id", "identities", "hold a value that stands for no one")
    return pairs


def _context(raw: dict[str, Any], ids: _Ids) -> dict[str, Any]:
    properties = object_at(raw, "properties")
    lib = raw.get("lib") if isinstance(raw.get("lib"), dict) else {}
    assert isinstance(lib, dict)
    library = {
        "name": lib.get("$lib") or properties.get("$lib"),
        "version": lib.get("$lib_version") or properties.get("$lib_version"),
    }
    page = {
        "url": properties.get("$url"),
        "path": properties.get("$url_path"),
        "referrer": properties.get("$referrer"),
        "title": properties.get("$title"),
    }
    campaign = {
        short: properties.get(f"${long}")
        for long, short in (
            ("utm_source", "source"),
            ("utm_medium", "medium"),
            ("utm_campaign", "name"),
            ("utm_content", "content"),
            ("utm_term", "term"),
        )
    }
    parts = {
        "library": _filled(library),
        "page": _filled(page),
        "campaign": _filled(campaign),
        "ip": properties.get("$ip"),
        "userAgent": properties.get("$user_agent"),
        "externalIds": external_ids(ids.pairs),
        "lib": lib,
    }
    protocol = {"time_free": True} if raw.get("time_free") is True else {}
    return _filled(parts | {"protocol": protocol})


def _filled(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part not in (None, "", {}, [])}


def _happening(raw: dict[str, Any], _kind: str, parts: dict[str, Any]) -> dict[str, Any]:
    name = text_at(raw, "event", "missing_name")
    properties = object_at(raw, "properties")
    page = _PAGES.get(name)
    if page is None:
        return segment_form("track", event=name, properties=properties, **parts)
    title = properties.get("$title") or properties.get("$screen_name")
    shown = title if isinstance(title, str) else None
    return segment_form(page, name=shown, properties=properties, **parts)


def _joining(raw: dict[str, Any], kind: str, parts: dict[str, Any]) -> dict[str, Any]:
    parts["context"]["protocol"] = operation(kind)
    return segment_form("identify", properties=object_at(raw, "properties"), **parts)


def _parting(raw: dict[str, Any], kind: str, parts: dict[str, Any]) -> dict[str, Any]:
    context = parts["context"]
    gone = external_ids(_identities(raw))
    context.pop("externalIds", None)
    context["protocol"] = operation(kind) | {"identifiers": gone}
    properties = object_at(raw, "properties")
    return segment_form("track", event="$UnbindID", properties=properties, **parts)


def _profile(raw: dict[str, Any], kind: str, parts: dict[str, Any]) -> dict[str, Any]:
    values = object_at(raw, "properties")
    values.pop("$is_login_id", None)
    if kind == "profile_set":
        parts["context"]["protocol"] = operation(kind)
        return segment_form("identify", traits=values, **parts)
    parts["context"]["protocol"] = operation(kind, values)
    return segment_form("identify", **parts)


def _item(raw: dict[str, Any], kind: str) -> dict[str, Any]:
    named = text_at(raw, "item_type", "missing_item")
    key = id_at(raw, "item_id")
    if key is None:
        raise BadEvent("missing_item", "item_id", "is missing; give the id of the item")
    return segment_form(
        "track",
        event="$ItemSet" if kind == "item_set" else "$ItemDelete",
        messageId=content_id(raw),
        timestamp=written(moment(raw.get("time"))),
        properties=object_at(raw, "properties") | {"item_type": named, "item_id": key},
        context=_context(raw, _Ids(None, None, [])),
    )


_SHAPES = {
    "track": _happening,
    "track_signup": _joining,
    "track_id_bind": _joining,
    "track_id_unbind": _parting,
    **dict.fromkeys(_PROFILE, _profile),
}
