"""The tail by Apprise, against a server that takes its JSON."""

import json

from starlette.responses import JSONResponse

from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.tail.channel import AppriseChannel
from regulars.ports.channels import Message, Outcome, Recovery
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import contact
from regulars.testing.provider_servers.serving import ProviderServer, Taken
from regulars.testing.provider_servers.troubles import Trouble


class JsonServer(ProviderServer):
    async def answer(self, request, trouble):
        said = json.loads(await request.body())
        self.taken.append(Taken("", request.url.path, said))
        return JSONResponse({})


def open_tail(address, **more):
    settings = ChannelSettings(
        via="apprise", secret_env="STAFF", rate_per_second=1000.0, timeout_seconds=3.0, **more
    )
    return AppriseChannel(
        Setup("staff", settings, Secrets({"secret_env": address}), None, wall_clock)
    )


def window(count):
    return [
        contact(n, Message(f"room {n}", subject="Note", text=f"text {n}")) for n in range(count)
    ]


def test_messages_go_out_to_the_address_of_each_contact():
    with JsonServer() as server:
        answers = open_tail(server.url.replace("http", "json") + "/{address}").send(window(3))

    assert {a.outcome for a in answers.values()} == {Outcome.ACCEPTED}
    assert sorted(t.address for t in server.taken) == ["/room 0", "/room 1", "/room 2"]


def test_a_no_is_a_doubt_because_it_may_come_too_late():
    with JsonServer(Trouble.LOST) as server:
        channel = open_tail(server.url.replace("http", "json"))
        [answer] = channel.send(window(1)).values()

    assert channel.recovery is Recovery.HOLD_UNKNOWN
    assert answer.outcome is Outcome.UNKNOWN


def test_an_address_apprise_does_not_know_is_a_matter_of_settings(caplog):
    caplog.set_level("DEBUG")
    channel = open_tail("nonsense://sekrit")

    [answer] = channel.send(window(1)).values()

    assert answer.outcome is Outcome.THROTTLED
    assert "check the variable STAFF" in channel.problem
    assert "sekrit" not in caplog.text + channel.problem
