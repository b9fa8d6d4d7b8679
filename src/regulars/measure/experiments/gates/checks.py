"""The gates of a readout: each says why an effect may not be shown, or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from regulars.measure.experiments.gates.sequential_sample_ratio import sequential_sample_ratio
from regulars.measure.experiments.inference.difference import difference
from regulars.measure.experiments.inference.estimate import Estimate, Reading, read_once
from regulars.measure.experiments.sample_ratio import check_sample_ratio
from regulars.measure.experiments.sufficient_statistics import Moments


class Gate(StrEnum):
    """What must hold before an effect may be read."""

    SAMPLE_RATIO = "sample_ratio"
    TOO_FEW = "too_few"
    TOO_EARLY = "too_early"
    LEAKAGE = "leakage"
    DIFFERENT_BEFORE = "different_before"
    ALREADY_READ = "already_read"
    NOT_READ_YET = "not_read_yet"


@dataclass(frozen=True)
class Refusal:
    """Why a readout shows no effect.

    Attributes:
        gate: Which gate is closed.
        says: What was found, what was wanted, what to do; one sentence.
    """

    gate: Gate
    says: str


def sample_ratio_gate(
    counts: Mapping[str, int],
    design: Mapping[str, float],
    *,
    alpha: float,
    watched_over: float = 0.0,
) -> list[Refusal]:
    """Close when the split differs from the design.

    Args:
        counts: Customers by variant.
        design: Share meant by variant.
        alpha: Below this p-value the split is broken.
        watched_over: Customers expected where the split is looked at again and again: the test
            then stays honest over all looks together; 0 where it is looked at once.

    Returns:
        A refusal, or nothing.
    """
    names = list(design)
    seen = [int(counts.get(name, 0)) for name in names]
    if sum(seen) == 0:
        return []
    shares = [design[name] for name in names]
    if watched_over:
        # Sharpest for splits that are off by a few standard errors of a tenth of the customers.
        weight = max(watched_over / 10, 1.0)
        p_value = float(sequential_sample_ratio([seen], shares, concentration=weight)[-1])
    else:
        p_value = check_sample_ratio(seen, shares, alpha=alpha).p_value
    if p_value >= alpha:
        return []
    split = ", ".join(f"{name} {number:,}" for name, number in zip(names, seen, strict=True))
    return [
        Refusal(
            Gate.SAMPLE_RATIO,
            f"the split is {split} (p = {p_value:.1e}), which the design does not give by "
            "chance; find what drops or doubles customers in one variant",
        )
    ]


def size_gate(counts: Mapping[str, int], *, least: int) -> list[Refusal]:
    """Close when a variant has too few customers for the intervals to hold.

    Args:
        counts: Customers by variant.
        least: Least customers per variant.

    Returns:
        A refusal, or nothing.
    """
    few = [name for name, number in counts.items() if number < least]
    if not few:
        return []
    return [
        Refusal(
            Gate.TOO_FEW,
            f"variant {few[0]} has {counts[few[0]]:,} customers, must have {least:,} or more; "
            "wait for more",
        )
    ]


def time_gate(*, days_run: float, days_planned: float, times_read: int) -> list[Refusal]:
    """Close while an experiment of fixed length is not over, or was read before.

    Args:
        days_run: Days since it started.
        days_planned: Days it was to run.
        times_read: How often its effect was shown before at less than its full length.

    Returns:
        Refusals, or nothing.
    """
    if days_run < days_planned:
        return [
            Refusal(
                Gate.TOO_EARLY,
                f"{days_run:g} of {days_planned:g} days are over; wait, or read it any time by "
                "planning it as always valid from the start",
            )
        ]
    if times_read:
        return [
            Refusal(
                Gate.ALREADY_READ,
                f"its effect was looked at {times_read} times before its end, so a fixed interval "
                "no longer holds; read it as always valid",
            )
        ]
    return []


def leakage_gate(exposed: Mapping[str, int], control: str, *, most: int = 0) -> list[Refusal]:
    """Close when customers of the control variant were treated all the same.

    Args:
        exposed: Customers that got the treatment, by the variant they were assigned to.
        control: Name of the control variant.
        most: Most customers of control that may have got it.

    Returns:
        A refusal, or nothing.
    """
    leaked = int(exposed.get(control, 0))
    if leaked <= most:
        return []
    return [
        Refusal(
            Gate.LEAKAGE,
            f"{leaked:,} customers of {control} got the treatment, must be {most:,} at most; find "
            "the way that goes round the assignment",
        )
    ]


def before_gate(
    control: Moments,
    variants: Sequence[tuple[str, Moments]],
    name: str,
    *,
    alpha: float,
    read: Callable[[Estimate], Reading] = read_once,
) -> list[Refusal]:
    """Close when variants already differed before the experiment: an A/A test on the past.

    Args:
        control: Moments of the control variant, the past as the other quantity.
        variants: Name and moments of every other variant.
        name: What the past is called.
        alpha: Below this p-value they differ.
        read: How the comparison is read: always valid where it is looked at again and again.

    Returns:
        A refusal per variant that differed.
    """
    found = []
    for variant, own in variants:
        reading = read(difference(_past(control), _past(own)))
        if float(reading.p_value) < alpha:
            found.append(
                Refusal(
                    Gate.DIFFERENT_BEFORE,
                    f"{variant} differed by {float(reading.effect):.4g} in {name} before anything "
                    f"was done (p = {float(reading.p_value):.1e}); the assignment is not random",
                )
            )
    return found


def _past(own: Moments) -> Moments:
    return Moments(
        own.count,
        own.other_mean,
        own.other_variance,
        own.other_mean,
        own.other_variance,
        own.other_variance,
    )
