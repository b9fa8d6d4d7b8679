"""Somebody adds a member of staff in WeCom and is greeted, once, while the code holds."""

import logging
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pytest
from tests.contracts.channels.test_receipts import KEYS, event, sealed

from regulars.app import open_app
from regulars.reach.content.keeping.files import content_from
from regulars.reach.content.service import put_content
from regulars.serve.sending import acting
from regulars.serve.sending.callbacks import greeting
from regulars.serve.sending.desk import TriggerDesk
from regulars.serve.sending.passing import one_pass
from regulars.testing.provider_servers.wechat import WeChatServer

CHANNEL = """
[channels.welcome]
via = "wecom_welcome"
cost = "0"
message_class = "transactional"
account = "wx1"
sender = "zhang"
base_url = "{url}"
secret_env = "REGULARS_TEST_WECOM"
receipt_secret_env = "REGULARS_TEST_CALLBACK"
"""
HELLO = {
    "id": "hello",
    "channel": "welcome",
    "message_class": "transactional",
    "locales": {"zh-CN": {"text": "您好，欢迎光临街角超市。"}},
}
GREETING = {
    "id": "hello",
    "name": "欢迎",
    "channel": "welcome",
    "message_class": "transactional",
    "audience": "trigger",
    "content": "hello@1",
}


@pytest.fixture(name="wecom")
def wecom_and_a_shop(make_shop, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("REGULARS_TEST_WECOM", "s")
    monkeypatch.setenv("REGULARS_TEST_CALLBACK", KEYS)
    with WeChatServer(account="wx1", secret="s") as provider:
        make_shop.empty(tmp_path / "shop")
        settings = tmp_path / "shop" / "regulars.toml"
        with settings.open("a", encoding="utf-8") as file:
            file.write(CHANNEL.format(url=provider.url))
            file.write("[policy]\ntransactional_approval_required = false\n")
        app, now = open_app(tmp_path / "shop"), datetime.now(UTC)
        put_content(app.state, content_from(HELLO, "hello"), actor="test", at=now)
        acting.put(app, GREETING, actor="test", now=now)
        acting.begin(app, "hello", actor="test", now=now)
        with serve(tmp_path / "shop") as server:
            yield provider, server, app


def call_back(server, *, seconds_ago=2, code="CODE1"):
    now = datetime.now(UTC)
    added = event(
        CreateTime=int((now - timedelta(seconds=seconds_ago)).timestamp()),
        Event="change_external_contact",
        ChangeType="add_external_contact",
        UserID="zhang",
        ExternalUserID="wm1",
        WelcomeCode=code,
    )
    raw, query = sealed(added, at=now)
    fields = {name.removeprefix("?"): value for name, value in query.items()}
    return server.client(None).post("/api/reach/receipts/welcome", params=fields, content=raw)


def test_a_new_contact_is_greeted_once_however_often_the_callback_comes(wecom):
    provider, server, app = wecom
    stamp = datetime.now(UTC)
    answer = call_back(server)
    assert answer.status_code == 200, answer.text
    one_pass(app, now=datetime.now(UTC))

    assert [taken.address for taken in provider.taken] == ["CODE1"]
    assert "欢迎光临" in str(provider.taken[0])
    assert datetime.now(UTC) - stamp < timedelta(seconds=18)
    call_back(server, seconds_ago=3)
    one_pass(app, now=datetime.now(UTC))
    assert len({taken.key for taken in provider.taken}) == len(provider.taken)


def test_a_code_that_is_too_old_is_not_used(wecom):
    provider, server, app = wecom

    assert call_back(server, seconds_ago=25).status_code == 200
    one_pass(app, now=datetime.now(UTC))

    assert provider.taken == []


def test_a_forged_callback_greets_nobody(wecom):
    provider, server, app = wecom

    forged = server.client(None).post(
        "/api/reach/receipts/welcome",
        params={"msg_signature": "0" * 40, "timestamp": "1", "nonce": "n"},
        content=b"<xml><Encrypt>AAAA</Encrypt></xml>",
    )
    one_pass(app, now=datetime.now(UTC))

    assert forged.status_code in {400, 403, 404}
    assert provider.taken == []


def is_taken(answer):
    """The callback was taken in to its end: the provider hears how many receipts it held."""
    return answer.status_code == 200 and answer.json()["received"] >= 0


def test_a_campaign_paused_before_its_greeting_is_handed_in_costs_no_receipt(
    wecom, monkeypatch, caplog
):
    provider, server, app = wecom
    listed = greeting.list_campaigns

    def paused_once_listed(state):
        rows = listed(state)
        acting.pause(app, "hello", reason="wrong words", actor="test", now=datetime.now(UTC))
        return rows

    monkeypatch.setattr(greeting, "list_campaigns", paused_once_listed)
    with caplog.at_level(logging.WARNING):
        answer = call_back(server)
    one_pass(app, now=datetime.now(UTC))

    assert is_taken(answer), answer.text
    assert provider.taken == []
    assert "a greeting of campaign hello was not handed in: NotAllowed" in caplog.text
    assert not any(word in caplog.text for word in ("wm1", "zhang", "CODE1"))


def test_a_desk_that_does_not_answer_does_not_keep_the_provider_waiting(wecom, monkeypatch, caplog):
    provider, server, app = wecom
    monkeypatch.setattr(greeting, "HAND_IN_SECONDS", 0.01)
    monkeypatch.setattr(TriggerDesk, "hand_in", lambda _desk, _trigger: Future())
    with caplog.at_level(logging.WARNING):
        answer = call_back(server)

    assert is_taken(answer), answer.text
    assert "was not handed in: TimeoutError" in caplog.text


def test_a_code_that_cannot_be_kept_costs_no_receipt(wecom, caplog):
    provider, server, app = wecom
    with caplog.at_level(logging.WARNING):
        answer = call_back(server, code="C" * 10_000)
    one_pass(app, now=datetime.now(UTC))

    assert is_taken(answer), answer.text
    assert provider.taken == []
    assert "the code of a greeting was not kept: InputError" in caplog.text
