"""Everything that is said about one comparison: is it sound, how big, how sure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.measure.effects.adjusted_difference import adjusted_difference
from regulars.measure.effects.minimum_detectable import minimum_detectable
from regulars.measure.effects.permutation_interval import permutation_quantiles
from regulars.measure.experiments.sample_ratio import check_sample_ratio

METRICS = ("orders", "sales", "margin", "residual_value")
"""What is measured: orders, money, margin, and the margin still expected from a customer."""

LEAST = 20
"""Customers each group needs; below that an interval says more about luck than about effects."""


@dataclass(frozen=True)
class Readout:
    """The effect on all treated customers together, for one metric.

    Attributes:
        metric: What was measured.
        treated: Customers assigned to treatment.
        control: Customers held out.
        srm_p: p-value of the sample-ratio check.
        status: ok, srm (the groups are not what was designed) or too_few.
        estimate: Effect on all treated together, in the metric's unit; None unless ok.
        standard_error: Of the estimate; None unless ok.
        low: Lower end of the interval; None unless ok.
        high: Upper end of the interval; None unless ok.
        level: Coverage of the interval.
        mde: Smallest effect found with probability 0.8; None unless ok.
    """

    metric: str
    treated: int
    control: int
    srm_p: float | None
    status: str
    estimate: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    level: float
    mde: float | None


def read_out(
    outcomes: NDArray[np.float64],
    is_treated: NDArray[np.bool_],
    covariates: NDArray[np.float64],
    *,
    held_out: float,
    level: float,
    key: int,
    metrics: Sequence[str] = METRICS,
) -> list[Readout]:
    """Compare treated with held-out customers: check the split, estimate, put an interval.

    Args:
        outcomes: One column per metric, shape (customers, metrics).
        is_treated: True for the treated, shape (customers,).
        covariates: Known at assignment, shape (customers, covariates).
        held_out: Designed share of customers held out, in (0, 1).
        level: Coverage of the intervals, in (0, 1).
        key: Key of the random deals behind the intervals.
        metrics: Names of the outcome columns.

    Returns:
        One readout per metric, in the order given. Only `ok` readouts hold an estimate.

    Source:
        Ours, because a reader must not see an estimate whose groups are unsound: the
        sample-ratio check comes first and silences the rest.
    """
    treated, control = int(is_treated.sum()), int((~is_treated).sum())
    ratio = (
        check_sample_ratio([treated, control], [1 - held_out, held_out])
        if treated + control
        else None
    )
    p_value = ratio.p_value if ratio else None
    status = "srm" if ratio and ratio.mismatch else "ok"
    if status == "ok" and min(treated, control) < LEAST:
        status = "too_few"
    if status != "ok":
        empty = (None, None, None, None, level, None)
        return [Readout(name, treated, control, p_value, status, *empty) for name in metrics]
    found = adjusted_difference(outcomes, is_treated, covariates)
    low, high = permutation_quantiles(found.residuals, is_treated, level=level, key=key)
    readouts = []
    for place, name in enumerate(metrics):
        estimate = float(found.estimate[place]) * treated
        error = float(found.standard_error[place]) * treated
        readouts.append(
            Readout(
                name, treated, control, p_value, status, estimate, error,
                estimate - float(high[place]) * error, estimate - float(low[place]) * error,
                level, minimum_detectable(error, level=level),
            )
        )  # fmt: skip
    return readouts
