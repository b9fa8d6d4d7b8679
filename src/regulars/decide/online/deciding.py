"""One decision for one customer: what is open, what it is worth, the draw, the holdouts."""

from collections.abc import Mapping, Set
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from regulars.decide.online.knowledge import Knowledge
from regulars.decide.online.traits import Traits
from regulars.decide.policies.choosing import campaign_of
from regulars.decide.policies.rule import Rule
from regulars.decide.policies.tables import PLAIN
from regulars.decide.uplift.features import FEATURES
from regulars.numerics.hashing import key_of, mixed

Floats = NDArray[np.float64]

POLICY_VERSION = "online-posterior-sampling-3"
"""Changes when the policy would decide otherwise on the same input."""
_DIGITS = 4
"""Decimals of values, spreads and charges in the log, and of those a rule chooses by."""


def version_of(rule: Rule | None) -> str:
    """Name the policy that decides: a challenger by its own name."""
    return POLICY_VERSION if rule is None else f"challenger/{rule.name}"


class OnlineDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided for one customer, and everything it rested on.

    Attributes:
        decision_id: Names it: of customer, request, and all the draw was made from. Who asks
            again and is answered otherwise, because a rule or a belief changed or other offers
            were asked for, gets another one.
        customer_id: Who.
        request_id: What asked; it seeds the draw.
        at: When, aware UTC.
        turn: The turn whose knowledge was used.
        verdict: send, abstain, holdout or skip.
        reason: Reason code; "chosen" for a send.
        offer_id: Chosen offer; None for none.
        channel: Chosen channel; None for none.
        campaign_id: Campaign of the offer in the turn; None for none.
        propensity: Probability of what happens to the customer: this send, or no send. With the
            reason budget it is that of the send that was drawn and not paid for: money is no draw,
            so leave such decisions out when another policy is judged.
        send_propensity: Probability of any send, after holdouts.
        candidates: By open action, its value, its probability before holdouts, the standard
            deviation of the belief in its value, and what it takes from the budget at the price
            of money, which its value does not hold.
        ruled_out: Closed actions by reason.
        features: What the policy saw; empty where it saw nothing of the customer.
        value: Incremental value of the chosen action, after every cost.
        cost: What the send takes from the budget; 0 for no send.
        shadow_price: Price of money it was chosen at.
        policy_version: Policy that decided.
        model_version: Belief used; ends with /plain where it read no feature.
        variants: Variant and its values by experiment the customer takes part in.
        cell: Cell of the budget the cost is counted in; "" where no limit of a cell binds.
        takes_stock: True when it took one of an offer's limited stock.
    """

    decision_id: str
    customer_id: str
    request_id: str
    at: datetime
    turn: int
    verdict: str
    reason: str
    offer_id: str | None
    channel: str | None
    campaign_id: str | None
    propensity: float
    send_propensity: float
    candidates: Mapping[str, tuple[float, float, float, float]]
    ruled_out: Mapping[str, list[str]]
    features: Mapping[str, float]
    value: float
    cost: Decimal
    shadow_price: float
    policy_version: str
    model_version: str
    variants: Mapping[str, Mapping[str, str]] = {}
    cell: str = ""
    takes_stock: bool = False

    def encoded(self) -> bytes:
        """Give it as one line of JSON."""
        return msgspec.json.encode(self)


def decide_online(
    knowledge: Knowledge,
    traits: Traits | None,
    *,
    customer_id: str,
    request_id: str,
    refusals: Mapping[str, str],
    now: datetime,
    is_plain: bool = False,
    offers: Set[str] | None = None,
) -> OnlineDecision:
    """Decide for one customer now.

    Every drawn belief is one plausible world; in it the customer gets the action of most value
    above the price of money, or none. The share of worlds, mixed with an even choice, is the
    probability of an action; which one it is follows from seed, customer and request alone.

    Args:
        knowledge: What is believed and what things cost.
        traits: What is known of the customer; None when the turn did not know them.
        customer_id: Who.
        request_id: What asks; the same one gets the same decision.
        refusals: Reason code by channel, "" where a contact may go out; a channel left out
            is closed. By `offer/ID`, why an offer is closed, and by `offer:channel` why the two
            together are.
        now: The moment, aware.
        is_plain: True where the customer lets no feature be used: nothing in `traits` is read.
        offers: The only offers asked for; None for all.

    Returns:
        The decision; nothing is logged.

    Source:
        Thompson (1933), Biometrika 25, as in `policies.sampling`, at the turn's price.
    """
    seen = None if is_plain else traits
    asked = key_of(customer_id, request_id)
    drawn = _draw(knowledge, seen, refusals, offers, asked)
    verdict, reason = _verdict(knowledge, key_of(customer_id), drawn)
    kept = 1 - knowledge.campaign_holdout
    total = sum(drawn.chance) * kept
    is_out = reason == "global_holdout"
    chosen = knowledge.arms[drawn.arm] if drawn.arm >= 0 and not is_out else None
    sent = drawn.chance[drawn.arm] * kept if verdict == "send" else 1 - total
    return OnlineDecision(
        decision_id=_name_of(asked, knowledge.turn, drawn),
        customer_id=customer_id,
        request_id=request_id,
        at=now,
        turn=knowledge.turn,
        verdict=verdict,
        reason=reason,
        offer_id=chosen.offer_id if chosen else None,
        channel=chosen.channel if chosen else None,
        campaign_id=campaign_of(chosen.offer_id, knowledge.turn) if chosen else None,
        propensity=1.0 if is_out else sent,
        send_propensity=0.0 if is_out else total,
        candidates=_candidates(knowledge, drawn),
        ruled_out=_ruled_out(knowledge, drawn.closed),
        features={} if seen is None else _named(seen.features),
        value=drawn.values[drawn.arm] if chosen else 0.0,
        cost=chosen.cost if chosen and verdict == "send" else Decimal(0),
        shadow_price=knowledge.prices.shadow_price,
        policy_version=version_of(knowledge.rule),
        model_version=f"uplift-{knowledge.turn:03d}" + ("" if seen is not None else PLAIN),
    )


class _Drawn(NamedTuple):
    """What was open, its worth and chance, what is told of it, and what came; -1 for none."""

    closed: list[str]
    values: list[float]
    chance: list[float]
    told: list[list[float]]
    arm: int
    mark: bytes


def _draw(
    knowledge: Knowledge,
    seen: Traits | None,
    refusals: Mapping[str, str],
    offers: Set[str] | None,
    key: int,
) -> _Drawn:
    used = knowledge.customers.plain if seen is None else seen
    closed = _closed(knowledge, used, refusals, offers)
    shut = [place for place, reason in enumerate(closed) if reason]
    values, share = _shares(knowledge, used, shut)
    varied = (knowledge.spreads @ used.features) @ used.features
    spreads = used.worth * np.sqrt(np.maximum(varied, 0.0))
    # What the log tells is what a rule chooses by, so that a shadow asks what the rule was asked.
    told = np.stack((values, spreads, knowledge.prices.charge)).round(_DIGITS)
    if knowledge.rule is not None:
        share = knowledge.rule.shares(told[0] - told[2], [not reason for reason in closed], told[1])
    even = knowledge.floor / (len(closed) - len(shut) + 1)
    spread = (1 - knowledge.floor) * share + even
    spread[shut] = 0.0
    chance, mark = spread.tolist(), values.tobytes() + spread.tobytes()
    parts = told.tolist()
    wanted, reached = mixed(key, knowledge.purposes[""]), 0.0
    for arm, one in enumerate(chance):
        reached += one
        if wanted < reached:
            return _Drawn(closed, values.tolist(), chance, parts, arm, mark)
    return _Drawn(closed, values.tolist(), chance, parts, -1, mark)


def _name_of(asked: int, turn: int, drawn: _Drawn) -> str:
    """Name a decision, so that no two that differ share a row of the log."""
    rested = f"{asked}|{turn}|{'|'.join(drawn.closed)}|".encode() + drawn.mark
    return f"d{blake2b(rested, digest_size=8).hexdigest()}"


def _closed(
    knowledge: Knowledge, used: Traits, refusals: Mapping[str, str], offers: Set[str] | None
) -> list[str]:
    """Give why each action is closed, "" where it is open."""
    share, amount, least, floor = knowledge.discounts
    order = np.maximum(used.basket, least)
    left = (used.margin_rate * order - share * order - amount) / order
    keeps = (left >= floor - 1e-9).tolist()
    why = refusals.get
    found = [
        why(channel, "no_channel")
        or why(name, "")
        or why(both, "")
        or ("" if keeps_floor else "margin_floor")
        for (channel, _offer, name), both, keeps_floor in zip(
            knowledge.kinds, knowledge.names, keeps, strict=True
        )
    ]
    if offers is None:
        return found
    rows = zip(knowledge.kinds, found, strict=True)
    return [reason if offer in offers else "not_asked" for (_, offer, _), reason in rows]


def _shares(knowledge: Knowledge, used: Traits, shut: list[int]) -> tuple[Floats, Floats]:
    """Give the expected value of each action, and the share of worlds in which it is best."""
    prices, actions = knowledge.prices, 1 + len(knowledge.arms)
    effects = (knowledge.draws @ used.features).reshape(-1, actions)
    effects *= used.worth
    fatigue = prices.opt_out[used.bucket] * (prices.future * used.standing)
    sure = used.worth * prices.after_contact - (prices.contact_cost + fatigue)
    above = np.zeros(actions)
    above[1:] = sure - prices.charge
    for place in shut:
        above[1 + place] = -np.inf
    # Doing nothing comes first and is worth nothing: an action has to be worth more than that.
    best = np.bincount((effects + above).argmax(axis=1), minlength=actions)
    worlds = len(effects)
    return np.add.reduce(effects, axis=0)[1:] / worlds + sure, best[1:] / worlds


def _verdict(knowledge: Knowledge, key: int, drawn: _Drawn) -> tuple[str, str]:
    closed, arm = drawn.closed, drawn.arm
    if mixed(key, knowledge.purposes["global"]) < knowledge.global_holdout:
        return "holdout", "global_holdout"
    if arm < 0:
        reasons = [reason for reason in closed if reason]
        if len(reasons) == len(closed):
            return "skip", max(
                set(reasons), key=lambda r: (reasons.count(r), r), default="no_offer"
            )
        worth = max(value for value, reason in zip(drawn.values, closed, strict=True) if not reason)
        return "abstain", "negative_value" if worth <= 0 else "exploration"
    if mixed(key, knowledge.purposes[knowledge.arms[arm].offer_id]) < knowledge.campaign_holdout:
        return "holdout", "campaign_holdout"
    return "send", "chosen"


def _candidates(
    knowledge: Knowledge, drawn: _Drawn
) -> dict[str, tuple[float, float, float, float]]:
    rows = zip(knowledge.names, drawn.closed, drawn.chance, *drawn.told, strict=True)
    return {
        name: (value, round(p, 6), spread, charge)
        for name, shut, p, value, spread, charge in rows
        if not shut
    }


def _ruled_out(knowledge: Knowledge, closed: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in zip(knowledge.names, closed, strict=True):
        if reason:
            found.setdefault(reason, []).append(name)
    return found


def _named(features: Floats) -> dict[str, float]:
    return dict(zip(FEATURES[1:], features[1:].round(4).tolist(), strict=True))
