"""Events nested too deep are held back alone, in every wire that sends several at once."""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.collect import tracking
from regulars.collect.tracking.depth import MOST_DEPTH, depth_of, shallowly, without_deep

values = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


def nested(levels):
    return b'{"a":' * levels + b'"[{"' + b"}" * levels


def levels_of(value):
    inside = value.values() if isinstance(value, dict) else value
    is_nest = isinstance(value, dict | list)
    return 1 + max(map(levels_of, inside), default=0) if is_nest else 0


@given(values)
def test_levels_are_counted_as_they_are_nested(value):
    assert depth_of(json.dumps(value).encode()) == levels_of(value)


@given(values, st.integers(MOST_DEPTH, 5_000))
def test_only_the_element_that_is_too_deep_becomes_text(value, levels):
    good = json.dumps(value).encode()
    bad = b'{"b":%b}' % nested(levels)

    found = json.loads(without_deep(b'{"batch":[%b, %b ,%b]}' % (good, bad, good)))

    assert found == {"batch": [value, bad.decode(), value]}


def test_a_reader_in_c_gives_up_whatever_calls_it():
    def further(frames):
        if frames:
            return further(frames - 1)
        return shallowly(lambda: json.loads(nested(150))), shallowly

    assert further(0)[0] == further(300)[0]
    for frames in (0, 300):
        with pytest.raises(RecursionError):
            further(frames)[1](lambda: json.loads(nested(MOST_DEPTH)))


def segment(part):
    return b'{"type":"track","event":"x","messageId":"m","userId":"u","properties":%b}' % part


def sensors(part):
    event = b'{"type":"track","event":"x","distinct_id":"d","time":1,"properties":%b}'
    return b"data_list=" + quote(b64encode(b"[%b,%b]" % (event % b"{}", event % part))).encode()


def posthog(part):
    event = b'{"event":"x","distinct_id":"a","properties":%b}'
    return b'{"api_key":"k","batch":[%b,%b]}' % (event % b"{}", event % part)


def thinkingdata(part):
    event = b'{"#type":"track","#event_name":"x","#distinct_id":"d","properties":%b}'
    return b'{"appid":"k","data":[%b,%b]}' % (event % b"{}", event % part)


def snowplow(part):
    return b'{"schema":"s","data":[{"e":"pv","aid":"k"},{"e":"ue","aid":"k","ue_pr":%b}]}' % part


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("/v1/batch", "writeKey=k", lambda p: b'{"batch":[%b,%b]}' % (segment(b"{}"), segment(p))),
        ("/v1/events", "writeKey=k", lambda p: b"%b\n%b" % (segment(b"{}"), segment(p))),
        ("/sa", "project=k", sensors),
        ("/batch/", "", posthog),
        ("/sync_json", "", thinkingdata),
        ("/com.snowplowanalytics.snowplow/tp2", "", snowplow),
    ],
)
def test_a_deep_event_spoils_no_other_of_its_request(path, query, body):
    calm = tracking.parse("POST", path, query, {"host": "a"}, body(b"{}")).lines
    deep = nested(20_000)

    lines = tracking.parse("POST", path, query, {"host": "a"}, body(deep)).lines

    assert len(lines) == len(calm) == 2
    assert lines[0] == calm[0]
    assert deep in (lines[1] if lines[1][:1] == b"{" else json.loads(lines[1]).encode())


def test_a_deep_event_that_comes_alone_is_kept_too_with_its_key():
    body = b'{"writeKey":"w",%b' % segment(nested(20_000))[1:]

    found = tracking.parse("POST", "/v1/track", "", {"host": "a"}, body)

    assert found.write_key == "w"
    assert [json.loads(line) for line in found.lines] == [body.decode()]
