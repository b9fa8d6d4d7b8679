"""What every channel with a provider must keep, whatever the provider does, as a suite.

class TestMyChannel(ProviderContract):
    secret = "the secret"
    def open_server(self, *planned): ...
    def open_channel(self, server, *, secret, folder): ...
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from regulars.ports.channels import Answer, Channel, Contact, Message, Outcome, Recovery
from regulars.testing.provider_servers.serving import RETRY_AFTER
from regulars.testing.provider_servers.troubles import Trouble

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
# Moments the provider of a contact cannot have taken it.
_NOT_TAKEN = (Trouble.RESET, Trouble.RATE_LIMITED, Trouble.DOWN, Trouble.ERROR)


class ProviderContract(ABC):
    """Every contact has an answer, the answer is true, and a key arrives once where it can.

    Attributes:
        secret: What the provider and the channel share.
        wrong_secret: Another one, as well formed.
        gives_ids: False for providers that name nothing.
        batches: True when one call carries the whole window.
        needs_address: False where everything goes to one place.
        refusal: How the provider says that it refuses an address for good.
        prefix: What addresses begin with; a number of four digits follows.
    """

    secret = "correct-horse-battery"
    wrong_secret = "wrong-horse-battery"
    gives_ids = True
    batches = False
    needs_address = True
    refusal = "no such address"
    prefix = "+861381234"

    @abstractmethod
    def open_server(self, *planned: Trouble) -> Any:
        """Make a server that meets these troubles; its `taken` says what customers got."""

    @abstractmethod
    def open_channel(self, server: Any, *, secret: str, folder: Path) -> Channel:
        """Open the channel pointed at the server."""

    def address(self, number: int) -> str:
        """Give an address of the kind the channel takes."""
        return f"{self.prefix}{number:04d}"

    def message(self, number: int) -> Message:
        """Give a message for one address."""
        return Message(
            address=self.address(number),
            subject=f"Hello {number}",
            text=f"News for customer {number} 拒收请回复R",
            template="T_1",
            parameters={"name": f"customer {number}"},
            link="https://shop.example/a",
        )

    def window(self, first: int, stop: int) -> list[Contact]:
        """Give a window of contacts."""
        return [contact(number, self.message(number)) for number in range(first, stop)]

    def taken(self, server: Any) -> list[str]:
        """Give the addresses reached, each as often as it was."""
        self.last_server = server
        return [taken.address for taken in server.taken]

    def found(self, server: Any, contacts: Sequence[Contact]) -> list[int]:
        """Count how often each contact would have reached its customer."""
        got = self.taken(server)
        return [got.count(c.message.address) for c in contacts if c.message is not None]

    def test_a_window_arrives_whole_and_once(self, tmp_path: Path) -> None:
        """Every contact is accepted, with the provider's name of it."""
        window = self.window(0, 7)
        with self.open_server() as server:
            answers = self._send(server, tmp_path, window)
            found = self.found(server, window)

        assert {(a.outcome, a.reason) for a in answers.values()} == {(Outcome.ACCEPTED, "")}
        assert set(answers) == {c.key for c in window}
        assert found == [1] * 7
        if self.gives_ids:
            assert all(a.provider_id for a in answers.values())

    def test_what_was_not_taken_is_not_said_to_be(self, tmp_path: Path) -> None:
        """Nothing of a refused call counts as sent, nor as refused for good."""
        for trouble in _NOT_TAKEN:
            window = self.window(0, 1)
            with self.open_server(trouble) as server:
                answer = self._send(server, tmp_path, window)[window[0].key]
                found = self.found(server, window)

            assert found == [0], trouble
            assert answer.outcome in {Outcome.THROTTLED, Outcome.UNKNOWN}, trouble
            assert re.fullmatch(r"[a-z][a-z0-9_]*", answer.reason), trouble

    def test_a_provider_that_asks_to_wait_is_given_its_time(self, tmp_path: Path) -> None:
        """429 is THROTTLED with the seconds asked for; the same contact goes later, once."""
        window = self.window(0, 1)
        with self.open_server(Trouble.RATE_LIMITED) as server:
            channel = self.open_channel(server, secret=self.secret, folder=tmp_path)
            first = channel.send(window)[window[0].key]
            second = channel.send(window)[window[0].key]
            found = self.found(server, window)

        assert (first.outcome, first.retry_seconds) == (Outcome.THROTTLED, float(RETRY_AFTER))
        assert second.outcome is Outcome.ACCEPTED
        assert found == [1]

    def test_a_lost_answer_is_a_doubt_and_nobody_gets_it_twice(self, tmp_path: Path) -> None:
        """The connection was closed after it was taken."""
        self.check_doubt(Trouble.LOST, tmp_path)

    def test_an_answer_that_never_comes_is_a_doubt(self, tmp_path: Path) -> None:
        """It was taken, and the provider says nothing."""
        self.check_doubt(Trouble.HANG, tmp_path)

    def test_an_answer_that_never_ends_is_a_doubt(self, tmp_path: Path) -> None:
        """It was taken, and the answer comes byte by byte."""
        self.check_doubt(Trouble.TRICKLE, tmp_path)

    def check_doubt(self, trouble: Trouble, tmp_path: Path) -> None:
        """No answer after it was taken: UNKNOWN, or sent again under a key that arrives once."""
        window = self.window(0, 1)
        with self.open_server(trouble) as server:
            channel = self.open_channel(server, secret=self.secret, folder=tmp_path)
            answer = channel.send(window)[window[0].key]
            if channel.recovery is Recovery.RESEND:
                answer = channel.send(window)[window[0].key]
                assert answer.outcome is Outcome.ACCEPTED
            elif channel.recovery is Recovery.RECONCILE:
                assert answer.outcome is Outcome.UNKNOWN
                known = channel.find([window[0].key])
                assert all(a.outcome is Outcome.ACCEPTED for a in known.values())
            else:
                assert answer.outcome is Outcome.UNKNOWN
            found = self.found(server, window)

        assert found == [1]

    def test_trouble_of_one_contact_costs_the_others_nothing(self, tmp_path: Path) -> None:
        """Nothing of a window is lost: one answer each, and at most one is in trouble."""
        if self.batches:
            return
        window = self.window(0, 6)
        with self.open_server(Trouble.NONE, Trouble.RESET) as server:
            answers = self._send(server, tmp_path, window)
            found = self.found(server, window)

        accepted = [answers[c.key].outcome is Outcome.ACCEPTED for c in window]
        assert len(answers) == 6
        assert sum(accepted) >= 5
        assert [count == 1 for count in found] == accepted

    def test_an_address_the_provider_refuses_is_refused_for_good(self, tmp_path: Path) -> None:
        """The refused one is REFUSED with a reason code, the others are accepted."""
        window = self.window(0, 3)
        with self.open_server() as server:
            server.refusals[self.address(1)] = self.refusal
            answers = self._send(server, tmp_path, window)

        outcomes = [answers[c.key].outcome for c in window]
        assert outcomes == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
        assert re.fullmatch(r"[a-z][a-z0-9_]*", answers[window[1].key].reason)

    def test_wrong_credentials_are_told_plainly_and_without_the_secret(
        self, tmp_path: Path, caplog: Any
    ) -> None:
        """Nobody is refused for it; a person is told what to mend; no secret is in any log."""
        window = self.window(0, 2)
        caplog.set_level("DEBUG")
        with self.open_server() as server:
            channel: Any = self.open_channel(server, secret=self.wrong_secret, folder=tmp_path)
            answers = channel.send(window)
            found = self.found(server, window)

        assert found == [0, 0]
        assert {a.outcome for a in answers.values()} == {Outcome.THROTTLED}
        assert "check the variable" in channel.problem
        told = caplog.text + channel.problem + repr(channel.setup) + repr(answers)
        assert self.wrong_secret not in told

    def test_no_address_reaches_a_log(self, tmp_path: Path, caplog: Any) -> None:
        """Whatever goes wrong, logs say neither who it was for nor what the secret is."""
        window = self.window(0, 3)
        caplog.set_level("DEBUG")
        with self.open_server(Trouble.RESET, Trouble.HANG) as server:
            self._send(server, tmp_path, window)

        assert self.address(0) not in caplog.text
        assert self.secret not in caplog.text

    def test_a_contact_without_an_address_is_refused_unsent(self, tmp_path: Path) -> None:
        """There is nothing to send to."""
        bare = [contact(0, None)]
        if self.needs_address:
            bare.append(contact(1, Message(address="")))
        with self.open_server() as server:
            answers = self._send(server, tmp_path, bare)
            requests = len(server.taken)

        assert {a.reason for a in answers.values()} == {"no_address"}
        assert requests == 0

    def _send(self, server: Any, folder: Path, window: Sequence[Contact]) -> Mapping[str, Answer]:
        return self.open_channel(server, secret=self.secret, folder=folder).send(window)


def contact(number: int, message: Message | None) -> Contact:
    """Make a contact by its number.

    Returns:
        A contact whose key and customer follow from the number.
    """
    return Contact(
        key=f"{number:032x}",
        customer_id=f"customer {number}",
        campaign_id="spring/pilot",
        offer_id="",
        channel="tested",
        cost=Decimal("0.05"),
        at=AT,
        content="spring@1",
        message=message,
    )
