"""Carry-over: what a contact does to later weeks, beyond the effect in its window."""

import numpy as np
from numpy.typing import NDArray

from regulars.adjust.autotune.learning import Residuals
from regulars.numerics.linear_belief import LinearBelief

Floats = NDArray[np.float64]

LAGS = (1, 2, 3)
_CONTACT_SD = 0.01
_EFFECT_SD = 0.15


def starting_carry_over() -> LinearBelief:
    """Begin to believe that nothing carries over, give or take 0.15 orders per order caused."""
    terms = {
        f"carry:{lag}:{part}": f"carry.{part}" for lag in LAGS for part in ("contact", "effect")
    }
    return LinearBelief.start(terms, {}, {"carry.contact": _CONTACT_SD, "carry.effect": _EFFECT_SD})


def learn_carry_over(
    belief: LinearBelief, lag: int, *, contacted: Floats, predicted: Floats, later: Residuals
) -> LinearBelief:
    """Learn from one later window.

    Args:
        belief: What is believed about carry-over.
        lag: Turns from the contact to the later window, 1 to 3.
        contacted: Contact minus its probability, at the earlier turn; shape (customers,).
        predicted: Effect predicted against probabilities, at the earlier turn; (customers,).
        later: Residuals of the later window given the earlier profile.

    Returns:
        The belief with the window's evidence.

    Source:
        Ours, after Bojinov & Shephard (2019), "Time series experiments and causal
        estimands", JASA 114: each turn is randomised, so a lagged effect is a regression of
        later outcomes on the earlier action's residual.
    """
    design = np.zeros((len(contacted), len(belief.terms)))
    design[:, belief.terms.index(f"carry:{lag}:contact")] = contacted
    design[:, belief.terms.index(f"carry:{lag}:effect")] = predicted
    return belief.updated(design, later.residual, later.weight)


def carried(belief: LinearBelief) -> tuple[float, float]:
    """Sum the carry-over of all lags.

    Returns:
        Later orders per contact, and later orders per order caused in the window; the
        second is kept between -0.9 and 0.5.

    Example:
        >>> carried(starting_carry_over())
        (0.0, 0.0)
    """
    mean = belief.posterior()[0]
    parts = {
        part: sum(float(mean[i]) for i, term in enumerate(belief.terms) if term.endswith(part))
        for part in ("contact", "effect")
    }
    return parts["contact"], float(np.clip(parts["effect"], -0.9, 0.5))
