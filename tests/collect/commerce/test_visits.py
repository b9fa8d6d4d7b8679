"""Signs of somebody become visits, whatever batches they arrive in."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.commerce.telling import Till, said

START = datetime(2026, 11, 2, 1, tzinfo=UTC)


def page(minute, by="u1", **more):
    at = (START + timedelta(minutes=minute)).isoformat()
    return {"type": "page", "messageId": f"{by} {minute}", "userId": by, "timestamp": at} | more


def spans(till):
    return [
        (who, (start - START).seconds // 60, (end - START).seconds // 60)
        for who, start, end in till.rows("visits", "customer_id", "started_at", "ended_at")
    ]


def test_silence_of_more_than_30_minutes_starts_another_visit(till):
    till.tell(
        page(0), page(30), page(61), said("Product Viewed", page(62)["timestamp"]), page(5, "u2")
    )

    assert spans(till) == [("u1", 0, 30), ("u1", 61, 62), ("u2", 5, 5)]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=14, unique=True),
    st.randoms(),
    st.integers(1, 5),
)
def test_the_batches_signs_arrive_in_do_not_matter(tmp_path_factory, minutes, rng, size):
    at_once, in_parts = (Till(tmp_path_factory.mktemp("till")) for _ in range(2))
    shuffled = list(minutes)
    rng.shuffle(shuffled)

    at_once.tell(*(page(minute) for minute in minutes))
    for start in range(0, len(shuffled), size):
        in_parts.tell(*(page(minute) for minute in shuffled[start : start + size]))

    ordered = sorted(minutes)
    gaps = sum(after - before > 30 for before, after in zip(ordered, ordered[1:], strict=False))
    assert len(spans(at_once)) == gaps + 1
    assert spans(in_parts) == spans(at_once)


def test_machines_and_servers_do_not_visit(till):
    till.tell(page(0, marks="bot_agent"), said("Order Cancelled", page(0)["timestamp"], order_id="o"),
              said("Report Built", page(1)["timestamp"]))  # fmt: skip

    assert spans(till) == []


def test_store_visits_and_doors_are_told_apart_from_the_web(till):
    at = page(0)["timestamp"]
    till.tell(
        page(0),
        said("Store Visited", at, store_id="s1"),
        said("Store Visited", page(10)["timestamp"], store_id="s1"),
        said("Store Visited", at, store_id="s2", message_id="v2"),
        said("Door Counted", at, by="door", store_id="s1", entered=3, message_id="d1"),
        said("Door Counted", at, by="door", store_id="s1", entered=2, message_id="d2"),
        said("Door Counted", at, by="door", store_id="s1", entered=0, message_id="d3"),
        said("Door Counted", at, by="door", store_id="s1", entered=1.5, message_id="d4"),
        said("Store Visited", at, message_id="v3"),
    )

    assert till.rows("visits", "kind", "store_id", "customer_id", "visitors") == [
        ("door", "s1", None, 2), ("door", "s1", None, 3),
        ("store", "s1", "u1", 1), ("store", "s2", "u1", 1), ("web", None, "u1", 1),
    ]  # fmt: skip
    assert till.held_back() == [
        ("d4", "wrong_type", "properties.entered"), ("v3", "empty_required", "properties.store_id"),
    ]  # fmt: skip
