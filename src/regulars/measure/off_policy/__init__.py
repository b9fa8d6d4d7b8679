"""Off-policy evaluation: what would another policy have earned, told from what was logged.

`judge` shows every estimator side by side and refuses where the log cannot tell; each estimator
is a file of its own and takes the same `logged` decisions.
"""

from regulars.measure.off_policy.direct import direct
from regulars.measure.off_policy.doubly_robust import doubly_robust
from regulars.measure.off_policy.importance_sampling import importance_sampling
from regulars.measure.off_policy.judging import ESTIMATORS, Judgement, judge
from regulars.measure.off_policy.logged import Logged, logged
from regulars.measure.off_policy.reward_model import cross_fitted
from regulars.measure.off_policy.self_normalised import self_normalised
from regulars.measure.off_policy.shrinkage import shrunk_doubly_robust
from regulars.measure.off_policy.stages import (
    Challenger,
    Move,
    Stage,
    after_canary,
    after_shadow,
    roll_back,
)
from regulars.measure.off_policy.switch import switch
from regulars.measure.off_policy.value import PolicyValue

__all__ = [
    "ESTIMATORS",
    "Challenger",
    "Judgement",
    "Logged",
    "Move",
    "PolicyValue",
    "Stage",
    "after_canary",
    "after_shadow",
    "cross_fitted",
    "direct",
    "doubly_robust",
    "importance_sampling",
    "judge",
    "logged",
    "roll_back",
    "self_normalised",
    "shrunk_doubly_robust",
    "switch",
]
