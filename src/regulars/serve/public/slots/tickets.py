"""Tickets: what a page must hand back to tell what became of something it was given to show."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from regulars.errors import NotAllowed
from regulars.reach.links.service import Links
from regulars.reach.links.tokens import Purpose, Standing

LASTS = timedelta(days=1)


class Kind(StrEnum):
    """What is shown: a decision made now, or a contact that waited."""

    DECISION = "decision"
    CONTACT = "contact"


@dataclass(frozen=True)
class Ticket:
    """One thing a page was given to show.

    Attributes:
        key_name: Publishable key it was asked with.
        slot: Channel of the place.
        kind: What it is.
        about: Id of the decision, or key of the contact.
        asked: Names visitor, place and day of a decision; "" for a contact.
    """

    key_name: str
    slot: str
    kind: Kind
    about: str
    asked: str = ""


def sealed(links: Links, ticket: Ticket, *, now: datetime) -> str:
    """Write a ticket so that nobody else can make one, or read it.

    Args:
        links: The workspace's signed addresses.
        ticket: The ticket.
        now: The moment, aware.

    Returns:
        Letters, digits, - and _.
    """
    texts = (ticket.key_name, ticket.slot, ticket.kind.value, ticket.about)
    return links.signer.seal(Purpose.SLOT, *texts, str(int(now.timestamp())), ticket.asked)


def opened(links: Links, sent: str, *, key_name: str, now: datetime) -> Ticket:
    """Read a ticket a page hands back.

    Args:
        links: The workspace's signed addresses.
        sent: The ticket as sent.
        key_name: Publishable key it is sent with.
        now: The moment, aware.

    Returns:
        The ticket.

    Raises:
        NotAllowed: It is not ours, another key's, or over a day old.
    """
    claim = links.read(Purpose.SLOT, sent)
    if claim.standing is not Standing.GENUINE:
        raise NotAllowed("ticket", "this ticket is not ours; send back the one `ask` answered with")
    # Those sealed before places were remembered have no last text.
    name, slot, kind, about, at, asked = (*claim.texts, "")[:6]
    if name != key_name:
        raise NotAllowed("ticket", "this ticket was given to a page with another key")
    if now.timestamp() - int(at) > LASTS.total_seconds():
        raise NotAllowed("ticket", "this ticket is over a day old; ask again")
    return Ticket(name, slot, Kind(kind), about, asked)
