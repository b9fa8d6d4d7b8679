"""A challenger against the champion on the same held-out weeks: gates, then a paired bootstrap."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from regulars.errors import NotReady
from regulars.numerics.paired_bootstrap import paired_bootstrap
from regulars.understand.challengers.recipe import Recipe, brier_loss, poisson_deviance
from regulars.understand.champions.family import Family
from regulars.understand.champions.verdict import (
    LEAST_CUSTOMERS,
    LEVEL,
    NEVER,
    Numbers,
    Standing,
    Trial,
    Verdict,
    check_predictions,
)
from regulars.understand.churn.habits import churned_after
from regulars.understand.value.history import History, total_after

SUSPICIOUS = 0.5
"""A challenger that leaves less than this share of the champion's loss has probably seen it."""
MOST_OFF = 1.5
"""Predicted over actual total may be off by this factor, or as far as the champion's is."""


def try_recipes(
    recipes: Mapping[str, Recipe],
    champion: str,
    history: History,
    *,
    as_of: int,
    horizon_weeks: int = 13,
    seed: int = 7,
) -> list[Trial]:
    """Fit champion and challengers on what came before the held-out weeks, compare them on these.

    Args:
        recipes: Recipes of one family by name; the champion is one of them.
        champion: Its name.
        history: The order history, to the end of the held-out weeks.
        as_of: Day number the held-out weeks end with; nothing later is read.
        horizon_weeks: Weeks held out, the newest.
        seed: Seed of the bootstrap.

    Returns:
        One trial per challenger, in the order of the recipes.

    Raises:
        NotReady: The champion itself cannot predict the held-out weeks: the history is short.

    Source:
        Efron & Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13: customers are
        resampled, the same ones for both.

    Example:
        >>> day, who = np.divmod(np.arange(40 * 300), 300)
        >>> often = History(300, who, 7 * day, np.ones(12000), np.ones(12000), np.zeros(300), 0)
        >>> says = lambda name, spend: Recipe(
        ...     Family.VALUE, name, lambda seen, _day: np.full(seen.customers, spend))
        >>> ways = {"low": says("low", 8.0), "right": says("right", 12.0)}
        >>> [(one.challenger, one.verdict.value) for one in
        ...     try_recipes(ways, "low", often, as_of=7 * 39)]
        [('right', 'suspicious')]
    """
    known, cut = history.until(as_of), as_of - 7 * horizon_weeks
    seen = known.until(cut)
    family = recipes[champion].family
    actual = _came(family, known, cut, horizon_weeks)
    theirs = _predicted(recipes[champion], seen, cut)
    if isinstance(theirs, str):
        raise NotReady(f"{family.value} {champion} cannot be judged: {theirs}")
    own = np.isfinite(theirs)
    if not own.any():
        raise NotReady(f"{family.value} {champion} says nothing of anybody; import more orders")
    found = []
    for name, recipe in recipes.items():
        if name == champion:
            continue
        mine = _predicted(recipe, seen, cut)
        verdict, says = _gates(family, mine, theirs, actual, own)
        standing, difference = Standing(np.nan, np.nan), None
        if not isinstance(mine, str) and verdict not in NEVER:
            standing = _standing(family, mine[own], actual[own])
            losses = (_loss(family, part[own], actual[own]) for part in (mine, theirs))
            difference = paired_bootstrap(*losses, level=LEVEL, seed=seed)
            if verdict is None:
                verdict = Verdict.BETTER if difference.high < 0 else Verdict.NOT_BETTER
        assert verdict is not None
        if verdict not in NEVER and _peeks(recipe, known, mine, cut):
            verdict, says = Verdict.PEEKS, "it predicts otherwise when it is given later days too"
        found.append(
            Trial(
                family,
                champion,
                name,
                verdict,
                int(own.sum()),
                cut,
                as_of,
                standing,
                _standing(family, theirs[own], actual[own]),
                difference,
                says,
            )
        )
    return found


def _predicted(recipe: Recipe, history: History, cut: int) -> Numbers | str:
    """Predictions, or why there are none."""
    try:
        return np.asarray(recipe.predict(history, cut), dtype=np.float64)
    except Exception as error:  # a trial never breaks the turn it is made in
        return f"{type(error).__name__}: {error}"


def _peeks(recipe: Recipe, known: History, mine: Numbers | str, cut: int) -> bool:
    """A recipe that reads no later day says the same whether there are later days or not."""
    again = _predicted(recipe, known, cut)
    if isinstance(again, str) or isinstance(mine, str):
        return True
    return not np.array_equal(again, mine, equal_nan=True)


def _came(family: Family, known: History, cut: int, weeks: int) -> Numbers:
    if family is Family.CHURN:
        return churned_after(known, as_of=cut, horizon_weeks=weeks).astype(np.float64)
    amounts = known.paid if family is Family.VALUE else np.ones(len(known.day))
    return total_after(known, amounts, after=cut, weeks=weeks)


def _loss(family: Family, expected: Numbers, actual: Numbers) -> Numbers:
    score = brier_loss if family is Family.CHURN else poisson_deviance
    return score(expected, actual)


def _standing(family: Family, expected: Numbers, actual: Numbers) -> Standing:
    total = float(np.maximum(actual, 0.0).sum())
    calibration = float(expected.sum()) / total if total > 0 else float("nan")
    mean = float(_loss(family, expected, actual).mean()) if len(actual) else float("nan")
    return Standing(mean, calibration)


def _gates(
    family: Family,
    mine: Numbers | str,
    theirs: Numbers,
    actual: Numbers,
    own: NDArray[np.bool_],
) -> tuple[Verdict | None, str]:
    """What stops a challenger before its score is looked at; None when nothing does."""
    if isinstance(mine, str):
        return Verdict.FAILED, mine
    wrong = check_predictions(family, mine, own)
    if wrong is not None:
        return wrong, "a prediction is missing, infinite, or no possible value"
    if own.sum() < LEAST_CUSTOMERS:
        return Verdict.TOO_FEW, f"{int(own.sum())} customers, {LEAST_CUSTOMERS} are needed"
    new, old = (_standing(family, part[own], actual[own]) for part in (mine, theirs))
    if new.loss < SUSPICIOUS * old.loss:
        return Verdict.SUSPICIOUS, f"its loss is {new.loss / old.loss:.0%} of the champion's"
    off, was = (abs(np.log(max(one.calibration, 1e-9))) for one in (new, old))
    if not off <= max(np.log(MOST_OFF), was):
        return Verdict.UNCALIBRATED, f"predicted over actual is {new.calibration:.2f}"
    return None, ""
