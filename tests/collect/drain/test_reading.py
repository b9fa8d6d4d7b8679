"""Lines are read at once as they are one by one; who follows leaves time to those who need it."""

import json
import random

import msgspec
import pytest
from tests.collect.drain.shop import event, message_id

from regulars.collect.ingest.drain.following.pace import Pace
from regulars.collect.ingest.drain.reading.lines import ends_of, payloads_of, read_lines
from regulars.collect.ingest.log.frame import fingerprint
from regulars.collect.tracking import normalise

ODD = (
    b'"no event"', b"17", b"1e400", b"null", b"[1, [2]]", b"true", b"{broken", b'{"type": "track"',
    b'{"type": "shout", "messageId": "x"}', b"{}", b'{"type": ["track"]}', b"nan",
    b"[" * 3000 + b"]" * 3000, '{"type": "merge", "messageId": "合"}'.encode(),
)  # fmt: skip


def lines(draw, count, odd):
    """Good lines, and some that are not."""
    return [
        draw.choice(ODD) if draw.random() < odd else json.dumps(event(n)).encode()
        for n in range(count)
    ]


def read(some):
    found = read_lines(b"".join(one + b"\n" for one in some), len(some), normalise)
    payloads, not_text = payloads_of(found)
    records = [msgspec.structs.asdict(one) | {"context": None} for one in found.records]
    return records, payloads.to_pylist(), found.refusals, not_text


@pytest.mark.parametrize("odd", [0.0, 0.004, 0.1, 1.0])
@pytest.mark.parametrize("count", [1, 31, 32, 33, 257])
def test_lines_read_at_once_are_what_each_is_alone(count, odd):
    some = lines(random.Random(count * 7 + int(odd * 10)), count, odd)

    records, payloads, refusals, not_text = read(some)

    alone = [read([line]) for line in some]
    assert records == [one[0][0] for one in alone]
    assert payloads == [one[1][0] for one in alone]
    assert refusals == {place: one[2][0] for place, one in enumerate(alone) if one[2]}
    assert not_text == []


def test_ends_are_found_past_the_stretch_they_are_looked_for_in():
    sizes = [0, 1, 700_000, 5, 524_287, 524_288, 3]
    block = b"".join(b"x" * size + b"\n" for size in sizes)

    ends = ends_of(block, len(sizes)).tolist()

    assert [after - before - 1 for before, after in zip(ends, ends[1:], strict=False)] == sizes


def test_events_without_an_id_go_by_their_fingerprints_in_order(shop):
    odd = [1, 4, 5]
    shop.send(*(f"{n}".encode() if n in odd else event(n) for n in range(7)))

    shop.drain()

    held = {row[0] for row in shop.rows("refused_events", "message_id")}
    assert held == {fingerprint("shop", message_id(f"{n}".encode())).hex() for n in odd}
    kept = {row[0] for row in shop.rows("events", "message_id")}
    assert kept == {f"m{n}" for n in range(7) if n not in odd}


@pytest.mark.parametrize(
    ("rate", "cost", "used", "is_outrun"),
    [
        pytest.param(60_000, 20e-6, 0.1, True, id="too many, and no processor to spare"),
        pytest.param(60_000, 20e-6, 0.29, False, id="too many, but processors to spare"),
        pytest.param(10_000, 20e-6, 0.1, False, id="few enough to follow"),
        pytest.param(60_000, 0.0, 0.1, False, id="nobody follows"),
    ],
)
def test_followers_leave_their_time_where_it_is_needed(rate, cost, used, is_outrun):
    pace = Pace()
    for name in ("one", "other"):
        pace.followed(name, 1_000, 1_000 * cost / 2)
        pace.followed(name, 0, 99.0)
    for _ in range(20):
        pace.decided(rate, deciding=0.3, used=used, passed=1.0)

    assert pace.is_outrun is is_outrun


def test_a_drain_whose_followers_are_outrun_is_behind_however_little_waits(shop):
    drain = shop.open()
    try:
        assert not drain.is_behind
        drain._feeder.pace.followed("one", 1_000, 0.05)
        drain._feeder.pace.decided(1_000_000, deciding=3.0, used=1.0, passed=10.0)

        assert drain.is_behind
    finally:
        drain.close()
