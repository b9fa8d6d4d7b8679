"""The port to whatever carries a contact to a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Recovery(StrEnum):
    """What to do with contacts that were claimed but never confirmed when a process died.

    RESEND where the provider delivers a key once; RECONCILE where it can be asked what became
    of a key; HOLD_UNKNOWN elsewhere: nobody is contacted twice, and the doubt is listed.
    """

    RESEND = "resend"
    RECONCILE = "reconcile"
    HOLD_UNKNOWN = "hold_unknown"


class Outcome(StrEnum):
    """What a channel knows of one contact it was handed."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """What a channel said of one contact.

    Attributes:
        outcome: ACCEPTED: the provider has it. REFUSED: it has not and never will. THROTTLED: it
            has not, and the same contact may be tried later. UNKNOWN: it may have it.
        reason: Reason code in lower-case words, such as "no_such_address"; "" when accepted.
        provider_id: The provider's own name of the contact, by which receipts refer to it; ""
            when it gave none.
        retry_seconds: Seconds the provider asks to wait before trying again; 0 when it did not.
    """

    outcome: Outcome
    reason: str = ""
    provider_id: str = ""
    retry_seconds: float = 0.0


@dataclass(frozen=True)
class Message:
    """What a contact says, rendered for one customer on one channel.

    Attributes:
        address: Where it goes, in clear: e-mail address, E.164 phone number, openid, device
            token, URL...; never logged.
        subject: Subject or title; "" on channels that have none.
        text: Plain text.
        html: HTML body; "" on channels that have none.
        template: Name of the template the provider has approved; "" where none is needed.
        parameters: Values of that template.
        headers: Headers of an e-mail that go out signed, such as List-Unsubscribe.
        link: Where a tap leads; "" for nowhere.
        locale: Language of the text, such as zh-CN.
        content: What it was rendered from: id@version.
    """

    address: str
    subject: str = ""
    text: str = ""
    html: str = ""
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    locale: str = ""
    content: str = ""


@dataclass(frozen=True)
class Contact:
    """One contact handed to a channel.

    Attributes:
        key: Deterministic key; a keyed channel delivers the same key once.
        customer_id: Who.
        campaign_id: Campaign it belongs to.
        offer_id: Offer it carries; "" for none.
        channel: Channel it takes.
        cost: Contact cost in the workspace's currency.
        at: Moment of hand-over, aware UTC.
        turn: Turn it was decided in; 0 when in none.
        step: Step of the campaign or journey; "" when it has one only.
        content: Content to be rendered: id@version; "" where the channel writes files.
        message: What it says; None on channels that carry no message.
    """

    key: str
    customer_id: str
    campaign_id: str
    offer_id: str
    channel: str
    cost: Decimal
    at: datetime
    turn: int = 0
    step: str = ""
    content: str = ""
    message: Message | None = None


class Channel(Protocol):
    """Takes contacts over. What it accepted, it owns.

    Attributes:
        recovery: What may be done with contacts nobody confirmed.
        key_seconds: How long the provider remembers a key: retries end before; 0 when it knows
            no keys.
        carries_messages: True when contacts need a rendered message.
    """

    recovery: Recovery
    key_seconds: int
    carries_messages: bool

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Hand contacts over.

        Returns:
            One answer per contact, by key. A contact without an answer counts as UNKNOWN.

        Raises:
            Transient: Nothing is known to have been taken; the same call may be repeated.
        """

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Ask the provider what became of contacts nobody confirmed.

        Returns:
            ACCEPTED or REFUSED by key where the provider knows; keys it never saw are THROTTLED;
            empty where it cannot be asked.
        """

    def close_turn(self, turn: int, /) -> None:
        """Tell the channel that every contact of a turn has been handed over."""
