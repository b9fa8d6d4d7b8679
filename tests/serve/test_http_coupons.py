"""Offers and coupons over HTTP and on the command line: a till's day, by the right caller."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from regulars.govern.access.api_keys.service import add_key
from regulars.serve.cli.main import main

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "offers-and-coupons.md"
TEN = {"name": "九折券", "kind": "percent", "share": 0.1, "margin_floor": 0.05, "stock": 5}


@pytest.fixture(scope="module")
def caller(empty_server):
    made = {}

    def of(role):
        if role not in made:
            state = empty_server.home.state
            _, key = add_key(state, name=f"{role}-till", role=role, actor="t", owner=role, now=NOW)
            head = {"authorization": f"Bearer {key}"}
            made[role] = httpx.Client(base_url=empty_server.url, headers=head, timeout=60)
        return made[role]

    return of


def asked(codes, order="o1", **more):
    line = {"line_id": "1", "product_id": "p1", "amount": "80.00", "cost": 40}
    basket = {"order_id": order, "customer_id": "ann", "lines": [line]}
    return {"basket": basket, "codes": codes} | more


def test_a_till_checks_redeems_and_takes_back_and_may_call_twice(caller):
    marketer, till = caller("marketer"), caller("analyst")
    kept = marketer.put("/api/decide/offers/ten", json={"offer": TEN, "note": "spring"}).json()
    made = marketer.post("/api/reach/coupons/offers/ten", json={"count": 2}).json()
    wanted = {"offer_id": "ten", "customer_id": "ann", "key": "k1"}
    code = marketer.post("/api/reach/coupons/issue", json=wanted).json()["code"]

    seen = till.post("/api/reach/coupons/check", json=asked([code])).json()
    redeeming = asked([code], key="t1", expected="8.00")
    done = till.post("/api/reach/coupons/redeem", json=redeeming).json()
    again = till.post("/api/reach/coupons/redeem", json=redeeming).json()
    back = {"key": "t1", "reverse_key": "r1"}
    reversed_ = [till.post("/api/reach/coupons/reverse", json=back).json() for _ in range(2)]

    assert (kept["version"], kept["offer"]["zone"], made["codes"]) == (1, "Asia/Shanghai", 2)
    assert (seen["priced"]["to_pay"], seen["is_redeemed"]) == ("72.00", False)
    assert done == again
    assert done["is_redeemed"]
    assert reversed_ == [{"reversed": True}, {"reversed": False}]
    assert caller("viewer").get("/api/reach/coupons").json()["ten"]["issued"] == 1


def test_a_refused_code_and_an_order_that_stands_say_why(caller):
    till = caller("analyst")
    none = till.post("/api/reach/coupons/redeem", json=asked(["nosuch"], "o5", key="t5")).json()
    odd = till.post("/api/reach/coupons/check", json=asked(["x"]) | {"colour": 1})

    assert (none["reason"], none["priced"]["refused"]) == ("refused", {"NOSUCH": "unknown_code"})
    assert odd.status_code == 400
    assert till.get("/api/reach/coupons/offers/ten").status_code == 403
    assert till.post("/api/reach/coupons/issue", json={}).status_code == 403
    wanted = {"offer_id": "ten", "customer_id": "bob", "key": "k9"}
    marketer = caller("marketer")
    marketer.put("/api/decide/offers/ten", json={"offer": TEN | {"stock": 1}})
    refused = marketer.post("/api/reach/coupons/issue", json=wanted)
    assert "its stock is given out" in refused.text


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def commands():
    """Every command of the page, in its order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    return [line.split() for block in blocks for line in block.splitlines() if line.strip()]


def test_the_page_on_offers_runs_as_it_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(capsys, "init", "shop")
    (tmp_path / "offers.toml").write_text(
        re.search(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)[1], "utf-8"
    )
    (tmp_path / "partner.txt").write_text("TAXI-1\nTAXI-2\n", "utf-8")
    (tmp_path / "order.json").write_text(
        re.search(r"^```json\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)[1], "utf-8"
    )
    said = {}
    for line in commands():
        assert line[0] == "regulars"
        words = [said.get(word, word).strip('"') for word in line[1:]]
        code, out, err = run(capsys, *words)
        assert code == 0, (words, out, err)
        if words[:3] == ["reach", "coupon", "issue"]:
            said["CODE"] = out.strip()

    code, out, _ = run(capsys, "reach", "coupon", "list", "--json", "--dir", "shop")
    assert code == 0
    assert json.loads(out)["ten_off"]["issued"] == 2
