"""R-learner: take out what outcome and assignment have in common, model what is left."""

import numpy as np
from numpy.typing import ArrayLike

from regulars.decide.uplift.learners.bases import Base, Floats, Model, fit_of
from regulars.decide.uplift.learners.experiment_data import ExperimentData, asked_of, folds_of


class EffectModels:
    """Uplift modelled directly, one model per offer.

    Args:
        models: Effect model of each offer.
        width: Features they were fitted on.
    """

    def __init__(self, models: list[Model], width: int) -> None:
        """Keep the models."""
        self._models, self._width = models, width

    def predict(self, features: ArrayLike) -> Floats:
        """Predict the uplift of every offer.

        Args:
            features: Shape (customers, features).

        Returns:
            Uplift against control, shape (customers, offers).

        Raises:
            InputError: There are more or fewer features than were fitted on, or one is no number.
        """
        known = asked_of(features, self._width)
        return np.stack([model.predict(known) for model in self._models], axis=1)


def fit_r_learner(
    data: ExperimentData, *, base: Base = Base.RIDGE, seed: int = 7, folds: int = 3
) -> EffectModels:
    """Fit the effect to residuals, with the outcome model kept from seeing its own customers.

    Args:
        data: A randomised experiment.
        base: Which model.
        seed: Root of its random draws.
        folds: Folds of the outcome model.

    Returns:
        The learner.

    Source:
        Nie & Wager (2021), "Quasi-Oracle Estimation of Heterogeneous Treatment Effects",
        Biometrika 108(2), eq. 4.

    Example:
        >>> from regulars.decide.uplift.learners import experiment_data
        >>> x = np.linspace(0, 1, 2000)[:, None]
        >>> arm = np.random.default_rng(1).integers(0, 2, 2000)
        >>> fit_r_learner(experiment_data(x, arm, arm * x[:, 0])).predict([[0.5]]).round(1).tolist()
        [[0.5]]
    """
    fit = fit_of(base, seed=seed)
    models = []
    for arm in range(1, data.arms):
        pair = data.only((data.arm == 0) | (data.arm == arm))
        chance = pair.propensity[:, arm] / (pair.propensity[:, 0] + pair.propensity[:, arm])
        fold = folds_of(len(pair.outcome), folds, seed=seed)
        expected = np.empty(len(pair.outcome))
        for number in range(folds):
            others, own = fold != number, fold == number
            level = fit(pair.features[others], pair.outcome[others], np.ones(int(others.sum())))
            expected[own] = level.predict(pair.features[own])
        left = (pair.arm == arm) - chance
        models.append(fit(pair.features, (pair.outcome - expected) / left, left**2))
    return EffectModels(models, data.features.shape[1])
