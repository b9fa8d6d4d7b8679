"""What every channel must keep, as a suite its author runs."""

import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from regulars.ports.channels import Channel, Contact, Recovery


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

        refused = channel.send(_batch(0, 3)) | channel.send(_batch(3, 5))
        channel.close_turn(1)

        keys = {contact.key for contact in _batch(0, 5)}
        assert sorted(self.handed_over(tmp_path, channel)) == sorted(keys - set(refused))

    def test_only_contacts_given_are_refused_with_a_reason_code(self, tmp_path: Path) -> None:
        """A refusal names a key of the batch and a code of lower-case words."""
        refused = self.open_channel(tmp_path).send(_batch(0, 3))

        assert set(refused) <= {contact.key for contact in _batch(0, 3)}
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", reason) for reason in refused.values())

    def test_a_batch_without_contacts_hands_over_nothing(self, tmp_path: Path) -> None:
        """An empty batch is no error."""
        channel = self.open_channel(tmp_path)

        assert channel.send([]) == {}
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
