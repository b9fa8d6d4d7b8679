"""X-learner: impute what each customer would have done, then model the difference."""

import numpy as np
from numpy.typing import ArrayLike

from regulars.decide.uplift.learners.bases import Base, Floats, Model, fit_of
from regulars.decide.uplift.learners.experiment_data import ExperimentData, asked_of


class XLearner:
    """Uplift as two imputed effects, weighed by how likely each arm was.

    Args:
        pairs: Effect models per offer: learned on treated, learned on control, share treated.
        width: Features they were fitted on.
    """

    def __init__(self, pairs: list[tuple[Model, Model, float]], width: int) -> None:
        """Keep the models."""
        self._pairs, self._width = pairs, width

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
        return np.stack(
            [
                share * on_control.predict(known) + (1 - share) * on_treated.predict(known)
                for on_treated, on_control, share in self._pairs
            ],
            axis=1,
        )


def fit_x_learner(data: ExperimentData, *, base: Base = Base.RIDGE, seed: int = 7) -> XLearner:
    """Fit outcome models, impute the missing outcome, model the effects.

    Args:
        data: A randomised experiment.
        base: Which model.
        seed: Root of its random draws.

    Returns:
        The learner. Best where one arm is much larger than the other.

    Source:
        Kunzel, Sekhon, Bickel & Yu (2019), PNAS 116(10), section "X-learner".

    Example:
        >>> from regulars.decide.uplift.learners import experiment_data
        >>> x = np.linspace(0, 1, 400)[:, None]
        >>> arm = np.arange(400) % 2
        >>> fit_x_learner(experiment_data(x, arm, arm * x[:, 0])).predict([[0.5]]).round(1).tolist()
        [[0.5]]
    """
    fit = fit_of(base, seed=seed)
    control = data.only(data.arm == 0)
    no_offer = fit(control.features, control.outcome, np.ones(len(control.outcome)))
    pairs = []
    for arm in range(1, data.arms):
        own = data.only(data.arm == arm)
        offer = fit(own.features, own.outcome, np.ones(len(own.outcome)))
        gained = own.outcome - no_offer.predict(own.features)
        missed = offer.predict(control.features) - control.outcome
        share = len(own.outcome) / (len(own.outcome) + len(control.outcome))
        on_treated = fit(own.features, gained, np.ones(len(gained)))
        on_control = fit(control.features, missed, np.ones(len(missed)))
        pairs.append((on_treated, on_control, share))
    return XLearner(pairs, data.features.shape[1])
