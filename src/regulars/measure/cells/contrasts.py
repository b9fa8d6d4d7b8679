"""Effects of many actions at once, from the draw of each: who got it against who might have."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.measure.effects.adjusted_difference import standardised

Floats = NDArray[np.float64]

_LEAST_ROOM = 1e-6


@dataclass(frozen=True)
class Contrasts:
    """Effect per contact of each action.

    Attributes:
        effect: On the outcome, shape (actions,).
        error: Standard error, shape (actions,).
    """

    effect: Floats
    error: Floats


def contrast_effects(outcome: Floats, contrast: Floats, covariates: Floats) -> Contrasts:
    """Estimate what each action changed, from the difference to the probability it had.

    An action less its probability is unrelated to everything known before, whatever the policy
    looked at; so its slope is its effect, weighted to where the draw was open. Covariates only
    make it surer.

    Args:
        outcome: What came of it, shape (customers,).
        contrast: 1 for the action taken less its probability; shape (customers, actions).
        covariates: Known before, finite; shape (customers, covariates).

    Returns:
        The effects; a constant outcome gives effects and errors of 0.

    Source:
        Robinson (1988), "Root-N-consistent semiparametric regression", Econometrica 56(4), with
        known propensities; errors as by MacKinnon & White (1985), Journal of Econometrics 29.

    Example:
        >>> drawn = np.array([0.5, -0.5, 0.5, -0.5, 0.5, -0.5])[:, None]
        >>> after = 3.0 + 2.0 * (drawn[:, 0] > 0)
        >>> contrast_effects(after, drawn, np.zeros((6, 0))).effect.round(6).tolist()
        [2.0]
    """
    design = np.column_stack([contrast, np.ones(len(outcome)), standardised(covariates)])
    cross = np.einsum("ij,ik->jk", design, design)
    inverse = np.linalg.pinv(cross, rcond=1e-10, hermitian=True)
    reach = np.einsum("ij,jk->ik", design, inverse)
    coefficients = np.einsum("ij,i->j", reach, outcome)
    residual = outcome - np.einsum("ij,j->i", design, coefficients)
    room = np.maximum(1 - np.einsum("ij,ij->i", reach, design), _LEAST_ROOM)
    actions = contrast.shape[1]
    squares = (reach[:, :actions] * (residual / room)[:, None]) ** 2
    return Contrasts(coefficients[:actions], np.sqrt(squares.sum(axis=0)))
