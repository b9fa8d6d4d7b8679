"""The on-site slot: a contact waits once, is found by its customer only, and is shown once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from regulars.adapters.channels.onsite.channel import OnsiteChannel
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.ports.channels import Message, Outcome
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import AT, contact


def open_onsite(folder, now=AT):
    return OnsiteChannel(
        Setup("onsite", ChannelSettings(via="onsite"), Secrets({}), folder, lambda: now)
    )


def banner(number, *, slot="", at=AT):
    message = Message("", subject=f"Banner {number}", text="Spring", link="/a", template=slot)
    return replace(contact(number, message), at=at)


def test_a_page_finds_what_waits_for_its_customer_and_nothing_else(tmp_path):
    channel = open_onsite(tmp_path)
    answers = channel.send([banner(1), banner(2)])
    channel.send([banner(1)])

    [found] = open_onsite(tmp_path).waiting("customer 1", now=AT)
    assert {a.outcome for a in answers.values()} == {Outcome.ACCEPTED}
    assert (found.key, found.title, found.link) == (f"{1:032x}", "Banner 1", "/a")
    assert channel.waiting("customer 3", now=AT) == []
    assert channel.waiting("customer 1", now=AT, slot="checkout") == []


def test_slots_and_moments_are_kept_apart(tmp_path):
    channel = open_onsite(tmp_path)
    later = banner(1, slot="checkout", at=AT + timedelta(hours=1))
    channel.send([banner(1), replace(later, key="later")])

    assert channel.waiting("customer 1", now=AT, slot="checkout") == []
    [found] = channel.waiting("customer 1", now=AT + timedelta(hours=1), slot="checkout")
    assert found.key == "later"
    assert channel.waiting("customer 1", now=AT + timedelta(days=30)) == []


def test_exposure_is_counted_once_and_only_for_what_was_there(tmp_path):
    channel = open_onsite(tmp_path)
    channel.send([banner(1)])

    said = [channel.shown(f"{1:032x}", now=AT), channel.shown(f"{1:032x}", now=AT)]

    assert said == [True, False]
    assert channel.shown("made up", now=AT) is False


def test_what_waits_is_forgotten_with_its_customer_and_with_time(tmp_path):
    channel = open_onsite(tmp_path)
    channel.send([banner(1), banner(2)])

    channel.forget("customer 1")
    assert channel.waiting("customer 1", now=AT) == []
    assert set(channel.find([f"{1:032x}", f"{2:032x}"])) == {f"{2:032x}"}

    open_onsite(tmp_path, datetime(2027, 1, 1, tzinfo=UTC)).close_turn(1)
    assert channel.find([f"{2:032x}"]) == {}
