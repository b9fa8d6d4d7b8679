"""SMS by Aliyun and Tencent against servers that check what the real ones check."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.contracts.patience import patience

from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.sms import aliyun, tencent
from regulars.adapters.channels.sms.aliyun import AliyunSms
from regulars.adapters.channels.sms.rules import tells_way_out
from regulars.adapters.channels.sms.tencent import TencentSms
from regulars.errors import InputError
from regulars.ports.channels import Outcome
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import ProviderContract, contact
from regulars.testing.provider_servers.aliyun import AliyunServer
from regulars.testing.provider_servers.tencent import TencentServer
from regulars.testing.provider_servers.troubles import Trouble


def open_sms(kind, server, *, secret="s", folder=None, **more):
    settings = ChannelSettings(
        **{
            "via": "sms",
            "base_url": server.url,
            "account": "AKID",
            "secret_env": "SMS_SECRET",
            "sender": "花店",
            "application": "1400006666",
            "timeout_seconds": patience(server),
        }
        | more
    )
    return kind(Setup("sms", settings, Secrets({"secret_env": secret}), folder, wall_clock))


class TestAliyun(ProviderContract):
    prefix = "1381234"
    refusal = "isv.MOBILE_NUMBER_ILLEGAL"

    def open_server(self, *planned):
        return AliyunServer(*planned, account="AKID", secret=self.secret, sign="花店")

    def open_channel(self, server, *, secret, folder):
        return open_sms(AliyunSms, server, secret=secret, folder=folder)


class TestTencent(ProviderContract):
    refusal = "FailedOperation.PhoneNumberInBlacklist"

    def open_server(self, *planned):
        return TencentServer(*planned, account="AKID", secret=self.secret)

    def open_channel(self, server, *, secret, folder):
        return open_sms(TencentSms, server, secret=secret, folder=folder)

    def message(self, number):
        return replace(super().message(number), template="1234")


PROVIDERS = {"aliyun": TestAliyun(), "tencent": TestTencent()}
each = pytest.mark.parametrize("suite", PROVIDERS.values(), ids=PROVIDERS)


def test_the_published_signature_of_tencent_is_ours():
    """The signing key and the steps as the provider documents them, worked out apart."""
    at = datetime(2019, 2, 25, 17, 44, 24, tzinfo=UTC)

    headers = tencent.signed(
        "SendSms", b"{}", host="sms.tencentcloudapi.com", account="AKID", secret="key", at=at
    )

    assert headers["x-tc-timestamp"] == str(int(at.timestamp()))
    assert "Credential=AKID/2019-02-25/sms/tc3_request" in headers["authorization"]
    other = tencent.signed(
        "SendSms", b"{} ", host="sms.tencentcloudapi.com", account="AKID", secret="key", at=at
    )
    assert other["authorization"] != headers["authorization"]


def test_the_published_signature_of_aliyun_is_ours():
    """The example of "V3 request syntax and signature", whose result Aliyun prints."""
    headers = aliyun.signed(
        "RunInstances",
        {
            "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            "RegionId": "cn-shanghai",
        },
        host="ecs.cn-shanghai.aliyuncs.com",
        account="YourAccessKeyId",
        secret="YourAccessKeySecret",
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
        version="2014-05-26",
    )

    assert headers["authorization"].endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@each
def test_marketing_says_how_to_stop_it(suite, tmp_path):
    with suite.open_server() as server:
        server.templates = {name: (*rest[:-1], "上新了") for name, rest in server.templates.items()}
        channel = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        silent = contact(1, replace(suite.message(1), text="上新了"))
        [answer] = channel.send([silent]).values()
        said = contact(2, replace(suite.message(2), text="上新了,退订回T"))
        [other] = channel.send([said]).values()

    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "no_opt_out")
    assert other.outcome is Outcome.ACCEPTED
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("新品到店,拒收请回复R", True),
        ("新品到店 回T退订", True),
        ("新品到店 回复TD退订", True),
        ("New in. Reply STOP to end", True),
        ("新品到店", False),
        ("退订单已处理", False),
        ("请回复您的意见", False),
    ],
)
def test_words_that_mean_the_same_are_taken(text, says):
    assert tells_way_out(text, "拒收请回复R") is says


@each
def test_a_template_in_review_holds_the_contact_until_it_is_approved(suite, tmp_path):
    with suite.open_server() as server:
        approved = dict(server.templates)
        server.templates = {name: (2, *rest[1:]) for name, rest in approved.items()}
        channel = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        [waiting] = channel.send([contact(1, suite.message(1))]).values()
        server.templates = approved
        fresh = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        [later] = fresh.send([contact(1, suite.message(1))]).values()

    assert (waiting.outcome, waiting.reason) == (Outcome.THROTTLED, "template_not_approved")
    assert later.outcome is Outcome.ACCEPTED


def test_a_template_for_notices_carries_no_marketing():
    suite = PROVIDERS["aliyun"]
    with suite.open_server() as server:
        server.templates = {"T_1": (1, 1, "您的订单已发货")}
        marketing = open_sms(AliyunSms, server, secret=suite.secret)
        [answer] = marketing.send([contact(1, suite.message(1))]).values()
        notices = open_sms(AliyunSms, server, secret=suite.secret, message_class="transactional")
        [other] = notices.send([contact(2, suite.message(2))]).values()

    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "template_not_for_marketing")
    assert other.outcome is Outcome.ACCEPTED


@each
def test_templates_are_asked_for_once_not_per_message(suite, tmp_path):
    with suite.open_server() as server:
        channel = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        channel.send(suite.window(0, 1))
        channel.send(suite.window(1, 9))
        calls = len(server.requests)

    assert calls == 1 + 9


@pytest.mark.parametrize(
    ("suite", "code", "reason", "seconds"),
    [
        ("aliyun", "isv.BUSINESS_LIMIT_CONTROL", "provider_limit", 60.0),
        ("tencent", "LimitExceeded.PhoneNumberOneHourLimit", "provider_limit", 3600.0),
        ("tencent", "FailedOperation.MarketingSendTimeConstraint", "quiet_hours", 3600.0),
    ],
)
def test_limits_of_the_provider_put_off_and_do_not_refuse(suite, code, reason, seconds, tmp_path):
    suite = PROVIDERS[suite]
    with suite.open_server() as server:
        server.refusals[suite.address(1)] = code
        channel = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        [answer] = channel.send([contact(1, suite.message(1))]).values()

    assert (answer.outcome, answer.reason, answer.retry_seconds) == (
        Outcome.THROTTLED,
        reason,
        seconds,
    )


@each
def test_an_expired_signature_is_a_matter_of_credentials(suite, tmp_path):
    with suite.open_server(Trouble.EXPIRED) as server:
        channel = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        [answer] = channel.send(suite.window(0, 1)).values()

    assert (answer.outcome, answer.reason) == (Outcome.THROTTLED, "bad_credentials")


@each
def test_a_lost_answer_is_found_again_by_the_key(suite, tmp_path):
    with suite.open_server(Trouble.HANG) as server:
        channel = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        window = suite.window(0, 2)
        answers = channel.send(window)
        lost = next(key for key, a in answers.items() if a.outcome is Outcome.UNKNOWN)
        found = channel.find([lost, "another key"])
        fresh = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        forgotten = fresh.find([lost])
        fresh.remember([replace(c, at=wall_clock()) for c in window])
        remembered = fresh.find([lost])

    assert {key: a.outcome for key, a in found.items()} == {lost: Outcome.ACCEPTED}
    assert forgotten == {}
    assert {key: a.outcome for key, a in remembered.items()} == {lost: Outcome.ACCEPTED}


@each
def test_a_channel_without_a_signature_does_not_open(suite, tmp_path):
    with suite.open_server() as server, pytest.raises(InputError, match="SMS signature"):
        open_sms(AliyunSms, server, sender="")


class Deaf(AliyunSms):
    """The planted bug: 429 is taken for a refusal."""

    async def hand_over(self, contact, message, template):
        answer = await super().hand_over(contact, message, template)
        return (
            replace(answer, outcome=Outcome.REFUSED) if answer.reason == "rate_limited" else answer
        )


def test_a_channel_deaf_to_429_is_caught(tmp_path):
    class Planted(TestAliyun):
        def open_channel(self, server, *, secret, folder):
            return open_sms(Deaf, server, secret=secret, folder=folder)

    with pytest.raises(AssertionError):
        Planted().test_a_provider_that_asks_to_wait_is_given_its_time(tmp_path)
    with pytest.raises(AssertionError):
        Planted().test_what_was_not_taken_is_not_said_to_be(tmp_path)
