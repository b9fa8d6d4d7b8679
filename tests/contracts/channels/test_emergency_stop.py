"""A stop reaches a window that is being handed over: what is not with the provider yet stays here."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from regulars.adapters.channels.plumbing.answers import accepted
from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.plumbing.stopping import StopLook
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.ports.channels import Contact, Message, Outcome
from regulars.settings import ChannelSettings

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


class Slow(WindowChannel):
    """Takes one contact at a time; somebody stops everything after some of them."""

    needs_address = False
    taken = 0

    async def deliver(self, _contact, _message):
        await asyncio.sleep(0)
        self.taken += 1
        return accepted()


def window(count):
    message = Message("", text="hello")
    contact = Contact("", "", "tea", "", "hook", Decimal(0), NOW, message=message)
    return [replace(contact, key=f"k{n}", customer_id=f"c{n}") for n in range(count)]


def handed(is_stopped):
    settings = ChannelSettings(via="webhook", connections=1)
    channel = Slow(Setup("hook", settings, Secrets({}), None, wall_clock, is_stopped))
    asked = (lambda: channel.taken >= 10) if is_stopped is None else is_stopped
    channel.setup = replace(channel.setup, is_stopped=asked)
    return channel, channel.send(window(200))


def test_the_rest_of_a_window_stays_here_once_everything_is_stopped():
    channel, answers = handed(None)
    kept = [one for one in answers.values() if one.outcome is Outcome.THROTTLED]

    assert channel.taken == 10
    assert len(kept) == 190
    assert {one.reason for one in kept} == {"emergency_stop"}


def test_a_channel_that_never_looks_would_be_caught():
    channel, _answers = handed(lambda: False)

    assert channel.taken == 200


def test_the_stop_is_looked_at_some_times_a_second_and_not_for_every_contact():
    asked, now = [], [0.0]
    look = StopLook(
        lambda: bool(asked.append(now[0])) or now[0] > 1, every=0.2, timer=lambda: now[0]
    )
    said = []
    for step in range(150):
        now[0] = step / 100
        said.append(look())

    assert len(asked) == 8
    assert said[0] is False
    assert said[-1] is True
    assert said.index(True) <= 121
