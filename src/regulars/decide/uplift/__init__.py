"""Uplift: what a contact is believed to cause, by customer, offer and channel."""

from regulars.decide.uplift.effects import arm_coefficients, contrast_design, starting_belief
from regulars.decide.uplift.features import FEATURES, features, features_of

__all__ = [
    "FEATURES",
    "arm_coefficients",
    "contrast_design",
    "features",
    "features_of",
    "starting_belief",
]
