"""Power: how many customers, and how many days, until a given effect would be found."""

import math
from dataclasses import dataclass
from functools import lru_cache

from scipy.optimize import brentq
from scipy.special import ndtri

from regulars.errors import InputError
from regulars.measure.experiments.inference.group_sequential import bounds, crossing_probability
from regulars.numerics.given import number_given

MOST_LOOKS = 100
"""Most planned looks: the bounds of each look are integrated from the look before."""
MOST_CUSTOMERS = 1e12
"""Above it a size says nothing any more: more than a hundred times all people."""


@dataclass(frozen=True)
class Sizing:
    """How large an experiment must be.

    Attributes:
        treated: Customers in the treated variant.
        control: Customers in control.
        days: Days until so many have come; None where it was not said how many come.
        effect: Smallest effect found with the power asked for, in the unit of the metric.
    """

    treated: int
    control: int
    days: int | None
    effect: float

    @property
    def customers(self) -> int:
        """Customers in both variants together."""
        return self.treated + self.control


def size_experiment(
    effect: float,
    variance: float,
    *,
    share: float = 0.5,
    level: float = 0.95,
    power: float = 0.8,
    explained: float = 0.0,
    looks: int = 1,
    per_day: float | None = None,
) -> Sizing:
    """Say how large an experiment must be, arm by arm, and how long it takes.

    Args:
        effect: Smallest effect worth finding, in the unit of the metric, not 0.
        variance: Variance of the metric per customer, > 0; a proportion p has p(1 - p).
        share: Share of customers in the treated variant, in (0, 1).
        level: Coverage of the interval that is compared with zero, in (0, 1).
        power: Probability of finding the effect, in (0, 1).
        explained: Squared correlation of the metric with the past that CUPED takes out, [0, 1).
        looks: Planned looks, 1 to 100.
        per_day: New customers that enter per day; None when it is not known.

    Returns:
        The sizes; days in whole weeks.

    Raises:
        InputError: A number is outside its range.

    Source:
        `customers_needed`.

    Example:
        >>> found = size_experiment(0.02, 0.1 * 0.9, share=0.9, per_day=500)
        >>> found.treated, found.control, found.days
        (17660, 1963, 42)
    """
    needed = customers_needed(
        effect,
        variance,
        share=share,
        level=level,
        power=power,
        explained=explained,
        looks=looks,
    )
    control = math.ceil(needed * (1 - share) - 1e-9)
    days = None if per_day is None else days_needed(needed, per_day)
    return Sizing(needed - control, control, days, abs(effect))


def customers_needed(
    effect: float,
    variance: float,
    *,
    share: float = 0.5,
    level: float = 0.95,
    power: float = 0.8,
    explained: float = 0.0,
    looks: int = 1,
) -> int:
    """Count the customers an experiment needs, both variants together.

    Args:
        effect: Smallest effect worth finding, in the unit of the metric, not 0.
        variance: Variance of the metric per customer, > 0; a proportion p has p(1 - p).
        share: Share of customers in the treated variant, in (0, 1).
        level: Coverage of the interval that is compared with zero, in (0, 1).
        power: Probability of finding the effect, in (0, 1).
        explained: Squared correlation of the metric with the past that CUPED takes out, [0, 1).
        looks: Planned looks, 1 to 100; more than one costs a few per cent with O'Brien-Fleming
            bounds.

    Returns:
        Customers in both variants together.

    Raises:
        InputError: A number is outside its range.

    Source:
        Lachin (1981), "Introduction to Sample Size Determination and Power Analysis for
        Clinical Trials", Controlled Clinical Trials 2(2); Deng et al. (2013) for `explained`;
        Jennison & Turnbull (2000), "Group Sequential Methods", section 2.3, for looks.

    Example:
        >>> customers_needed(0.02, 0.1 * 0.9)
        7064
        >>> customers_needed(0.02, 0.1 * 0.9, explained=0.5)
        3532
    """
    _require_numbers(effect=effect, variance=variance, share=share, level=level)
    _require_numbers(power=power, explained=explained, looks=looks)
    _require(math.isfinite(effect) and effect != 0, "effect must not be 0, and be a finite number")
    _require(0 < variance < math.inf, "variance must be a number above 0")
    _require(0 < share < 1 and 0 < level < 1 and 0 < power < 1, "shares must be between 0 and 1")
    _require(0 <= explained < 1, "explained must be in [0, 1)")
    if not 1 <= looks <= MOST_LOOKS:
        raise InputError(
            f"looks is {looks}, must be 1 to {MOST_LOOKS}; more looks hardly find anything sooner"
        )
    quantiles = float(ndtri(0.5 + level / 2) + ndtri(power))
    # Divided twice: the square of a very small effect would be 0.
    ratio = quantiles * math.sqrt(variance * (1 - explained)) / abs(effect)
    fixed = ratio * ratio / (share * (1 - share))
    _require(
        fixed < MOST_CUSTOMERS,
        f"an effect of {effect:g} would take more customers than can be counted "
        f"({MOST_CUSTOMERS:.0e}); name a larger one",
    )
    return math.ceil(fixed * _inflation(looks, level, power) - 1e-9)


def detectable(
    customers: float,
    variance: float,
    *,
    share: float = 0.5,
    level: float = 0.95,
    power: float = 0.8,
    explained: float = 0.0,
) -> float:
    """Say which effect an experiment of a given size would have found.

    Args:
        customers: Customers in both variants together, > 0.
        variance: Variance of the metric per customer, > 0.
        share: Share of customers in the treated variant, in (0, 1).
        level: Coverage of the interval that is compared with zero, in (0, 1).
        power: Probability of finding the effect, in (0, 1).
        explained: Squared correlation of the metric with the past, [0, 1).

    Returns:
        The minimum detectable effect, in the unit of the metric.

    Raises:
        InputError: A number is outside its range.

    Source:
        Bloom (1995), "Minimum Detectable Effects", Evaluation Review 19(5).

    Example:
        >>> round(detectable(7064, 0.1 * 0.9), 4)
        0.02
    """
    _require_numbers(customers=customers, variance=variance, share=share, level=level)
    _require_numbers(power=power, explained=explained)
    _require(customers > 0 and 0 < variance < math.inf, "customers and variance must be above 0")
    _require(0 < share < 1 and 0 < level < 1 and 0 < power < 1, "shares must be between 0 and 1")
    _require(0 <= explained < 1, "explained must be in [0, 1)")
    quantiles = float(ndtri(0.5 + level / 2) + ndtri(power))
    error = math.sqrt(variance * (1 - explained) / (customers * share * (1 - share)))
    return quantiles * error


def days_needed(customers: int, per_day: float, *, whole_weeks: bool = True) -> int:
    """Say how long an experiment must run to see enough customers.

    Args:
        customers: Customers needed in both variants together.
        per_day: New customers that enter per day, > 0.
        whole_weeks: True to round up to whole weeks, so that every weekday counts alike.

    Returns:
        Days.

    Raises:
        InputError: Nobody enters.

    Example:
        >>> days_needed(7064, 500), days_needed(7064, 500, whole_weeks=False)
        (21, 15)
    """
    _require_numbers(customers=customers, per_day=per_day)
    _require(customers >= 0, "customers must be 0 or more")
    _require(per_day > 0, "per_day must be above 0; without new customers nothing is found")
    _require(
        customers / per_day < MOST_CUSTOMERS,
        f"with {per_day:g} customers a day it would take more days than can be counted",
    )
    days = math.ceil(customers / per_day)
    return 7 * math.ceil(days / 7) if whole_weeks else days


@lru_cache(maxsize=256)
def _inflation(looks: int, level: float, power: float) -> float:
    """How many times more customers the planned looks cost."""
    if looks == 1:
        return 1.0
    times = [look / looks for look in range(1, looks + 1)]
    limits = bounds(times, alpha=1 - level).tolist()
    fixed = float(ndtri(0.5 + level / 2) + ndtri(power))

    def lacking(drift: float) -> float:
        return crossing_probability(limits, times, drift=drift) - power

    try:
        drift = float(brentq(lacking, fixed * 0.9, fixed * 1.5, xtol=1e-6))
    except ValueError as error:
        raise InputError(
            f"power {power:g} at level {level:g} cannot be planned with {looks} looks; "
            "give 1 look, or a power well above 1 - level"
        ) from error
    return (drift / fixed) ** 2


def _require_numbers(**given: float) -> None:
    for name, value in given.items():
        number_given(value, name)


def _require(holds: bool, wanted: str) -> None:
    if not holds:
        raise InputError(f"{wanted}; check the numbers given")
