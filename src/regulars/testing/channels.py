"""What every channel must keep, as a suite its author runs."""

import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from regulars.ports.channels import Answer, Channel, Contact, Outcome, Recovery


class ChannelConformance(ABC):
    """Hands contacts over, once per key where it says it can, and nothing else."""

    @abstractmethod
    def open_channel(self, folder: Path) -> Channel:
        """Open the channel with its provider; the same folder means the same provider."""

    @abstractmethod
    def handed_over(self, folder: Path, channel: Channel) -> list[str]:
        """Name the keys the provider got, each as often as it would reach the customer."""

    def test_every_contact_is_handed_over_once(self, tmp_path: Path) -> None:
        """Two batches arrive, and nothing else does."""
        channel = self.open_channel(tmp_path)

        answers = channel.send(_batch(0, 3)) | channel.send(_batch(3, 5))
        channel.close_turn(1)

        taken = [key for key, answer in answers.items() if answer.outcome is Outcome.ACCEPTED]
        assert sorted(self.handed_over(tmp_path, channel)) == sorted(taken)

    def test_every_contact_has_one_answer_and_a_refusal_has_a_reason(self, tmp_path: Path) -> None:
        """Answers name the keys of the batch; what was not taken has a code of lower-case words."""
        answers = self.open_channel(tmp_path).send(_batch(0, 3))

        assert set(answers) == {contact.key for contact in _batch(0, 3)}
        reasons = [a.reason for a in answers.values() if a.outcome is not Outcome.ACCEPTED]
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", reason) for reason in reasons)

    def test_only_a_channel_that_knows_keys_may_send_again(self, tmp_path: Path) -> None:
        """Sending again is harmless for as long as the provider remembers the key, no longer."""
        channel = self.open_channel(tmp_path)

        assert (channel.recovery is Recovery.RESEND) <= (channel.key_seconds > 0)

    def test_what_became_of_a_contact_is_the_truth(self, tmp_path: Path) -> None:
        """A channel that is to be asked knows what it took, and what it never saw."""
        channel = self.open_channel(tmp_path)
        answers = channel.send(_batch(0, 3))
        found = self.open_channel(tmp_path).find([contact.key for contact in _batch(0, 5)])

        if channel.recovery is Recovery.RECONCILE:
            assert _taken(found) == _taken(answers)
            assert all(found[c.key].outcome is Outcome.THROTTLED for c in _batch(3, 5))
        assert set(found) <= {contact.key for contact in _batch(0, 5)}

    def test_a_batch_without_contacts_hands_over_nothing(self, tmp_path: Path) -> None:
        """An empty batch is no error."""
        channel = self.open_channel(tmp_path)

        assert channel.send([]) == {}
        assert channel.find([]) == {}
        channel.close_turn(1)

        assert self.handed_over(tmp_path, channel) == []

    def test_a_channel_that_may_resend_delivers_a_key_once(self, tmp_path: Path) -> None:
        """The same batch again, from a new process too, reaches nobody twice."""
        channel = self.open_channel(tmp_path)
        channel.send(_batch(0, 3))
        again = self.open_channel(tmp_path)
        if again.recovery is Recovery.RESEND:
            again.send(_batch(0, 3))
            again.send(_batch(1, 4))
        again.close_turn(1)

        received = self.handed_over(tmp_path, again)
        assert len(received) == len(set(received))

    def test_closing_a_turn_again_changes_nothing(self, tmp_path: Path) -> None:
        """A turn that was closed stays as it is, and another turn is not touched."""
        channel = self.open_channel(tmp_path)
        channel.send(_batch(0, 3))
        channel.close_turn(1)
        first = self.handed_over(tmp_path, channel)
        channel.close_turn(1)
        channel.close_turn(2)

        assert self.handed_over(tmp_path, channel) == first


def _taken(answers: dict[str, Answer]) -> set[str]:
    return {key for key, answer in answers.items() if answer.outcome is Outcome.ACCEPTED}


def _batch(first: int, stop: int) -> list[Contact]:
    return [
        Contact(
            key=f"{number:032x}",
            customer_id=f"customer {number}",
            campaign_id="ten_off-001",
            offer_id="ten_off",
            channel="sms",
            cost=Decimal("0.05"),
            at=datetime(2026, 3, 2, 2, tzinfo=UTC),
            turn=1,
        )
        for number in range(first, stop)
    ]
