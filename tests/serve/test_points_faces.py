"""Points over HTTP and on the page: one ledger, and rules tried before they are kept."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.decide.offers.definition import offer_from
from regulars.decide.offers.keeping.service import put_offer
from regulars.reach.coupons.service import issue_coupon
from regulars.reach.coupons.stocking.service import generate
from regulars.reach.loyalty.ledger import earn
from regulars.reach.loyalty.ledger.service import post_points

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
    for shown in ("街角积分", "公示概率", "1/8", "咖啡", "发放", "补偿"):
        assert shown in page
    assert client.get("/api/reach/points/liability").json()["active"] == 50


def test_a_viewer_sees_the_rules_and_may_not_keep_any(server):
    client = server.client("viewer")
    token = server.csrf(client)

    refused = client.post("/loyalty/keep", data={"body": RULES, "csrf_token": token})

    assert client.get("/loyalty").status_code == 200
    assert refused.status_code == 403


MORE = """[check_in]
points = [3, 5]
[[tasks]]
id = "profile"
points = 20
times = 1
[referral]
referrer_points = 200
friend_points = 100
most = 3
[[rewards]]
id = "cup"
points = 40
offer_id = "ten_off"
"""


def test_customers_visit_do_tasks_bring_friends_buy_and_draw_over_http(approver, server):
    client, token = approver
    client.put("/api/reach/points/programme", json={"body": RULES + MORE}, headers=token)
    who = {"customer_id": "c011"}

    def asks(path, **more):
        return client.post(f"/api/reach/points/{path}", json=who | more, headers=token)

    visits = [asks("check-in").json()["points"] for _ in range(2)]
    tasks = [asks("task", task_id="profile", key=f"web/t{n}").json() for n in range(2)]
    friend = asks("refer", friend_id="c012").json()
    drawn = asks("draw", key="web/d1").json()
    poor = asks("buy", reward_id="cup", key="web/b1").json()
    unknown = asks("buy", reward_id="cap", key="web/b2")
    holding = client.get("/api/reach/points/member?customer=c011").json()
    ended = client.post("/api/reach/points/rounds/end", headers=token).json()
    number = ended["round"]

    assert visits == [3, 3]
    assert [one["refused"] for one in tasks] == ["", "done_before"]
    assert (friend["state"], friend["referrer_id"]) == ("waiting", "c011")
    assert (drawn["refused"], drawn["number"]) == ("", 1)
    assert (poor["outcome"]["refused"], poor["code"]) == ("not_enough", "")
    assert unknown.status_code == 404
    assert holding["balance"]["active"] == 3 + 20 - 5 + drawn["points"]
    assert holding["referrals"][0]["friend_id"] == "c012"
    assert ended["seed"]
    assert client.get(f"/api/reach/points/rounds/{number}/check").json() == []
    assert client.get("/api/reach/points/rounds").json()[0]["round"] == number


def test_the_page_of_a_customer_shows_points_lots_that_end_tier_and_coupons(approver, server):
    client, token = approver
    state = server.site.by_name["shop"].state if "shop" in server.site.by_name else None
    state = state or next(iter(server.site.by_name.values())).state
    now = datetime.now(UTC)
    post_points(
        state,
        [
            earn("page/1", "c013", 70, reason="gift", expires_at=now + timedelta(days=30)),
            earn("page/2", "c013", 30, reason="gift", expires_at=now + timedelta(days=300)),
        ],
        now=now,
    )
    offer = {"offer_id": "held", "name": "held", "kind": "percent", "share": "0.1"}
    put_offer(state, offer_from(offer, "held"), actor="t", now=now - timedelta(days=9))
    generate(state, "held", 1, secret=b"a secret of thirty-two bytes....", actor="t", now=now)
    with state.transaction() as opened:
        code = issue_coupon(opened, "held", "c013", "page/coupon", now)

    page = client.get("/customers/c013?lang=en").text
    chinese = client.get("/customers/c013?lang=zh-CN").text
    nobody = client.get("/customers/c014?lang=en").text

    assert "Points and coupons" in page
    assert "Points that end within 90 days" in page
    assert ">100<" in page
    assert ">70<" in page
    assert f"····{code[-4:]}" in page
    assert code not in page
    assert "积分与优惠券" in chinese
    assert "Points and coupons" not in nobody


def test_the_shelf_and_creators_over_http(approver, server):
    client, token = approver
    body = {"channel": "sms", "locales": {"zh-CN": {"text": "新茶到店 【街角】"}}}
    client.put("/api/reach/contents/tea", json=body, headers=token)
    words = {"tags": ["new"], "interests": ["tea"]}
    creator = {
        "name": "小茶",
        "code": "TEA-MEI",
        "target": "https://shop.example/tea",
        "platform": "xiaohongshu",
        "share": "0.05",
    }

    kept = client.put("/api/reach/shelf/tea", json=words, headers=token)
    found = client.get("/api/reach/shelf?tag=new").json()
    cells = client.get("/api/reach/shelf/matrix").json()
    made = client.put("/api/reach/creators/mei", json=creator, headers=token).json()
    wrong = client.put("/api/reach/creators/mei", json=creator | {"code": "X"}, headers=token)

    assert kept.status_code == 200
    assert [(one["name"], one["interests"], one["review"]) for one in found] == [
        ("tea@1", ["tea"], "draft")
    ]
    assert {"interest": "tea", "channel": "sms", "contents": ["tea"], "is_gap": True} in cells
    odd = [
        client.put("/api/reach/creators/mei", json=creator | {"share": share}, headers=token)
        for share in ("abc", "NaN", "1.01", "0.00001")
    ]
    assert [one.status_code for one in odd] == [400] * 4
    assert "utm_campaign=TEA-MEI" in made["url"]
    assert wrong.status_code == 400
    assert [one["creator"]["creator_id"] for one in client.get("/api/reach/creators").json()] == [
        "mei"
    ]
    assert client.get("/api/reach/creators/payouts?days=9").json()[0]["orders"] == 0
