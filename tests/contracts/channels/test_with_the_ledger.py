"""The send ledger over real channels and providers that go wrong: everybody once, doubts listed."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.channels.email.channel import EmailChannel
from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.webhook.channel import WebhookChannel
from regulars.adapters.state import SQLState, migrate
from regulars.ports.channels import Message
from regulars.reach.delivery.service import Member, Run, account, enrol, tick
from regulars.reach.standing.gate import Gate
from regulars.settings import ChannelSettings, Policy
from regulars.testing.provider_servers.smtp import MailServer
from regulars.testing.provider_servers.troubles import Trouble
from regulars.testing.provider_servers.webhook import WebhookServer

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
RUN = Run("campaign/spring/pilot", "spring")
PEOPLE = 40
NEVER_TAKEN = (Trouble.RATE_LIMITED, Trouble.DOWN, Trouble.RESET)
TAKEN = (Trouble.LOST, Trouble.HANG, Trouble.TRICKLE)


@pytest.fixture(name="state")
def open_state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    state = SQLState(url)
    members = [Member(f"c{n}", "send", "chosen", channel="news") for n in range(PEOPLE)]
    enrol(state, RUN, members, now=NOW)
    yield state
    state.close()


def compose(contacts):
    return {
        c.key: Message(
            address=f"{c.customer_id}@example.com",
            subject="News",
            text="text",
            headers={"List-Unsubscribe": "<https://shop.example/u/1>"},
        )
        for c in contacts
    }


def work_off(state, channel, *, hours):
    """Tick as the hours go by, until nothing is planned any more."""
    gate = Gate(Policy(consent_required=False, cap_contacts=100), zone="Asia/Shanghai")
    for number in range(hours * 4):
        tick(
            state,
            now=NOW + timedelta(minutes=15 * number),
            channels={"news": channel},
            gate=gate,
            compose=compose,
            pause=lambda seconds: None,
        )
    return account(state, RUN.run_id)


def ends(tally):
    return {fate.value: count for fate, count in tally.count_by_fate.items() if count}


def times_reached(server):
    found = [taken.address for taken in server.taken]
    return [found.count(f"c{n}@example.com") for n in range(PEOPLE)]


def test_a_keyed_provider_reaches_everybody_once_whatever_it_does(state, tmp_path):
    troubles = [t for pair in zip(NEVER_TAKEN * 3, TAKEN * 3, strict=True) for t in pair]
    with WebhookServer(*troubles, secret="s") as server:
        settings = ChannelSettings(via="webhook", base_url=server.url, timeout_seconds=0.5)
        secrets = Secrets({"secret_env": "s"})
        channel = WebhookChannel(Setup("news", settings, secrets, tmp_path, wall_clock))
        tally = work_off(state, channel, hours=6)

    assert times_reached(server) == [1] * PEOPLE
    assert ends(tally) == {"sent": PEOPLE}


def test_mail_reaches_nobody_twice_and_lists_every_doubt(state, tmp_path):
    troubles = [t for pair in zip(NEVER_TAKEN, TAKEN, strict=True) for t in pair]
    with MailServer(*troubles) as server:
        settings = ChannelSettings(
            via="email", smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none",
            sender="news@shop.example", timeout_seconds=0.5,
        )  # fmt: skip
        channel = EmailChannel(Setup("news", settings, Secrets({}), tmp_path, wall_clock))
        tally = work_off(state, channel, hours=6)

    assert times_reached(server) == [1] * PEOPLE
    assert ends(tally) == {"sent": PEOPLE - len(TAKEN), "unknown": len(TAKEN)}
