"""Copy review by command and over HTTP: the same findings, exit codes, evidence and decisions."""

import io
import json
import sys

import pytest

from regulars.app import open_app
from regulars.govern.audit.service import newest, verify
from regulars.serve.cli import main as cli

TEXTS = "欢迎选购全国最好的羽绒被\n\n最好提前预约\n国内湿巾销量第一\n"
EVIDENCE = """
[r1]
kind = "ranking"
claim = "国内湿巾销量第一"
source = "report 2025"
institution = "欧睿国际"
period = "2025"
scope = "retail value"
valid_to = 2027-06-30

[[names]]
name = "顶级时光"
"""


@pytest.fixture
def run(capsys, tmp_path):
    """Run `regulars govern ...`; gives exit code, output and what went to standard error."""

    def called(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main(["govern", *map(str, words)])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return called


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "texts.txt").write_text(TEXTS, "utf-8")
    return tmp_path / "texts.txt"


def findings(said):
    return [json.loads(line) for line in said.splitlines()]


def test_each_finding_is_one_line_of_json_with_line_span_rule_article_and_severity(run, texts):
    code, said, _ = run("copycheck", texts, "--json", "--as-of", "2026-11-30")

    first, second = findings(said)
    assert code == 1
    assert (first["line"], first["span"], first["rule"]) == (1, [6, 8], "A02")
    assert (first["article"], first["severity"]) == ("9(3)", "block")
    assert (second["line"], second["rule"], second["severity"]) == (4, "A05", "evidence")


def test_evidence_of_a_file_lifts_its_claim_and_the_exit_code_says_so(run, texts, tmp_path):
    (tmp_path / "evidence.toml").write_text(EVIDENCE, "utf-8")
    texts.write_text("据欧睿国际统计，2025年国内湿巾销量第一\n顶级时光咖啡豆\n", "utf-8")
    day = ("--as-of", "2026-11-30")

    assert run("copycheck", texts, "--json", *day)[0] == 1
    code, said, _ = run(
        "copycheck", texts, "--json", "--evidence", tmp_path / "evidence.toml", *day
    )
    assert (code, said) == (0, "")


def test_people_read_law_day_suggestion_and_that_it_is_no_legal_advice(run, texts):
    code, said, aside = run("copycheck", texts)

    assert code == 1
    assert "1:6-8 BLOCK A02 “最好”" in said
    assert "《中华人民共和国广告法》 Art. 9(3), in force from 2015-09-01" in said
    assert "3 texts, 2 findings, 2 texts may not go out" in said
    assert "not legal advice" in aside


def test_a_channel_asks_for_sender_and_way_to_refuse(run, texts):
    texts.write_text("【街角】周末八折，拒收请回复R\n周末八折\n", "utf-8")

    code, said, _ = run("copycheck", texts, "--channel", "sms", "--json")
    assert (code, [(one["line"], one["rule"]) for one in findings(said)]) == (1, [(2, "T05-sms")])
    code, said, _ = run("copycheck", texts, "--channel", "sms", "--json", "--transactional")
    assert (code, said) == (0, "")


def test_a_whole_file_is_one_text_told_by_line_and_place(run, texts):
    texts.write_text("亲爱的会员\r\n全国最好的茶\n退订 热线4001234567\n", "utf-8")

    code, said, _ = run("copycheck", texts, "--whole", "--channel", "email", "--json")
    [one] = findings(said)
    assert (code, one["line"], one["span"], one["text"]) == (1, 2, [2, 4], "最好")


def test_texts_may_come_by_standard_input(run, monkeypatch):
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO("明天见\n".encode()), encoding="utf-8")
    )

    assert run("copycheck", "-", "--json")[:2] == (0, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--as-of", "soon"), "write YYYY-MM-DD"),
        (("--evidence", "texts.txt"), "evidence"),
    ],
)
def test_what_cannot_be_used_ends_with_exit_code_2(run, texts, monkeypatch, words, says):
    monkeypatch.chdir(texts.parent)

    code, said, _ = run("copycheck", texts, "--json", *words)
    assert code == 2
    assert says in json.loads(said)["error"]["message"]
    assert run("copycheck", "nowhere.txt", "--json")[0] == 2


def test_evidence_is_kept_listed_and_used(run, texts, tmp_path, make_shop):
    make_shop.empty(tmp_path / "shop")
    (tmp_path / "evidence.toml").write_text(EVIDENCE, "utf-8")
    shop = ("--dir", tmp_path / "shop")
    code, said, _ = run("copy-evidence", tmp_path / "evidence.toml", "--json", *shop)
    assert (code, json.loads(said)["evidence"][0]["evidence_id"]) == (0, "r1")
    assert "顶级时光" in run("copy-evidence", *shop)[1]

    texts.write_text("据欧睿国际统计，2025年国内湿巾销量第一\n", "utf-8")
    assert run("copycheck", texts, "--json", *shop)[:2] == (0, "")
    state = open_app(tmp_path / "shop").state
    assert verify(state, folder=tmp_path / "shop").intact
    assert newest(state)[0].action == "copy_name.keep"


@pytest.fixture(scope="module")
def shop(tmp_path_factory, make_shop, serve):
    folder = tmp_path_factory.mktemp("copy") / "shop"
    make_shop.empty(folder)
    with serve(folder) as running:
        yield running


@pytest.fixture
def asks(shop):
    """Ask the API as somebody: `asks("marketer", "POST", path, json=...)`."""

    def asked(role, method, path, **options):
        client = shop.client(role)
        return client.request(
            method,
            f"/api/govern/copycheck{path}",
            headers={"x-csrf-token": shop.csrf(client)},
            **options,
        )

    return asked


def test_texts_are_checked_over_http_as_by_command(asks, run, texts):
    said = asks(
        "viewer", "POST", "", json={"texts": TEXTS.split("\n")[:4], "as_of": "2026-11-30"}
    ).json()

    assert said["blocked"] == [1, 4]
    assert "not legal advice" in said["note"]
    assert said["findings"] == findings(
        run("copycheck", texts, "--json", "--as-of", "2026-11-30")[1]
    )


def test_a_decision_is_an_approvers_and_counts_for_exactly_the_finding(asks):
    text = {"text": "送长辈首选", "product": "p1"}
    decision = text | {"rule": "A10", "span": [3, 5], "verdict": "allow", "reason": "report 7"}

    assert asks("marketer", "POST", "/decisions", json=decision).status_code == 403
    wrong = asks("approver", "POST", "/decisions", json=decision | {"span": [0, 2]})
    assert (wrong.status_code, "there are: A10 at 3-5" in wrong.text) == (400, True)
    made = asks("approver", "POST", "/decisions", json=decision).json()
    assert (made["actor"], made["span_text"]) == ("approver", "首选")

    def blocked(product):
        body = {"texts": ["送长辈首选"], "product": product}
        return asks("viewer", "POST", "", json=body).json()["blocked"]

    assert (blocked("p1"), blocked("p2")) == ([], [1])
    assert len(asks("viewer", "GET", "/decisions").json()) == 1


def test_evidence_is_kept_over_http_by_marketers(asks):
    proof = {
        "evidence_id": "g1",
        "kind": "green_certificate",
        "claim": "可降解垃圾袋",
        "source": "certificate 1",
        "institution": "CQC",
        "period": "2026",
        "scope": "product",
        "valid_to": "2027-01-01",
    }
    body = {"texts": ["可降解垃圾袋到货"], "as_of": "2026-12-31"}

    assert asks("viewer", "POST", "/evidence", json={"evidence": [proof]}).status_code == 403
    assert asks("viewer", "POST", "", json=body).json()["blocked"] == [1]
    assert asks("viewer", "POST", "", json=body | {"evidence": [proof]}).json()["findings"] == []
    kept = asks("marketer", "POST", "/evidence", json={"evidence": [proof]}).json()
    assert kept["evidence"][0]["claim"] == "可降解垃圾袋"
    assert asks("viewer", "POST", "", json=body).json()["findings"] == []
    late = body | {"as_of": "2027-01-02"}
    assert asks("viewer", "POST", "", json=late).json()["findings"][0]["severity"] == "block"


@pytest.mark.parametrize(
    "body",
    [
        {"texts": []},
        {"texts": ["a"], "colour": "red"},
        {"texts": ["x" * 20_001]},
    ],
)
def test_what_cannot_be_checked_is_refused_over_http(asks, body):
    assert asks("viewer", "POST", "", json=body).status_code == 400
