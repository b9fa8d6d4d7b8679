"""Segment's and RudderStack's wire: what their clients do beside the specification."""

import gzip
import json
import zlib

import msgspec
import pytest

from regulars.collect import tracking

KEY = {"authorization": "Basic d2s6"}


def read(body, path="/v1/batch", headers=KEY, query="", method="POST"):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return tracking.parse(method, path, query, headers, body)


def events(parsed):
    return [msgspec.json.decode(line) for line in parsed.lines]


def refusal(*args, **kwargs):
    with pytest.raises(tracking.Refused) as caught:
        read(*args, **kwargs)
    return caught.value


def test_lines_of_a_batch_are_the_very_bytes_sent():
    one, two = b'{"messageId": "1","n":1.50}', '{"messageId":"2","城市":"上海"}'.encode()

    parsed = read(b'{"batch":[' + one + b", " + two + b'],"sentAt":"2026-01-01T00:00:00Z"}')

    assert parsed.lines == [one, two]
    assert parsed.message_ids == ["1", "2"]
    assert parsed.sent_at.isoformat() == "2026-01-01T00:00:00+00:00"


def test_a_line_break_between_parts_of_an_event_goes_and_one_inside_a_text_stays():
    parsed = read(b'{"batch":[\n{\n "messageId": "1",\r\n "a": "x\\ny"\n}\n]}')

    assert parsed.lines == [b'{"messageId":"1","a":"x\\ny"}']


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress])
@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"]
)
def test_the_body_is_found_by_trying_not_by_its_label(pack, kind):
    body = pack(b'{"batch":[{"messageId":"1"}]}')

    assert read(body, headers=KEY | {"content-type": kind}).message_ids == ["1"]


def test_packed_parts_may_follow_one_another():
    body = gzip.compress(b'{"batch":[{"messageId"') + gzip.compress(b':"1"}]}')

    assert read(body).message_ids == ["1"]


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused_without_unpacking_it_all():
    bomb = gzip.compress(b"[" + b" " * 200_000_000)

    assert refusal(bomb).status == 413


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "unreadable_body"),
        (b"not json", 400, "unreadable_body"),
        (b"[1]", 400, "unreadable_body"),
        (b'{"batch":{}}', 400, "unreadable_body"),
        (b'{"batch":[' + b"[" * 100_000, 400, "unreadable_body"),
        (gzip.compress(b'{"batch":[]}', mtime=0)[:-9], 400, "unreadable_body"),
        (b'{"batch":[' + b",".join([b"{}"] * 2501) + b"]}", 413, "too_many_events"),
    ],
)
def test_an_unreadable_request_is_refused_with_code_and_message(body, status, code):
    error = refusal(body)

    assert (error.status, error.code) == (status, code)
    assert json.loads(error.body()) == {"code": code, "message": error.message, "success": False}


def test_a_broken_item_is_a_line_of_its_own_and_spoils_no_other():
    parsed = read(b'{"batch":[5,{"messageId":"1"},"x",null,[],{"messageId":["a"]}]}')

    assert parsed.lines[:5] == [b"5", b'{"messageId":"1"}', b'"x"', b"null", b"[]"]
    assert len(set(parsed.message_ids)) == 6


def test_what_no_json_allows_does_not_cost_the_neighbours():
    body = '{"batch":[{"messageId":"1","v":NaN},{"messageId":"2","v":"\\ud800"},{"messageId":"3"}]}'

    parsed = read(body.encode())

    assert parsed.message_ids == ["1", "2", "3"]
    assert [event.get("v") for event in events(parsed)] == [None, "?", None]


def test_bytes_that_are_no_utf8_are_replaced():
    parsed = read(b'{"batch":[{"messageId":"1","v":"\xd6\xd0"}]}')

    assert events(parsed) == [{"messageId": "1", "v": "\ufffd\ufffd"}]


def test_parts_of_the_batch_go_to_the_events_that_have_none():
    shared = {"context": {"ip": "10.0.0.1"}, "integrations": {"All": True}}
    parsed = read({
        "batch": [
            {"messageId": "1"},
            {"messageId": "2", "context": {}, "integrations": {"All": False}},
            {"messageId": "3", "context": None},
        ],
        **shared,
    })

    first, second, third = events(parsed)
    assert first == {"messageId": "1", **shared}
    assert second == {"messageId": "2", "context": {}, "integrations": {"All": False}}
    assert third == {"messageId": "3", **shared}


def test_an_event_without_an_id_gets_the_hash_of_its_content_and_keeps_it():
    bare = {"type": "track", "event": "Paid", "userId": "u1", "timestamp": "2026-11-21T01:00:00Z"}

    once, again = read({"batch": [bare]}), read({"batch": [{**bare, "sentAt": "later"}]})
    other = read({"batch": [{**bare, "event": "Left"}]})

    assert once.message_ids == again.message_ids != other.message_ids
    assert events(once)[0]["messageId"] == once.message_ids[0]


def test_events_without_id_and_moment_are_as_many_as_were_sent():
    bare = {"type": "track", "event": "Paid", "userId": "u1"}

    parsed = read({"batch": [bare, bare]})

    assert len(set(parsed.message_ids)) == 2
    assert [event["messageId"] for event in events(parsed)] == parsed.message_ids


@pytest.mark.parametrize("empty", [None, "", "  ", [], {}, True])
def test_an_empty_id_is_none(empty):
    (event,) = events(read({"batch": [{"messageId": empty, "event": "Paid"}]}))

    assert len(event["messageId"]) == 32


def test_numbers_become_ids_as_text():
    parsed = read({"batch": [{"messageId": 7, "userId": 1001, "anonymousId": 5.0}]})

    assert events(parsed) == [{"messageId": "7", "userId": "1001", "anonymousId": "5"}]
    assert parsed.message_ids == ["7"]


def test_traits_that_stand_in_the_context_of_identify_move_to_their_place():
    inside = {"messageId": "1", "type": "identify", "context": {"traits": {"a": 1}, "ip": "x"}}
    beside = {
        "messageId": "2",
        "type": "identify",
        "traits": {"b": 2},
        "context": {"traits": {"a": 1}},
    }

    first, second = events(read({"batch": [inside, beside]}))

    assert first == {
        "messageId": "1",
        "type": "identify",
        "traits": {"a": 1},
        "context": {"ip": "x"},
    }
    assert second == beside


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"/v1/{path}", kind)
        for kind in ("identify", "track", "page", "screen", "group", "alias")
        for path in (kind, kind[0])
    ],
)
def test_a_single_call_takes_its_type_from_the_path_and_leaves_its_key_behind(path, kind):
    parsed = read(
        {"messageId": "1", "writeKey": "wk9"}, path, headers={"content-type": "text/plain"}
    )

    assert events(parsed) == [{"messageId": "1", "type": kind}]
    assert parsed.write_key == "wk9"


@pytest.mark.parametrize(
    ("headers", "body", "query", "key"),
    [
        ({"authorization": "Basic d2s6"}, "b", "writeKey=q", "wk"),
        ({"authorization": "basic d2s"}, "b", "", "wk"),
        ({"authorization": "Basic d2s6c2VjcmV0"}, "b", "", "wk"),
        ({"authorization": "Bearer tok"}, "b", "", "b"),
        ({"authorization": "Bearer tok"}, None, "writeKey=q", "tok"),
        ({"authorization": "Basic %%%"}, "b", "", "b"),
        ({}, "b", "writeKey=q", "b"),
        ({}, None, "writeKey=q", "q"),
    ],
)
def test_the_first_write_key_present_counts(headers, body, query, key):
    parsed = read({"batch": [], "writeKey": body}, headers=headers, query=query)

    assert parsed.write_key == key


def test_a_request_without_a_key_is_refused():
    error = refusal({"batch": []}, headers={})

    assert (error.status, error.code) == (401, "missing_write_key")


def test_a_path_of_nobody_is_refused():
    assert refusal(b"", "/v1/nothing").status == 404
    assert refusal(b"", "/v1/batch", method="GET").status == 404


def test_the_browser_client_is_led_back_here_by_its_settings():
    headers = {"host": "shop.example:8080", "x-forwarded-proto": "https"}
    parsed = read(b"", "/v1/projects/wk%201/settings", headers, method="GET")

    kind, body = parsed.answer.render()
    assert kind == "application/json"
    assert (
        json.loads(body)["integrations"]["Segment.io"]
        | {
            "apiKey": "wk 1",
            "apiHost": "shop.example:8080/v1",
            "protocol": "https",
        }
        == json.loads(body)["integrations"]["Segment.io"]
    )
    assert (parsed.write_key, parsed.lines) == ("wk 1", [])


def test_what_the_browser_client_tells_of_itself_is_swallowed():
    assert read(b'{"series":[]}', "/v1/m", headers={}).lines == []


def test_the_rudderstack_browser_client_hears_what_it_may_do():
    parsed = read(b"", "/sourceConfig/", query="p=cdn&writeKey=wk", method="GET")

    _, body = parsed.answer.render()
    assert (
        json.loads(body)["source"] | {"enabled": True, "destinations": []}
        == json.loads(body)["source"]
    )


def test_a_pixel_is_an_event_and_answered_by_an_image():
    query = "writeKey=wk&event=Mail+opened&anonymousId=a1&properties.campaign=may&messageId=m1"
    parsed = read(b"", "/pixel/v1/track", {}, query, "GET")

    assert events(parsed) == [
        {
            "type": "track",
            "channel": "web",
            "event": "Mail opened",
            "anonymousId": "a1",
            "properties": {"campaign": "may"},
            "messageId": "m1",
        }
    ]
    kind, body = parsed.answer.render()
    assert (kind, body[:6]) == ("image/gif", b"GIF89a")


def test_a_pixel_without_an_id_counts_each_time_it_is_shown():
    query = "writeKey=wk&event=Mail+opened&anonymousId=a1"

    ids = [read(b"", "/pixel/v1/track", {}, query, "GET").message_ids[0] for _ in range(2)]

    assert ids[0] != ids[1]


def test_the_answer_tells_what_came_of_the_request():
    _, body = read({"batch": []}).answer.render(
        receipt="r1", accepted=3, duplicates=1, quarantined=1
    )

    assert json.loads(body) == {
        "success": True,
        "code": 0,
        "accepted": 3,
        "duplicates": 1,
        "quarantined": 1,
        "receipt": "r1",
    }


def test_identifiers_to_merge_become_an_identify_call():
    merged = {
        "type": "merge",
        "mergeProperties": [
            {"type": "email", "value": "a@example.com"},
            {"type": "phone", "value": 139},
        ],
    }

    event = tracking.normalise("rudder", merged)

    assert event["type"] == "identify"
    assert [(one["type"], one["id"]) for one in event["context"]["externalIds"]] == [
        ("email", "a@example.com"),
        ("phone", "139"),
    ]


@pytest.mark.parametrize(
    ("raw", "reason", "path"),
    [
        (5, "not_an_object", ""),
        ({"type": "tracked"}, "unknown_type", "type"),
        ({"type": "track"}, "missing_name", "event"),
        ({"type": "track", "event": 5}, "wrong_type", "event"),
        ({"type": "track", "event": "Paid", "userId": "undefined"}, "junk_id", "userId"),
        ({"type": "track", "event": "Paid", "userId": {"id": 1}}, "wrong_type", "userId"),
        ({"type": "track", "event": "Paid", "properties": []}, "wrong_type", "properties"),
        ({"type": "page", "name": []}, "wrong_type", "name"),
        (
            {"type": "merge", "mergeProperties": [{"type": "shoe", "value": "1"}]},
            "undeclared_identity",
            "mergeProperties[0].type",
        ),
    ],
)
def test_a_bad_event_says_why_and_where(raw, reason, path):
    with pytest.raises(tracking.BadEvent) as caught:
        tracking.normalise("segment", raw)

    assert (caught.value.reason, caught.value.path) == (reason, path)


def test_an_alias_to_oneself_is_no_fault():
    event = tracking.normalise(
        "segment", {"type": "alias", "userId": "u1", "previousId": "u1", "messageId": "1"}
    )

    assert (event["userId"], event["previousId"]) == ("u1", "u1")


def test_nulls_are_left_out_and_moments_written_alike():
    raw = {
        "type": "track",
        "event": " Paid ",
        "userId": 7,
        "anonymousId": None,
        "messageId": "1",
        "timestamp": 1767225600000,
        "sentAt": "soon",
    }

    assert tracking.normalise("segment", raw) == {
        "type": "track",
        "event": "Paid",
        "userId": "7",
        "messageId": "1",
        "timestamp": "2026-01-01T00:00:00.000Z",
    }
