"""Push to apps and browsers against services that check signatures and decrypt."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.contracts.patience import patience

from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.push.encryption import Subscription, encrypted
from regulars.adapters.channels.push.fcm import FcmChannel
from regulars.adapters.channels.push.jpush import JPushChannel
from regulars.adapters.channels.push.jwt import b64, unb64
from regulars.adapters.channels.push.web_push import WebPushChannel, is_push_service, vapid_key
from regulars.errors import InputError
from regulars.ports.channels import Message, Outcome, Recovery
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import ProviderContract, contact
from regulars.testing.provider_servers.app_push import FcmServer, JPushServer
from regulars.testing.provider_servers.troubles import Trouble
from regulars.testing.provider_servers.web_push import WebPushServer

VAPID = b64(bytes(range(1, 33)))
OTHER_VAPID = b64(bytes(range(2, 34)))
ANOTHER = FcmServer().service_account()


def open_push(kind, server, *, secret, folder=None, **more):
    settings = ChannelSettings(
        **{
            "via": kind.__name__,
            "base_url": server.url,
            "secret_env": "PUSH_SECRET",
            "timeout_seconds": patience(server),
            "rate_per_second": 1000.0,
        }
        | more
    )
    return kind(Setup("push", settings, Secrets({"secret_env": secret}), folder, wall_clock))


class TestFcm(ProviderContract):
    prefix = "device-"
    refusal = "UNREGISTERED"
    wrong_secret = ANOTHER

    def open_server(self, *planned):
        server = FcmServer(*planned)
        self.secret = server.service_account()
        return server

    def open_channel(self, server, *, secret, folder):
        return open_push(FcmChannel, server, secret=secret, folder=folder)


class TestJPush(ProviderContract):
    prefix = "regid-"
    refusal = "1011"

    def open_server(self, *planned):
        return JPushServer(*planned, account="appkey", secret=self.secret)

    def open_channel(self, server, *, secret, folder):
        return open_push(JPushChannel, server, secret=secret, folder=folder, account="appkey")


class TestWebPush(ProviderContract):
    prefix = "browser-"
    secret = VAPID
    wrong_secret = OTHER_VAPID

    def open_server(self, *planned):
        class Server(WebPushServer):
            def __enter__(inner):
                super().__enter__()
                self.server = inner
                return inner

        return Server(*planned)

    def open_channel(self, server, *, secret, folder):
        more = {"sender": "mailto:post@shop.example"}
        channel = open_push(WebPushChannel, server, secret=secret, folder=folder, **more)
        server.public_key = open_push(WebPushChannel, server, secret=VAPID, **more).public_key
        return channel

    def window(self, first, stop):
        """Subscriptions are known once the server runs: the address is filled in when asked."""
        return [Late(self, number) for number in range(first, stop)]


class Late:
    """A contact whose message is made when it is read."""

    def __init__(self, suite, number):
        self._suite, self._number = suite, number

    @property
    def message(self):
        address = self._suite.server.subscribe(self._suite.address(self._number))
        return Message(address=address, subject="Hello", text=f"News {self._number}")

    def __getattr__(self, name):
        return getattr(contact(self._number, None), name)


def test_a_message_is_encrypted_as_the_rfc_shows():
    """RFC 8291, appendix A: keys, salt and text give the body printed there."""
    own = ec.derive_private_key(
        int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    to = Subscription(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        unb64(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        unb64("BTBZMqHH6r4Tts7J_aSIgg"),
    )

    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        to,
        own=own,
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
    )

    assert b64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6T"
        "lzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4"
        "a-fN"
    )


def test_only_push_services_are_called():
    with WebPushServer() as server:
        address = json.loads(server.subscribe("a")) | {"endpoint": "http://169.254.169.254/latest"}
        settings = {"sender": "mailto:a@shop.example", "base_url": ""}
        channel = open_push(WebPushChannel, server, secret=VAPID, **settings)
        inside = contact(1, Message(json.dumps(address), text="x"))
        port = contact(
            2,
            Message(
                json.dumps(address | {"endpoint": "https://fcm.googleapis.com:8443/x"}), text="x"
            ),
        )
        near = contact(
            3,
            Message(
                json.dumps(address | {"endpoint": "https://fcm.googleapis.com.evil.example/"}),
                text="x",
            ),
        )
        answers = channel.send([inside, port, near])

    assert [a.reason for a in answers.values()] == ["bad_address"] * 3
    assert server.requests == []


@pytest.mark.parametrize(
    ("base_url", "endpoint", "is_called"),
    [
        ("https://push.example", "https://push.example/w/1", True),
        ("https://push.example", "https://push.example:443/w/1", True),
        ("https://push.example/", "https://PUSH.example/w/1", True),
        ("https://push.example/w", "https://push.example/w/1", True),
        ("https://push.example", "https://push.example.evil.example/w/1", False),
        ("https://push.example", "https://push.example@169.254.169.254/latest", False),
        ("https://push.example", "https://push.example:443@169.254.169.254/latest", False),
        ("https://push.example", "https://a:b@push.example/w/1", False),
        ("https://push.example", "https://@push.example/w/1", False),
        ("https://push.example", "https://push.example:8443/w/1", False),
        ("https://push.example", "https://push.example:x/w/1", False),
        ("https://push.example", "https://push.example\\@169.254.169.254/", False),
        ("https://push.example", "https://push.exa\tmple/w/1", False),
        ("https://push.example", "http://push.example/w/1", False),
        ("https://push.example/w", "https://push.example/web", False),
        ("https://push.example/w", "https://push.example/w/../admin", False),
        ("https://push.example/w", "https://push.example/w/%2e%2E/admin", False),
        ("https://push.example/w", "https://push.example/w/..%2fadmin", False),
        ("http://127.0.0.1:80", "http://127.0.0.1:8080/", False),
        ("", "https://fcm.googleapis.com/fcm/send/1", True),
        ("", "https://a:b@fcm.googleapis.com/fcm/send/1", False),
        ("", "https://fcm.googleapis.com:x/fcm/send/1", False),
        ("", "https://[fcm.googleapis.com/fcm/send/1", False),
    ],
)
def test_a_push_service_of_ones_own_is_the_only_one_called(base_url, endpoint, is_called):
    assert is_push_service(endpoint, base_url) is is_called


def test_a_subscription_that_only_begins_like_the_service_calls_nobody():
    with WebPushServer() as server, WebPushServer() as inside:
        near = f"{server.url}@{inside.url.removeprefix('http://')}/latest"
        address = json.loads(server.subscribe("a")) | {"endpoint": near}
        settings = {"sender": "mailto:a@shop.example", "base_url": server.url}
        channel = open_push(WebPushChannel, server, secret=VAPID, **settings)
        [answer] = channel.send([contact(1, Message(json.dumps(address), text="x"))]).values()

    assert answer.reason == "bad_address"
    assert (server.requests, inside.requests) == ([], [])


def test_a_message_too_long_for_a_browser_is_refused_unsent():
    with WebPushServer() as server:
        channel = open_push(WebPushChannel, server, secret=VAPID, sender="mailto:a@shop.example")
        long = contact(1, Message(server.subscribe("a"), text="花" * 1400))
        [answer] = channel.send([long]).values()

    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "too_large")


@pytest.mark.parametrize("told", ["", "short", "-----BEGIN PRIVATE KEY-----\nx"])
def test_a_bad_key_is_told_without_showing_it(told):
    with pytest.raises(InputError, match="openssl") as raised:
        vapid_key(told)

    assert not told or told not in str(raised.value)


def test_a_service_account_that_is_none_is_told_plainly():
    with FcmServer() as server, pytest.raises(InputError, match="Service accounts"):
        open_push(FcmChannel, server, secret="{}")


def test_a_token_of_google_that_expired_is_fetched_again():
    with FcmServer(Trouble.NONE, Trouble.EXPIRED) as server:
        channel = open_push(FcmChannel, server, secret=server.service_account())
        channel.send([contact(1, Message("device-1", text="a"))])
        [answer] = channel.send([contact(2, Message("device-2", text="a"))]).values()

    assert answer.outcome is Outcome.ACCEPTED
    assert len(server.taken) == 2


def test_jpush_without_cid_holds_doubts():
    with JPushServer(Trouble.LOST, account="appkey", secret="s") as server:
        channel = open_push(JPushChannel, server, secret="s", account="appkey", key_seconds=0)
        [answer] = channel.send([contact(1, Message("regid-1", text="a"))]).values()

    assert channel.recovery is Recovery.HOLD_UNKNOWN
    assert answer.outcome is Outcome.UNKNOWN
    assert server.taken[0].key == ""


class RandomKey(JPushChannel):
    """The planted bug: another cid on every try."""

    tries = 0

    async def deliver(self, contact, message):
        self.tries += 1
        return await super().deliver(replace(contact, key=f"{contact.key}{self.tries}"), message)


def test_another_cid_per_try_is_caught(tmp_path):
    class Planted(TestJPush):
        def open_channel(self, server, *, secret, folder):
            return open_push(RandomKey, server, secret=secret, folder=folder, account="appkey")

    with pytest.raises(AssertionError):
        Planted().check_doubt(Trouble.LOST, tmp_path)
