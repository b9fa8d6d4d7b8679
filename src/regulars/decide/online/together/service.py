"""Decide for many customers within one transaction, as `POST /api/decide` does for one."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.decide.online.deciding import OnlineDecision, decide_online
from regulars.decide.online.knowledge import Knowledge
from regulars.decide.online.sharing.service import take_within
from regulars.decide.online.wanting import REASON, closed_cells, counted, wants_of, without
from regulars.ports.state import Transaction

TAKER = "journeys"


@dataclass(frozen=True)
class Asking:
    """One customer who is decided on.

    Attributes:
        customer_id: Who.
        request_id: What asks; the same one gets the same decision while nothing changes.
        refusals: Reason code by channel, "" where a contact may go out; also by offer.
        is_plain: True where the customer lets no feature be used.
    """

    customer_id: str
    request_id: str
    refusals: Mapping[str, str]
    is_plain: bool


def decide_together(
    knowledge: Knowledge,
    asking: Sequence[Asking],
    *,
    offers: Set[str],
    now: datetime,
    opened: Transaction | None = None,
    money: Decimal = Decimal(0),
) -> list[OnlineDecision]:
    """Decide for customers one after the other.

    Args:
        knowledge: What is believed and what things cost.
        asking: Who.
        offers: The only offers asked for.
        now: The moment, aware.
        opened: The write transaction money and cells are taken in; None to take nothing, as
            when a journey is only tried. Stock is left to the send ledger, which takes it when
            the contact goes out.
        money: Most that decisions made online may take between two turns.

    Returns:
        One decision per customer, in their order; nothing is kept yet.
    """
    cells = knowledge.cells
    found = []
    for one in asking:
        segment = cells.segment_of(one.customer_id, is_plain=one.is_plain) if cells else ""
        made = decide_online(
            knowledge,
            None if one.is_plain else knowledge.customers.find(one.customer_id),
            customer_id=one.customer_id,
            request_id=one.request_id,
            refusals={**one.refusals, **closed_cells(knowledge, segment)},
            now=now,
            is_plain=one.is_plain,
            offers=offers,
        )
        is_sent = made.verdict == "send"
        found.append(counted(made, cells, segment, frozenset()) if is_sent else made)
    if opened is None:
        return found
    sends = [place for place, one in enumerate(found) if one.verdict == "send"]
    wants = [wants_of(found[place], cells, money=money) for place in sends]
    for place, short in zip(sends, take_within(opened, wants, taker=TAKER), strict=True):
        if short:
            found[place] = without(found[place], REASON[short])
    return found
