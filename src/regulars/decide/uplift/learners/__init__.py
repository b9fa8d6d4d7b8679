"""Uplift learners: what an offer changes for each customer, learned from an experiment.

data = experiment_data(features, arm, outcome)
uplift = fit_dr_learner(data).predict(features)
"""

from regulars.decide.uplift.learners.bases import Base
from regulars.decide.uplift.learners.dr_learner import fit_dr_learner, pseudo_effects
from regulars.decide.uplift.learners.experiment_data import ExperimentData, experiment_data
from regulars.decide.uplift.learners.r_learner import EffectModels, fit_r_learner
from regulars.decide.uplift.learners.sensitivity import Sensitivity, fit_sensitivity
from regulars.decide.uplift.learners.t_learner import TLearner, fit_t_learner
from regulars.decide.uplift.learners.x_learner import XLearner, fit_x_learner

LEARNERS = {
    "t": fit_t_learner,
    "x": fit_x_learner,
    "r": fit_r_learner,
    "dr": fit_dr_learner,
}

__all__ = [
    "LEARNERS",
    "Base",
    "EffectModels",
    "ExperimentData",
    "Sensitivity",
    "TLearner",
    "XLearner",
    "experiment_data",
    "fit_dr_learner",
    "fit_r_learner",
    "fit_sensitivity",
    "fit_t_learner",
    "fit_x_learner",
    "pseudo_effects",
]
