"""Promotion sensitivity: how much more each customer buys per unit of discount."""

import numpy as np
from numpy.typing import ArrayLike

from regulars.decide.uplift.learners.bases import Base, Floats, Model, fit_of
from regulars.decide.uplift.learners.experiment_data import asked_of, folds_of
from regulars.errors import InputError
from regulars.numerics.given import floats_given


class Sensitivity:
    """What one more unit of discount changes, by customer.

    Args:
        model: Model of the slope.
        width: Features it was fitted on.
    """

    def __init__(self, model: Model, width: int) -> None:
        """Keep the model."""
        self._model, self._width = model, width

    def predict(self, features: ArrayLike) -> Floats:
        """Predict the change of the outcome per unit of depth.

        Args:
            features: Shape (customers, features).

        Returns:
            Slopes, shape (customers,); near 0 for who buys anyway.

        Raises:
            InputError: There are more or fewer features than were fitted on, or one is no number.
        """
        return np.asarray(self._model.predict(asked_of(features, self._width)))


def fit_sensitivity(
    features: ArrayLike,
    depth: ArrayLike,
    outcome: ArrayLike,
    *,
    expected_depth: ArrayLike | None = None,
    base: Base = Base.RIDGE,
    seed: int = 7,
    folds: int = 3,
) -> Sensitivity:
    """Learn promotion sensitivity from discounts of random depth.

    Args:
        features: What was known before, shape (customers, features).
        depth: Depth each customer was dealt, such as 0.1 for a tenth off, 0 for none; drawn at
            random, shape (customers,).
        outcome: What came of it, such as margin or orders, shape (customers,).
        expected_depth: Mean of the draw, one for all or one per customer; by default the mean
            over everybody, which is right where all were dealt from one hat.
        base: Which model.
        seed: Root of its random draws.
        folds: Folds of the outcome model.

    Returns:
        The slope of the outcome over the depth, by customer.

    Raises:
        InputError: Shapes differ, something is nan, or every customer got the same depth.

    Source:
        Nie & Wager (2021), "Quasi-Oracle Estimation of Heterogeneous Treatment Effects",
        Biometrika 108(2): residuals on residuals, with a depth instead of a yes or no.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> x, depth = draw.normal(0, 1, (4000, 1)), draw.choice([0.0, 0.1, 0.2], 4000)
        >>> found = fit_sensitivity(x, depth, 5 + depth * (2 + 3 * x[:, 0]))
        >>> found.predict([[-0.5], [1.0]]).round(1).tolist()
        [0.5, 5.0]
    """
    known = floats_given(features, "features", axes=2)
    dealt, came = floats_given(depth, "depth"), floats_given(outcome, "outcome")
    if dealt.shape != (len(known),) or came.shape != dealt.shape:
        raise InputError(
            f"features have shape {known.shape}, depths {dealt.shape}, outcomes {came.shape}; give "
            "one row, depth and outcome per customer"
        )
    if not dealt.size:
        raise InputError("there is no customer; give those of the experiment")
    if dealt.min() == dealt.max():
        raise InputError(f"every customer got a depth of {dealt[0]:g}; deal different ones")
    mean = dealt.mean() if expected_depth is None else np.asarray(expected_depth, np.float64)
    more = dealt - mean
    fit = fit_of(base, seed=seed)
    fold = folds_of(len(came), folds, seed=seed)
    expected = np.empty(len(came))
    for number in range(folds):
        own = fold == number
        model = fit(known[~own], came[~own], np.ones(int((~own).sum())))
        expected[own] = model.predict(known[own])
    told = np.abs(more) > 1e-12
    slope = (came - expected)[told] / more[told]
    weight = more[told] ** 2 / float((more[told] ** 2).mean())
    model = fit_of(base, seed=seed, of_effects=True)(known[told], slope, weight)
    return Sensitivity(model, known.shape[1])
