"""T-learner: a model of each arm; the uplift is what they differ by."""

import numpy as np
from numpy.typing import ArrayLike

from regulars.decide.uplift.learners.bases import Base, Floats, Model, fit_of
from regulars.decide.uplift.learners.experiment_data import ExperimentData, asked_of


class TLearner:
    """Uplift as the difference of two outcome models.

    Args:
        models: Model of each arm, control first.
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
        base = self._models[0].predict(known)
        return np.stack([model.predict(known) - base for model in self._models[1:]], axis=1)


def fit_t_learner(data: ExperimentData, *, base: Base = Base.RIDGE, seed: int = 7) -> TLearner:
    """Fit one model per arm.

    Args:
        data: A randomised experiment.
        base: Which model.
        seed: Root of its random draws.

    Returns:
        The learner. Best where arms are as large as each other and the effect is not much
        simpler than the outcome.

    Source:
        Kunzel, Sekhon, Bickel & Yu (2019), "Metalearners for Estimating Heterogeneous Treatment
        Effects using Machine Learning", PNAS 116(10).

    Example:
        >>> from regulars.decide.uplift.learners import experiment_data
        >>> x = np.linspace(0, 1, 400)[:, None]
        >>> arm = np.arange(400) % 2
        >>> found = fit_t_learner(experiment_data(x, arm, arm * x[:, 0]))
        >>> found.predict([[0.5]]).round(1).tolist()
        [[0.5]]
    """
    fit = fit_of(base, seed=seed)
    models = []
    for arm in range(data.arms):
        own = data.only(data.arm == arm)
        models.append(fit(own.features, own.outcome, np.ones(len(own.outcome))))
    return TLearner(models, data.features.shape[1])
