"""The online profile and tags over HTTP, with an API key, on a real server."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pyarrow as pa
import pytest
from tests.unify.online.conftest import row

from regulars.adapters.arrow_types import arrow_schema
from regulars.app import open_app
from regulars.collect.ingest.batch import EventBatch
from regulars.govern.access.api_keys.service import add_key
from regulars.records import TABLES
from regulars.unify.identity.service import IdentityFollower
from regulars.unify.profiles.online.service import ProfileFollower

PHONE = "13800138000"
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
RULE = {"rule": {"event": "Product Viewed", "days": 30, "is": ">=", "value": 2}}


def told(app):
    """A customer seen by a cookie, then known by login id, phone number and name."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    traits = {"phone": PHONE, "name": "王小明", "city": "Wuhan", "email": "wang@example.com"}
    product = {"product_id": "p1", "price": 12.5, "quantity": 2}
    order = {"order_id": "o1", "products": [product]}
    rows = [
        row("m1", at, event="Product Viewed", anonymous="a-1"),
        row("m2", at, event="Product Viewed", anonymous="a-1"),
        row("m3", at, kind="identify", user="u-17", anonymous="a-1", traits=traits),
        row("m4", at, event="Order Completed", user="u-17", properties=order),
    ]
    events = pa.Table.from_pylist(rows, schema=arrow_schema(TABLES["events"]))
    batch = EventBatch(0, 1, app.protector.protect(events))
    IdentityFollower(app.state).follow(batch)
    ProfileFollower(app.profiles, zone="Asia/Shanghai", currency="CNY").follow(batch)


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    """A served shop that events were told to."""
    folder = tmp_path_factory.mktemp("profiles") / "shop"
    make_shop.filled(folder)
    app = open_app(folder)
    told(app)
    with serve(folder) as running:
        yield running


@pytest.fixture(scope="module")
def client(shop):
    """Give the client of a role, which calls with an API key."""
    made = {}

    def of(role):
        if role not in made:
            _, key = add_key(shop.home.state, name=role, role=role, actor="test", now=NOW)
            headers = {"authorization": f"Bearer {key}"}
            made[role] = httpx.Client(base_url=shop.url, headers=headers, timeout=60)
        return made[role]

    return of


def profile(client, namespace, value):
    return client.get("/api/unify/profile", params={"namespace": namespace, "value": value})


def test_a_profile_is_found_by_every_identifier_of_the_customer(client):
    found = [
        profile(client("viewer"), *known).json()
        for known in (
            ("login", "u-17"),
            ("cookie", "a-1"),
            ("phone", PHONE),
            ("phone", "+86 138-0013-8000"),
            ("email", "Wang@Example.com"),
        )
    ]

    assert [one["customer_id"] for one in found] == ["u-17"] * 5
    assert found.count(found[0]) == 5
    assert found[0]["indicators"]["product_views_30d"] == 2
    assert found[0]["indicators"]["monetary"] == 25.0
    assert found[0]["tags"]["static"]["city"] == "Wuhan"
    assert found[0]["leanings"]["deal_seeking"] is None
    assert datetime.fromisoformat(found[0]["updated_at"]) > NOW


def test_no_direct_identifier_is_in_the_answer(client):
    said = profile(client("viewer"), "phone", PHONE).text

    for secret in (PHONE, "王小明", "wang@example.com", "tok_"):
        assert secret not in said


def test_nobody_and_no_such_namespace_are_told_apart_and_repeat_no_value(client):
    nobody = profile(client("viewer"), "phone", "13900139000")
    unknown = profile(client("viewer"), "shoe_size", "13900139000")

    assert (nobody.status_code, unknown.status_code) == (404, 400)
    assert nobody.json()["error"]["message"].startswith("nobody is known by this phone")
    assert "no namespace named 'shoe_size'; known: card, cookie" in unknown.text
    assert "13900139000" not in nobody.text + unknown.text


def test_without_a_key_there_is_no_profile(shop):
    assert profile(httpx.Client(base_url=shop.url), "login", "u-17").status_code == 401


def test_a_tag_is_written_counted_kept_given_and_read_in_the_profile(client):
    marketer, written = client("marketer"), {"kind": "rule", "definition": RULE}
    counted = marketer.post("/api/unify/tags/count", json=written)
    assert counted.status_code == 200
    assert counted.json()["known"] == 60
    assert counted.json()["lineage"] == ["events: Product Viewed"]

    kept = marketer.put("/api/unify/tags/lookers", json=written | {"owner": "mei"})

    assert (kept.status_code, kept.json()["version"], kept.json()["owner"]) == (200, 1, "mei")
    assert profile(client("viewer"), "login", "u-17").json()["tags"]["defined"] == ["lookers"]
    named = {"customers": ["u-17"]}
    assert marketer.post("/api/unify/tags/lookers/remove", json=named).json() == {"customers": 1}
    assert profile(client("viewer"), "login", "u-17").json()["tags"]["defined"] == []
    marketer.post("/api/unify/tags/lookers/give", json=named)
    assert profile(client("viewer"), "login", "u-17").json()["tags"]["defined"] == ["lookers"]
    assert [t["name"] for t in marketer.get("/api/unify/tags").json()] == ["lookers"]
    assert len(marketer.get("/api/unify/tags/lookers").json()["versions"]) == 1
    assert marketer.delete("/api/unify/tags/lookers").json() == {"deleted": "lookers"}
    assert marketer.get("/api/unify/tags/lookers").status_code == 404


def test_a_sample_covers_the_names(client):
    everybody = {"rule": {"field": "orders", "is": ">=", "value": 3}}

    said = client("viewer").post(
        "/api/unify/tags/count", json={"kind": "rule", "definition": everybody}
    )

    assert said.json()["customers"] == 60
    assert len(said.json()["sample"]) == 10
    assert said.json()["sample"][0]["name"] == "王**"
    assert "王小" not in said.text


def test_a_viewer_defines_no_tags(client):
    written = {"kind": "rule", "definition": RULE}

    assert client("viewer").put("/api/unify/tags/x", json=written).status_code == 403


def test_what_is_wrong_with_a_tag_is_said_with_its_place(client):
    wrong = {"rule": {"all": [{"field": "oders", "is": ">", "value": 1}]}}

    said = client("marketer").put("/api/unify/tags/x", json={"kind": "rule", "definition": wrong})

    assert said.status_code == 400
    assert (
        "rule.all[0].field is 'oders'; did you mean orders"
        in json.loads(said.text)["error"]["message"]
    )


def test_when_a_customer_entered_a_tag_is_told(client):
    assert client("viewer").get("/api/unify/customers/c001/tags").json() == []
