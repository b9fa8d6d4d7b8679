"""The webhook channel against a receiver that keeps Standard Webhooks."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from tests.contracts.patience import patience

from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.webhook.channel import WebhookChannel
from regulars.adapters.channels.webhook.signing import headers, verify
from regulars.errors import InputError, NotAllowed
from regulars.ports.channels import Outcome
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import ProviderContract
from regulars.testing.provider_servers.webhook import WebhookServer

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


class TestWebhook(ProviderContract):
    needs_address = False

    def open_server(self, *planned):
        return WebhookServer(*planned, secret=self.secret)

    def open_channel(self, server, *, secret, folder):
        settings = ChannelSettings(
            via="webhook", base_url=server.url, secret_env="HOOK", timeout_seconds=patience(server)
        )
        return WebhookChannel(
            Setup("hook", settings, Secrets({"secret_env": secret}), folder, wall_clock)
        )


class Careless(WebhookChannel):
    """Makes a new id for every try: the planted bug."""

    async def deliver(self, contact, message):
        from dataclasses import replace

        self.tries = getattr(self, "tries", 0) + 1
        return await super().deliver(replace(contact, key=f"{contact.key}-{self.tries}"), message)


def test_a_channel_that_makes_a_new_id_per_try_is_caught(tmp_path):
    class Planted(TestWebhook):
        def open_channel(self, server, *, secret, folder):
            good = super().open_channel(server, secret=secret, folder=folder)
            return Careless(good.setup)

    from regulars.testing.provider_servers.troubles import Trouble

    with pytest.raises(AssertionError):
        Planted().check_doubt(Trouble.LOST, tmp_path)


def test_the_example_of_the_standard_verifies():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    moment = datetime.fromtimestamp(1614265330, UTC)
    given = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    verify(given, b'{"test": 2432232314}', secret=secret, now=moment)

    with pytest.raises(NotAllowed, match="does not match"):
        verify(given, b'{"test": 2432232315}', secret=secret, now=moment)


def test_a_replayed_message_is_too_old():
    body = json.dumps({"a": 1}).encode()
    given = headers("secret", identity="k", at=NOW, body=body)

    verify(given, body, secret="secret", now=NOW + timedelta(seconds=299))

    with pytest.raises(NotAllowed, match="within 300 seconds"):
        verify(given, body, secret="secret", now=NOW + timedelta(seconds=301))


def test_nothing_is_signed_without_a_secret():
    with pytest.raises(InputError, match="no secret"):
        headers("", identity="k", at=NOW, body=b"")


def test_a_forked_process_talks_on_connections_of_its_own(tmp_path):
    suite = TestWebhook()
    with suite.open_server() as server:
        channel = suite.open_channel(server, secret=suite.secret, folder=tmp_path)
        channel.send(suite.window(0, 3))
        child = os.fork()
        if not child:
            answers = channel.send(suite.window(3, 9))
            os._exit(0 if {a.outcome for a in answers.values()} == {Outcome.ACCEPTED} else 1)
        answers = channel.send(suite.window(9, 15))
        _, status = os.waitpid(child, 0)
        reached = sorted(server.keys())

    assert os.waitstatus_to_exitcode(status) == 0
    assert {a.outcome for a in answers.values()} == {Outcome.ACCEPTED}
    assert reached == [f"{n:032x}" for n in range(15)]
