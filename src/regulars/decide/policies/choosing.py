"""Choose one action per customer from a policy, apply the holdouts, keep within the budget."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.decide.assignment import held_out
from regulars.decide.eligibility import Eligibility
from regulars.decide.offers import Arm
from regulars.decide.policies.dropping import drawn, kept_shares, over_limits
from regulars.decide.policies.sampling import Policy
from regulars.decide.policies.sharing import Shares
from regulars.numerics.hashing import key_of, uniforms

_SMALL = 0.05
"""Standard deviation of the money drawn, as a share of the budget, from which what is dropped
counts: below it 99 of 100 drawn stay."""


@dataclass(frozen=True)
class Choice:
    """What was decided for each customer; every array has shape (customers,).

    Attributes:
        arm: Index of the chosen action, -1 for none; kept for those held out.
        verdict: send, abstain, holdout or skip.
        reason: Reason code; "chosen" for a send.
        propensity: Probability of what happens to the customer: this send, or no send.
        send_propensity: Probability of any send, after holdouts.
        in_campaign_holdout: True for the chosen customers left alone.
        probabilities: Probability of each action before holdouts, once what is over a limit
            is dropped; shape (customers, arms).
        held_out_share: Share of a campaign's chosen customers held out.
    """

    arm: NDArray[np.int64]
    verdict: NDArray[np.str_]
    reason: NDArray[np.str_]
    propensity: NDArray[np.float64]
    send_propensity: NDArray[np.float64]
    in_campaign_holdout: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    held_out_share: float


def campaign_of(offer_id: str, turn: int) -> str:
    """Name the campaign of one offer in one turn.

    Returns:
        The campaign id.

    Example:
        >>> campaign_of("news", 3)
        'news-003'
    """
    return f"{offer_id}-{turn:03d}"


def choose(
    policy: Policy,
    eligible: Eligibility,
    arms: Sequence[Arm],
    keys: NDArray[np.uint64],
    *,
    seed: int,
    turn: int,
    campaign_holdout: float,
    budget: float | Shares,
) -> Choice:
    """Draw an action for every customer and apply the holdouts.

    Args:
        policy: Probabilities of the actions.
        eligible: What is open to whom.
        arms: The actions, in order.
        keys: Customer keys, shape (customers,).
        seed: The workspace's seed.
        turn: Number of the turn.
        campaign_holdout: Share of a campaign's chosen customers held out.
        budget: Most the sends may cost, or all the limits they share; the last in a random
            order are dropped beyond it.

    Returns:
        The choice. The draws depend on seed, turn and customer only; what is dropped, and the
        probabilities, on all customers.
    """
    arm = drawn(uniforms(keys, seed, "action", turn), policy.probabilities)
    held = np.zeros(len(keys), bool)
    for offer_id in sorted({a.offer_id for a in arms}):
        mine = np.isin(arm, [i for i, a in enumerate(arms) if a.offer_id == offer_id])
        purpose = campaign_of(offer_id, turn)
        held |= mine & held_out(keys, seed=seed, purpose=purpose, share=campaign_holdout)
    over = _over_budget(arm, held, arms, uniforms(keys, seed, "budget", turn), budget)
    held &= over == ""
    send = (arm >= 0) & ~held
    kept = _kept(policy, arms, budget, held_out=campaign_holdout, key=key_of(seed, "kept", turn))
    chances = policy.probabilities * kept
    total = chances.sum(axis=1) * (1 - campaign_holdout)
    own = np.where(arm >= 0, chances[np.arange(len(arm)), arm] if arms else 0.0, 0.0)
    verdict, reason = _words(policy, eligible, arms, arm, held, over)
    return Choice(
        np.where(over != "", -1, arm),
        verdict,
        reason,
        np.where(send & (over == ""), own * (1 - campaign_holdout), 1 - total),
        total,
        held,
        chances,
        campaign_holdout,
    )


def _over_budget(
    arm: NDArray[np.int64],
    held: NDArray[np.bool_],
    arms: Sequence[Arm],
    order: NDArray[np.float64],
    budget: float | Shares,
) -> NDArray[np.str_]:
    """Drop the chosen, held out or not, from where the sends before them use the budget up."""
    over = np.full(len(arm), "", dtype="U8")
    if isinstance(budget, Shares):
        return over_limits(budget, arm, held, np.array([float(a.cost) for a in arms]), order)
    if arms:
        cents = np.array([int(a.cost * 100) for a in arms])
        chosen = np.flatnonzero(arm >= 0)
        line = chosen[np.argsort(order[chosen], kind="stable")]
        spent = np.where(held[line], 0, cents[arm[line]]).cumsum()
        over[line[spent > round(budget * 100)]] = "budget"
    return over


def _kept(
    policy: Policy, arms: Sequence[Arm], budget: float | Shares, *, held_out: float, key: int
) -> float | NDArray[np.float64]:
    """Give the probability that what is drawn is not dropped; 1 where that hardly happens."""
    cost = np.array([float(a.cost) for a in arms])
    if isinstance(budget, Shares):
        shares = budget
    else:
        chance = policy.probabilities * (1 - held_out)
        spread = float(np.sqrt((chance @ cost**2 - (chance @ cost) ** 2).sum()))
        if spread <= _SMALL * budget:
            return 1.0
        shares = Shares(
            np.zeros(len(chance), np.int64),
            np.zeros((1, len(arms))),
            np.full((1, len(arms)), np.inf),
            np.zeros(len(arms), np.int64),
            np.full(1, np.inf),
            budget,
        )
    numbers = np.random.Generator(np.random.Philox(key))
    return kept_shares(shares, policy.probabilities, cost, held_out=held_out, numbers=numbers)


def _words(
    policy: Policy,
    eligible: Eligibility,
    arms: Sequence[Arm],
    arm: NDArray[np.int64],
    held: NDArray[np.bool_],
    over: NDArray[np.str_],
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    shut = eligible.reason != ""
    best = policy.values.max(axis=1, initial=-np.inf)
    cost = np.array([float(a.cost) for a in arms])
    paid = policy.shadow_price * cost if policy.paid is None else policy.paid
    priced = (policy.values - paid).max(axis=1, initial=-np.inf)
    conditions = [
        (shut & (eligible.reason == "global_holdout"), "holdout", "global_holdout"),
        (shut, "skip", ""),
        (held, "holdout", "campaign_holdout"),
        (over != "", "skip", ""),
        (arm >= 0, "send", "chosen"),
        (best <= 0, "abstain", "negative_value"),
        (priced <= 0, "skip", "budget"),
    ]
    verdict = np.full(len(arm), "abstain", dtype="U8")
    reason = np.full(len(arm), "exploration", dtype="U24")
    for condition, name, code in reversed(conditions):
        verdict[condition] = name
        reason[condition] = code
    reason[over != ""] = over[over != ""]
    reason[shut] = eligible.reason[shut]
    return verdict, reason
