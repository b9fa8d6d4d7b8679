"""Events as no client should send them, drawn at random: flipped types, deep nests, torn JSON."""

import json

from tests.collect.drain.shop import event

DIALECTS = ("segment", "rudder", "native", "sensors", "thinkingdata", "posthog", "snowplow")
TIMES = (
    "2026-11-21T09:00:00.000Z", "2026-11-21T09:00:00", "2026-11-21 09:00:00+0800", 1795252800,
    1795252800123, 1e300, -1, "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z", "", None, True, [], {"s": 1}, "2026-11-21T09:00:00.123456789Z",
)  # fmt: skip
VALUES = (
    None, True, False, 0, 1, -1, 1.5, 10**30, -(10**40), 1e308, "", " ", "null", "guest", "x",
    "名字", "\ud800", "a\u0000b", [], {}, [1, "a", None], {"a": {"b": [1]}}, "m" * 300,
    "13800138000", "0000", "line\nbreak",
)  # fmt: skip
FIELDS = (
    "type", "event", "name", "messageId", "userId", "anonymousId", "timestamp", "previousId",
    "originalTimestamp", "sentAt", "context", "properties", "traits", "integrations", "groupId",
)  # fmt: skip
VENDORS = {
    "sensors": {
        "distinct_id": "d1", "type": "track", "event": "Paid", "time": 1795252800000,
        "properties": {"$lib": "python"}, "identities": {"$identity_login_id": "u1"},
    },
    "thinkingdata": {
        "#type": "track", "#event_name": "Paid", "#account_id": "u1", "#distinct_id": "d1",
        "#time": "2026-11-21 09:00:00.000", "properties": {},
    },
    "posthog": {
        "uuid": "0", "event": "paid", "distinct_id": "d1", "properties": {}, "timestamp": TIMES[0],
    },
    "snowplow": {"e": "se", "eid": "1", "uid": "u1", "dtm": "1795252800000", "se_ac": "a"},
}  # fmt: skip


def pick(draw, values):
    return values[int(draw.integers(len(values)))]


def nested(depth):
    return json.loads('{"a":' * depth + "1" + "}" * depth)


def one_line(value):
    """JSON with whatever Python can write, on one line; lone surrogates stay as they are."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


def good(draw, number, dialect):
    if dialect in VENDORS:
        return VENDORS[dialect] | {"properties": {"n": number}, "uuid": f"p{number}"}
    kind = pick(draw, ("track", "identify", "page", "screen", "group", "alias", "merge"))
    parts = {"traits": {"a": 1}, "name": "Home", "previousId": "x", "groupId": "g"}
    return event(number, type=kind, **parts)


def conflicting(draw, number, dialect="segment"):
    """A good event with types flipped, many new keys, or deep nesting."""
    whole = good(draw, number, dialect)
    way = draw.random()
    if way < 0.6:
        for _ in range(int(draw.integers(1, 4))):
            name = pick(draw, FIELDS if dialect not in VENDORS else tuple(whole))
            whole[name] = pick(draw, TIMES if "ime" in name else VALUES)
    elif way < 0.62:
        whole["properties"] = {f"key {number} {n}": n for n in range(5000)}
    elif way < 0.7:
        whole["properties"] = nested(int(draw.integers(1, 120)))
    return whole


def fuzzed(draw, number, dialect):
    """One line: good, conflicting, or no event at all."""
    way = draw.random()
    if way < 0.3:
        return one_line(good(draw, number, dialect))
    if way < 0.85:
        return one_line(conflicting(draw, number, dialect))
    if way < 0.9:
        return one_line(pick(draw, VALUES))
    line = one_line(good(draw, number, dialect))
    if way < 0.95:
        return line[: int(draw.integers(len(line)))].replace(b"\n", b" ")
    torn = bytearray(line)
    torn[int(draw.integers(len(torn)))] = pick(draw, (0x80, 0xFF, 0x00, 0x22, 0x5C, 0x20, 0x7B))
    return bytes(torn)
