"""The port to whatever carries a contact to a customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Recovery(StrEnum):
    """What to do with contacts that were claimed but never confirmed when a process died."""

    RESEND = "resend"
    HOLD_UNKNOWN = "hold_unknown"


@dataclass(frozen=True)
class Contact:
    """One contact handed to a channel.

    Attributes:
        key: Deterministic key; a keyed channel delivers the same key once.
        customer_id: Who.
        campaign_id: Campaign it belongs to.
        offer_id: Offer it carries.
        channel: Channel it takes.
        cost: Contact cost in the workspace's currency.
        at: Moment of hand-over, aware UTC.
        turn: Turn it was decided in; 0 when in none.
    """

    key: str
    customer_id: str
    campaign_id: str
    offer_id: str
    channel: str
    cost: Decimal
    at: datetime
    turn: int = 0


class Channel(Protocol):
    """Takes contacts over. After `send` returns, the channel owns them.

    Attributes:
        recovery: RESEND when sending the same keys again is harmless.
    """

    recovery: Recovery

    def send(self, contacts: Sequence[Contact], /) -> dict[str, str]:
        """Hand contacts over.

        Returns:
            Reason code by key, for the contacts refused for good; empty when all were taken.

        Raises:
            Transient: Nothing is known to have been taken; the same call may be repeated.
        """

    def close_turn(self, turn: int, /) -> None:
        """Tell the channel that every contact of a turn has been handed over."""
