"""The send ledger over real channels and providers that go wrong: everybody once, doubts listed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.channels.email.channel import EmailChannel
from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.sms.aliyun import AliyunSms
from regulars.adapters.channels.webhook.channel import WebhookChannel
from regulars.adapters.state import SQLState, migrate
from regulars.ports.channels import Message
from regulars.reach.delivery.service import Member, Run, account, enrol, tick
from regulars.reach.standing.gate import Gate
from regulars.settings import ChannelSettings, Policy
from regulars.testing.crashes import Died
from regulars.testing.provider_servers.aliyun import AliyunServer
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


def numbers(contacts):
    return {
        c.key: Message(address=f"138000000{int(c.customer_id[1:]):02d}", parameters={"name": "x"})
        for c in contacts
    }


def one_tick(state, channel, composing, now):
    tick(
        state,
        now=now,
        channels={"news": channel},
        gate=Gate(Policy(consent_required=False, cap_contacts=100), zone="Asia/Shanghai"),
        compose=composing,
        pause=lambda seconds: None,
    )


def work_off(state, channel, *, hours):
    """Tick as the hours go by, until nothing is planned any more."""
    for number in range(hours * 4):
        one_tick(state, channel, compose, NOW + timedelta(minutes=15 * number))
    return account(state, RUN.run_id)


def ends(tally):
    return {fate.value: count for fate, count in tally.count_by_fate.items() if count}


def times_reached(server):
    found = [taken.address for taken in server.taken]
    return [found.count(f"c{n}@example.com") for n in range(PEOPLE)]


def test_a_keyed_provider_reaches_everybody_once_whatever_it_does(state, tmp_path):
    troubles = [t for pair in zip(NEVER_TAKEN * 3, TAKEN * 3, strict=True) for t in pair]
    with WebhookServer(*troubles, secret="s") as server:
        settings = ChannelSettings(via="webhook", base_url=server.url, timeout_seconds=2.0)
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
            sender="news@shop.example", timeout_seconds=2.0,
        )  # fmt: skip
        channel = EmailChannel(Setup("news", settings, Secrets({}), tmp_path, wall_clock))
        tally = work_off(state, channel, hours=6)

    assert times_reached(server) == [1] * PEOPLE
    assert ends(tally) == {"sent": PEOPLE - len(TAKEN), "unknown": len(TAKEN)}


class Forgetful(AliyunSms):
    """Cannot be told numbers again: the doubt stays."""

    remember = None


@pytest.mark.parametrize("kind", [AliyunSms, Forgetful])
def test_what_a_dead_process_handed_over_is_found_at_the_provider(kind, state, tmp_path):
    """The process dies once Aliyun has the window; another one asks, and nobody gets it twice."""
    settings = ChannelSettings(
        via="aliyun_sms", account="AKID", secret_env="S", sender="花店", template="T_1"
    )

    class Dying(AliyunSms):
        def send(self, contacts, /):
            super().send(contacts)
            raise Died

    with AliyunServer(account="AKID", secret="s", sign="花店") as server:
        told = replace(settings, base_url=server.url)
        setup = Setup("news", told, Secrets({"secret_env": "s"}), tmp_path, wall_clock)
        with pytest.raises(Died):
            one_tick(state, Dying(setup), numbers, NOW)
        handed_over = len(server.taken)
        for minutes in (10, 20, 30):
            one_tick(state, kind(setup), numbers, NOW + timedelta(minutes=minutes))
        tally = account(state, RUN.run_id)
        reached = [taken.address for taken in server.taken]

    assert 0 < handed_over <= PEOPLE
    assert len(reached) == len(set(reached)) == PEOPLE
    # What cannot be asked about stays in doubt: it is not said to be sent, nor sent again.
    in_doubt = handed_over if kind is Forgetful else 0
    assert ends(tally).get("sent", 0) == PEOPLE - in_doubt
    assert "failed" not in ends(tally)
