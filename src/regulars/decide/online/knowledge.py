"""What online decisions rest on: actions, beliefs, prices and holdouts of the newest turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.decide.offers import Arm
from regulars.decide.online.cells.service import Cells
from regulars.decide.online.traits import Traits, TraitTable, traits_of
from regulars.decide.policies.choosing import campaign_of
from regulars.decide.policies.economics import OPT_OUT_BUCKETS, Tuned, economics, opt_out_rates
from regulars.decide.policies.rule import Rule
from regulars.decide.policies.sampling import NARROWED
from regulars.decide.uplift import arm_coefficients
from regulars.numerics.hashing import key_of
from regulars.numerics.linear_belief import LinearBelief
from regulars.settings import Loop

__all__ = ["Knowledge", "Prices", "Traits", "knowledge_of"]

Floats = NDArray[np.float64]

_DRAWS = 24
_FUTURE_TURNS = 20.0


@dataclass(frozen=True)
class Prices:
    """What actions cost and what effects are worth, the same for every customer.

    Attributes:
        contact_cost: Cost of one contact; shape (arms,).
        charge: What a contact takes from the budget, at the price of money; shape (arms,).
        opt_out: Opt-outs per contact by bucket of earlier contacts; shape (buckets, arms).
        future: What the next contacts with an average customer are believed to bring.
        after_contact: Orders a contact causes after the window.
        shadow_price: Value the last unit of the turn's budget bought.
    """

    contact_cost: Floats
    charge: Floats
    opt_out: Floats
    future: float
    after_contact: float
    shadow_price: float


@dataclass(frozen=True)
class Knowledge:
    """What is known of actions and of customers, as of one turn and day.

    Attributes:
        turn: The newest turn that decided.
        day: The day, where the retailer is.
        seed: The workspace's seed.
        arms: The actions there are today.
        names: Offer and channel of each in one word.
        kinds: Channel and offer of each, and the name the offer is closed by.
        draws: Orders a feature brings with an action, later ones included, in drawn worlds; of
            each world doing nothing comes first; shape (draws x (1 + arms), features).
        spreads: Covariance of what a feature brings with an action, as the belief has it, later
            orders included; shape (arms, features, features).
        discounts: Share and amount off, least order and margin floor; shape (4, arms).
        prices: Costs and worth.
        customers: What the turn knew of each customer.
        purposes: Keys of the draws: "" of the action, "global" of the programme's holdout, and
            of the campaign holdout by offer.
        floor: Probability of the even choice.
        global_holdout: Share of customers never contacted.
        campaign_holdout: Share of the chosen held out.
        cells: What the turn left of cells of the budget that have a limit; None where none has.
        rule: The challenger that chooses for this customer; None for the policy of the loop.
    """

    turn: int
    day: date
    seed: int
    arms: tuple[Arm, ...]
    names: tuple[str, ...]
    kinds: tuple[tuple[str, str, str], ...]
    draws: Floats
    spreads: Floats
    discounts: Floats
    prices: Prices
    customers: TraitTable
    purposes: Mapping[str, int]
    floor: float
    global_holdout: float
    campaign_holdout: float
    cells: Cells | None = None
    rule: Rule | None = None

    @cached_property
    def offers(self) -> tuple[str, ...]:
        """The offers there are to decide among, each once, in order."""
        return tuple(sorted({arm.offer_id for arm in self.arms}))


def knowledge_of(
    people: pa.Table,
    arms: Sequence[Arm],
    belief: LinearBelief,
    tuned: Tuned,
    *,
    turn: int,
    day: date,
    shadow_price: float,
    loop: Loop,
) -> Knowledge:
    """Put together what online decisions rest on.

    Args:
        people: Profiles and values of the turn, one row per customer.
        arms: The actions there are today.
        belief: What is believed of effects.
        tuned: Parameters tuned by adjust.
        turn: The newest turn that decided.
        day: The day, where the retailer is.
        shadow_price: Value the last unit of the turn's budget bought.
        loop: Holdouts of the turn, exploration and seed.

    Returns:
        The knowledge. It holds no money spent and no stock: they change with every decision.
    """
    customers = traits_of(people)
    random = np.random.Generator(np.random.Philox(key_of(loop.seed, "online beliefs", turn)))
    normals = NARROWED * random.standard_normal((_DRAWS, len(belief.terms)))
    thetas = belief.draws(_DRAWS, normals)
    expected, covariance = belief.posterior()
    mean = arm_coefficients(belief.terms, arms, expected)
    draws = np.zeros((_DRAWS, 1 + len(arms), mean.shape[1]))
    for world, theta in zip(draws, thetas, strict=True):
        world[1:] = arm_coefficients(belief.terms, arms, theta)
    lasting = tuned.calibration * (1 + tuned.after_effect)
    draws *= lasting
    return Knowledge(
        turn,
        day,
        loop.seed,
        tuple(arms),
        tuple(arm.name for arm in arms),
        tuple((arm.channel, arm.offer_id, f"offer/{arm.offer_id}") for arm in arms),
        draws.reshape(-1, mean.shape[1]),
        _spreads(belief.terms, arms, covariance) * lasting**2,
        _discounts(arms),
        _prices(customers, arms, tuned, mean, shadow_price),
        customers,
        _purposes(arms, loop.seed, turn),
        loop.exploration_floor,
        loop.global_holdout,
        loop.campaign_holdout,
    )


def _purposes(arms: Sequence[Arm], seed: int, turn: int) -> dict[str, int]:
    """Give the keys of the draws: the holdouts are those of the turn, as `held_out` draws them."""
    offers = {arm.offer_id for arm in arms}
    found = {one: key_of(seed, "holdout", campaign_of(one, turn)) for one in offers}
    return found | {"": key_of(seed, "online"), "global": key_of(seed, "holdout", "global")}


def _spreads(terms: Sequence[str], arms: Sequence[Arm], covariance: Floats) -> Floats:
    """Carry the covariance of the terms over to the coefficients of each action."""
    size, ways = np.linalg.eigh(covariance)
    roots = ways * np.sqrt(np.maximum(size, 0.0))
    each = np.stack([arm_coefficients(terms, arms, root) for root in roots.T])
    return np.asarray(np.einsum("kaf,kag->afg", each, each))


def _discounts(arms: Sequence[Arm]) -> Floats:
    rows = [(a.discount_share, a.discount_amount, a.min_order, a.margin_floor) for a in arms]
    return np.array(rows, dtype=np.float64).reshape(-1, 4).T


def _prices(
    customers: TraitTable, arms: Sequence[Arm], tuned: Tuned, mean: Floats, shadow_price: float
) -> Prices:
    free = economics(
        arms,
        tuned,
        worth=customers.worth.astype(np.float64),
        residual_value=np.full(len(customers.worth), np.nan),
        contacts=customers.bucket.astype(np.float64),
        effects=np.zeros((len(customers.worth), len(arms))),
    )
    gain = 0.0
    if arms and len(customers.worth):
        lasting = customers.features @ mean.T * tuned.calibration * (1 + tuned.after_effect)
        values = customers.worth[:, None] * (lasting + tuned.after_contact) - free.contact_cost
        gain = float(np.maximum(values.max(axis=1), 0.0).mean())
    rates = opt_out_rates(arms, tuned) if arms else np.zeros((OPT_OUT_BUCKETS, 0))
    return Prices(
        free.contact_cost,
        free.budget_cost * shadow_price,
        rates,
        gain * _FUTURE_TURNS,
        tuned.after_contact,
        shadow_price,
    )
