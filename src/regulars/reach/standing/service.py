"""Whom may the turn contact, on which channel: read once, before anything is decided."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from regulars.govern.policy.asks import Ask, Verdict
from regulars.govern.policy.limits import Quota
from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules import answers
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.standing.gate import Gate
from regulars.reach.standing.judging import Judging
from regulars.reach.standing.picture import allowed_by
from regulars.records import Turn
from regulars.settings import Policy

_SQL = Queries(__package__)
# Customers whose picture is held in memory at once.
_PART = 20_000


@dataclass(frozen=True)
class Standing:
    """What stands between the turn and each customer.

    Attributes:
        customers: Customers asked about, in the order given.
        channels: Channels asked about, in the order given.
        reasons: Reason code per customer and channel, "" where a contact may go out; shape
            (customers, channels).
        contacts: Marketing contacts within the plain cap's window, shape (customers,).
        remaining: Contacts an offer may still be given, by offer with limited stock.
    """

    customers: tuple[str, ...]
    channels: tuple[str, ...]
    reasons: NDArray[np.str_]
    contacts: NDArray[np.int64]
    remaining: dict[str, int]


@dataclass(frozen=True)
class StandingNow:
    """What stands between one customer and a decision made now.

    Attributes:
        customer_id: The present id.
        refusals: Reason code by channel, "" where a contact may go out; by `offer/ID` for
            offers that are used up.
        is_profiling_refused: True when no feature may be used.
        stocked: Offers with limited stock.
    """

    customer_id: str
    refusals: dict[str, str]
    is_profiling_refused: bool
    stocked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """What one rule says of a contact.

    Attributes:
        rule: The rule.
        reason: Reason code; "" when it has nothing against the contact.
        hold_until: When it may be asked again; None when waiting does not help.
    """

    rule: str
    reason: str
    hold_until: datetime | None


@dataclass(frozen=True)
class Checked:
    """What every rule says of one contact, before it is made.

    Attributes:
        verdict: What would come of it now.
        answers: The answer of every rule, in the order they are asked.
        zone: IANA zone the customer was taken to be in.
        age: adult, minor or child.
        consent: Status of consent to marketing on the channel.
        counted: Contacts of the customer that may count against a limit.
    """

    verdict: Verdict
    answers: tuple[Answer, ...]
    zone: str
    age: str
    consent: str
    counted: int


def contactable(
    state: State,
    turn: Turn,
    customers: Sequence[str],
    *,
    channels: Sequence[str],
    policy: Policy,
    zone: str,
    quotas: Sequence[Quota] = (),
) -> Standing:
    """Judge every customer and channel by the rules of contact, as of the turn's moment.

    The claim asks the same rules again; what changes in between is caught there. Quiet hours
    are left to it: a contact waits there until they end. Who switched profiling off may be
    contacted, because the turn decides on her without her features.

    Args:
        state: The transactional store.
        turn: The turn; its `now` is the moment of judging.
        customers: The audience, each customer once.
        channels: Channels offers may take.
        policy: Settings of the rules.
        zone: IANA zone of the workspace.
        quotas: Quotas of platforms in force, with the channels they bind.

    Returns:
        The standing. Holdouts are not in it: they are drawn when deciding.
    """
    gate = Gate(policy, zone=zone, quotas=quotas)
    asks = [Ask("", "", channel, is_automated=True) for channel in channels]
    reasons: list[list[str]] = []
    contacts: list[int] = []
    plain = gate.book.caps[0]
    with state.reading() as opened:
        for first in range(0, len(customers), _PART):
            part = customers[first : first + _PART]
            picture = gate.picture(opened, json.dumps(sorted(part)), now=turn.now)
            judging = Judging(gate.book, picture, now=turn.now, is_chosen_yet=False)
            reasons += [[judging.reason(ask, who) for ask in asks] for who in part]
            start = plain.start(turn.now, zone=zone)
            anybody = Ask("", "", "")
            contacts += [
                len(plain.counted(picture.contacts.get(who, ()), anybody, start=start))
                for who in part
            ]
        stock = opened.all(_SQL["stock"])
    return Standing(
        tuple(customers),
        tuple(channels),
        np.array(reasons, dtype=np.str_).reshape(len(customers), len(channels)),
        np.array(contacts, dtype=np.int64),
        {row["offer_id"]: max(0, int(row["remaining"])) for row in stock},
    )


def standing_now(
    state: State, gate: Gate, customer_id: str, *, channels: Sequence[str], now: datetime
) -> StandingNow:
    """Judge one customer for a decision that is made now.

    Quiet hours are left to whoever sends; who switched profiling off may be decided on without
    her features.

    Args:
        state: The transactional store.
        gate: The rules of contact.
        customer_id: Who; an id from before a merge stands for the present one.
        channels: Channels asked about.
        now: The moment, aware.

    Returns:
        Why which channel is closed, which offers are used up, and whether features may be used.
    """
    with state.reading() as opened:
        present = opened.all(_SQL["present"], customer_id=customer_id)
        who = str(present[0]["customer_id"]) if present else customer_id
        [found] = standing_of(opened, gate, [who], channels=channels, now=now)
    return found


def standing_of(
    opened: Transaction,
    gate: Gate,
    customers: Sequence[str],
    *,
    channels: Sequence[str],
    now: datetime,
) -> list[StandingNow]:
    """Judge many customers the same way, within a transaction.

    Args:
        opened: The transaction.
        gate: The rules of contact.
        customers: Who, by present ids.
        channels: Channels asked about.
        now: The moment, aware.

    Returns:
        What stands between each and a decision, in their order.
    """
    picture = gate.picture(opened, json.dumps(sorted(set(customers))), now=now)
    stock = {row["offer_id"]: int(row["remaining"]) for row in opened.all(_SQL["stock"])}
    used_up = {f"offer/{offer}": "stock" for offer, remaining in stock.items() if remaining <= 0}
    judging = Judging(gate.book, picture, now=now, is_chosen_yet=False)
    asks = [Ask("", "", channel, is_automated=True) for channel in channels]
    return [
        StandingNow(
            who,
            {ask.channel: judging.reason(ask, who) for ask in asks} | used_up,
            allowed_by(picture.words.get(who, ()), channel="", topic="").is_profiling_refused,
            frozenset(stock),
        )
        for who in customers
    ]


def check(state: State, gate: Gate, ask: Ask, *, now: datetime) -> Checked:
    """Ask every rule about one contact, so that "why" can be answered beforehand.

    Args:
        state: The transactional store; nothing in it changes.
        gate: The gate the contact would pass.
        ask: The contact.
        now: The moment, aware.

    Returns:
        What every rule says, and what would come of the contact.
    """
    with state.reading() as opened:
        judging = gate.look(opened, [ask], now=now)
        found = judging.find(ask, ask.customer_id)
        said = [
            Answer(rule, *_words(judging, ask, reason))
            for rule, reason in answers(found.case).items()
        ]
        [verdict] = judging.verdicts([ask])
        counted = len(gate.picture(opened, json.dumps([ask.customer_id]), now=now).contacts)
    return Checked(verdict, tuple(said), found.zone, found.case.age, found.case.consent, counted)


def _words(judging: Judging, ask: Ask, reason: Reason | None) -> tuple[str, datetime | None]:
    if reason is None:
        return "", None
    verdict = judging.verdict(ask, judging.find(ask, ask.customer_id), reason)
    return verdict.reason, verdict.hold_until
