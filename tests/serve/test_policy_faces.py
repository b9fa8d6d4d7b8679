"""The rules of contact by command and over HTTP: what they are, and why not, asked beforehand."""

import json

import pytest

from regulars.serve.cli import main as cli

CHANNELS = """
[channels.friends]
via = "wecom"
[[policy.caps]]
scope = "channel:sms"
window = "calendar_day"
when_full = "hold"
name = "daily sms"
[[policy.quiet]]
scope = "channel:app"
quiet_from = 0
quiet_to = 0
[[policy.quotas]]
name = "wecom_month"
contacts = 3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_shop):
    made = tmp_path_factory.mktemp("policy") / "shop"
    make_shop.empty(made)
    file = made / "regulars.toml"
    file.write_text(file.read_text("utf-8") + CHANNELS, "utf-8")
    return made


@pytest.fixture(scope="module")
def shop(folder, serve):
    with serve(folder) as running:
        yield running


@pytest.fixture
def checks(shop):
    """Ask what the rules say of a contact."""

    def asked(contact):
        client = shop.client("viewer")
        return client.post(
            "/api/govern/policy/check", json=contact, headers={"x-csrf-token": shop.csrf(client)}
        )

    return asked


@pytest.fixture
def run(folder, capsys):
    """Run `regulars govern policy ...` in the shop; gives what it printed."""

    def called(*words, code=0):
        with pytest.raises(SystemExit) as ended:
            cli.main(["govern", "policy", *words, "--dir", str(folder)])
        said = capsys.readouterr()
        assert ended.value.code == code, said
        return said.out + said.err

    return called


def test_the_rules_are_listed_with_their_sources_over_http(shop):
    found = shop.client("viewer").get("/api/govern/policy").json()

    assert "not legal advice" in found["note"]
    assert [rule["name"] for rule in found["rules"]][:3] == ["holdout", "emergency_stop", "consent"]
    assert all(
        reason["zh"] and reason["rests_on"] for rule in found["rules"] for reason in rule["reasons"]
    )
    assert [(cap["name"], cap["contacts"]) for cap in found["caps"]] == [("", 2), ("daily sms", 1)]
    quotas = {quota["name"]: quota for quota in found["quotas"]}
    assert set(quotas) == {"wecom_month", "wecom_member_day"}
    assert quotas["wecom_month"]["contacts"] == 3
    assert quotas["wecom_month"]["is_changed"]
    assert all(quota["source"] and quota["as_of"] for quota in found["quotas"])
    assert "aliyun_template_day" in {quota["name"] for quota in found["quotas_without_channel"]}


def test_why_not_is_asked_beforehand_over_http(checks):
    asked = {"customer_id": "nobody", "channel": "app", "topic": "news"}
    found = checks(asked).json()

    assert (found["decision"], found["reason"]) == ("skip", "no_consent")
    said = {one["rule"]: one for one in found["rules"]}
    assert said["consent"]["zh"].startswith("没有")
    assert said["frequency_cap"]["reason"] == ""
    assert (found["age"], found["consent"], found["zone"]) == ("adult", "none", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"channel": "pigeon"}, 404),
        ({"message_class": "spam"}, 404),
        ({"customer_id": ""}, 400),
        ({"colour": "red"}, 400),
    ],
)
def test_a_contact_that_cannot_be_is_refused(checks, changes, status):
    assert checks({"customer_id": "ann", "channel": "sms"} | changes).status_code == status


def test_the_rules_are_listed_by_command(run):
    text = run()

    assert "not legal advice" in text
    assert "daily sms        1 per calendar_day 1 days, sms, hold when full" in text
    assert "WeCom mass messages: 4 per customer" in text
    assert json.loads(run("--json"))["minor_age"] == 18


def test_why_not_is_asked_by_command(run):
    text = run("--customer", "nobody", "--channel", "app")

    assert text.startswith("skip")
    assert "没有该渠道的营销同意记录" in text
    found = json.loads(run("--customer", "nobody", "--channel", "app", "--json"))
    assert found["verdict"]["reason"] == "no_consent"
    assert "must be one of" in run("--customer", "nobody", "--channel", "pigeon", code=2)
