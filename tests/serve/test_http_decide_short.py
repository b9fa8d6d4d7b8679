"""The short way of `POST /api/decide` says what the full way says, and lets nobody else in."""

from datetime import UTC, datetime

import pytest

from regulars.govern.access.api_keys.service import add_key, revoke_key

FULL_WAY = {"cookie": "a=b"}


@pytest.fixture(name="shop", scope="module")
def a_shop_that_decides(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("short") / "shop"
    make_shop.filled(folder)
    with serve(folder) as server:
        yield server


@pytest.fixture(name="short")
def requests_that_came_the_short_way(shop, monkeypatch):
    seen, answer = [], shop.door.answer
    monkeypatch.setattr(
        shop.door,
        "answer",
        lambda request, *rest: (seen.append(request.path), answer(request, *rest)),
    )
    return seen


def key_for(shop, role):
    now = datetime.now(UTC)
    name = f"{role}-{now:%H%M%S%f}"
    return name, add_key(shop.home.state, name=name, role=role, actor="test", now=now)[1]


def said(answer):
    body = answer.json()
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, {n: v for n, v in body.items() if n != "at"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", b'{"customer_id": "c007", "request_id": "r1"}'),
        ("", b'{"customer_id": "c007", "request_id": ""}'),
        ("", b'{"customer_id": "c007"'),
        ("", b'{"namespace": "shoe size", "value": "44", "request_id": "r"}'),
        ("/exposed", b'{"decision_id": "d0000"}'),
        ("/exposed", b"{}"),
    ],
)
@pytest.mark.parametrize("role", ["analyst", "viewer", "nobody"])
def test_both_ways_answer_alike(shop, short, path, body, role):
    key = "rk_guess" if role == "nobody" else key_for(shop, role)[1]
    headers = {"authorization": f"Bearer {key}", "x-forwarded-proto": "https"}
    client, address = shop.client(None), f"/api/decide{path}"

    ways = [client.post(address, content=body, headers=headers | more) for more in ({}, FULL_WAY)]

    assert said(ways[0]) == said(ways[1])
    assert ways[0].status_code in ({200, 400} if role == "analyst" else {401, 403})
    assert short == [address], "one of the two went the short way"


def test_a_revoked_key_is_refused_with_the_next_request_on_the_same_connection(shop, short):
    name, key = key_for(shop, "analyst")
    client = shop.client(None)

    def ask(number):
        body = {"customer_id": "c007", "request_id": f"revoked-{number}"}
        return client.post("/api/decide", json=body, headers={"x-api-key": key}).status_code

    before = ask(1)
    revoke_key(shop.home.state, name=name, actor="test", now=datetime.now(UTC))

    assert (before, ask(2), len(short)) == (200, 401, 2)


def test_what_a_browser_or_a_large_body_brings_goes_the_full_way(shop, short):
    key = key_for(shop, "analyst")[1]
    client, asked = shop.client(None), {"customer_id": "c007", "request_id": "r"}
    headers = {"authorization": f"Bearer {key}"}

    answers = [
        client.post("/api/decide", json=asked).status_code,
        client.post("/api/decide?lang=en", json=asked, headers=headers).status_code,
        client.post("/api/decide", content=b" " * 70_000, headers=headers).status_code,
        client.post("/api/decide/batch", json={"customers": [asked]}, headers=headers).status_code,
        client.get("/api/decide", headers=headers).status_code,
    ]

    assert answers == [401, 200, 413, 200, 404]
    assert short == []


def test_a_failure_of_ours_is_told_and_the_next_request_is_answered(shop, short, monkeypatch):
    key = key_for(shop, "analyst")[1]
    client, headers = shop.client(None), {"authorization": f"Bearer {key}"}
    body = {"customer_id": "c007", "request_id": "failing"}
    decider = shop.home.decider
    decider.knowledge(now=datetime.now(UTC))
    with monkeypatch.context() as broken:
        broken.setattr(decider, "decide", lambda *_, **__: 1 / 0)
        failed = client.post("/api/decide", json=body, headers=headers)

    assert (failed.status_code, failed.json()["error"]["status"]) == (500, 500)
    assert client.post("/api/decide", json=body, headers=headers).status_code == 200
