"""WeCom, official accounts and mini programs against a server that checks tokens and codes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import JSONResponse
from tests.contracts.patience import patience

from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.wechat.bot import GroupBot
from regulars.adapters.channels.wechat.official import (
    MiniProgramMessage,
    SubscribeMessage,
    TemplateMessage,
)
from regulars.adapters.channels.wechat.tags import WecomTags
from regulars.adapters.channels.wechat.wecom import WecomChannel
from regulars.adapters.channels.wechat.welcome import WelcomeChannel, greet
from regulars.errors import InputError
from regulars.ports.channels import Message, Outcome
from regulars.records.receipts import ReceiptKind
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import AT, ProviderContract, contact
from regulars.testing.provider_servers.troubles import Trouble
from regulars.testing.provider_servers.wechat import WeChatServer


def open_wechat(kind, server, *, secret="s", folder=None, clock=wall_clock, **more):
    settings = ChannelSettings(
        **{
            "via": "wechat",
            "base_url": server.url,
            "account": "wx1",
            "secret_env": "WECHAT_SECRET",
            "sender": "zhang",
            "timeout_seconds": patience(server),
        }
        | more
    )
    return kind(Setup("wechat", settings, Secrets({"secret_env": secret}), folder, clock))


class WeChat(ProviderContract):
    kind = None
    more = {}
    prefix = "openid-"
    refusal = "40003"

    def open_server(self, *planned):
        return WeChatServer(*planned, account="wx1", secret=self.secret)

    def open_channel(self, server, *, secret, folder):
        return open_wechat(self.kind, server, secret=secret, folder=folder, **self.more)


class TestTemplateMessage(WeChat):
    kind = TemplateMessage
    more = {"message_class": "transactional"}


class TestSubscribeMessage(WeChat):
    kind = SubscribeMessage
    refusal = "43101"


class TestMiniProgramMessage(WeChat):
    kind = MiniProgramMessage
    refusal = "43101"


class TestWecom(WeChat):
    kind = WecomChannel
    more = {"clock": lambda: AT}
    prefix = "wm-customer-"
    batches = True

    def message(self, number):
        return replace(super().message(number), text="News for all")


class TestWelcome(WeChat):
    kind = WelcomeChannel
    prefix = "CODE"
    refusal = "41050"

    def window(self, first, stop):
        return [replace(c, at=wall_clock()) for c in super().window(first, stop)]


class TestGroupBot(WeChat):
    needs_address = False
    kind = GroupBot
    more = {"rate_per_second": 1000.0}
    prefix = "News for customer "
    gives_ids = False
    refusal = "40008"

    def message(self, number):
        return Message(address=self.address(number), text=self.address(number))


def test_many_who_need_a_token_fetch_it_once():
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(SubscribeMessage, server)
        window = [contact(n, Message(f"openid-{n}", template="T")) for n in range(40)]
        answers = channel.send(window)

    assert {a.outcome for a in answers.values()} == {Outcome.ACCEPTED}
    assert len(server.tokens) == 1


def test_a_token_that_went_stale_is_fetched_once_and_nothing_is_lost():
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(SubscribeMessage, server)
        channel.send([contact(0, Message("openid-0", template="T"))])
        server.tokens.append("taken over by another system")
        window = [contact(n, Message(f"openid-{n}", template="T")) for n in range(1, 30)]
        answers = channel.send(window)

    assert {a.outcome for a in answers.values()} == {Outcome.ACCEPTED}
    assert [t for t in server.tokens if t.startswith("token")] == ["token-0", "token-2"]
    assert len(server.taken) == 30


def test_an_account_that_knows_only_the_older_way_to_a_token_is_asked_so():
    class Older(WeChatServer):
        async def answer(self, request, trouble):
            if request.url.path == "/cgi-bin/stable_token":
                return JSONResponse({"errcode": 40066, "errmsg": "invalid url"})
            return await super().answer(request, trouble)

    with Older(account="wx1", secret="s") as server:
        channel = open_wechat(SubscribeMessage, server)
        [answer] = channel.send([contact(0, Message("openid-0", template="T"))]).values()

    assert answer.outcome is Outcome.ACCEPTED
    assert "/cgi-bin/token" in server.requests


def test_a_token_is_not_used_to_its_last_second():
    now = [datetime(2026, 3, 2, tzinfo=UTC)]
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(SubscribeMessage, server, clock=lambda: now[0])
        channel.send([contact(0, Message("openid-0", template="T"))])
        now[0] += timedelta(seconds=7200 - 299)
        channel.send([contact(1, Message("openid-1", template="T"))])

    assert len(server.tokens) == 2


def test_template_messages_carry_no_marketing():
    with WeChatServer(account="wx1", secret="s") as server:
        with pytest.raises(InputError, match="are for services"):
            open_wechat(TemplateMessage, server, message_class="marketing")
        channel = open_wechat(TemplateMessage, server, message_class="transactional")
        offer = replace(contact(1, Message("openid-1", template="T")), offer_id="ten_off")
        [answer] = channel.send([offer]).values()

    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "marketing_forbidden")
    assert server.taken == []


def test_taps_lead_where_the_account_can_open():
    links = {}
    with WeChatServer(account="wx1", secret="s") as server:
        for kind in (TemplateMessage, SubscribeMessage, MiniProgramMessage):
            channel = open_wechat(kind, server, message_class="transactional", application="mini1")
            for link in ("https://shop.example/a", "pages/a?id=1"):
                channel.send([contact(len(links), Message("o", template="T", link=link))])
                sent = server.taken[-1].content
                names = ("url", "page", "miniprogram")
                links[kind.__name__, link[:5]] = {n: sent[n] for n in names if n in sent}

    mini = {"miniprogram": {"appid": "mini1", "pagepath": "pages/a?id=1"}}
    assert links == {
        ("TemplateMessage", "https"): {"url": "https://shop.example/a"},
        ("TemplateMessage", "pages"): mini,
        ("SubscribeMessage", "https"): {"page": "https://shop.example/a"},
        ("SubscribeMessage", "pages"): mini,
        ("MiniProgramMessage", "https"): {},
        ("MiniProgramMessage", "pages"): {"page": "pages/a?id=1"},
    }


def test_one_text_is_one_task_and_staff_confirm_it_customer_by_customer():
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(WecomChannel, server)
        answers = channel.send([
            *(contact(n, Message(f"wm{n}", text="A")) for n in range(5)),
            *(contact(n, Message(f"wm{n}", text="B")) for n in range(5, 7)),
        ])
        server.confirmed["msg-0"] |= {"wm0": 1, "wm1": 2, "wm2": 3}
        told = channel.confirmations("msg-0")
        [first, second] = channel.look(datetime.fromtimestamp(server.seconds - 60, UTC))
        server.confirmed["msg-1"] |= {"wm5": 1, "wm6": 1}
        [_, over] = channel.look(datetime.fromtimestamp(server.seconds - 60, UTC))
        [_, again] = channel.look(datetime.fromtimestamp(server.seconds - 60, UTC))
        channel.leave(over.name)
        [left] = channel.look(datetime.fromtimestamp(server.seconds - 60, UTC))
        assert channel.remind("msg-0")
        assert channel.cancel("msg-0")

    assert [r.provider_id for r in first.receipts] == ["msg-0:wm0", "msg-0:wm1", "msg-0:wm2"]
    assert (first.waiting, second.receipts) == (("msg-0:wm3", "msg-0:wm4"), ())
    assert (over, over.is_over, first.is_over) == (again, True, False), "told until it is left"
    assert left.name == "msg-0", "a task that was left is asked about no more"
    assert {a.provider_id.partition(":")[0] for a in answers.values()} == {"msg-0", "msg-1"}
    assert [(r.provider_id, r.kind, r.detail) for r in told] == [
        ("msg-0:wm0", ReceiptKind.DELIVERED, ""),
        ("msg-0:wm1", ReceiptKind.FAILED, "not_a_friend"),
        ("msg-0:wm2", ReceiptKind.FAILED, "quota_used_up"),
    ]
    assert [name for name, _ in server.told] == ["remind_groupmsg_send", "cancel_groupmsg_send"]


def paged(server, *, second):
    """Let the result of a task come one customer a page; the second page may be refused."""
    whole = server._result

    def result(asked):
        at, states = int(asked.get("cursor") or 0), whole(asked)["send_list"]
        if at == 1 and second[0]:
            return {"errcode": second[0]}
        more = {"next_cursor": str(at + 1)} if at + 1 < len(states) else {}
        return {"send_list": states[at : at + 1]} | more

    server._result = result


def test_a_task_whose_second_page_was_refused_is_not_over():
    second = [45009]
    with WeChatServer(account="wx1", secret="s") as server:
        paged(server, second=second)
        channel = open_wechat(WecomChannel, server)
        channel.send([contact(n, Message(f"wm{n}", text="A")) for n in range(2)])
        server.confirmed["msg-0"] |= {"wm0": 1, "wm1": 1}
        [part] = channel.look(datetime.fromtimestamp(server.seconds - 60, UTC))
        second[0] = 0
        [whole] = channel.look(datetime.fromtimestamp(server.seconds - 60, UTC))

    assert ([one.provider_id for one in part.receipts], part.is_over) == (["msg-0:wm0"], False)
    assert ([one.provider_id for one in whole.receipts][1:], whole.is_over) == (["msg-0:wm1"], True)


def test_the_tasks_behind_one_that_could_not_be_read_come_next(monkeypatch):
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(WecomChannel, server)
        channel.send([contact(n, Message(f"wm{n}", text=str(n))) for n in range(3)])
        since = datetime.fromtimestamp(server.seconds - 60, UTC)
        whole = channel._look_at

        def broken(msgid):
            if msgid == "msg-1":
                raise OSError(msgid)
            return whole(msgid)

        monkeypatch.setattr(channel, "_look_at", broken)
        seen = []
        for _ in range(2):
            with pytest.raises(OSError, match="msg-1"):
                for one in channel.look(since):
                    seen.append(one.name)  # noqa: PERF401 - what came before the error counts

    assert seen == ["msg-0", "msg-2", "msg-0"]


def test_a_task_whose_answer_was_lost_is_found_by_its_text_and_customer():
    with WeChatServer(Trouble.NONE, Trouble.LOST, account="wx1", secret="s") as server:
        channel = open_wechat(WecomChannel, server, clock=lambda: AT)
        channel.send([contact(0, Message("wm0", text="A"))])
        [lost] = channel.send([contact(1, Message("wm1", text="B"))]).values()
        found = channel.find([f"{1:032x}", f"{9:032x}"])
        fresh = open_wechat(WecomChannel, server, clock=lambda: AT)
        forgotten = fresh.find([f"{1:032x}"])
        fresh.remember([contact(1, Message("wm1", text="B"))])
        remembered = fresh.find([f"{1:032x}"])

    assert lost.outcome is Outcome.UNKNOWN
    assert {k: a.provider_id for k, a in found.items()} == {f"{1:032x}": "msg-1:wm1"}
    assert forgotten == {}
    assert remembered[f"{1:032x}"].provider_id == "msg-1:wm1"


@pytest.mark.parametrize(
    ("claimed_after", "is_found"),
    [(-60, True), (0, True), (119, True), (121, False), (7200, False)],
)
def test_a_task_made_before_a_contact_was_claimed_is_another_contact_s(claimed_after, is_found):
    claimed = AT + timedelta(seconds=claimed_after)
    with WeChatServer(account="wx1", secret="s") as server:
        open_wechat(WecomChannel, server, clock=lambda: AT).send([
            contact(0, Message("wm0", text="A"))
        ])
        fresh = open_wechat(WecomChannel, server, clock=lambda: claimed + timedelta(minutes=3))
        fresh.remember([
            replace(contact(1, Message("wm0", text="A")), at=claimed),
            # An older claim widens what is asked for, not what counts for the others.
            replace(contact(2, Message("wm9", text="A")), at=AT - timedelta(hours=1)),
        ])
        found = fresh.find([f"{1:032x}", f"{2:032x}"])

    assert {k: a.provider_id for k, a in found.items()} == (
        {f"{1:032x}": "msg-0:wm0"} if is_found else {}
    )


def test_a_task_known_to_be_one_contact_s_is_no_other_s():
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(WecomChannel, server, clock=lambda: AT)
        channel.send([contact(0, Message("wm0", text="A"))])
        channel.remember([contact(1, Message("wm0", text="A"))])
        found = channel.find([f"{1:032x}"])

    assert found == {}


def welcome(number, at):
    return replace(contact(number, Message(f"CODE{number}", text="Welcome")), at=at)


def test_a_customer_is_greeted_once_and_only_in_time():
    now = datetime(2026, 3, 2, tzinfo=UTC)
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(WelcomeChannel, server, clock=lambda: now)
        [late] = channel.send([welcome(1, now - timedelta(seconds=21))]).values()
        [first] = channel.send([welcome(2, now - timedelta(seconds=19))]).values()
        rival = open_wechat(WelcomeChannel, server, clock=lambda: now)
        [second] = rival.send([welcome(2, now)]).values()

    assert (late.outcome, late.reason) == (Outcome.REFUSED, "welcome_expired")
    assert first.outcome is Outcome.ACCEPTED
    assert (second.outcome, second.reason) == (Outcome.REFUSED, "already_welcomed")
    assert [taken.address for taken in server.taken] == ["CODE2"]


def test_an_outage_of_everything_else_costs_nobody_a_greeting():
    now, steps = datetime(2026, 3, 2, tzinfo=UTC), []
    with WeChatServer(account="wx1", secret="s") as server:
        channel = open_wechat(WelcomeChannel, server, clock=lambda: now)

        def enrich():
            steps.append(len(server.taken))
            raise TimeoutError("the store of profiles does not answer")

        answer = greet(channel, welcome(1, now), enrich=enrich)

    assert answer.outcome is Outcome.ACCEPTED
    assert steps == [1], "the greeting goes first"


def test_whoever_is_too_far_back_in_line_is_put_off():
    window = [contact(n, Message("staff", text=f"note {n}")) for n in range(3)]
    with WeChatServer(account="wx1", secret="s") as server:
        answers = open_wechat(GroupBot, server, rate_per_second=0.001).send(window)

    first, *others = answers.values()
    assert first.outcome is Outcome.ACCEPTED
    assert [(a.outcome, a.reason) for a in others] == [(Outcome.THROTTLED, "rate_limited")] * 2
    assert all(a.retry_seconds > 600 for a in others)
    assert len(server.taken) == 1


def test_whoever_waits_in_line_is_sent_in_the_same_window():
    window = [contact(n, Message("staff", text=f"note {n}")) for n in range(30)]
    with WeChatServer(account="wx1", secret="s") as server:
        answers = open_wechat(
            GroupBot, server, rate_per_second=60.0, timeout_seconds=0.3, connections=2
        ).send(window)

    assert {a.outcome for a in answers.values()} == {Outcome.ACCEPTED}
    assert len(server.taken) == 30


def test_tags_are_made_once_and_put_on_and_off():
    with WeChatServer(account="wx1", secret="s") as server:
        tags = WecomTags(open_wechat(WecomChannel, server).client)
        first = tags.make("Regulars", ["loyal", "asleep"])
        again = tags.make("Regulars", ["loyal"])
        tags.mark("wm1", staff="zhang", add=list(first.values()))
        tags.mark("wm1", staff="zhang", remove=[first["asleep"]])
        server.tags |= {f"x{n}": f"n{n}" for n in range(2998)}
        with pytest.raises(InputError, match="WeCom allows 3000"):
            tags.make("Regulars", ["one too many"])

    assert again["loyal"] == first["loyal"]
    assert server.marks == {("wm1", first["loyal"])}
    assert len(server.tags) == 3000
