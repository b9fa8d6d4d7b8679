"""How large an experiment must be and how long it takes, before it starts."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from regulars.errors import InputError
from regulars.measure.experiments.inference.always_valid import read_any_time
from regulars.measure.experiments.inference.estimate import Estimate, read_once
from regulars.measure.experiments.keeping.catalogue import metric_named
from regulars.measure.experiments.keeping.definition import Definition
from regulars.measure.experiments.metrics import Kind
from regulars.measure.experiments.power import customers_needed, days_needed
from regulars.measure.experiments.readout import Inference
from regulars.measure.experiments.sufficient_statistics import Moments


@dataclass(frozen=True)
class Baseline:
    """How the primary metric was among customers who came, in as many days as the experiment lasts.

    Attributes:
        value: The metric.
        variance: Its variance per customer; of a ratio by the delta method.
        explained: Squared correlation with the same metric in the days before, 0 to 1.
        customers: Customers it was taken over: they bought or came in the 28 days before.
        per_day: Customers that came per day, each counted once: whoever comes is dealt out.
        most: Customers that came in a year; more than these never enter.
    """

    value: float
    variance: float
    explained: float
    customers: int
    per_day: float
    most: float = math.inf


@dataclass(frozen=True)
class PowerPlan:
    """What an experiment needs before anybody takes part.

    Attributes:
        customers: Customers in all variants together; 0 where nothing is known of the metric.
        by_variant: Customers by variant, control first.
        per_day: Customers that are expected to enter per day.
        days: Days until so many have entered at that pace, in whole weeks; None when so many
            never come.
        effect: Smallest change found with the power asked for, in the unit of the metric.
        value: The metric as it was.
        fits: True when so many enter within the days the experiment is to run.
        says: Why it does not fit, or what was taken for granted; "" when there is nothing to say.
    """

    customers: int
    by_variant: dict[str, int]
    per_day: float
    days: int | None
    effect: float
    value: float
    fits: bool
    says: str


def baseline_of(whole: Moments, metric: str, *, per_day: float, most: float = math.inf) -> Baseline:
    """Read how a metric was from the moments of all active customers.

    Args:
        whole: Moments of the metric, its denominator or past as the other quantity.
        metric: Its name in the catalogue.
        per_day: Customers that came per day, each counted once.
        most: Customers that came in a year.

    Returns:
        The baseline.

    Example:
        >>> from regulars.measure.experiments import moments
        >>> found = baseline_of(moments(1000, 0.1, 0.09), "buyers", per_day=50)
        >>> found.value, found.variance, found.explained
        (0.1, 0.09, 0.0)
    """
    mean, variance = float(whole.mean), float(whole.variance)
    other, spread, both = (
        float(part) for part in (whole.other_mean, whole.other_variance, whole.covariance)
    )
    if metric_named(metric).kind is Kind.RATIO:
        ratio = mean / other if other else 0.0
        around = variance - 2 * ratio * both + ratio**2 * spread
        per_customer = around / other**2 if other else 0.0
        return Baseline(ratio, per_customer, 0.0, int(whole.count), per_day, most)
    explained = both**2 / (variance * spread) if variance > 0 and spread > 0 else 0.0
    return Baseline(mean, variance, min(explained, 0.99), int(whole.count), per_day, most)


def plan_power(definition: Definition, baseline: Baseline) -> PowerPlan:
    """Say how many customers an experiment needs and how many days that takes.

    Every variant is compared with control, so the smallest of them decides; the level is shared
    out over the comparisons of the primary metric and of the guardrails. One that may be read any
    time needs more customers than one read once: as many as make its wider interval as sharp.

    Args:
        definition: The experiment.
        baseline: How its primary metric was.

    Returns:
        The plan.

    Source:
        `power.customers_needed`; Bonferroni over variants and metrics, as the readout corrects for
        them; for ANY_TIME the interval of `read_any_time` where it is tightest, *ours*.

    Example:
        >>> from regulars.measure.experiments.keeping.definition import definition_of
        >>> coupon = definition_of({
        ...     "id": "coupon", "name": "Coupon", "hypothesis": "It brings them back.",
        ...     "variants": [{"name": "control", "share": 0.5}, {"name": "coupon", "share": 0.5}],
        ...     "primary": "buyers", "effect": 0.02, "inference": "once", "days": 28,
        ... })
        >>> found = plan_power(coupon, Baseline(0.1, 0.09, 0.0, 20_000, 500))
        >>> found.customers, found.days, found.fits
        (7064, 21, True)
    """
    per_day = baseline.per_day * definition.traffic
    if baseline.variance <= 0 or baseline.customers < 2:
        return PowerPlan(
            0, dict.fromkeys(definition.design, 0), per_day, None, definition.effect,
            baseline.value, False,
            "nothing is known of this metric yet: its spread among active customers is 0",
        )  # fmt: skip
    control, *others = definition.design.values()
    least = min(others)
    pair = control + least
    comparisons = len(others) * (1 + len(definition.guardrails))
    level = 1 - (1 - definition.level) / comparisons
    needed = customers_needed(
        definition.effect,
        baseline.variance,
        share=least / pair,
        level=level,
        power=definition.power,
        explained=baseline.explained,
        looks=definition.looks if definition.inference is Inference.PLANNED_LOOKS else 1,
    )
    if definition.inference is Inference.ANY_TIME:
        needed = math.ceil(needed * _wider(needed, level=level, power=definition.power))
    customers = math.ceil(needed / pair - 1e-9)
    by_variant = {
        name: math.ceil(customers * share - 1e-9) for name, share in definition.design.items()
    }
    most = baseline.most * definition.traffic
    days = days_needed(customers, per_day) if per_day > 0 and customers <= most else None
    fits = per_day * definition.days >= customers
    return PowerPlan(
        sum(by_variant.values()), by_variant, per_day, days, definition.effect, baseline.value,
        fits, "" if fits else _short(definition, customers, per_day, days=days, most=most),
    )  # fmt: skip


def _short(
    definition: Definition, customers: int, per_day: float, *, days: int | None, most: float
) -> str:
    if per_day <= 0:
        return "nobody came in the weeks before, so nobody would enter"
    if days is None:
        return (
            f"{customers:,} customers are needed, and at most {most:,.0f} ever come; look for a "
            f"larger effect than {definition.effect:g}"
        )
    return (
        f"about {per_day * definition.days:,.0f} of {customers:,} customers enter in "
        f"{definition.days} days; run it {days} days or more, or look for a larger effect than "
        f"{definition.effect:g}"
    )


def _wider(customers: int, *, level: float, power: float) -> float:
    """How many times more customers an interval that always holds takes, at its tightest."""
    one = Estimate(*(np.asarray(float(part)) for part in (0.0, 1.0, np.inf, max(customers, 2))))
    reach = float(read_any_time(one, tuned_at=float(one.count), level=level).high)
    fixed = float(read_once(one, level=level).high)
    if not math.isfinite(reach):
        raise InputError(f"level {level:g} cannot be kept at every look; give a lower one")
    found = float(ndtri(power))
    return ((reach + found) / (fixed + found)) ** 2
