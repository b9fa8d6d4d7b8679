"""Recipes of the response model: served by one belief, compared on the turn just measured."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regulars.adjust.autotune.learning import Evidence, predicted_effect, residuals
from regulars.decide.offers import Arm
from regulars.decide.uplift.effects import starting_spread
from regulars.numerics.linear_belief import LinearBelief
from regulars.numerics.paired_bootstrap import Difference, paired_bootstrap
from regulars.understand.champions.family import BY_ARM, NAMES, Family
from regulars.understand.champions.verdict import LEAST_CUSTOMERS, LEVEL, Standing, Trial, Verdict

Losses = NDArray[np.float64]

_SHUT = 1e-5
"""Prior spread that keeps a term at nothing; smaller than any that is learned."""


def served(belief: LinearBelief, recipe: str) -> LinearBelief:
    """Give the belief a recipe decides by; what was learned stays in it.

    Args:
        belief: Everything learned.
        recipe: by_customer, or by_arm, which shuts out what depends on the customer.

    Returns:
        The belief; with by_arm it is the regression on offers and channels alone.
    """
    if recipe != BY_ARM:
        return belief
    is_slope = np.array([block.endswith(".slope") for block in belief.blocks], dtype=bool)
    return replace(belief, prior_sd=np.where(is_slope, _SHUT, belief.prior_sd))


def learning(belief: LinearBelief) -> LinearBelief:
    """Give back a belief that may learn of customers, whatever it was served by.

    Args:
        belief: As an earlier turn wrote it.

    Returns:
        The belief; spreads that were shut begin anew.
    """
    shut = belief.prior_sd == _SHUT
    if not shut.any():
        return belief
    start = np.array([starting_spread(block) for block in belief.blocks])
    return replace(belief, prior_sd=np.where(shut, start, belief.prior_sd))


def try_response(
    belief: LinearBelief,
    arms: Sequence[Arm],
    evidence: Evidence,
    champion: str,
    *,
    window: tuple[int, int],
    seed: int,
) -> list[Trial]:
    """Compare the recipes on a turn none of them has learned from.

    Args:
        belief: What was believed before the turn.
        arms: The actions, in order.
        evidence: The turn's decisions and outcomes.
        champion: Name of the recipe that serves.
        window: Day number before the outcome window, and its last day number.
        seed: Seed of the bootstrap.

    Returns:
        One trial per challenger; none before anything was learned, without a contact, or where
        the champion itself gives no number.

    Source:
        Nie & Wager (2021), Biometrika 108(2), eq. 4: the R-loss, least at the true effects.
    """
    if not belief.precision.any() or not len(evidence.outcome):
        return []
    freed = residuals(evidence)

    def loss(recipe: str) -> Losses | str:
        try:
            effect = predicted_effect(served(belief, recipe), arms, evidence)
        except Exception as error:  # a trial never breaks the turn it is made in
            return f"{type(error).__name__}: {error}"
        return np.asarray(freed.weight * (freed.residual - effect) ** 2, dtype=np.float64)

    theirs = loss(champion)
    if isinstance(theirs, str) or not np.isfinite(theirs).all():
        return []
    found = []
    for name in NAMES[Family.RESPONSE]:
        if name == champion:
            continue
        mine = loss(name)
        verdict, says, difference = _compared(mine, theirs, seed)
        found.append(
            Trial(
                Family.RESPONSE,
                champion,
                name,
                verdict,
                len(theirs),
                *window,
                Standing(np.nan if isinstance(mine, str) else float(mine.mean()), np.nan),
                Standing(float(theirs.mean()), np.nan),
                difference,
                says,
            )
        )
    return found


def _compared(
    mine: Losses | str, theirs: Losses, seed: int
) -> tuple[Verdict, str, Difference | None]:
    if isinstance(mine, str):
        return Verdict.FAILED, mine, None
    if not np.isfinite(mine).all():
        return Verdict.NOT_FINITE, "an effect is no number", None
    difference = paired_bootstrap(mine, theirs, level=LEVEL, seed=seed)
    if len(mine) < LEAST_CUSTOMERS:
        return Verdict.TOO_FEW, f"{len(mine)} customers", difference
    return Verdict.BETTER if difference.high < 0 else Verdict.NOT_BETTER, "", difference
