"""Discrete-time hazard of churn: a logistic regression, one row per customer and look."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from regulars.errors import InputError, NotReady

Numbers = NDArray[np.float64]

LEAST_OF_EACH = 10
RIDGE = 5.0
_ROUNDS = 30


@dataclass(frozen=True)
class Hazard:
    """A fitted logistic regression.

    Attributes:
        centre: Mean of each feature, shape (features,).
        scale: Spread of each feature, shape (features,).
        intercept: Log odds of a mean customer.
        slope: Change of log odds per spread of a feature, shape (features,).
    """

    centre: Numbers
    scale: Numbers
    intercept: float
    slope: Numbers

    def predict(self, features: Numbers) -> Numbers:
        """Give the probability of churn.

        Args:
            features: Shape (customers, features), in the order of the fit.

        Returns:
            Probabilities in (0, 1), shape (customers,).

        Raises:
            InputError: There are more or fewer features than were fitted on.
        """
        table = np.asarray(features, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != self.centre.size:
            raise InputError(
                f"features have shape {table.shape}; give (customers, {self.centre.size})"
            )
        scaled = (table - self.centre) / self.scale
        # einsum adds in one order on any machine, where BLAS may not
        return np.asarray(expit(self.intercept + np.einsum("cf,f->c", scaled, self.slope)))


def fit_hazard(features: Numbers, churned: Numbers) -> Hazard:
    """Fit the hazard by penalised maximum likelihood.

    Args:
        features: What was known at each look, shape (rows, features), finite.
        churned: True where the customer then churned, shape (rows,).

    Returns:
        The fitted hazard; slopes are shrunk by 5 rows' worth of information.

    Raises:
        NotReady: Fewer than 10 rows churned, or fewer than 10 stayed.

    Source:
        Singer & Willett (1993), "It's About Time: Using Discrete-Time Survival Analysis", Journal
        of Educational Statistics 18(2); le Cessie & van Houwelingen (1992) for the penalty.

    Example:
        >>> silence = np.r_[np.zeros(50), np.ones(50)][:, None]
        >>> fitted = fit_hazard(silence, np.r_[np.zeros(45), np.ones(50), np.zeros(5)])
        >>> bool(fitted.predict(np.array([[1.0]]))[0] > 0.7)
        True
    """
    features = np.asarray(features, dtype=np.float64)
    truth = np.asarray(churned, dtype=np.float64)
    need_both(truth)
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    scaled = np.concatenate([np.ones((len(truth), 1)), (features - centre) / scale], axis=1)
    penalty = RIDGE * np.eye(scaled.shape[1])
    penalty[0, 0] = 0.0
    beta = _newton(scaled, truth, penalty)
    return Hazard(centre, scale, float(beta[0]), beta[1:])


def _newton(design: Numbers, truth: Numbers, penalty: Numbers) -> Numbers:
    """Newton's method; a step is halved until the penalised likelihood rises."""

    def loss(at: Numbers) -> float:
        odds = np.einsum("rf,f->r", design, at)
        return float((np.logaddexp(0, odds) - truth * odds).sum() + at @ penalty @ at / 2)

    beta = np.zeros(design.shape[1])
    beta[0] = np.log(truth.mean() / (1 - truth.mean()))
    now = loss(beta)
    for _ in range(_ROUNDS):
        chance = expit(np.einsum("rf,f->r", design, beta))
        slope = np.einsum("rf,r->f", design, truth - chance) - penalty @ beta
        weighted = design * (chance * (1 - chance))[:, None]
        step = np.linalg.solve(np.einsum("rf,rg->fg", weighted, design) + penalty, slope)
        size = 1.0
        while loss(beta + size * step) > now and size > 1e-8:
            size /= 2
        beta += size * step
        before, now = now, loss(beta)
        if before - now < 1e-9 * max(abs(now), 1.0):
            break
    return beta


def need_both(churned: Numbers) -> None:
    """Refuse to fit where nearly all churned, or nearly none.

    Args:
        churned: 1 for who churned, else 0.

    Raises:
        NotReady: Fewer than 10 of either.
    """
    gone = int(churned.sum())
    stayed = len(churned) - gone
    if min(gone, stayed) < LEAST_OF_EACH:
        raise NotReady(
            f"{gone} customers churned and {stayed} stayed, a churn model needs {LEAST_OF_EACH} of "
            "each; import a longer history, or choose another horizon"
        )
