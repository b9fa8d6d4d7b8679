"""Messages about orders: read to the cent, versioned, corrected, in whatever order they arrive."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.commerce.telling import Till, said

from regulars.adapters.delta_lake import DeltaLake
from regulars.collect.commerce.amounts import spread
from regulars.collect.commerce.epcis import epcis_events, place_of, product_of, segment_event
from regulars.collect.commerce.orders import order_version
from regulars.collect.commerce.refusals import MEANINGS, HeldBack
from regulars.collect.sensors.sending import requests_of
from regulars.collect.sources.mapping import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.errors import InputError

PRODUCTS = [
    {"product_id": "a", "price": 10.0, "quantity": 2},
    {"product_id": "b", "price": 5.5, "quantity": 1},
]


def bought(order_id="o1", at="2026-11-02T03:00:00+00:00", *, words="Order Completed", **more):
    return said(words, at, order_id=order_id, **({"products": PRODUCTS} | more))


@given(
    st.integers(0, 10**7),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30),
)
def test_parts_add_up_and_none_is_off_by_more_than_a_cent(cents, weights):
    amount = Decimal(cents).scaleb(-2)

    parts = spread(amount, [Decimal(weight).scaleb(-2) for weight in weights])

    assert sum(parts) == amount
    whole = sum(weights) or len(weights)
    exact = [cents * (weight if any(weights) else 1) / whole for weight in weights]
    assert all(abs(float(p) * 100 - e) <= 1.0001 for p, e in zip(parts, exact, strict=True))


def test_the_example_of_the_segment_spec_lands(till):
    till.tell(
        bought(
            "50314b8e9bcf000000000000",
            checkout_id="fksdjfsdjfisjf9sdfjsd9f",
            affiliation="Google Store",
            total=27.50,
            subtotal=22.50,
            revenue=25.00,
            shipping=3,
            tax=2,
            discount=2.5,
            coupon="hasbros",
            currency="CNY",
            products=[
                {"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "price": 19, "quantity": 1},
                {"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "price": 3, "quantity": 2},
            ],
        )
    )  # fmt: skip

    assert till.rows("orders", "store_id", "total", "business_date") == [
        ("Google Store", Decimal("27.50"), date(2026, 11, 2))
    ]
    assert till.rows("order_lines", "sales", "coupon_discount") == [
        (Decimal("17.10"), Decimal("1.90")),
        (Decimal("5.40"), Decimal("0.60")),
    ]
    assert till.rows("redemptions", "coupon_id", "amount") == [("hasbros", Decimal("2.50"))]


@pytest.mark.parametrize(
    ("more", "total"),
    [
        ({"total": 25.5}, "25.50"),
        ({"total": "27.5", "tax": 2}, "27.50"),
        ({"total": 25.5, "tax": 2}, "25.50"),
        ({"subtotal": 25.5, "tax": 2}, "27.50"),
        ({"revenue": 25.5, "discount": 5}, "20.50"),
        ({"revenue": None}, "25.50"),
    ],
)
def test_what_was_paid_is_found_in_every_way_clients_say_it(more, total):
    version = order_version(
        "Order Completed",
        {"order_id": 7, "products": PRODUCTS} | more,
        version_id="m",
        currency="CNY",
    )

    assert (version.order_id, str(version.total)) == ("7", total)
    assert (
        sum(line.amount for line in version.lines) + version.shipping + version.tax == version.total
    )


@pytest.mark.parametrize(
    ("more", "reason", "path"),
    [
        ({"order_id": None}, "empty_required", "properties.order_id"),
        ({"order_id": ["o"]}, "wrong_type", "properties.order_id"),
        ({"products": []}, "no_products", "properties.products"),
        ({"products": "two"}, "wrong_type", "properties.products"),
        ({"products": [{"price": 1}]}, "empty_required", "products[0].product_id"),
        ({"products": [{"sku": "a"}]}, "empty_required", "products[0].price"),
        ({"products": [{"sku": "a", "price": "ten"}]}, "wrong_type", "products[0].price"),
        ({"products": [{"sku": "a", "price": True}]}, "wrong_type", "products[0].price"),
        ({"products": [{"sku": "a", "price": "NaN"}]}, "wrong_type", "products[0].price"),
        ({"products": [{"sku": "a", "price": -1}]}, "out_of_range", "products[0].price"),
        ({"products": [{"sku": "a", "price": 1, "quantity": 0}]}, "out_of_range", "products[0].quantity"),
        ({"products": [{"sku": "a", "price": 1, "discount": 2}]}, "out_of_range", "products[0].discount"),
        ({"products": [{"sku": s, "price": 1, "line_id": 1} for s in "ab"]}, "duplicate_line", "properties.products"),
        ({"currency": "USD"}, "other_currency", "properties.currency"),
        ({"total": 25.49}, "does_not_add_up", "properties.total"),
        ({"subtotal": 99}, "does_not_add_up", "properties.subtotal"),
        ({"discount": 26}, "out_of_range", "properties.discount"),
        ({"ordered_at": "yesterday"}, "wrong_type", "properties.ordered_at"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_become_facts_waits_with_its_reason(till, more, reason, path):
    till.tell(bought("good"), bought(message_id="bad", **({"order_id": "o1"} | more)))

    assert till.held_back() == [("bad", reason, path)]
    assert till.rows("orders", "order_id") == [("good",)]


def test_an_order_of_nobody_or_of_a_machine_waits(till):
    till.tell(
        bought("o1", message_id="m1") | {"userId": None},
        bought("o2", message_id="m2") | {"marks": "rate_impossible"},
        bought("o3") | {"userId": None, "anonymousId": "a-1"},
    )

    assert till.held_back() == [("m1", "no_customer", None), ("m2", "marked", None)]
    assert till.rows("orders", "customer_id") == [("c_9064c42858186db2d9b0",)]


def test_an_order_of_a_client_whose_clock_is_wrong_is_an_order(till):
    till.tell(bought("o1") | {"marks": "clock_unreadable"})

    assert till.held_back() == []
    assert till.rows("orders", "order_id") == [("o1",)]


HISTORY = (
    bought("o1", "2026-11-01T23:50:00+08:00"),
    bought("o1", "2026-11-03T10:00:00+08:00", words="Order Updated", products=PRODUCTS[:1]),
    bought("o2", "2026-11-02T10:00:00+08:00"),
    said("Order Cancelled", "2026-11-02T11:00:00+08:00", order_id="o2"),
    bought("o3", "2026-11-02T10:00:00+08:00", shipping=4),
    said("Order Refunded", "2026-11-04T10:00:00+08:00", order_id="o3", total=29.5),
    bought("o4", "2026-11-02T10:00:00+08:00"),
    said("Order Refunded", "2026-11-05T10:00:00+08:00", order_id="o4", return_id="r4", total=4.99,
         products=[{"product_id": "b", "price": 5.5, "quantity": 1}]),
    bought("o5", "2026-11-02T10:00:00+08:00", message_id="wrong"),
    said("Order Voided", "2026-11-02T12:00:00+08:00", order_id="o5", voids="wrong"),
    bought("o5", "2026-11-02T10:00:00+08:00", message_id="right", products=PRODUCTS[1:]),
)  # fmt: skip


def check(till):
    assert till.rows("orders", "order_id", "business_date", "total") == [
        ("o1", date(2026, 11, 1), Decimal("20.00")),
        ("o3", date(2026, 11, 2), Decimal("29.50")),
        ("o4", date(2026, 11, 2), Decimal("25.50")),
        ("o5", date(2026, 11, 2), Decimal("5.50")),
    ]
    assert till.rows("order_lines", "order_id", "product_id") == [
        ("o1", "a"), ("o3", "a"), ("o3", "b"), ("o4", "a"), ("o4", "b"), ("o5", "b"),
    ]  # fmt: skip
    assert till.rows("returns", "order_id", "business_date", "product_id", "refund") == [
        ("o3", date(2026, 11, 4), "a", Decimal("23.14")),
        ("o3", date(2026, 11, 4), "b", Decimal("6.36")),
        ("o4", date(2026, 11, 5), "b", Decimal("4.99")),
    ]
    assert ("r4-1",) in till.rows("returns", "return_id")


@settings(max_examples=6, deadline=None)
@given(st.permutations(HISTORY), st.integers(1, len(HISTORY)))
def test_messages_give_the_same_facts_in_whatever_order_and_batches(
    tmp_path_factory, messages, size
):
    till = Till(tmp_path_factory.mktemp("till"))

    for start in range(0, len(messages), size):
        till.tell(*messages[start : start + size], partition=start % 2)

    check(till)


class DyingLake(DeltaLake):
    """A lake whose process dies before or after a certain append."""

    def __init__(self, folder, left, *, is_after):
        super().__init__(folder)
        self.left, self.is_after = left, is_after

    def append(self, name, rows, /, *, application, version=1):
        self.left -= 1
        if self.left == 0 and not self.is_after:
            raise KeyboardInterrupt
        done = super().append(name, rows, application=application, version=version)
        if self.left == 0:
            raise KeyboardInterrupt
        return done


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("left", range(1, 5))
def test_a_batch_killed_at_any_write_and_handed_over_again_lands_once(tmp_path, left, is_after):
    bad = bought("o9", message_id="bad", total=1)
    seen = {
        "type": "page",
        "messageId": "p",
        "userId": "u1",
        "timestamp": "2026-11-02T03:00:00+00:00",
    }
    dying = Till(tmp_path, DyingLake(tmp_path / "lake", left, is_after=is_after))
    batch = dying.batch([*HISTORY, bad, seen])
    with pytest.raises(KeyboardInterrupt):
        dying.follower.follow(batch)
    till = Till(tmp_path)

    till.follower.follow(batch)

    check(till)
    assert [reason for _, reason, _ in till.held_back()] == ["does_not_add_up"]
    assert len(till.rows("visits")) == 1
    assert till.follower.position(0) == 1


def test_a_batch_without_commerce_still_moves_the_position(till):
    till.tell({
        "type": "identify",
        "messageId": "i",
        "userId": "u1",
        "timestamp": "2026-11-02T03:00:00+00:00",
    })
    till.tell(partition=1)

    assert (till.follower.position(0), till.follower.position(1), till.follower.position(2)) == (
        1,
        1,
        0,
    )
    assert till.rows("orders") == []


def test_messages_win_over_files_and_leave_other_orders_alone(till, tmp_path):
    heading = "order_id,customer_id,store_id,ordered_at,total"
    rows = [f"{order},u1,s1,2026-11-02 10:00,25.50" for order in ("o1", "o2", "o3")]
    (tmp_path / "orders.csv").write_text("\n".join([heading, *rows]))
    heading = "order_id,line_id,customer_id,product_id,business_date,quantity,sales"
    rows = [f"{order},1,u1,a,2026-11-02,1,25.50" for order in ("o1", "o2", "o3")]
    (tmp_path / "order_lines.csv").write_text("\n".join([heading, *rows]))
    import_files(till.lake, tmp_path.glob("*.csv"), mapping_by_name(), zone="Asia/Shanghai")

    till.tell(
        said("Order Cancelled", "2026-11-03T10:00:00+08:00", order_id="o1"),
        bought("o2", "2026-11-02T10:00:00+08:00", products=PRODUCTS[:1]),
        said("Order Refunded", "2026-11-04T10:00:00+08:00", order_id="o3"),
    )

    assert till.rows("orders", "order_id", "total") == [
        ("o2", Decimal("20.00")), ("o3", Decimal("25.50")),
    ]  # fmt: skip
    assert till.rows("order_lines", "order_id", "sales") == [
        ("o2", Decimal("20.00")), ("o3", Decimal("25.50")),
    ]  # fmt: skip
    assert till.rows("returns", "order_id", "customer_id", "refund") == [
        ("o3", "u1", Decimal("25.50"))
    ]


def test_the_customer_with_a_login_id_owns_the_order(till):
    guest = bought("o1") | {"userId": None, "anonymousId": "a-1"}
    till.tell(guest, bought("o1", "2026-11-02T05:00:00+00:00", words="Order Updated", by="u7"))
    till.tell(
        bought("o1", "2026-11-02T06:00:00+00:00", words="Order Updated")
        | {"userId": None, "anonymousId": "a-1"}
    )

    assert till.rows("orders", "customer_id") == [("u7",)]
    assert set(till.rows("order_lines", "customer_id")) == {("u7",)}


# --- EPCIS -----------------------------------------------------------------------------------


def test_gs1_keys_of_the_standard_are_read():
    assert product_of("urn:epc:id:sgtin:0614141.112345.400") == "10614141123459"
    assert product_of("urn:epc:class:lgtin:4012345.012345.998877") == "4012345123456"
    assert place_of({"readPoint": {"id": "urn:epc:id:sgln:0614141.12345.400"}}) == "0614141123452"
    assert (
        place_of({"bizLocation": {"id": "https://id.gs1.org/414/0614141123452/254/7"}})
        == "0614141123452"
    )


def test_epcis_is_read_in_every_wrapping_and_other_text_is_refused():
    event = '{"type": "ObjectEvent", "eventTime": "2026-11-02T10:00:00", "eventTimeZoneOffset": "+08:00"}'
    query = f'{{"epcisBody": {{"queryResults": {{"resultsBody": {{"eventList": [{event}]}}}}}}}}'

    for text in (event, f"[{event}]", f"{event}\n\n{event}\n", query):
        first, *_ = epcis_events(text)
        told = segment_event(first)
        assert told["event"] == "EPCIS ObjectEvent"
        assert datetime.fromisoformat(told["timestamp"]) == datetime(2026, 11, 2, 2, tzinfo=UTC)
        assert told["messageId"] == segment_event(first | {"recordTime": "later"})["messageId"]
    for text in ("<xml/>", "{}", "[1]"):
        with pytest.raises(InputError):
            epcis_events(text)


def test_an_aggregation_at_the_till_is_a_sale_of_its_children():
    told = segment_event({
        "type": "AggregationEvent",
        "eventID": "e1",
        "eventTime": "2026-11-02T10:00:00+08:00",
        "parentID": "urn:epc:id:grai:0614141.12345.9",
        "childEPCs": ["urn:epc:id:sgtin:0614141.112345.400"],
        "childQuantityList": [{"epcClass": "https://id.gs1.org/01/06901234567892", "quantity": 2}],
        "bizStep": "https://ref.gs1.org/cbv/BizStep-retail_selling",
        "bizTransactionList": [{"bizTransaction": "https://shop.cn/till/4711"}],
    })

    assert (told["event"], told["properties"]["order_id"]) == ("Order Completed", "4711")
    assert [p["product_id"] for p in told["properties"]["products"]] == [
        "6901234567892",
        "10614141123459",
    ]


def test_held_back_says_what_was_found():
    with pytest.raises(HeldBack, match=r"25\.50, not 25\.49"):
        order_version("Order Completed", {"order_id": "o", "products": PRODUCTS, "total": "25.49"},
                      version_id="m", currency="CNY")  # fmt: skip


def test_the_page_tells_every_reason():
    page = (Path(__file__).parents[3] / "docs/explanation/retail-facts.md").read_text("utf-8")

    assert [
        f"| `{r}` | {text} |" for r, text in MEANINGS.items() if f"| `{r}` | {text} |" not in page
    ] == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["urn:epc:id:sgtin:4012345.", "urn:epc:id:sgln:²", "https://x/01/", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_PARTS = (
    "eventID", "eventTime", "bizStep", "disposition", "bizTransactionList", "quantityList",
    "epcList", "bizLocation", "errorDeclaration", "epcisBody", "x:saleLines", "x:customerID",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(_PARTS), _JSON, min_size=1))
def test_whatever_a_document_holds_is_an_event_or_refused(document):
    try:
        found = epcis_events(json.dumps(document))
    except InputError:
        return

    assert all(segment_event(event)["type"] == "track" for event in found)
    assert all(requests_of([segment_event(event)]) for event in found)
