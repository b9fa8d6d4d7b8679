"""The catalogue says of each kind what its adapter does, and the settings reach it."""

from importlib import import_module
from pathlib import Path

import pytest

from regulars.adapters.channels.catalogue import (
    KINDS,
    describe,
    missing_variables,
    open_channel,
    receipt_parsers,
)
from regulars.app import open_app
from regulars.errors import InputError, UnknownName
from regulars.ports.channels import Outcome, Recovery
from regulars.serve.doctor import Level, examine
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import contact

EVERYTHING = {
    "account": "account",
    "secret_env": "SECRET",
    "sender": "mailto:news@shop.example",
    "application": "1400006666",
    "smtp_host": "mail.shop.example",
    "base_url": "https://provider.test",
}
PER_KIND = {
    "email": {"sender": "news@shop.example"},
    "wechat_template": {"message_class": "transactional"},
}


def secret_for(via):
    from regulars.testing.provider_servers.app_push import FcmServer

    known = {"fcm": FcmServer().service_account(), "web_push": "A" * 42 + "E"}
    return known.get(via, "secret")


def open_kind(via, folder, **more):
    settings = ChannelSettings(**{"via": via} | EVERYTHING | PER_KIND.get(via, {}) | more)
    return open_channel("c", settings, folder=folder, environment={"SECRET": secret_for(via)})


@pytest.mark.parametrize("via", KINDS)
def test_the_catalogue_says_what_the_adapter_says(via, tmp_path):
    kind, channel = KINDS[via], open_kind(via, tmp_path)

    assert channel.problem == ""
    assert type(channel).__name__ == kind.opens.partition(":")[2]
    assert (channel.recovery, channel.key_seconds) == (kind.recovery, kind.key_seconds)
    gap = channel._pace._gap if hasattr(channel, "_pace") else 0
    assert gap == pytest.approx(1 / kind.per_second if kind.per_second else 0)
    assert channel.carries_messages


@pytest.mark.parametrize("via", KINDS)
def test_every_kind_says_where_its_protocol_is_from_and_why_it_recovers_so(via):
    module = import_module(f"regulars.adapters.channels.{KINDS[via].opens.partition(':')[0]}")

    assert "Source:" in module.__doc__
    assert "Recovery:" in module.__doc__
    assert KINDS[via].because
    assert KINDS[via].called


@pytest.mark.parametrize("via", KINDS)
def test_the_reference_page_says_the_same_of_each_kind(via):
    page = (Path(__file__).parents[3] / "docs" / "reference" / "channels.md").read_text("utf-8")
    [row] = [line for line in page.split("\n") if line.startswith(f"| `{via}` |") and "`: " in line]

    kind = KINDS[via]
    assert f"| {kind.called} | `{kind.recovery.value}`: {kind.because} |" in row
    assert ("| none |" in row) is (kind.key_seconds == 0)


@pytest.mark.parametrize(("via", "parser"), receipt_parsers().items())
def test_every_parser_named_is_there(via, parser):
    module, _, name = parser.partition(":")

    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("via", [v for v, k in KINDS.items() if k.key_seconds and k.secrets])
def test_keys_can_be_switched_off(via, tmp_path):
    channel = open_kind(via, tmp_path, key_seconds=0)

    assert (channel.recovery, channel.key_seconds) == (Recovery.HOLD_UNKNOWN, 0)


def test_a_channel_without_its_secret_keeps_its_contacts_and_says_what_to_do(tmp_path):
    settings = ChannelSettings(via="jpush", account="a", secret_env="PUSH_SECRET")
    channel = open_channel("app", settings, folder=tmp_path, environment={})

    [answer] = channel.send([contact(1, None)]).values()

    assert (answer.outcome, answer.reason) == (Outcome.THROTTLED, "no_credentials")
    assert "export PUSH_SECRET=" in channel.problem
    assert missing_variables(settings, {}) == ("PUSH_SECRET",)


def test_a_channel_set_up_wrongly_costs_the_others_nothing(tmp_path):
    channels = {
        "bad": ChannelSettings(via="email", sender="nonsense", smtp_host="mail.shop.example"),
        "calls": ChannelSettings(via="csv"),
        "sms": ChannelSettings(),
    }

    rows = {row.name: row for row in describe(channels, folder=tmp_path, environment={})}

    assert "nonsense" in rows["bad"].problem
    assert rows["calls"].problem == rows["sms"].problem == ""
    assert rows["sms"].via == "outbox"


def test_an_adapter_there_is_none_of_is_named_with_those_there_are(tmp_path):
    with pytest.raises(UnknownName, match="aliyun_sms"):
        open_channel("c", ChannelSettings(via="pigeon"), folder=tmp_path, environment={})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('secret_env = "hunter2"', "name of a variable"),
        ('base_url = "provider.test"', "must begin with https"),
        ('message_class = "promo"', "transactional"),
        ('smtp_security = "ssl"', "starttls"),
        ("timeout_seconds = 0", "must be from 0.1"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_sent(line, says, tmp_path):
    (tmp_path / "regulars.toml").write_text(f'[channels.x]\nvia = "webhook"\n{line}\n')

    with pytest.raises(InputError, match=says) as raised:
        open_app(tmp_path)
    assert "hunter2" not in str(raised.value)


def test_the_app_opens_what_the_settings_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOOK", "s")
    (tmp_path / "regulars.toml").write_text(
        '[channels.hook]\nvia = "webhook"\nbase_url = "https://x.test"\nsecret_env = "HOOK"\n'
        '[channels.sms]\ncost = 0.05\n[channels.calls]\nvia = "xlsx"\n'
    )
    app = open_app(tmp_path)

    assert [type(c).__name__ for c in app.channels.values()] == [
        "WebhookChannel",
        "OutboxChannel",
        "ListChannel",
    ]
    assert [(row.name, row.recovery) for row in app.describe_channels()] == [
        ("hook", "resend"),
        ("sms", "resend"),
        ("calls", "resend"),
    ]
    assert Path(tmp_path / "channels").exists() is False


def test_doctor_names_the_channel_that_lacks_its_secret(tmp_path, monkeypatch):
    monkeypatch.delenv("HOOK", raising=False)
    (tmp_path / "regulars.toml").write_text(
        '[channels.hook]\nvia = "webhook"\nbase_url = "https://x.test"\nsecret_env = "HOOK"\n'
        "[channels.sms]\ncost = 0.05\n"
    )

    found = [f for f in examine(tmp_path) if f.check == "channels"]

    assert [(f.level, f.says) for f in found] == [
        (Level.WARN, "channel hook (webhook): the variable HOOK is not set"),
        (Level.OK, "ready: sms (outbox)"),
    ]
    assert "export HOOK=" in found[0].todo
