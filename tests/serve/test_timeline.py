"""One timeline: what a customer did online and in stores, by whatever identifier."""

from datetime import UTC, date, datetime

from tests.collect.commerce.telling import Till, events_of, said

from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.collect.commerce.tables import VIEWS
from regulars.records.identifiers import customer_id_of
from regulars.serve.http.timeline import timeline
from regulars.unify.identity.graph import Node


def node(namespace, value, customer_id):
    day = date(2026, 11, 2).isoformat()
    return Node(
        customer_id_of(namespace, value), namespace, value, customer_id, 0, day, day, "shop/m"
    )


def told(tmp_path, messages, identifiers):
    till = Till(tmp_path)
    till.tell(*messages)
    till.lake.append("events", events_of(till.lake, messages), application="drain:p0")
    engine = DuckDBEngine(till.lake, workers=1, memory="200MB", views=VIEWS)
    return [
        (h.at.hour, h.kind, h.what, h.subject)
        for h in reversed(timeline(engine, "u1", identifiers=identifiers))
    ]


def at(hour):
    return datetime(2026, 11, 2, hour, tzinfo=UTC).isoformat()


def anonymous(event, value="a-1"):
    return event | {"userId": None, "anonymousId": value}


def test_the_web_before_the_sign_in_the_store_and_the_till_are_one_story(tmp_path):
    product = [{"product_id": "a", "price": 3}]
    messages = [
        anonymous(said("Product Viewed", at(1))),
        said("Product Added", at(1).replace(":00:00", ":10:00")),
        anonymous(said("Store Visited", at(5), store_id="s1"), "card:88"),
        said("Order Completed", at(6), order_id="o1", store_id="s1", products=product),
        said("Product Viewed", at(7), by="u2"),
        anonymous(said("Product Viewed", at(8), message_id="x"), "a-2"),
    ]
    hers = [node("login", "u1", "u1"), node("cookie", "a-1", "u1"), node("cookie", "card:88", "u1")]

    assert told(tmp_path, messages, hers) == [
        (1, "event", "", "Product Viewed"),
        (1, "visit", "web", ""),
        (1, "event", "", "Product Added"),
        (1, "visit", "web", ""),
        (5, "visit", "store", "s1"),
        (6, "order", "", "s1"),
    ]


def test_without_known_identifiers_only_what_the_login_did_is_told(tmp_path):
    messages = [anonymous(said("Product Viewed", at(1))), said("Product Added", at(2))]

    assert told(tmp_path, messages, []) == [
        (2, "event", "", "Product Added"),
        (2, "visit", "web", ""),
    ]
