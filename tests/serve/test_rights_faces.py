"""Requests about one's own data over HTTP and on the page: roles, two persons, receipts."""

import json
import re

import pytest


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rights") / "shop"
    make_shop.filled(folder)
    with serve(folder) as running:
        yield running


def post(server, role, path, body, *, status=200):
    client = server.client(role)
    answer = client.post(
        path, json=body, headers={"x-csrf-token": server.csrf(client)}, timeout=300
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def form(server, role, path, **fields):
    client = server.client(role)
    told = {"csrf_token": server.csrf(client), **fields}
    english = {"accept-language": "en"}
    answer = client.post(path, data=told, headers=english, timeout=300)
    if answer.status_code == 303:
        return client.get(answer.headers["location"], headers=english)
    return answer


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_a_copy_is_given_to_whom_may_see_clear_values_and_noted(server):
    post(server, "viewer", "/api/govern/access", {"customer_id": "c002"}, status=403)

    told = post(server, "analyst", "/api/govern/access", {"customer_id": "c002", "law": "eu"})
    seen = server.client("analyst").get("/api/govern/requests").json()["requests"]

    assert told["request"]["status"] == "done"
    assert {"lake.orders", "lake.customers", "lake.profiles"} <= set(told["pack"]["rows"])
    assert {row["customer_id"] for row in told["pack"]["rows"]["lake.orders"]} == {"c002"}
    assert seen[0]["number"] == told["request"]["number"]
    assert seen[0]["asked_by"] == "analyst"


def test_an_erasure_needs_a_second_person_and_leaves_nothing(server):
    orders = len(rows_of(server, "c001")["lake.orders"])
    asked = post(server, "approver", "/api/govern/erase", {"customer_id": "c001"})
    path = f"/api/govern/erase/{asked['request']['number']}"

    post(server, "marketer", f"{path}/approve", {}, status=403)
    own = post(server, "approver", f"{path}/approve", {}, status=403)
    done = post(server, "admin", f"{path}/approve", {})
    again = post(server, "approver", "/api/govern/erase", {"customer_id": "c001"})

    assert "asked for it" in json.dumps(own)
    assert (asked["request"]["status"], done["status"]) == ("waiting", "done")
    assert asked["preview"]["rows"]["lake.orders"] == orders
    assert done["receipt"]["rows"]["lake.orders"] == orders
    assert done["receipt"]["left"] == {}
    assert again["request"]["number"] == asked["request"]["number"]
    assert set(rows_of(server, "c001")) <= {"audit_log", "rights_requests"}
    log = server.client("admin").get("/api/govern/audit/entries").text
    # By chance a pseudonym may hold these four characters among its own.
    assert not re.search(r"(?<![0-9a-f-])c001", log)
    assert "customer.erase" in log


def test_a_number_no_store_holds_is_refused_as_a_number(server):
    for verb, body in (("approve", {}), ("refuse", {"reason": "not him"})):
        told = post(server, "approver", f"/api/govern/erase/{2**80}/{verb}", body, status=400)
        assert "number" in json.dumps(told)


def rows_of(server, customer):
    return post(server, "analyst", "/api/govern/access", {"customer_id": customer})["pack"]["rows"]


def test_on_the_page_somebody_looks_asks_and_another_refuses_or_erases(server):
    looked = text_of(form(server, "marketer", "/requests/look", customer_id="c003"))
    asked = text_of(form(server, "marketer", "/requests/erase", customer_id="c003", law="cn"))
    number = server.client("analyst").get("/api/govern/requests").json()["requests"][0]["number"]
    unsure = text_of(form(server, "approver", f"/requests/{number}/approve"))
    silent = form(server, "approver", f"/requests/{number}/refuse", reason=" ")
    refused = text_of(form(server, "approver", f"/requests/{number}/refuse", reason="not him"))
    late = form(server, "approver", f"/requests/{number}/approve", is_sure="on")

    assert "lake.customers" in looked
    assert "Ask for erasure" in looked
    assert "Written down. A second person must approve it." in asked
    assert "Nothing was erased" in unsure
    assert (silent.status_code, late.status_code) == (400, 400)
    assert "not him" in refused
    assert form(server, "approver", "/requests/x/approve", is_sure="on").status_code == 400


def test_copies_are_files_for_machines_and_people(server):
    data = form(server, "analyst", "/requests/copy", customer_id="c004", law="cn", form="data")
    page = form(server, "analyst", "/requests/copy", customer_id="c004", law="cn", form="page")

    assert data.json()["ids"] == ["c004"]
    assert "attachment" in page.headers["content-disposition"]
    assert page.headers["cache-control"] == "no-store"
    assert "个人信息副本" in page.text
    assert form(server, "analyst", "/requests/copy", customer_id=" ").status_code == 400
