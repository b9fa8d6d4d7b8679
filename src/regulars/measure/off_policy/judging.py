"""Judging a new policy: every estimator side by side, and a gate that says when not to believe."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from regulars.measure.experiments.inference.always_valid import read_any_time
from regulars.measure.experiments.inference.estimate import Estimate
from regulars.measure.off_policy.direct import direct
from regulars.measure.off_policy.doubly_robust import doubly_robust
from regulars.measure.off_policy.importance_sampling import importance_sampling
from regulars.measure.off_policy.logged import Logged
from regulars.measure.off_policy.self_normalised import self_normalised
from regulars.measure.off_policy.shrinkage import shrunk_doubly_robust
from regulars.measure.off_policy.switch import switch
from regulars.measure.off_policy.value import PolicyValue

ESTIMATORS = {
    "importance_sampling": importance_sampling,
    "self_normalised": self_normalised,
    "direct": direct,
    "doubly_robust": doubly_robust,
    "switch": switch,
    "shrunk_doubly_robust": shrunk_doubly_robust,
}


@dataclass(frozen=True)
class Judgement:
    """What the log says of a policy that never ran.

    Attributes:
        decisions: Decisions in the log.
        effective_decisions: Decisions the weights leave: as many as would be worth as much if
            the policy had run itself.
        logged_value: Mean reward of the policy that ran.
        values: Value by estimator; empty when refused.
        refusals: Why the policy cannot be judged by this log; empty when it can.
        codes: Reason codes of the refusals: few_effective, one_heavy, weights_off.
        gain: What a decision would have brought more than it did, doubly robust; its interval
            holds at all looks at a growing log together. None when refused.
    """

    decisions: int
    effective_decisions: float
    logged_value: float
    values: Mapping[str, PolicyValue]
    refusals: tuple[str, ...]
    codes: tuple[str, ...] = ()
    gain: PolicyValue | None = None

    def is_better(self, *, than: float | None = None) -> bool:
        """Say whether the policy may go on to a canary.

        Args:
            than: Value to beat, one fixed beforehand; by default that of the policy that ran.

        Returns:
            True when the interval of the gain lies above 0, however often it is looked at; with
            `than`, when the doubly robust interval of this one look lies above that. False when
            refused.
        """
        if self.refusals or self.gain is None:
            return False
        if than is not None:
            return bool(self.values["doubly_robust"].low > than)
        return bool(self.gain.low > 0)


def judge(
    log: Logged,
    *,
    level: float = 0.95,
    least_effective: float = 200.0,
    least_share: float = 0.01,
    most_of_one: float = 0.01,
    tuned_at: float = 10_000.0,
) -> Judgement:
    """Judge a policy by a log, or say why the log cannot.

    Args:
        log: The decisions.
        level: Coverage of the intervals, in (0, 1); of the gain over all looks together.
        least_effective: Least effective decisions.
        least_share: Least share of the decisions that must stay effective, 0 to 1.
        most_of_one: Most one decision may carry of all weight, 0 to 1: where a handful decides,
            no interval holds.
        tuned_at: Decisions at which the interval of the gain is tightest, > 0.

    Returns:
        The judgement; with a refusal it holds no value.

    Source:
        Kong (1992) for the effective sample size; that weights average 1 where propensities
        are right and every arm was tried is the check of Kallus & Uehara (2020), JMLR 21.

    Example:
        >>> from regulars.measure.off_policy import logged
        >>> draw = np.random.default_rng(1)
        >>> arm = draw.integers(0, 2, 4000)
        >>> log = logged(arm, 1.0 * arm, np.full(4000, 0.5), np.tile([0.2, 0.8], (4000, 1)))
        >>> found = judge(log)
        >>> round(found.values["self_normalised"].value, 1), found.is_better()
        (0.8, True)
    """
    weight = log.weight
    total = float(weight.sum())
    effective = total**2 / float((weight**2).sum()) if total else 0.0
    least = max(least_effective, least_share * weight.size)
    heaviest = float(weight.max()) / total if total else 1.0
    error = float(weight.std(ddof=1)) / np.sqrt(weight.size) if weight.size > 1 else np.inf
    refusals, codes = [], []
    if effective < least:
        codes.append("few_effective")
        refusals.append(
            f"only {effective:.0f} of {weight.size:,} decisions are effective, must be "
            f"{least:.0f}; log more exploration, or judge a policy nearer to the one that ran"
        )
    if heaviest > most_of_one:
        codes.append("one_heavy")
        refusals.append(
            f"one decision carries {heaviest:.1%} of all weight, must be {most_of_one:.1%} at "
            "most; log longer, or with a higher floor on propensities"
        )
    if abs(float(weight.mean()) - 1) > 3 * error + 1e-9:
        codes.append("weights_off")
        refusals.append(
            f"weights average {weight.mean():.3f}, must be near 1: the policy takes arms that were "
            "never tried there, or the propensities are wrong"
        )
    values = {} if refusals else {n: judged(log, level=level) for n, judged in ESTIMATORS.items()}
    return Judgement(
        weight.size,
        effective,
        float(log.reward.mean()),
        values,
        tuple(refusals),
        tuple(codes),
        None if refusals else _gain(log, level=level, tuned_at=tuned_at),
    )


def _gain(log: Logged, *, level: float, tuned_at: float) -> PolicyValue:
    """Mean of what each decision would have brought more, read as always valid.

    Decisions of one customer share what he spends, but their draws are apart: what he spends
    anyway has mean weight 1 and drops out of every term, so the terms may be taken as apart.

    Returns:
        The gain.
    """
    more = log.predicted_target + log.weight * (log.reward - log.predicted_taken) - log.reward
    mean, error = float(more.mean()), float(more.std(ddof=1)) / np.sqrt(more.size)
    if error == 0:
        return PolicyValue(mean, 0.0, mean, mean)
    parts = (np.asarray(one, np.float64) for one in (mean, error, np.inf, more.size))
    found = read_any_time(Estimate(*parts), tuned_at=tuned_at, level=level)
    return PolicyValue(mean, error, float(found.low), float(found.high))
