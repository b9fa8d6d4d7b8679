"""The readout of an experiment: every metric of every variant, or the reason why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np
from ibis import _
from ibis.expr.types import Table

from regulars.errors import InputError
from regulars.measure.experiments.gates.checks import (
    Refusal,
    before_gate,
    leakage_gate,
    sample_ratio_gate,
    size_gate,
    time_gate,
)
from regulars.measure.experiments.gates.readable import require_readable
from regulars.measure.experiments.inference.always_valid import read_any_time
from regulars.measure.experiments.inference.cuped import cuped_difference
from regulars.measure.experiments.inference.difference import difference
from regulars.measure.experiments.inference.estimate import Estimate, Reading, read_once
from regulars.measure.experiments.inference.group_sequential import read_at_look
from regulars.measure.experiments.inference.quantile import quantile_difference
from regulars.measure.experiments.inference.ratio import ratio_difference
from regulars.measure.experiments.inference.stratified import stratified_difference
from regulars.measure.experiments.metrics import Kind, Metric
from regulars.measure.experiments.multiplicity import Correction, adjusted
from regulars.measure.experiments.sufficient_statistics import Moments
from regulars.measure.experiments.tables import as_moments, moments_by_variant, open_table
from regulars.numerics.given import floats_given, number_given, word_given


class Inference(StrEnum):
    """How often the effect may be looked at."""

    ONCE = "once"
    ANY_TIME = "any_time"
    PLANNED_LOOKS = "planned_looks"


@dataclass(frozen=True)
class Plan:
    """What was settled before the first customer came.

    Attributes:
        design: Share of customers by variant, control first; above 0, sums to 1.
        metrics: What is read; the first is what the experiment is about.
        inference: How often the effect may be looked at.
        days: Days it is to run, for ONCE.
        tuned_at: Customers at which the interval is tightest, for ANY_TIME.
        looks: Share of planned customers at this and all earlier looks, for PLANNED_LOOKS.
        level: Coverage of every interval, in (0, 1).
        correction: How many comparisons are allowed for.
        relative: True for changes as a share of control.
        least: Least customers per variant.
        gate_alpha: P-value below which a gate closes.
        strata: Column known before the experiment, such as the segment: customers are compared
            within it; "" for none. Not for relative effects and quantiles.
    """

    design: Mapping[str, float]
    metrics: Sequence[Metric]
    inference: Inference = Inference.ANY_TIME
    days: float = 14.0
    tuned_at: float = 10_000.0
    looks: Sequence[float] = ()
    level: float = 0.95
    correction: Correction = Correction.HOLM
    relative: bool = False
    least: int = 30
    gate_alpha: float = 0.001
    strata: str = ""

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be read.

        Raises:
            InputError: Variants, metrics or planned looks are missing, a number is out of its
                range, or strata are asked of what cannot be stratified.
            UnknownName: There is no such inference or correction.
        """
        object.__setattr__(self, "inference", word_given(self.inference, Inference, "inference"))
        object.__setattr__(
            self, "correction", word_given(self.correction, Correction, "correction")
        )
        for name, most in (("level", 1.0), ("gate_alpha", 1.0), ("tuned_at", np.inf)):
            number_given(getattr(self, name), name, above=0, below=most)
        number_given(self.days, "days", least=0)
        number_given(self.least, "least", least=0)
        if len(self.design) < 2 or not self.metrics:
            raise InputError(
                f"the plan has {len(self.design)} variants and {len(self.metrics)} metrics; give "
                "two variants or more, control first, and a metric"
            )
        if self.inference is Inference.PLANNED_LOOKS and not self.looks:
            raise InputError("looks is empty; give the share of planned customers at each look")
        if self.strata and (self.relative or any(m.kind is Kind.QUANTILE for m in self.metrics)):
            raise InputError(
                f"strata {self.strata!r} go with absolute means, proportions and ratios; leave out "
                "relative and quantile metrics, or the strata"
            )
        shares = floats_given(list(self.design.values()), "design", axes=None)
        if shares.min() <= 0 or abs(shares.sum() - 1) > 1e-9:
            raise InputError(f"design is {dict(self.design)}, must be shares above 0 that sum to 1")


@dataclass(frozen=True)
class Progress:
    """What is known of the experiment besides its customers.

    Attributes:
        days_run: Days since it started; must be told for ONCE.
        times_read: How often its effect was shown before.
        exposed: Customers that got the treatment, by the variant they were assigned to.
    """

    days_run: float | None = None
    times_read: int = 0
    exposed: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no experiment can have come to.

        Raises:
            InputError: Days or looks are no number, or below 0.
        """
        if self.days_run is not None:
            number_given(self.days_run, "days_run", least=0)
        number_given(self.times_read, "times_read", least=0)


@dataclass(frozen=True)
class Finding:
    """One metric of one variant against control.

    Attributes:
        metric: Name of the metric.
        variant: Name of the variant.
        control_value: The metric in control.
        value: The metric in the variant.
        effect: Difference, or share of control when the plan is relative.
        low: Lower end of the interval.
        high: Upper end of the interval.
        p_value: P-value of this comparison alone.
        adjusted_p_value: P-value allowing for all comparisons of the readout.
        is_claim: True when the adjusted p-value is below 1 - level.
        is_guardrail: True when the metric must not get worse.
    """

    metric: str
    variant: str
    control_value: float
    value: float
    effect: float
    low: float
    high: float
    p_value: float
    adjusted_p_value: float
    is_claim: bool
    is_guardrail: bool


@dataclass(frozen=True)
class Readout:
    """What an experiment says.

    Attributes:
        counts: Customers by variant.
        refusals: Why no effect may be shown; empty when it may.
        findings: One per metric and variant; empty when refused.
    """

    counts: Mapping[str, int]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...]

    @property
    def is_refused(self) -> bool:
        """True when a gate is closed and no effect may be shown."""
        return bool(self.refusals)


def read_out(customers: Any, plan: Plan, progress: Progress | None = None) -> Readout:
    """Read an experiment, or say why it must not be read.

    Args:
        customers: One row per customer: `variant` and the columns the metrics name; an Ibis
            table, a pandas or polars frame, a pyarrow table or a mapping of columns. Each customer
            once, which is checked where there is a column `customer_id`. Who has no value of a
            metric (empty or nan) is left out of that metric; the split of those who are left must
            be as designed too.
        plan: What was settled beforehand.
        progress: How far it has come; needed where the plan reads it once.

    Returns:
        The readout. With any refusal it holds no effect at all.

    Raises:
        InputError: A column is missing or holds no numbers or an infinite one, a proportion is
            not of true and false, a customer is there twice, a variant is not in the plan or
            nobody has one of its metrics, or the days run of a plan that is read once are missing.

    Source:
        Gates after Kohavi, Tang & Xu (2020), "Trustworthy Online Controlled Experiments", ch.
        3, 19 and 21.

    Example:
        >>> shop = {"variant": ["a", "b"] * 100, "spend": [1.0, 2.0, 3.0, 4.0] * 50}
        >>> plan = Plan({"a": 0.5, "b": 0.5}, [Metric("spend", "spend")], Inference.ONCE)
        >>> [finding] = read_out(shop, plan, Progress(days_run=14)).findings
        >>> finding.effect, finding.is_claim
        (1.0, True)
    """
    table, progress = open_table(customers), progress or Progress()
    require_readable(table, plan.metrics, plan.strata)
    counts = _counts(table, plan)
    refusals = [
        *sample_ratio_gate(
            counts,
            plan.design,
            alpha=plan.gate_alpha,
            watched_over=0.0 if plan.inference is Inference.ONCE else plan.tuned_at,
        ),
        *size_gate(counts, least=plan.least),
        *_time_refusals(plan, progress),
        *leakage_gate(progress.exposed, next(iter(plan.design))),
    ]
    moments_by_metric = {
        metric.name: _moments(table, plan, metric)
        for metric in plan.metrics
        if metric.kind is not Kind.QUANTILE
    }
    for name, parts in moments_by_metric.items():
        refusals += _lost_refusals(plan, name, counts, parts)
    for metric in plan.metrics:
        if metric.before and not refusals:
            control, *others = moments_by_metric[metric.name]
            named = list(zip(list(plan.design)[1:], others, strict=True))
            refusals += before_gate(
                control,
                named,
                metric.before,
                # Every metric with a past is a test of its own.
                alpha=plan.gate_alpha / len(plan.metrics),
                read=partial(_read_gate, plan=plan),
            )
    if refusals:
        return Readout(counts, tuple(refusals), ())
    found = [
        finding
        for metric in plan.metrics
        for finding in _findings(table, plan, metric, moments_by_metric)
    ]
    honest = adjusted([finding.p_value for finding in found], plan.correction)
    alpha = 1 - plan.level
    return Readout(
        counts,
        (),
        tuple(
            replace(finding, adjusted_p_value=float(p), is_claim=bool(p < alpha))
            for finding, p in zip(found, honest, strict=True)
        ),
    )


def read(estimate: Estimate, plan: Plan) -> Reading:
    """Read an estimate the way a plan says.

    Returns:
        The reading.
    """
    if plan.inference is Inference.ONCE:
        return read_once(estimate, level=plan.level)
    if plan.inference is Inference.ANY_TIME:
        return read_any_time(estimate, tuned_at=plan.tuned_at, level=plan.level)
    return read_at_look(estimate, plan.looks, level=plan.level)


def _read_gate(estimate: Estimate, *, plan: Plan) -> Reading:
    """Read what a gate looks at: as often as the effect itself is looked at."""
    if plan.inference is Inference.ONCE:
        return read_once(estimate)
    return read_any_time(estimate, tuned_at=plan.tuned_at)


def _time_refusals(plan: Plan, progress: Progress) -> list[Refusal]:
    if plan.inference is not Inference.ONCE:
        return []
    if progress.days_run is None:
        raise InputError(
            f"an experiment of {plan.days:g} days is read once, at its end: give days_run in its "
            "progress, the days since it started"
        )
    return time_gate(
        days_run=progress.days_run, days_planned=plan.days, times_read=progress.times_read
    )


def _lost_refusals(
    plan: Plan, metric: str, counts: Mapping[str, int], parts: Sequence[Moments]
) -> list[Refusal]:
    """Close when those with a value are split otherwise: the treatment moved who has one."""
    known = {name: int(own.count) for name, own in zip(plan.design, parts, strict=True)}
    if known == counts:
        return []
    closed = sample_ratio_gate(
        known,
        plan.design,
        alpha=plan.gate_alpha,
        watched_over=0.0 if plan.inference is Inference.ONCE else plan.tuned_at,
    )
    return [replace(one, says=f"of those with a value of {metric!r} {one.says}") for one in closed]


def _counts(table: Table, plan: Plan) -> dict[str, int]:
    rows = table.group_by("variant").agg(customers=_.count()).to_pyarrow().to_pylist()
    seen = {row["variant"]: int(row["customers"]) for row in rows}
    strange = sorted(str(name) for name in set(seen) - set(plan.design))
    if strange:
        raise InputError(
            f"variant {strange[0]!r} is not in the plan, which has {', '.join(plan.design)}; leave "
            "out customers who take no part"
        )
    return {name: seen.get(name, 0) for name in plan.design}


def _moments(table: Table, plan: Plan, metric: Metric) -> list[Moments]:
    definition = moments_by_variant(table, ["variant"], value=metric.value, other=metric.other)
    rows = {row["variant"]: row for row in definition.to_pyarrow().to_pylist()}
    nobody = dict.fromkeys(
        ("count", "mean", "variance", "other_mean", "other_variance", "covariance"), 0.0
    )
    return [as_moments([rows.get(name, nobody)]).at(0) for name in plan.design]


def _findings(
    table: Table, plan: Plan, metric: Metric, moments_by_metric: Mapping[str, list[Moments]]
) -> list[Finding]:
    control, *others = plan.design
    found = []
    for number, variant in enumerate(others, 1):
        if metric.kind is Kind.QUANTILE:
            base, own = _values(table, control, metric), _values(table, variant, metric)
            estimate = quantile_difference(base, own, share=metric.share, relative=plan.relative)
            levels = (np.quantile(base, metric.share), np.quantile(own, metric.share))
        else:
            pair = moments_by_metric[metric.name][0], moments_by_metric[metric.name][number]
            estimate, levels = _compared(metric, *pair, relative=plan.relative)
            if plan.strata:
                estimate = _stratified(table, plan, metric, variant)
        reading = read(estimate, plan)
        found.append(
            Finding(
                metric.name, variant, float(levels[0]), float(levels[1]), float(reading.effect),
                float(reading.low), float(reading.high), float(reading.p_value),
                float(reading.p_value), False, metric.is_guardrail,
            )
        )  # fmt: skip
    return found


def _compared(
    metric: Metric, control: Moments, treated: Moments, *, relative: bool
) -> tuple[Estimate, tuple[Any, Any]]:
    estimate = _estimate(metric, control, treated, relative=relative)
    if metric.kind is Kind.RATIO:
        return estimate, (control.mean / control.other_mean, treated.mean / treated.other_mean)
    return estimate, (control.mean, treated.mean)


def _estimate(metric: Metric, control: Moments, treated: Moments, *, relative: bool) -> Estimate:
    if metric.kind is Kind.RATIO:
        return ratio_difference(control, treated, relative=relative)
    compare = cuped_difference if metric.before else difference
    return compare(control, treated, relative=relative)


def _stratified(table: Table, plan: Plan, metric: Metric, variant: str) -> Estimate:
    """Compare within strata; the moments of all of them come from one query."""
    definition = moments_by_variant(
        table, ["variant", plan.strata], value=metric.value, other=metric.other
    )
    pairs: dict[Any, dict[str, Moments]] = {}
    for row in definition.to_pyarrow().to_pylist():
        pairs.setdefault(row[plan.strata], {})[row["variant"]] = as_moments([row]).at(0)
    control = next(iter(plan.design))
    both = [own for own in pairs.values() if control in own and variant in own]
    return stratified_difference(
        [(own[control], own[variant]) for own in both],
        compare=partial(_estimate, metric, relative=False),
    )


def _values(table: Table, variant: str, metric: Metric) -> Any:
    own = table.filter(_.variant == variant).select(value=_[metric.value].cast("float64"))
    return own.filter(~_.value.isnan()).to_pyarrow()["value"].to_numpy()
