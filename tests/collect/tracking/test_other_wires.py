"""The wires of Sensors, ThinkingData, PostHog, Snowplow and the bulk wire: their traps."""

import gzip
import json
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote_plus, urlencode
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pytest

from regulars.collect import tracking

AT = 1767225600123
KEY = {"authorization": "Basic d2s6"}


def sensors(*events, query="project=p&token=wk", **more):
    body = urlencode({
        "data_list": b64encode(gzip.compress(json.dumps(events).encode())),
        "gzip": 1,
    })
    return tracking.parse("POST", "/sa", query, {}, body.encode(), **more)


def form_of(dialect, raw, **more):
    return tracking.normalise(dialect, raw, **more)


def bad(dialect, raw):
    with pytest.raises(tracking.BadEvent) as caught:
        tracking.normalise(dialect, raw)
    return caught.value.reason, caught.value.path


def viewed(**more):
    return {
        "type": "track",
        "event": "View",
        "time": AT,
        "distinct_id": "c7",
        "properties": {},
    } | more


def test_a_sensors_event_has_the_same_id_when_it_is_sent_again():
    first = viewed(_flush_time=1, lib={"$lib": "js", "$lib_detail": "a"}, _track_id=9)
    again = first | {"_flush_time": 2, "lib": {"$lib": "js"}}

    assert sensors(first).message_ids == sensors(again).message_ids
    assert sensors(first).message_ids != sensors(first | {"_track_id": 8}).message_ids


def test_what_a_sensors_client_says_twice_within_a_millisecond_happened_twice():
    added = viewed(type="profile_increment", properties={"Visits": 1})

    parsed = sensors(added, added, added)

    assert len(set(parsed.message_ids)) == 3
    assert parsed.message_ids == sensors(added, added, added).message_ids
    assert parsed.message_ids[0] == sensors(added).message_ids[0]
    assert [
        form_of("sensors", msgspec.json.decode(one))["messageId"] for one in parsed.lines
    ] == parsed.message_ids


@pytest.mark.parametrize(
    "body",
    [b"data_list=%%%", b"\x1f\x8bnot gzip", b"data=" + b64encode(b"no json"), b"data=!!!&gzip=1"],
)
def test_a_sensors_client_never_hears_no_because_of_its_body(body):
    if body.startswith(b"\x1f\x8b"):
        body = b"data=" + quote_plus(b64encode(body)).encode()

    parsed = tracking.parse("POST", "/sa", "token=wk", {}, body)

    assert parsed.is_lenient
    assert len(parsed.lines) == 1
    assert bad("sensors", msgspec.json.decode(parsed.lines[0])) == ("unreadable_body", "")


def test_a_sensors_request_without_a_key_is_read_all_the_same():
    parsed = sensors(viewed(), query="")

    assert (parsed.write_key, parsed.is_lenient, len(parsed.lines)) == ("", True, 1)


@pytest.mark.parametrize(
    ("query", "event", "key"),
    [
        ("project=p&token=t", {}, "t"),
        ("project=p", {}, "p"),
        ("", {"token": "t2", "project": "p2"}, "t2"),
        ("", {"project": "p2"}, "p2"),
    ],
)
def test_the_key_of_a_sensors_client_is_its_token_else_its_project(query, event, key):
    assert sensors(viewed(**event), query=query).write_key == key


def test_a_dry_run_of_a_sensors_client_stores_nothing():
    body = b"data=" + quote_plus(b64encode(json.dumps(viewed()).encode())).encode()

    assert tracking.parse("POST", "/debug", "token=wk", {"dry-run": "true"}, body).lines == []
    assert len(tracking.parse("POST", "/debug", "token=wk", {}, body).lines) == 1


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_sensors_image_may_come_with_unescaped_plus_signs_and_a_checksum(encode):
    data = encode(json.dumps(viewed(event="看>>>???")).encode()).decode().rstrip("=")

    parsed = tracking.parse("GET", "/sa.gif", f"token=wk&data={data}&ext=crc%3D-12", {}, b"")

    assert msgspec.json.decode(parsed.lines[0])["event"] == "看>>>???"
    assert parsed.answer.form == "gif"


@pytest.mark.parametrize(
    ("event", "user", "anonymous"),
    [
        ({}, None, "c7"),
        ({"properties": {"$is_login_id": True}}, "c7", None),
        ({"distinct_id": "u1", "login_id": "u1", "anonymous_id": "c7"}, "u1", "c7"),
        (
            {
                "distinct_id": "u1",
                "identities": {"$identity_login_id": "u1", "$identity_cookie_id": "c7"},
            },
            "u1",
            "c7",
        ),
        (
            {"distinct_id": "$identity_mobile+139", "identities": {"$identity_mobile": "139"}},
            None,
            None,
        ),
        ({"distinct_id": 12}, None, "12"),
    ],
)
def test_who_a_sensors_event_is_about(event, user, anonymous):
    event = form_of("sensors", viewed(**event))

    assert (event.get("userId"), event.get("anonymousId")) == (user, anonymous)


def test_declared_identities_become_external_ids():
    identities = {
        "$identity_login_id": "u1",
        "$identity_mobile": ["139", "138"],
        "$identity_email": "a@example.com",
        "$identity_mp_openid": "o1",
        "$identity_mp_unionid": "n1",
        "$identity_idfv": "d1",
    }

    event = form_of("sensors", viewed(distinct_id="u1", identities=identities))

    assert event["userId"] == "u1"
    assert [
        (one["type"], one["id"], one["collection"]) for one in event["context"]["externalIds"]
    ] == [
        ("phone", "139", "users"),
        ("phone", "138", "users"),
        ("email", "a@example.com", "users"),
        ("openid", "o1", "users"),
        ("unionid", "n1", "users"),
        ("device", "d1", "users"),
    ]


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (
            {"identities": {"$identity_shoe": "44"}},
            ("undeclared_identity", "identities.$identity_shoe"),
        ),
        ({"identities": {"$identity_mobile": "13800138000"}}, ("junk_id", "identities")),
        ({"distinct_id": "undefined"}, ("junk_id", "distinct_id")),
        ({"time": "now"}, ("bad_time", "time")),
        ({"distinct_id": None}, ("no_id", "distinct_id")),
        ({"type": "trace"}, ("unknown_type", "type")),
        ({"event": ""}, ("missing_name", "event")),
        ({"type": "item_set"}, ("missing_item", "item_type")),
        ({"ekey": "k", "payload": "x"}, ("encrypted", "payload")),
        ({"properties": "x"}, ("wrong_type", "properties")),
    ],
)
def test_a_bad_sensors_event_says_why_and_where(event, fault):
    assert bad("sensors", viewed(**event)) == fault


def test_only_profile_set_sets_traits_and_other_operations_say_what_they_are():
    kept = form_of("sensors", viewed(type="profile_set", properties={"City": "上海"}))
    added = form_of("sensors", viewed(type="profile_increment", properties={"Visits": 2}))

    assert kept["traits"] == {"City": "上海"}
    assert "traits" not in added
    assert added["context"]["protocol"] == {"op": "profile_increment", "values": {"Visits": 2}}


def test_signing_up_joins_the_customer_and_the_browser():
    event = form_of("sensors", viewed(type="track_signup", distinct_id="u1", original_id="c7"))

    assert (event["type"], event["userId"], event["anonymousId"]) == ("identify", "u1", "c7")


def test_unbinding_joins_nothing():
    event = form_of(
        "sensors",
        viewed(
            type="track_id_unbind",
            distinct_id="$identity_mobile+139",
            identities={"$identity_mobile": "139"},
        ),
    )

    assert (event["type"], event["event"]) == ("track", "$UnbindID")
    assert "externalIds" not in event["context"]
    assert event["context"]["protocol"]["identifiers"][0]["id"] == "139"


def bought(**more):
    return {
        "#type": "track",
        "#event_name": "Buy",
        "#time": "2026-01-01 08:00:00.123",
        "#account_id": "u1",
        "properties": {},
    } | more


def test_a_thinkingdata_moment_is_in_the_zone_it_names_else_in_the_workspaces():
    there = form_of("thinkingdata", bought(properties={"#zone_offset": 8}))
    here = form_of("thinkingdata", bought(), zone=ZoneInfo("Asia/Shanghai"))

    assert there["timestamp"] == here["timestamp"] == "2026-01-01T00:00:00.123Z"
    assert form_of("thinkingdata", bought())["timestamp"] == "2026-01-01T08:00:00.123Z"


def test_a_thinkingdata_dry_run_stores_nothing_and_hears_that_all_is_well():
    form = urlencode({"appid": "wk", "source": "server", "data": json.dumps(bought())})

    dry = tracking.parse("POST", "/data_debug", "", {}, f"{form}&dryRun=1".encode())
    real = tracking.parse("POST", "/data_debug", "", {}, f"{form}&dryRun=0".encode())

    assert (dry.lines, len(real.lines), real.write_key) == ([], 1, "wk")
    told = json.loads(real.answer.render()[1])
    assert (told["code"], told["errorLevel"]) == (0, 0)


def test_a_thinkingdata_uuid_is_the_id():
    parsed = tracking.parse(
        "POST",
        "/sync_server",
        "",
        {"appid": "wk"},
        json.dumps([bought(**{"#uuid": "x-1"}), bought(), bought()]).encode(),
    )

    assert parsed.message_ids[0] == "x-1"
    assert len(set(parsed.message_ids)) == 3


@pytest.mark.parametrize(
    ("call", "op"),
    [
        ("user_setOnce", "profile_set_once"),
        ("user_add", "profile_increment"),
        ("user_append", "profile_append"),
        ("user_uniq_append", "profile_union"),
        ("user_unset", "profile_unset"),
        ("user_del", "profile_delete"),
    ],
)
def test_thinkingdata_user_calls_are_operations_on_traits(call, op):
    event = form_of("thinkingdata", bought(**{"#type": call, "properties": {"a": 1}}))

    assert (event["type"], event["context"]["protocol"]) == (
        "identify",
        {"op": op, "values": {"a": 1}},
    )


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"#time": "late"}, ("bad_time", "#time")),
        ({"#account_id": None}, ("no_id", "#account_id")),
        ({"#type": "walk"}, ("unknown_type", "#type")),
        ({"#event_name": None}, ("missing_name", "#event_name")),
    ],
)
def test_a_bad_thinkingdata_event_says_why_and_where(event, fault):
    assert bad("thinkingdata", bought(**event)) == fault


def paid(**more):
    return {"event": "Paid", "uuid": "x-1", "distinct_id": "u1", "properties": {}} | more


@pytest.mark.parametrize(
    ("properties", "user", "anonymous"),
    [
        ({}, "u1", None),
        ({"$device_id": "d1"}, "u1", "d1"),
        ({"$device_id": "u1"}, None, "u1"),
        ({"$is_identified": False}, None, "u1"),
        ({"$process_person_profile": False}, None, "u1"),
        ({"$user_id": "u2", "$device_id": "d1"}, "u2", "d1"),
    ],
)
def test_who_a_posthog_event_is_about(properties, user, anonymous):
    event = form_of("posthog", paid(properties=properties))

    assert (event.get("userId"), event.get("anonymousId")) == (user, anonymous)


def test_posthog_identify_joins_and_sets():
    event = form_of(
        "posthog",
        paid(
            event="$identify",
            properties={"$anon_distinct_id": "a1"},
            **{"$set": {"city": "上海"}, "$set_once": {"first": 1}},
        ),
    )

    assert (event["type"], event["userId"], event["anonymousId"]) == ("identify", "u1", "a1")
    assert event["traits"] == {"city": "上海"}
    assert event["context"]["protocol"] == {"op": "profile_set_once", "values": {"first": 1}}


def test_a_posthog_group_without_a_customer_names_none():
    event = form_of(
        "posthog",
        paid(
            event="$groupidentify",
            distinct_id="$store_s1",
            properties={"$group_type": "store", "$group_key": "s1"},
        ),
    )

    assert (event["type"], event["groupId"], event.get("userId")) == ("group", "s1", None)


def test_a_single_posthog_event_needs_no_batch_and_may_come_as_base64():
    body = json.dumps(paid(api_key="wk")).encode()

    plain = tracking.parse("POST", "/capture/", "", {}, body)
    packed = tracking.parse(
        "POST", "/e/", "compression=base64", {}, b"data=" + quote_plus(b64encode(body)).encode()
    )

    assert plain.message_ids == packed.message_ids == ["x-1"]
    assert plain.write_key == packed.write_key == "wk"
    assert b"api_key" not in plain.lines[0]


def test_a_posthog_event_about_nobody_says_so():
    assert bad("posthog", paid(distinct_id=None)) == ("no_id", "distinct_id")


def test_parts_of_a_snowplow_event_are_decoded_packed_or_not():
    inner = json.dumps({
        "schema": "iglu:a/unstruct_event/jsonschema/1-0-0",
        "data": {"schema": "iglu:com.x/viewed/jsonschema/1-0-0", "data": {"sku": "p1"}},
    })
    entities = json.dumps({
        "schema": "iglu:a/contexts/jsonschema/1-0-1",
        "data": [
            {"schema": "iglu:com.y/client_session/jsonschema/1-0-2", "data": {"userId": "s1"}}
        ],
    })

    plain = form_of("snowplow", {"e": "ue", "eid": "1", "ue_pr": inner, "co": entities})
    packed = form_of(
        "snowplow",
        {
            "e": "ue",
            "eid": "1",
            "ue_px": urlsafe_b64encode(inner.encode()).decode().rstrip("="),
            "cx": b64encode(entities.encode()).decode(),
        },
    )

    assert plain == packed
    assert (plain["event"], plain["properties"], plain["anonymousId"]) == (
        "viewed",
        {"sku": "p1"},
        "s1",
    )
    assert plain["context"]["entities"] == json.loads(entities)["data"]


def test_numbers_of_a_snowplow_event_are_numbers_again():
    event = form_of(
        "snowplow", {"e": "tr", "eid": "1", "tr_id": "7", "tr_tt": "12.50", "tr_tx": "1"}
    )

    assert event["properties"] == {"order_id": "7", "total": 12.5, "tax": 1}


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"e": "zz"}, ("unknown_type", "e")),
        ({"e": "ue"}, ("missing_schema", "ue_pr")),
        ({"e": "ue", "ue_px": "%%"}, ("unreadable_part", "ue_px")),
        ({"e": "pv", "co": 5}, ("wrong_type", "co")),
        ({"e": "se", "se_ca": "shop"}, ("missing_name", "se_ac")),
    ],
)
def test_a_bad_snowplow_event_says_why_and_where(event, fault):
    assert bad("snowplow", event) == fault


def native(body, headers=KEY):
    return tracking.parse("POST", "/v1/events", "", headers, body)


def test_lines_of_json_are_events_and_a_broken_one_spoils_no_other():
    parsed = native(b'{"messageId":"1"}\r\n\nnot json\n{"messageId":"2"}\n')

    assert parsed.lines == [b'{"messageId":"1"}', b"not json", b'{"messageId":"2"}']
    assert parsed.message_ids[::2] == ["1", "2"]


def test_a_list_of_json_is_read_as_well_packed_or_not():
    assert native(gzip.compress(b'[{"messageId":"1"},\n{"messageId":"2"}]')).message_ids == [
        "1",
        "2",
    ]


def rows_of_arrow(writer):
    table = pa.table({
        "messageId": ["1", "2"],
        "type": ["track", "track"],
        "event": ["Paid", "Paid"],
        "userId": ["u1", None],
        "timestamp": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")),
        "properties": [{"total": Decimal("12.50"), "n": 1}, {"total": Decimal("1.00"), "n": 2}],
        "context": ['{"ip":"10.0.0.1"}', None],
    })
    sink = pa.BufferOutputStream()
    with writer(sink, table.schema) as out:
        out.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("writer", [pa.ipc.new_stream, pa.ipc.new_file])
def test_rows_of_arrow_are_events(writer):
    body = rows_of_arrow(writer)

    parsed = native(body)

    assert parsed.lines == native(gzip.compress(body)).lines
    first, second = (msgspec.json.decode(line) for line in parsed.lines)
    assert first == {
        "messageId": "1",
        "type": "track",
        "event": "Paid",
        "userId": "u1",
        "timestamp": "2026-01-01T00:00:00Z",
        "properties": {"total": "12.50", "n": 1},
        "context": {"ip": "10.0.0.1"},
    }
    assert "userId" not in second
    assert tracking.normalise("native", first)["timestamp"] == "2026-01-01T00:00:00.000Z"


def test_a_broken_arrow_body_is_refused():
    body = rows_of_arrow(pa.ipc.new_stream)

    for end in (8, 100, len(body) // 2):
        with pytest.raises(tracking.Refused, match="Arrow body is broken"):
            native(body[:end])
