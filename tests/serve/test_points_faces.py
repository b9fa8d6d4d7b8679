"""Points over HTTP and on the page: one ledger, and rules tried before they are kept."""

import pytest

RULES = """name = "街角积分"
starts_on = 2026-01-01
point_value = "0.01"
[earning]
per_unit = 2
[draw]
id = "wheel"
cost = 5
per_day = 1
gone = "nothing"
[[draw.prizes]]
id = "cup"
title = "咖啡"
share = "1/8"
stock = 9
value = 12
[[draw.prizes]]
id = "nothing"
title = "谢谢参与"
share = "7/8"
"""


@pytest.fixture(scope="module")
def approver(server):
    client = server.client("approver")
    return client, {"x-csrf-token": server.csrf(client)}


def test_points_are_posted_once_and_refused_when_there_are_not_enough(approver):
    client, token = approver
    one = {"customer_id": "web-ann", "points": 80, "key": "web/1"}

    told = [client.post("/api/reach/points/post", json=one, headers=token).json() for _ in range(2)]
    spent = client.post(
        "/api/reach/points/redeem", json=one | {"points": 90, "key": "web/2"}, headers=token
    ).json()
    wrong = client.post("/api/reach/points/post", json=one | {"points": 81}, headers=token)
    client.post(
        "/api/reach/points/reverse",
        json={"operation": "web/1", "key": "web/3", "points": 30},
        headers=token,
    )

    assert [row["is_new"] for row in told] == [True, False]
    assert spent["refused"] == "not_enough"
    assert (wrong.status_code, "was used to earn 80 points" in wrong.text) == (400, True)
    assert client.get("/api/reach/points/balance?customer=web-ann").json()["active"] == 50
    assert [
        row["kind"] for row in client.get("/api/reach/points/history?customer=web-ann").json()
    ] == ["reverse", "earn"]


def test_rules_are_tried_on_past_orders_before_they_are_kept_and_shown_with_their_odds(
    approver, server
):
    client, token = approver
    form = {"body": RULES, "csrf_token": token["x-csrf-token"]}

    tried = client.post("/loyalty/try", data=form)
    before = client.get("/api/reach/points/programme").json()
    wrong = client.post("/loyalty/keep", data=form | {"body": "name = 1"})
    kept = client.post("/loyalty/keep", data=form)
    page = client.get("/loyalty?customer=web-ann&lang=zh-CN").text
    client.get("/loyalty?lang=en")

    assert "For 180 orders of the last year these rules give" in tried.text
    assert before == {"version": 0, "versions": []}
    assert (wrong.status_code, kept.status_code) == (422, 303)
    assert client.get("/api/reach/points/programme").json()["version"] == 1
    for shown in ("街角积分", "公示概率", "1/8", "咖啡", "发放", "goodwill"):
        assert shown in page
    assert client.get("/api/reach/points/liability").json()["active"] == 50


def test_a_viewer_sees_the_rules_and_may_not_keep_any(server):
    client = server.client("viewer")
    token = server.csrf(client)

    refused = client.post("/loyalty/keep", data={"body": RULES, "csrf_token": token})

    assert client.get("/loyalty").status_code == 200
    assert refused.status_code == 403
