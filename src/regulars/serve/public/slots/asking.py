"""What a place of a page shows its visitor, and what became of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from regulars.decide.online.deciding import OnlineDecision
from regulars.errors import InputError
from regulars.govern.access.publishable_keys.service import PublishableKey
from regulars.numerics.hashing import key_of
from regulars.ports.channels import Message
from regulars.reach.links.vouching import MOST_LETTERS, check_vouched
from regulars.records.identifiers import COOKIE, customer_id_of
from regulars.serve.http.decide.online import Asked, decide_for_page
from regulars.serve.http.door.workspaces import Workspace
from regulars.serve.http.reach.onsite import mark_shown, waiting_for
from regulars.serve.public.slots.tickets import Kind, Ticket, opened, sealed
from regulars.serve.public.slots.wording import Wording, Wordings, written_for
from regulars.unify.identity.service import present_ids

DISMISSED = "dismissed"
TOLD = ("exposed", "clicked", DISMISSED)
_VISITOR = re.compile(r"[\w.:-]{16,128}", re.ASCII)


class SignedCustomer(msgspec.Struct, forbid_unknown_fields=True):
    """Who is signed in, as the shop's server signed it."""

    id: str
    at: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    signature: str


class SlotAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which place, and who looks at it: a customer vouched for, or a browser."""

    slot: str
    visitor: str = ""
    customer: SignedCustomer | None = None


class SlotTold(msgspec.Struct, forbid_unknown_fields=True):
    """What became of something that was shown: exposed, clicked or dismissed."""

    ticket: str
    what: str


@dataclass(frozen=True)
class _Visitor:
    """Who looks at a page.

    Attributes:
        customer_id: The id in use now; of a browser nobody knows, the id it would have.
        is_vouched: True when the shop's server signed who it is.
    """

    customer_id: str
    is_vouched: bool


class Slots:
    """Answers pages; one per process.

    Whoever is not vouched for may be anybody. Nothing is read of a customer for such a visitor: the
    answer is that of a customer with profiling off, whoever the browser belongs to; holdouts,
    refusals and limits of the customer hold all the same.
    """

    def __init__(self) -> None:
        """Know no wording yet."""
        self._wordings = Wordings()

    def ask(
        self, workspace: Workspace, key: PublishableKey, asked: SlotAsked, *, now: datetime
    ) -> dict[str, Any]:
        """Say what a place shows a visitor.

        A visitor is decided on again the same way for a place and day while nothing changes that
        the decision rests on; a new wording, turn or rule makes another one. What was put away
        stays away that day whatever changes, and nothing is decided then.

        Args:
            workspace: The key's.
            key: The publishable key asked with.
            asked: Which place, and who.
            now: The moment, aware.

        Returns:
            `shown`: title, text, link and ticket; None to leave the page as it is.

        Raises:
            InputError: There is no such place, or nobody is named rightly.
            NotAllowed: The customer was not vouched for.
            NotReady: No turn has decided yet.
        """
        part = workspace.settings.channels.get(asked.slot)
        if part is None or part.via != "onsite":
            raise InputError(
                f"there is no place {asked.slot[:100]!r}; name a channel whose via is onsite in "
                "data-regulars-slot"
            )
        visitor = _visitor(workspace, key, asked, now=now)
        shown = _waiting(workspace, key, asked.slot, visitor, now=now)
        return {"shown": shown or self._decided(workspace, key, asked.slot, visitor, now=now)}

    def _decided(
        self,
        workspace: Workspace,
        key: PublishableKey,
        slot: str,
        visitor: _Visitor,
        *,
        now: datetime,
    ) -> dict[str, str] | None:
        wording = self._wordings.of(workspace, slot, now=now)
        said = wording.name_by_offer if visitor.is_vouched else wording.message_by_offer
        if not said:
            return None
        day = now.astimezone(ZoneInfo(workspace.settings.retailer.zone)).date()
        name = f"slot/{slot}/{day}"
        marked = f"{key_of(visitor.customer_id, name):016x}"
        if workspace.decider.log.has_responded(marked, DISMISSED):
            return None
        request = Asked(name, visitor.customer_id, offers=sorted(said), channels=[slot])
        found = decide_for_page(workspace, request, is_vouched=visitor.is_vouched, now=now)
        if found.verdict != "send" or not found.offer_id:
            return None
        message = _message(workspace, slot, found, visitor, wording)
        ticket = Ticket(key.name, slot, Kind.DECISION, found.decision_id, marked)
        return _shown(workspace, ticket, message, now=now)


def tell(
    workspace: Workspace, key: PublishableKey, told: SlotTold, *, now: datetime
) -> dict[str, bool]:
    """Note what became of something a page showed; who clicks or puts it away has seen it.

    Args:
        workspace: The key's.
        key: The publishable key it is told with.
        told: The ticket, and what happened.
        now: The moment, aware.

    Returns:
        `counts`: False for what was told before, and for decisions that are not on disk.

    Raises:
        InputError: It is nothing that can happen.
        NotAllowed: The ticket is not one of this key's.
    """
    if told.what not in TOLD:
        raise InputError(f"what is {told.what[:40]!r}, must be one of {', '.join(TOLD)}")
    ticket = opened(workspace.links, told.ticket, key_name=key.name, now=now)
    if ticket.kind is Kind.CONTACT:
        return {"counts": mark_shown(workspace, ticket.slot, ticket.about, now=now)}
    decider = workspace.decider
    counts = decider.exposed(ticket.about, now=now)
    if told.what != "exposed":
        counts = decider.responded(ticket.about, told.what, now=now, asked=ticket.asked)
    return {"counts": counts}


def _visitor(
    workspace: Workspace, key: PublishableKey, asked: SlotAsked, *, now: datetime
) -> _Visitor:
    if asked.customer is not None:
        who = asked.customer
        if not 0 < len(who.id) <= MOST_LETTERS:
            raise InputError(f"the customer's id must have 1 to {MOST_LETTERS} letters")
        secret = workspace.vouching_secret(key.key)
        check_vouched(secret, who.id, at=who.at, signature=who.signature, now=now)
        return _Visitor(present_ids(workspace.state, [who.id])[who.id], is_vouched=True)
    if not _VISITOR.fullmatch(asked.visitor):
        raise InputError(
            "visitor must have 16 to 128 letters, digits or _.:- as ids drawn at random have; "
            "for a customer send customer, signed by the shop's server"
        )
    return _Visitor(customer_id_of(COOKIE, asked.visitor), is_vouched=False)


def _waiting(
    workspace: Workspace, key: PublishableKey, slot: str, visitor: _Visitor, *, now: datetime
) -> dict[str, str] | None:
    """Give what a campaign or journey left there; only to who is vouched for."""
    if not visitor.is_vouched:
        return None
    found = waiting_for(workspace, slot, visitor.customer_id, now=now)
    if not found:
        return None
    message = Message(address="", subject=found[0].title, text=found[0].text, link=found[0].link)
    ticket = Ticket(key.name, slot, Kind.CONTACT, found[0].key)
    return _shown(workspace, ticket, message, now=now)


def _message(
    workspace: Workspace, slot: str, found: OnlineDecision, visitor: _Visitor, wording: Wording
) -> Message | None:
    offer = found.offer_id or ""
    if not visitor.is_vouched or offer not in wording.personal:
        return wording.message_by_offer.get(offer)
    name = wording.name_by_offer.get(offer, "")
    return written_for(workspace, slot, offer, found.customer_id, name=name, now=found.at)


def _shown(
    workspace: Workspace, ticket: Ticket, message: Message | None, *, now: datetime
) -> dict[str, str] | None:
    if message is None or not (message.subject or message.text):
        return None
    return {
        "title": message.subject,
        "text": message.text,
        "link": message.link,
        "ticket": sealed(workspace.links, ticket, now=now),
    }
