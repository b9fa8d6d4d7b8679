"""What staff must confirm and what customers must allow first, from the call to the ledger."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.contracts.channels.test_receipts import KEYS, event, sealed

from regulars.app import open_app
from regulars.errors import InputError, Transient, UnknownName
from regulars.govern.audit.service import newest
from regulars.govern.policy.service import resume, stop
from regulars.reach.content.addresses.service import register
from regulars.reach.content.keeping.files import content_from
from regulars.reach.content.service import put_content
from regulars.reach.receipts.service import contact_state
from regulars.serve.cli.main import main as cli
from regulars.serve.sending import acting
from regulars.serve.sending.callbacks import staff_tasks
from regulars.serve.sending.callbacks.staff_tasks import (
    LOOKS_EVERY,
    Follower,
    follow_staff,
    remind_staff,
)
from regulars.serve.sending.explaining import explain_in
from regulars.serve.sending.passing import one_pass
from regulars.settings import read_settings
from regulars.testing.provider_servers.wechat import WeChatServer
from regulars.unify.identity.identifiers import Identifier
from regulars.unify.identity.picture import Evidence
from regulars.unify.identity.service import adopt, merge, owner

SETTINGS = """
[channels.wecom]
via = "wecom"
cost = "0"
account = "wx1"
sender = "zhang"
base_url = "{url}"
secret_env = "REGULARS_TEST_WECOM"

[channels.orders]
via = "mini_program"
cost = "0"
message_class = "transactional"
account = "wx1"
template = "T-orders"
base_url = "{url}"
secret_env = "REGULARS_TEST_WECOM"
receipt_secret_env = "REGULARS_TEST_CALLBACK"

[policy]
approval_required = false
transactional_approval_required = false
consent_required = false
quiet_from = 0
quiet_to = 0
"""
PEOPLE = ["c1", "c2", "c3"]
MET = Evidence("2026-03-02T09:00:00+00:00", "test")


@pytest.fixture(name="shop")
def a_shop(make_shop, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("REGULARS_TEST_WECOM", "s")
    monkeypatch.setenv("REGULARS_TEST_CALLBACK", KEYS)
    with WeChatServer(account="wx1", secret="s") as provider:
        provider.seconds = int(datetime.now(UTC).timestamp())
        make_shop.empty(tmp_path / "shop")
        with (tmp_path / "shop" / "regulars.toml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS.format(url=provider.url))
        app = open_app(tmp_path / "shop")
        for who in PEOPLE:
            for kind, address in (("external_userid", f"wm-{who}"), ("mini_openid", f"o-{who}")):
                given = (kind, address)
                now = datetime.now(UTC)
                register(app.state, app.protector, who, given, source="test", now=now)
        with serve(tmp_path / "shop") as server:
            yield app, provider, server


def campaign(app, name, channel, message_class, customers=PEOPLE):
    said = {"zh-CN": {"text": f"{name}：新茶到店。"}}
    if channel == "orders":
        said["zh-CN"] |= {"template": "T-orders", "parameters": {"thing1": "订单"}}
    content = {"id": name, "channel": channel, "message_class": message_class, "locales": said}
    now = datetime.now(UTC)
    put_content(app.state, content_from(content, name), actor="test", at=now)
    given = {"id": name, "channel": channel, "message_class": message_class, "holdout": 0.0,
             "content": f"{name}@1", "audience": {"customers": customers}}  # fmt: skip
    acting.put(app, given, actor="test", now=now)
    acting.begin(app, name, actor="test", now=now)
    one_pass(app, now=now)


def fates(app, name):
    found = {}
    for who in PEOPLE:
        for one in explain_in(app, who).attempts:
            if one.campaign == name:
                found[who] = (one.fate, one.reason.partition(":")[0])
    return found


def states(app, name):
    keys = [one.key for who in PEOPLE for one in explain_in(app, who).attempts
            if one.campaign == name]  # fmt: skip
    return [state.state if (state := contact_state(app.state, key)) else "" for key in keys]


def test_what_staff_confirm_becomes_receipts_of_the_contacts_they_sent(shop):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing")
    assert list(provider.confirmed) == ["msg-0"]
    now = datetime.now(UTC)
    assert follow_staff(app, now=now).receipts == 0
    provider.confirmed["msg-0"] |= {"wm-c1": 1, "wm-c2": 2}

    early = follow_staff(app, now=now + LOOKS_EVERY / 2)
    told = follow_staff(app, now=now + LOOKS_EVERY)
    again = follow_staff(app, now=now + 2 * LOOKS_EVERY)

    assert [one.receipts for one in (early, told, again)] == [0, 2, 0]
    assert states(app, "tea") == ["delivered", "failed", ""]


def test_tasks_that_wait_for_staff_are_taken_back_when_everything_is_stopped(shop):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing")
    provider.confirmed["msg-0"] |= {"wm-c1": 1}
    provider.confirmed["by-hand"] = {"wm-other": 0}
    provider._tasks.append({"msgid": "by-hand", "create_time": str(provider.seconds)})
    now = datetime.now(UTC)
    assert follow_staff(app, now=now).taken_back == 0
    stop(app.state, "wrong price", actor="lan", at=now)

    done = follow_staff(app, now=now + timedelta(seconds=5))

    assert done.taken_back == 1
    assert provider.told == [("cancel_groupmsg_send", {"msgid": "msg-0"})]
    assert states(app, "tea") == ["delivered", "failed", "failed"]


def test_a_task_taken_back_is_not_taken_back_again(shop):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing")
    now = datetime.now(UTC)
    stop(app.state, "wrong price", actor="lan", at=now)

    done = [follow_staff(app, now=now + timedelta(seconds=5 * look)) for look in range(4)]
    provider.confirmed["msg-0"] |= {"wm-c1": 1}
    late = follow_staff(app, now=now + timedelta(seconds=60))

    assert [one.taken_back for one in done] == [1, 0, 0, 0]
    assert len(provider.told) == 1
    assert (late.taken_back, late.receipts) == (0, 1), "what went out before is told all the same"


def test_each_task_is_taken_back_before_the_next_is_read(shop, monkeypatch):
    app, provider, _ = shop
    for name, who in zip(("tea", "milk", "rice"), PEOPLE, strict=True):
        campaign(app, name, "wecom", "marketing", [who])
    now = datetime.now(UTC)
    stop(app.state, "wrong price", actor="lan", at=now)
    calls = []
    for name in ("_result", "_list"):
        monkeypatch.setattr(provider, name, noting(calls, name, getattr(provider, name)))
    channel = app.channels["wecom"]
    monkeypatch.setattr(channel, "cancel", noting(calls, "cancel", channel.cancel))

    follow_staff(app, now=now)

    assert [one for one in calls if one != "_list"] == ["_result", "cancel"] * 3


def test_what_was_told_of_a_task_is_not_lost_when_it_could_not_be_kept(shop, monkeypatch):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing", ["c1"])
    campaign(app, "milk", "wecom", "marketing", ["c2", "c3"])
    provider.confirmed["msg-0"] |= dict.fromkeys(provider.confirmed["msg-0"], 1)
    provider.confirmed["msg-1"] |= dict.fromkeys(provider.confirmed["msg-1"], 1)
    now = datetime.now(UTC)
    with monkeypatch.context() as broken:
        broken.setattr(staff_tasks, "take", refusing)
        with pytest.raises(Transient):
            follow_staff(app, now=now)

    again = [follow_staff(app, now=now + look * LOOKS_EVERY) for look in (1, 2)]

    assert [one.receipts for one in again] == [3, 0]
    assert states(app, "tea") + states(app, "milk") == ["delivered"] * 3


def test_a_task_that_cannot_be_read_costs_no_receipt_of_another(shop, monkeypatch):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing", ["c1"])
    campaign(app, "milk", "wecom", "marketing", ["c2", "c3"])
    provider.confirmed["msg-0"] |= dict.fromkeys(provider.confirmed["msg-0"], 1)
    channel, now = app.channels["wecom"], datetime.now(UTC)
    whole = channel._look_at
    monkeypatch.setattr(
        channel, "_look_at", lambda msgid: whole(msgid) if msgid == "msg-0" else refusing()
    )
    with pytest.raises(Transient):
        follow_staff(app, now=now)

    assert states(app, "tea") == ["delivered"]


def noting(calls, name, call):
    def noted(*args):
        calls.append(name)
        return call(*args)

    return noted


def refusing(*_args, **_more):
    raise Transient("the store is busy; try again")


def test_tasks_of_an_ended_campaign_are_taken_back_and_those_of_a_paused_one_are_not(shop):
    app, provider, _ = shop
    later = datetime.now(UTC) + timedelta(days=1)
    campaign(app, "tea", "wecom", "marketing")
    campaign(app, "milk", "wecom", "marketing")
    with app.state.transaction() as opened:
        opened.run("UPDATE campaigns SET state = 'stopped' WHERE campaign_id = 'tea'")
        opened.run("UPDATE campaigns SET state = 'paused' WHERE campaign_id = 'milk'")

    follow_staff(app, now=later)

    assert provider.told == [("cancel_groupmsg_send", {"msgid": "msg-0"})]


def test_staff_are_reminded_of_what_they_have_not_confirmed(shop, capsys):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing")
    provider.confirmed["msg-0"] |= {"wm-c1": 1}
    words = ["reach", "remind", "--dir", str(app.folder), "--json"]

    found = []
    for _ in range(4):
        with pytest.raises(SystemExit):
            cli(words)
        found.append(json.loads(capsys.readouterr().out))

    first = {"channel": "wecom", "task": "msg-0", "waiting": 2, "did": "reminded"}
    assert found[0] == [first]
    assert [one["did"] for [one] in found] == ["reminded", "reminded", "reminded", "refused"]
    assert {name for name, _ in provider.told} == {"remind_groupmsg_send"}


def test_nobody_is_reminded_of_what_must_not_go_out(shop):
    app, provider, _ = shop
    now = datetime.now(UTC)
    campaign(app, "tea", "wecom", "marketing")
    found = []
    for state in ("paused", "stopped", "finished"):
        if state == "finished":
            stop(app.state, "wrong price", actor="lan", at=now)
        with app.state.transaction() as opened:
            opened.run("UPDATE campaigns SET state = :state", state=state)
        found += remind_staff(app, now=now)
    for task, waiting in provider.confirmed.items():
        provider.confirmed[task] = dict.fromkeys(waiting, 1)
    confirmed = remind_staff(app, now=now)

    assert [one.did for one in found] == ["left"] * 3
    assert confirmed == []
    assert provider.told == []
    with pytest.raises(UnknownName, match="fax"):
        remind_staff(app, now=now, only="fax")


MUST_NOT_GO = {
    "campaign paused": ["UPDATE campaigns SET state = 'paused'"],
    "cancelled": ["UPDATE runs SET cancelled = 'gate_failed'"],
    "journey paused": [
        """UPDATE ledger SET run_id = 'journey/hi', campaign_id = 'journey/hi'
           WHERE campaign_id = 'tea'""",
        """INSERT INTO journeys (journey_no, journey_id, state, reason, created_by, created_at,
           changed_at) VALUES (1, 'hi', 'paused', '', 'lan', '2026', '2026')""",
    ],
    "one of two": [
        "UPDATE ledger SET campaign_id = 'milk' WHERE customer_id = 'c2' AND campaign_id = 'tea'",
        "UPDATE campaigns SET state = 'paused' WHERE campaign_id = 'milk'",
    ],
}


@pytest.mark.parametrize("case", MUST_NOT_GO)
def test_one_contact_that_must_not_go_out_keeps_its_task_from_being_reminded_of(shop, case):
    app, provider, _ = shop
    campaign(app, "milk", "wecom", "marketing", ["c1"])
    campaign(app, "tea", "wecom", "marketing")
    provider.confirmed["msg-0"] |= dict.fromkeys(provider.confirmed["msg-0"], 1)
    with app.state.transaction() as opened:
        for sql in MUST_NOT_GO[case]:
            opened.run(sql)

    found = remind_staff(app, now=datetime.now(UTC))

    assert [(one.task, one.waiting, one.did) for one in found] == [("msg-1", 2, "left")]
    assert provider.told == []


def test_tasks_of_a_stopped_journey_are_taken_back(shop):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing")
    with app.state.transaction() as opened:
        for sql in MUST_NOT_GO["journey paused"]:
            opened.run(sql.replace("paused", "stopped"))

    follow_staff(app, now=datetime.now(UTC) + timedelta(days=1))

    assert provider.told == [("cancel_groupmsg_send", {"msgid": "msg-0"})]


def test_a_follower_of_staff_holds_up_nobody_and_tells_what_failed(shop, monkeypatch):
    app, provider, _ = shop
    follower, now = Follower(), datetime.now(UTC)

    def broken(_since):
        raise OSError("no way out")

    monkeypatch.setattr(app.channels["wecom"], "look", broken)
    follower.follow(app, now=now)
    follower._thread.join(10)

    with pytest.raises(OSError, match="no way out"):
        follower.follow(app, now=now)


def allow(server, *templates, at, word="accept", openid="o-c1"):
    now = datetime.now(UTC)
    items = "".join(
        f"<List><TemplateId>{one}</TemplateId><SubscribeStatusString>{word}</SubscribeStatusString>"
        "<PopupScene>0</PopupScene></List>"
        for one in templates
    )
    allowed = event(
        CreateTime=int(at.timestamp()), Event="subscribe_msg_popup_event", FromUserName=openid
    )
    allowed = allowed.replace("</xml>", f"<SubscribeMsgPopupEvent>{items}</SubscribeMsgPopupEvent></xml>")  # fmt: skip
    raw, query = sealed(allowed, at=now)
    fields = {name.removeprefix("?"): value for name, value in query.items()}
    answer = server.client(None).post("/api/reach/receipts/orders", params=fields, content=raw)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_subscribe_message_goes_out_once_per_grant_of_the_customer(shop):
    app, provider, server = shop
    campaign(app, "before", "orders", "transactional", ["c1"])
    allowed_at = datetime.now(UTC)
    assert allow(server, "T-orders", "T-of-nobody", at=allowed_at)["received"] == 1
    assert allow(server, "T-orders", at=allowed_at)["again"] == 1
    allow(server, "T-orders", word="reject", at=allowed_at + timedelta(seconds=1))
    campaign(app, "first", "orders", "transactional")
    campaign(app, "second", "orders", "transactional", ["c1"])

    assert fates(app, "before") == {"c1": ("skipped", "no_grant")}
    assert fates(app, "first") == {
        "c1": ("sent", "handed_over"),
        "c2": ("skipped", "no_grant"),
        "c3": ("skipped", "no_grant"),
    }
    assert fates(app, "second") == {"c1": ("skipped", "no_grant")}
    assert [taken.address for taken in provider.taken] == ["o-c1"]


def known(app, customer, openid):
    """Let an identifier of a customer be met, and give what the customer is called then."""
    names = [Identifier("login", customer), Identifier("openid", openid)]
    adopt(app.state, [(names, MET)])
    return owner(app.state, "openid", openid)


def post_grant(server, customer, *, role="marketer", **body):
    client = server.client(role)
    headers = {"x-csrf-token": server.csrf(client)}
    path = f"/api/reach/customers/{customer}/grants"
    return client.post(path, json=body, headers=headers)


def test_a_page_that_knows_of_a_grant_says_so_over_http_once(shop):
    app, provider, server = shop
    known(app, "c2", "o-c2")

    given = post_grant(server, "c2", channel="orders", messages=2, key="page-1")
    again = post_grant(server, "c2", channel="orders", messages=2, key="page-1")
    other = post_grant(server, "c2", channel="orders", messages=3, key="page-1")
    for name in ("one", "two", "three"):
        campaign(app, name, "orders", "transactional", ["c2"])

    assert [one.json().get("is_new") for one in (given, again)] == [True, False]
    assert (other.status_code, "another grant" in other.text) == (400, True)
    assert [taken.address for taken in provider.taken] == ["o-c2", "o-c2"]
    noted = [one for one in newest(app.state, size=1000) if one.action == "grant.add"]
    assert [(one.subject, json.loads(one.detail)["messages"]) for one in noted] == [("c2", 2)]


@pytest.mark.parametrize(
    ("customer", "body", "status", "says"),
    [
        ("nobody-x", {"channel": "orders", "key": "k"}, 404, "Not found"),
        ("c2", {"channel": "nosuch", "key": "k"}, 400, "known: "),
        ("c2", {"channel": "sms", "key": "k"}, 400, "channels that need one: orders"),
        ("c2", {"channel": "orders"}, 400, "key"),
    ],
)
def test_a_grant_that_would_count_for_nothing_is_refused(shop, customer, body, status, says):
    app, _, server = shop
    known(app, "c2", "o-c2")

    refused = post_grant(server, customer, **body)

    assert (refused.status_code, says in refused.text) == (status, True), refused.text
    with app.state.reading() as opened:
        assert opened.all("SELECT * FROM contact_grants") == []


def test_a_grant_under_an_id_of_before_counts_for_the_customer_of_now(shop):
    app, _, server = shop
    adopt(app.state, [([Identifier("cookie", "before")], MET)])
    old = owner(app.state, "cookie", "before")
    known(app, "c2", "o-c2")
    merge(app.state, "c2", old, actor="lan", now=datetime.now(UTC))

    answer = post_grant(server, old, channel="orders", key="k").json()

    assert answer["customer_id"] == owner(app.state, "cookie", "before") != old
    with app.state.reading() as opened:
        [row] = opened.all("SELECT customer_id FROM contact_grants")
    assert row["customer_id"] == "c2"


def test_two_channels_with_one_template_are_refused(tmp_path):
    second = SETTINGS.format(url="http://127.0.0.1:1")
    second += second[second.index("[channels.orders]") : second.index("[policy]")].replace(
        "[channels.orders]", "[channels.parcels]"
    )
    (tmp_path / "regulars.toml").write_text(second, encoding="utf-8")

    with pytest.raises(InputError, match=r"channels\.orders and channels\.parcels both send"):
        read_settings(tmp_path)


def test_an_emergency_stop_that_ended_takes_nothing_back(shop):
    app, provider, _ = shop
    campaign(app, "tea", "wecom", "marketing")
    now = datetime.now(UTC)
    stop(app.state, "a drill", actor="lan", at=now)
    resume(app.state, actor="lan", at=now)

    follow_staff(app, now=now + timedelta(days=1))

    assert provider.told == []
