"""Whatever comes in, reading refuses the request or gives lines, and a line is an event or bad."""

import gzip
import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote_plus

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.tracking.test_wire import SAMPLES, sample_of

from regulars.collect import tracking
from regulars.collect.tracking.form import TYPES
from regulars.collect.tracking.routes import PARSERS

DIALECTS = ("segment", "rudder", "native", "sensors", "thinkingdata", "posthog", "snowplow")
KEYED = {"authorization": "Basic d2s6"}
LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["guest", "2026-01-01T00:00:00Z", "1767225600000", "a\nb", "=", "iglu:a/b"])
)
NAMES = st.text(max_size=10) | st.sampled_from([
    "batch", "data", "type", "event", "messageId", "userId", "context", "properties", "traits", "identities", "time",
    "distinct_id", "#type", "#time", "#event_name", "e", "eid", "ue_pr", "ue_px", "co", "cx", "uuid", "$set", "sentAt",
    "lib", "item_type", "item_id", "original_id", "api_key", "mergeProperties", "dtm", "stm", "project", "token",
])  # fmt: skip
VALUES = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)
ROUTES = sorted(PARSERS)


def whole(parsed):
    """What holds of everything that was read."""
    assert len(parsed.lines) == len(parsed.message_ids)
    for line, message_id in zip(parsed.lines, parsed.message_ids, strict=True):
        assert isinstance(line, bytes)
        assert b"\n" not in line
        assert b"\r" not in line
        assert isinstance(message_id, str)
        assert message_id
    return parsed


def checked_reading(route, body, query="", headers=KEYED):
    method, path = route
    try:
        return whole(
            tracking.parse(method, path.replace("{write_key}", "wk"), query, headers, body)
        )
    except tracking.Refused as refused:
        said = json.loads(refused.body())
        assert said["code"]
        assert said["message"]
        assert said["success"] is False
        assert 400 <= refused.status < 500
        return None


def check_put_in_form(dialect, raw):
    try:
        event = tracking.normalise(dialect, raw)
    except tracking.BadEvent as bad:
        assert bad.reason
        return None
    assert event["type"] in TYPES
    assert isinstance(event["messageId"], str)
    assert None not in event.values()
    msgspec.json.encode(event)
    return event


def wrapped(body, wrapping):
    packed = b64encode(gzip.compress(body) if wrapping == "form" else body).decode()
    match wrapping:
        case "gzip":
            return gzip.compress(body)
        case "form" | "plain form":
            return f"data_list={quote_plus(packed)}&gzip=1".encode()
        case _:
            return body


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ROUTES), st.binary(max_size=300), st.binary(max_size=100))
def test_bytes_are_read_or_refused(route, body, query):
    checked_reading(route, body, query.decode("latin-1"))
    checked_reading(route, b"\x1f\x8b" + body)
    checked_reading(route, body, headers={})


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(ROUTES),
    VALUES,
    st.sampled_from(["plain", "gzip", "form", "plain form", "batch", "data", "query"]),
)
def test_json_of_any_shape_is_read_or_refused(route, value, wrapping):
    if wrapping in {"batch", "data"}:
        value = {wrapping: value if isinstance(value, list) else [value]}
    body = json.dumps(value).encode()

    if wrapping == "query":
        parsed = checked_reading(
            route, b"", f"data={quote_plus(b64encode(body).decode())}&writeKey=k"
        )
    else:
        parsed = checked_reading(route, wrapped(body, wrapping))

    for line, message_id in zip(
        *(parsed.lines, parsed.message_ids) if parsed else ((), ()), strict=True
    ):
        event = check_put_in_form(parsed.dialect, loaded(line))
        assert event is None or event["messageId"] == message_id


def loaded(line):
    """Read a line as the drain does; what is no JSON is a fault of its own."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return line.decode("utf-8", "replace")


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(DIALECTS), VALUES)
def test_a_value_of_any_shape_is_an_event_or_bad(dialect, value):
    check_put_in_form(dialect, msgspec.json.decode(msgspec.json.encode(value)))


def places(node, path=()):
    yield path
    inside = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node if isinstance(node, list) else ())
    )
    for key, part in inside:
        yield from places(part, (*path, key))


def replaced(node, path, value):
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = replaced(node[path[0]], path[1:], value)
    return copy


REAL = [
    (parsed.dialect, msgspec.json.decode(line))
    for path in SAMPLES
    for parsed in [tracking.parse(*sample_of(path)[0])]
    for line in parsed.lines
]


@settings(max_examples=600, deadline=None)
@given(st.data(), st.sampled_from(range(len(REAL))), LEAF | VALUES)
def test_a_real_event_with_one_part_changed_is_an_event_or_bad(data, which, value):
    dialect, raw = REAL[which]
    path = data.draw(st.sampled_from(sorted(places(raw), key=repr)))
    value = msgspec.json.decode(msgspec.json.encode(value))

    check_put_in_form(dialect, replaced(raw, path, value))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: Path(path).stem)
def test_a_request_cut_short_is_read_or_refused(path):
    (method, address, query, headers, body), _ = sample_of(path)

    for end in range(0, len(body), max(1, len(body) // 40)):
        checked_reading((method, address), body[:end], query, headers)
