"""The step that decides for every customer: an offer through a channel, or silence."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.decide.assignment import held_out
from regulars.decide.eligibility import Standing, eligibility, refusals
from regulars.decide.offers import Arm, arms_on
from regulars.decide.offers.keeping.service import Kept, catalogue_rows
from regulars.decide.policies.choosing import choose
from regulars.decide.policies.economics import Tuned, customer_basket, economics
from regulars.decide.policies.limits import expected, limits_of
from regulars.decide.policies.sampling import Economics, drawn_worlds, sampling_policy
from regulars.decide.policies.sharing import Shares
from regulars.decide.policies.tables import (
    audience,
    decision_rows,
    latest,
    mark_plain,
    without_traits,
)
from regulars.decide.uplift import arm_coefficients, features_of
from regulars.decide.uplift.effects import belief_from_rows, extended, starting_belief
from regulars.numerics.arrays import numbers, words
from regulars.numerics.hashing import keys_of
from regulars.numerics.linear_belief import LinearBelief
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.settings import Loop


@step(
    reads="profiles customer_values offers uplift_priors parameters channel_holds budget_plans "
    "rfm_scores",
    writes="decisions",
)
def decide(
    engine: Engine,
    turn: Turn,
    *,
    loop: Loop,
    channel_costs: Mapping[str, Decimal],
    standing_of: Callable[[Sequence[str]], Standing],
    profiling_refused: Collection[str],
    catalogue: Sequence[Kept] = (),
) -> int:
    """Decide for everybody known, before anyone is contacted.

    Args:
        engine: The engine bound to this step.
        turn: The turn.
        loop: Budget, holdouts, exploration.
        channel_costs: Cost of one contact by channel.
        standing_of: Asks the rules of contact about customers.
        profiling_refused: Customers whose features may not be used.
        catalogue: Versions of offers in force, which hold instead of what was imported.

    Returns:
        Decisions written: one per customer.
    """
    people, customers = _people(engine, turn, profiling_refused, loop)
    ids = words(people, "customer_id").tolist()
    keys, rules = keys_of(ids), standing_of(ids)
    arms = [
        replace(arm, stock=rules.remaining.get(arm.offer_id, arm.stock))
        for arm in _arms(engine, turn, channel_costs, catalogue)
    ]
    basket, worth = customer_basket(numbers(people, "basket_size"), numbers(people, "margin_rate"))
    eligible = eligibility(
        arms,
        refusals(rules, _held(engine, turn.number)),
        basket=basket,
        margin_rate=numbers(people, "margin_rate"),
        global_holdout=held_out(keys, seed=loop.seed, purpose="global", share=loop.global_holdout),
    )
    limits = _limits(engine, turn.number, ids, arms, loop, profiling_refused)
    belief = _belief(engine, arms, turn.number)
    mean = arm_coefficients(belief.terms, arms, belief.posterior()[0])
    policy = sampling_policy(
        customers,
        mean=mean,
        draws=drawn_worlds(belief, arms, seed=turn.seed, turn=turn.number),
        economics=_priced(
            people, arms, _tuned(engine, turn.number), worth=worth, effects=customers @ mean.T
        ),
        allowed=eligible.allowed,
        budget=expected(limits, arms, held_out=loop.held_out_in(turn.number, len(ids))),
        floor=loop.exploration_floor,
    )
    choice = choose(
        policy,
        eligible,
        arms,
        keys,
        seed=loop.seed,
        turn=turn.number,
        campaign_holdout=loop.held_out_in(turn.number, len(ids)),
        budget=limits,
    )
    rows = decision_rows(
        ids, arms, policy, eligible, choice, customers=customers, worth=worth, turn=turn.number
    )
    return engine.write("decisions", mark_plain(rows, profiling_refused))


def _limits(
    engine: Engine, turn: int, ids: list[str], arms: list[Arm], loop: Loop, plain: Collection[str]
) -> float | Shares:
    """What the turn may spend and on what: table `budget_plans` where it binds."""
    bound = engine.rows(
        engine.table("budget_plans").filter((ibis._.turn == turn) & ibis._.is_binding)
    )
    scored = engine.rows(
        engine.table("rfm_scores").filter(ibis._.turn == turn).select("customer_id", "segment")
    )
    segment_of = {row["customer_id"]: row["segment"] for row in scored}
    budget = float(loop.weekly_budget) * _tuned(engine, turn).spend_share
    return limits_of(bound, segment_of, ids, arms, budget=budget, plain=plain)


def _held(engine: Engine, turn: int) -> set[str]:
    """Channels left alone in this turn."""
    rows = engine.rows(engine.table("channel_holds").filter(ibis._.turn == turn))
    return {row["channel"] for row in rows}


def _people(
    engine: Engine, turn: Turn, plain: Collection[str], loop: Loop
) -> tuple[pa.Table, NDArray[np.float64]]:
    """Give everybody, nothing known of those who let no feature be used, and their features."""
    known = audience(engine.table("profiles"), engine.table("customer_values"), turn.number)
    people, is_plain = without_traits(engine.arrow(known), plain, margin_rate=loop.margin_rate)
    return people, features_of(people, plain=is_plain)


def _priced(
    people: pa.Table,
    arms: list[Arm],
    tuned: Tuned,
    *,
    worth: NDArray[np.float64],
    effects: NDArray[np.float64],
) -> Economics:
    return economics(
        arms,
        tuned,
        worth=worth,
        residual_value=numbers(people, "residual_value"),
        contacts=numbers(people, "contacts_28d"),
        effects=effects,
    )


def _tuned(engine: Engine, turn: int) -> Tuned:
    rows = engine.rows(latest(engine.table("parameters"), turn).order_by("name"))
    return Tuned.from_rows(rows)


def _arms(
    engine: Engine, turn: Turn, channel_costs: Mapping[str, Decimal], catalogue: Sequence[Kept]
) -> list[Arm]:
    offers = catalogue_rows(engine.rows(engine.table("offers")), catalogue)
    return arms_on(offers, channel_costs, day=turn.now.date())


def _belief(engine: Engine, arms: list[Arm], turn: int) -> LinearBelief:
    rows = engine.rows(
        latest(engine.table("uplift_priors"), turn)
        .filter(ibis._.position >= 0)
        .order_by("position")
    )
    return extended(belief_from_rows(rows), arms) if rows else starting_belief(arms)
