"""Contents, surveys and links by command and over HTTP: files in, JSON out."""

import json
from datetime import timedelta

import pytest
from tests.reach.contents.conftest import NOW, ContentShop
from tests.serve.conftest import Server

from regulars.errors import InputError
from regulars.govern.access.passwords import ScryptCost
from regulars.govern.access.service import add_user
from regulars.reach.content.addresses.service import address_kind, clear_addresses, forget
from regulars.reach.content.keeping.files import content_from, read_content
from regulars.serve.cli.main import main

SPRING = """
id = "spring"
channel = "email"
message_class = "marketing"
uses = ["customer.name", "profile.city"]
products = [{ name = "product", ids = ["p1"], url = "https://shop.example/p/{id}" }]

[defaults]
"customer.name" = { zh-CN = "顾客", en = "there" }
"profile.city" = "上海"

[locales.zh-CN]
subject = "{{ customer.name }}，新茶到{{ profile.city }}了"
mjml_file = "spring.zh-CN.mjml"

[locales.en]
subject = "{{ customer.name }}, new tea"
text_file = "spring.en.liquid"
"""
PAGE = """<mjml><mj-body><mj-section><mj-column>
<mj-text>您好{{ customer.name }}</mj-text>
<mj-button href="{{ product.url }}">{{ product.name }} {{ product.price | money }}</mj-button>
</mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "spring.toml").write_text(SPRING, "utf-8")
    (tmp_path / "spring.zh-CN.mjml").write_text(PAGE, "utf-8")
    (tmp_path / "spring.en.liquid").write_text("Hi {{ customer.name }}", "utf-8")
    return tmp_path


@pytest.fixture
def shop(tmp_path):
    return ContentShop(tmp_path / "shop")


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    return said.out


def test_a_content_goes_from_files_to_a_preview(capsys, files, shop, tmp_path):
    folder = shop.app.folder
    put = ("reach", "content", "put", files / "spring.toml", "--dir", folder)
    assert json.loads(run(capsys, *put, "--json")) == {"kept": ["spring@1"]}
    assert run(capsys, *put).strip() == "spring@1"
    (files / "spring.en.liquid").write_text("Hello {{ customer.name }}", "utf-8")
    assert run(capsys, *put).strip() == "spring@2"

    listed = json.loads(run(capsys, "reach", "content", "list", "--dir", folder, "--json"))
    assert [(row["id"], row["version"], row["locales"]) for row in listed] == [
        ("spring", 2, ["en", "zh-CN"])
    ]
    diff = run(capsys, "reach", "content", "diff", "spring@1", "--dir", folder)
    assert "-Hi {{ customer.name }}" in diff
    assert "+Hello {{ customer.name }}" in diff
    page = tmp_path / "page.html"
    shown = json.loads(run(
        capsys, "reach", "content", "preview", "spring", "--customer", "bao", "--now",
        NOW.isoformat(), "--out", page, "--dir", folder, "--json",
    ))  # fmt: skip
    assert (shown["subject"], shown["address"]) == ("王**，新茶到上海了", "b***@example.com")
    assert "龙井 ¥88.00" in page.read_text("utf-8")
    plain = run(
        capsys, "reach", "content", "preview", "spring@2", "--customer", "ann", "--dir", folder
    )
    assert "Hello A" in plain
    assert "Ann Lee" not in plain
    assert json.loads(run(capsys, "reach", "content", "show", "spring@1", "--dir", folder))["hash"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('id = "spring"', 'id = "spring"\ncolour = 1'), "has 'colour'"),
        (('"spring.zh-CN.mjml"', '"../secret"'), "beside it"),
        (('"spring.zh-CN.mjml"', '"/etc/passwd"'), "beside it"),
        (("mjml_file", 'mjml = "<mjml/>"\nmjml_file'), "give one of them"),
        (("[locales.en]", "[locales.en]\nsize = 1"), "known: "),
        (('uses = ["customer.name", "profile.city"]', "uses = 3"), "must be a list"),
        (('"profile.city" = "上海"', '"profile.city" = 3'), "must be a table"),
        (('name = "product"', 'name = "product", count = "2"'), "whole number"),
        (("channel =", "channel = ["), "not readable TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_what_is_wanted(files, change, says):
    (files / "spring.toml").write_text(SPRING.replace(*change), "utf-8")
    with pytest.raises(InputError, match=says):
        read_content(files / "spring.toml")


def test_json_cannot_name_files():
    given = {"id": "a", "channel": "sms", "locales": {"en": {"text_file": "/etc/passwd"}}}
    with pytest.raises(InputError, match="write the text itself"):
        content_from(given, "content")


def test_a_survey_is_asked_and_counted_by_command(capsys, shop, tmp_path):
    folder, file = shop.app.folder, tmp_path / "nps.toml"
    file.write_text('id = "nps"\nkind = "nps"\nservice_below = 7\n', "utf-8")
    assert run(capsys, "reach", "survey", "put", file, "--dir", folder).strip() == "nps@1"
    link = run(capsys, "reach", "survey", "link", "nps", "--customer", "ann", "--dir", folder)
    assert link.startswith("https://go.shop.example/s/")
    assert "no answers yet" in run(capsys, "reach", "survey", "results", "nps", "--dir", folder)
    from regulars.reach.surveys.service import answer

    answer(shop.state, ("nps", "ann", "k"), 3, "慢", locale="en", now=NOW)
    found = json.loads(run(capsys, "reach", "survey", "results", "nps", "--dir", folder, "--json"))
    assert (found["answers"], found["score"], found["by_group"]["detractor"]) == (1, -1.0, 1)
    assert "nps -1.000" in run(capsys, "reach", "survey", "results", "nps", "--dir", folder)
    [task] = json.loads(run(capsys, "reach", "task", "list", "--dir", folder, "--json"))
    close = ("reach", "task", "close", task["task_id"], "--note", "已致电", "--dir", folder)
    assert "is closed" in run(capsys, *close)
    later = (NOW + timedelta(days=2)).isoformat()
    settle = ("reach", "survey", "settle", "--now", later, "--dir", folder)
    assert json.loads(run(capsys, *settle, "--json")) == {"facts": 2}
    listed = json.loads(run(capsys, "reach", "survey", "list", "--dir", folder, "--json"))
    assert listed[0]["kind"] == "nps"
    assert run(capsys, "reach", "links", "show", "--dir", folder) == ""
    assert "0 facts" in run(capsys, "reach", "links", "settle", "--dir", folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "shop"
    made = ContentShop(folder)
    for role in ("viewer", "marketer"):
        add_user(made.state, name=role, role=role, password=Server.password, actor="test",
                 now=NOW, locale="en", cost=ScryptCost(16, 1, 1))  # fmt: skip
    with Server(folder) as running:
        yield running


def test_contents_are_kept_read_and_previewed_over_http(served):
    viewer, marketer = served.client("viewer"), served.client("marketer")
    written = {
        "channel": "hook", "message_class": "transactional", "uses": ["customer.name"],
        "locales": {"zh-CN": {"text": "您好{{ customer.name }} 13912345678"}},
    }  # fmt: skip
    csrf = {"x-csrf-token": served.csrf(viewer)}
    assert viewer.put("/api/reach/contents/hello", json=written, headers=csrf).status_code == 403
    mine = {"x-csrf-token": served.csrf(marketer)}
    kept = marketer.put("/api/reach/contents/hello", json=written, headers=mine)
    assert kept.json() == {"name": "hello@1"}
    bad = written | {"locales": {"zh-CN": {"text": "{{ config }}"}}}
    refused = marketer.put("/api/reach/contents/hello", json=bad, headers=mine)
    assert (refused.status_code, "does not declare" in refused.text) == (400, True)
    more = marketer.put("/api/reach/contents/hello", json=written | {"version": 9}, headers=mine)
    assert more.status_code == 400

    shown = viewer.post(
        "/api/reach/contents/hello@1/preview", json={"customer_id": "bao"}, headers=csrf
    )

    assert shown.json()["text"].startswith("您好王**")
    assert [row["name"] for row in viewer.get("/api/reach/contents").json()] == ["hello@1"]
    assert viewer.get("/api/reach/contents/hello").json()["content"]["channel"] == "hook"
    assert viewer.get("/api/reach/contents/hello@1/diff?before=hello@1").json() == []
    assert viewer.get("/api/reach/contents/none").status_code == 404
    assert viewer.get("/api/reach/links").json() == []


def test_an_address_is_kept_and_a_phone_number_only_as_a_token(served):
    marketer, state = served.client("marketer"), served.home.state
    mine = {"x-csrf-token": served.csrf(marketer)}
    for kind, address in (("push_token", "tok-1"), ("phone", "13912340000")):
        path = "/api/reach/customers/chu/addresses"
        sent = marketer.put(path, json={"kind": kind, "address": address}, headers=mine)
        assert sent.json() == {"customer_id": "chu", "kind": kind}
    wrong = marketer.put(path, json={"kind": "email", "address": "no address"}, headers=mine)
    assert wrong.status_code == 400
    with state.reading() as opened:
        kept = opened.all("select kind, address from contact_addresses order by kind")

    protector = served.home.protector
    assert "13912340000" not in str(kept)
    assert clear_addresses(state, protector, ["chu"], "phone") == {"chu": "+8613912340000"}
    assert clear_addresses(state, protector, ["chu"], "push_token") == {"chu": "tok-1"}
    assert forget(state, "chu", "push_token", "tok-1")
    assert clear_addresses(state, protector, ["chu"], "push_token") == {}


@pytest.mark.parametrize(
    ("channel", "via", "kind"),
    [
        ("email", "email", "email"), ("edm", "outbox", "email"), ("sms", "aliyun_sms", "phone"),
        ("sms", "outbox", "phone"), ("notice", "wecom", "external_userid"), ("hook", "webhook", ""),
        ("calls", "csv", "phone"), ("post", "xlsx", ""), ("direct_mail", "csv", "address"), ("app", "outbox", "push_token"), ("anything", "outbox", ""),
    ],
)  # fmt: skip
def test_each_channel_needs_its_kind_of_address(channel, via, kind):
    assert address_kind(channel, via) == kind
