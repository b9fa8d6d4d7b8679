"""DR-learner: a doubly robust estimate for everybody, then a model of these."""

import numpy as np

from regulars.decide.uplift.learners.bases import Base, Floats, fit_of
from regulars.decide.uplift.learners.experiment_data import ExperimentData, folds_of
from regulars.decide.uplift.learners.r_learner import EffectModels


def pseudo_effects(data: ExperimentData, *, base: Base, seed: int = 7, folds: int = 3) -> Floats:
    """Guess the effect on every customer without bias, whatever the outcome model.

    Args:
        data: A randomised experiment.
        base: Outcome model.
        seed: Root of its random draws.
        folds: Folds of the outcome model.

    Returns:
        Guesses whose mean is the average effect of each offer, shape (customers, offers).

    Source:
        Robins, Rotnitzky & Zhao (1994), JASA 89: augmented inverse propensity weighting.

    Example:
        >>> from regulars.decide.uplift.learners import experiment_data
        >>> x = np.linspace(0, 1, 2000)[:, None]
        >>> arm = np.random.default_rng(1).integers(0, 2, 2000)
        >>> found = pseudo_effects(experiment_data(x, arm, x[:, 0] + 0.5 * arm), base=Base.RIDGE)
        >>> found.shape, round(float(found.mean()), 2)
        ((2000, 1), 0.5)
    """
    fit = fit_of(base, seed=seed)
    fold = folds_of(len(data.outcome), folds, seed=seed)
    expected = np.empty((len(data.outcome), data.arms))
    for number in range(folds):
        own = fold == number
        for arm in range(data.arms):
            learned = data.only((data.arm == arm) & ~own)
            model = fit(learned.features, learned.outcome, np.ones(len(learned.outcome)))
            expected[own, arm] = model.predict(data.features[own])
    taken = data.arm[:, None] == np.arange(data.arms)
    corrected = expected + taken * (data.outcome[:, None] - expected) / data.propensity
    return np.asarray(corrected[:, 1:] - corrected[:, :1])


def fit_dr_learner(
    data: ExperimentData,
    *,
    base: Base = Base.RIDGE,
    effect: Base | None = None,
    seed: int = 7,
    folds: int = 3,
) -> EffectModels:
    """Model the doubly robust pseudo.

    Args:
        data: A randomised experiment.
        base: Outcome model.
        effect: Effect model; by default the same kind.
        seed: Root of their random draws.
        folds: Folds of the outcome model.

    Returns:
        The learner; works with any number of offers.

    Source:
        Kennedy (2023), "Towards Optimal Doubly Robust Estimation of Heterogeneous Causal
        Effects", Electronic Journal of Statistics 17(2), algorithm 1.

    Example:
        >>> from regulars.decide.uplift.learners import experiment_data
        >>> x = np.linspace(0, 1, 2000)[:, None]
        >>> arm = np.random.default_rng(1).integers(0, 2, 2000)
        >>> found = fit_dr_learner(experiment_data(x, arm, arm * x[:, 0]))
        >>> found.predict([[0.5]]).round(1).tolist()
        [[0.5]]
    """
    pseudo = pseudo_effects(data, base=base, seed=seed, folds=folds)
    fit = fit_of(effect or base, seed=seed, of_effects=True)
    weight = np.ones(len(data.outcome))
    models = [fit(data.features, one, weight) for one in pseudo.T]
    return EffectModels(models, data.features.shape[1])
