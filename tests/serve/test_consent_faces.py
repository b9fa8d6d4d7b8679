"""Consent and suppression by command and over HTTP: the same words, the same refusals."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from regulars.app import open_app
from regulars.govern.audit.service import newest, verify
from regulars.govern.consent.service import show
from regulars.serve.cli import main as cli

NOTICE = """version = "2026-03"
effective_from = 2026-03-01T00:00:00+08:00
purposes = ["marketing"]
zh = "告知"
en = "notice"
"""
ROWS = (
    "customer_id,status,recorded_at,channel\nann,granted,2026-03-01,sms\nbob,maybe,2026-03-01,sms\n"
)


@pytest.fixture
def folder(tmp_path, make_shop):
    make_shop.empty(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def run(folder, capsys):
    """Run `regulars govern ...` in the shop; gives what it printed as JSON."""

    def called(*words, code=0):
        with pytest.raises(SystemExit) as ended:
            cli.main(["govern", *words, "--dir", str(folder), "--json"])
        said = capsys.readouterr().out
        assert ended.value.code == code, said
        return json.loads(said)

    return called


def test_a_word_is_noted_shown_and_proved_by_command(run, folder):
    run("consent", "set", "ann", "--status", "granted", "--channel", "sms", "--evidence", "form 1")
    run("consent", "set", "ann", "--status", "withdrawn", "--channel", "sms")

    shown = run("consent", "show", "ann")
    assert [(w["channel"], w["status"]) for w in shown["in_force"]] == [("sms", "withdrawn")]
    assert len(shown["changes"]) == 2
    proof = run("consent", "show", "ann", "--proof")
    assert len(proof["digest"]) == 64
    assert verify(open_app(folder).state, folder=folder).intact


def test_a_list_is_imported_and_its_rubbish_ends_with_exit_code_1(run, tmp_path, folder):
    (tmp_path / "words.csv").write_text(ROWS, "utf-8")

    found = run("consent", "import", str(tmp_path / "words.csv"), code=1)

    assert (found["received"], found["noted"]) == (2, 1)
    assert [one["row"] for one in found["refused"]] == [2]


def test_a_notice_is_published_and_listed(run, tmp_path):
    (tmp_path / "notice.toml").write_text(NOTICE, "utf-8")

    [one] = run("consent", "notice", str(tmp_path / "notice.toml"))

    assert (one["version"], one["asks_again"]) == ("2026-03", [])
    assert run("consent", "notice") == [one]


def test_a_customer_and_an_address_are_barred_and_freed_by_command(run, folder):
    found = run("suppress", "ann", "--reason", "legal", "--channel", "sms")
    assert [(b["channel"], b["reason"]) for b in found["bars"]] == [("sms", "legal")]
    found = run("suppress", "--address", "phone:13800138000")
    assert found["subject"].startswith("tok_phone_")
    assert "13800138000" not in json.dumps(found)
    assert run("suppress", "--address", "+8613800138000", "--show")["bars"]

    assert run("suppress", "ann", "--lift")["bars"] == []
    assert run("suppress", "--address", "13800138000", "--lift")["changed"] == 1
    assert all(
        b"13800138000" not in file.read_bytes() for file in folder.rglob("*") if file.is_file()
    )


def test_a_suppression_list_comes_as_a_file(run, tmp_path):
    text = io.StringIO()
    csv.writer(text).writerows([["email", "reason"], ["a@example.com", "legal"], ["x", ""]])
    (tmp_path / "list.csv").write_text(text.getvalue(), "utf-8")

    found = run("suppress", "--file", str(tmp_path / "list.csv"), code=1)

    assert (found["received"], found["changed"], len(found["refused"])) == (2, 1, 1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory, make_shop, serve):
    folder = tmp_path_factory.mktemp("faces") / "shop"
    make_shop.empty(folder)
    with serve(folder) as running:
        yield running


@pytest.fixture
def asks(shop):
    """Ask the API as somebody: `asks("marketer", "POST", path, json=...)`."""

    def asked(role, method, path, **options):
        client = shop.client(role)
        return client.request(
            method, f"/api/govern{path}", headers={"x-csrf-token": shop.csrf(client)}, **options
        )

    return asked


def test_a_word_is_noted_over_http_and_shown(asks, shop):
    answer = asks(
        "marketer",
        "POST",
        "/consent/eve",
        json={"status": "granted", "channel": "sms", "evidence": "crm 7"},
    )

    assert answer.json()["added"] == 1
    shown = asks("viewer", "GET", "/consent/eve").json()
    assert shown["changes"][0]["actor"] == "marketer"
    assert asks("analyst", "GET", "/consent/eve/proof").json()["digest"]
    assert "consent.set" in [entry.action for entry in newest(shop.home.state)]


def test_a_grant_asked_for_over_http_waits_for_its_button(asks, shop):
    body = {"status": "granted", "channel": "sms", "evidence": "sign-up 9"}

    url = asks("marketer", "POST", "/consent/lin/ask", json=body).json()["url"]
    assert asks("viewer", "GET", "/consent/lin").json()["in_force"] == []
    shop.client().post(url)

    [word] = asks("viewer", "GET", "/consent/lin").json()["in_force"]
    assert (word["channel"], word["status"]) == ("sms", "granted")
    refusal = {"status": "withdrawn"}
    assert asks("marketer", "POST", "/consent/lin/ask", json=refusal).status_code == 400


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"status": "maybe"}, "status"),
        ({"status": "granted", "purpose": "spam"}, "purpose"),
        ({"status": "granted", "approved": True}, "approved"),
        ({"status": "granted", "recorded_at": "2099-01-01T00:00:00Z"}, "later than now"),
    ],
)
def test_a_word_that_cannot_be_used_is_refused_over_http(asks, body, says):
    answer = asks("marketer", "POST", "/consent/dan", json=body)

    assert answer.status_code in {400, 404}
    assert says in answer.text or answer.status_code == 404
    assert asks("viewer", "GET", "/consent/dan").json()["changes"] == []


def test_lists_and_notices_come_over_http(asks):
    found = asks("marketer", "POST", "/consent/import?file=crm.csv", content=ROWS).json()
    assert (found["noted"], found["refused"][0]["row"]) == (1, 2)
    found = asks("marketer", "POST", "/suppress/import", content=b"customer_id\nzoe\n").json()
    assert found["changed"] == 1
    told = {
        "version": "v9",
        "effective_from": "2026-03-01T00:00:00Z",
        "purposes": ["marketing"],
        "zh": "一",
        "en": "one",
    }
    assert asks("marketer", "POST", "/notices", json=told).status_code == 403
    assert asks("admin", "POST", "/notices", json=told).json()["version"] == "v9"
    assert asks("viewer", "GET", "/notices").json()[0]["version"] == "v9"
    assert len(asks("viewer", "GET", "/purposes").json()["topics"]) == 5


def test_bars_are_set_by_marketers_and_lifted_by_approvers(asks):
    bar = {"phone": "+8613900139000", "reason": "legal"}
    answer = asks("marketer", "POST", "/suppress", json=bar)
    assert answer.json()["bars"][0]["reason"] == "legal"
    assert "13900139000" not in answer.text

    assert (
        asks("marketer", "POST", "/suppress/lift", json={"phone": bar["phone"]}).status_code == 403
    )
    lifted = asks("approver", "POST", "/suppress/lift", json={"phone": bar["phone"]}).json()
    assert (lifted["changed"], lifted["bars"]) == (1, [])
    assert asks("marketer", "POST", "/suppress", json={"reason": "legal"}).status_code == 400
    assert asks("viewer", "GET", "/suppress/nobody").json()["bars"] == []


def test_withdrawing_over_http_takes_as_many_fields_as_granting(asks, shop):
    asks("marketer", "POST", "/consent/kim", json={"status": "granted"})
    asks("marketer", "POST", "/consent/kim", json={"status": "withdrawn"})

    known = show(shop.home.state, "kim", now=datetime.now(UTC))
    assert known.status("marketing") == "withdrawn"
