"""What an experiment says now: when it may be read, and what may be concluded from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from regulars.errors import InputError, NotAllowed
from regulars.measure.experiments.gates.checks import Gate, Refusal
from regulars.measure.experiments.keeping.catalogue import metric_named
from regulars.measure.experiments.keeping.definition import Definition
from regulars.measure.experiments.keeping.record import Conclusion, Decision, Look
from regulars.measure.experiments.metrics import Metric
from regulars.measure.experiments.readout import Finding, Inference, Plan

TUNED_AT = 10_000.0


@dataclass(frozen=True)
class Shown:
    """What an experiment says now.

    Attributes:
        counts: Customers by variant, control first.
        srm_p: P-value of the check of the split; None before anybody took part.
        refusals: Why no effect may be shown; empty where it may.
        findings: One per metric and variant, the primary metric first; empty where refused.
        planned: Customers it was found to need when it started.
        days_run: Days since it started, until it was stopped.
        days_left: Days until it may be read, or until as many as planned have come at the pace so
            far; 0 when they have; None where nobody comes.
        looks: Looks taken, for PLANNED_LOOKS.
        left_out: Customers left out because two ids of theirs had different variants.
        due: Number of the look that waits to be taken; 0 where none does.
    """

    counts: Mapping[str, int]
    srm_p: float | None
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...]
    planned: int
    days_run: float
    days_left: float | None
    looks: tuple[Look, ...]
    left_out: int
    due: int = 0

    @property
    def is_refused(self) -> bool:
        """True when no effect may be shown."""
        return bool(self.refusals)


def metrics_of(definition: Definition) -> list[Metric]:
    """Give the metrics of an experiment, the primary one first, guardrails marked."""
    guards = [replace(metric_named(name), is_guardrail=True) for name in definition.guardrails]
    return [metric_named(definition.primary), *guards]


def plan_of(definition: Definition, *, planned: int, information: Sequence[float]) -> Plan:
    """Give how an experiment is read.

    Args:
        definition: The experiment.
        planned: Customers it was found to need; 0 where that is not known.
        information: Share of them at this and all earlier looks, for PLANNED_LOOKS.

    Returns:
        The plan of `read_out`.
    """
    return Plan(
        definition.design,
        metrics_of(definition),
        definition.inference,
        days=definition.days,
        tuned_at=planned or TUNED_AT,
        looks=information or (1.0,),
        level=definition.level,
    )


def look_due(definition: Definition, taken: Sequence[float], *, share: float) -> bool:
    """Tell whether a look is due.

    Args:
        definition: The experiment, with PLANNED_LOOKS, or ONCE: that has one look, at its end.
        taken: Share of the planned customers at the looks taken, rising.
        share: Share that has come now; 1 once all days are over, however many came: all error
            left is spent then. Of ONCE the share of its days that is over.

    Returns:
        True when a planned share that was not looked at yet has been reached.

    Example:
        >>> from regulars.measure.experiments.keeping.definition import definition_of
        >>> one = definition_of({
        ...     "id": "coupon", "name": "Coupon", "hypothesis": "It brings them back.",
        ...     "variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}],
        ...     "primary": "buyers", "effect": 0.02, "inference": "planned_looks", "looks": 4,
        ... })
        >>> [look_due(one, [0.26], share=share) for share in (0.3, 0.5)]
        [False, True]
    """
    last = taken[-1] if taken else 0.0
    if last >= 1 or share <= last:
        return False
    return any(last < one <= share for one in _looks(definition))


def not_due(definition: Definition, taken: Sequence[float], *, share: float) -> Refusal:
    """Say why a look is not due yet."""
    if definition.inference is Inference.ONCE:
        return Refusal(
            Gate.TOO_EARLY,
            "its last day is not over where the shop is, and what is bought until midnight counts; "
            "read it tomorrow",
        )
    last = taken[-1] if taken else 0.0
    coming = next((one for one in _looks(definition) if one > last), 1.0)
    return Refusal(
        Gate.TOO_EARLY,
        f"{share:.0%} of the planned customers have come, the next look is at {coming:.0%}; looks "
        "in between are not planned, so wait",
    )


def to_be_taken(definition: Definition, number: int) -> Refusal:
    """Say that a look is due and nobody has taken it."""
    of = len(_looks(definition))
    return Refusal(
        Gate.NOT_READ_YET,
        f"look {number} of {of} is due; take it, and everybody is shown what it says",
    )


def _looks(definition: Definition) -> list[float]:
    """Shares at which it is read."""
    if definition.inference is Inference.ONCE:
        return [1.0]
    return [look / definition.looks for look in range(1, definition.looks + 1)]


def _primary_of(definition: Definition, shown: Shown, variant: str) -> list[Finding]:
    return [
        one for one in shown.findings if one.variant == variant and one.metric == definition.primary
    ]


def require_conclusion(
    definition: Definition,
    shown: Shown,
    decision: Decision,
    variant: str,
    *,
    says: str,
    anyway: str = "",
) -> str:
    """Refuse a conclusion the readout does not carry.

    Args:
        definition: The experiment.
        shown: What it says.
        decision: What is to follow.
        variant: The variant adopted.
        says: What was learned.
        anyway: Why a variant is adopted that was not told from control; "" to adopt only one that
            is better.

    Returns:
        The variant that is used from now on; "" where nothing was learned.

    Raises:
        InputError: Nothing is said, or the variant does not go with the decision.
        NotAllowed: A gate is closed, the variant made its primary metric or a guardrail worse, or
            it was not told from control and nobody says why it is adopted anyway.
    """
    if not says.strip():
        raise InputError("nothing is said; say what was learned, it is kept with the experiment")
    control, *others = definition.design
    if decision is Decision.NOTHING_LEARNED:
        return ""
    if shown.is_refused:
        raise NotAllowed(
            "experiment-gates",
            f"{definition.id} shows no effect: {shown.refusals[0].says}; so conclude that nothing "
            "was learned",
        )
    if decision is Decision.KEEP:
        return control
    if variant not in others:
        raise InputError(f"variant is {variant!r}; to adopt one, name one of {', '.join(others)}")
    _require_better(definition, shown, variant, anyway=anyway)
    return variant


def _require_better(definition: Definition, shown: Shown, variant: str, *, anyway: str) -> None:
    control = next(iter(definition.design))
    for one in shown.findings:
        if one.variant == variant and is_worse(one):
            raise NotAllowed(
                "experiment-guardrail" if one.is_guardrail else "experiment-worse",
                f"{one.metric} of {variant} got worse by {one.effect:+.4g} "
                f"[{one.low:.4g}, {one.high:.4g}], and it must not; keep {control}",
            )
    if not anyway.strip() and not any(
        is_better(one) for one in _primary_of(definition, shown, variant)
    ):
        raise NotAllowed(
            "experiment-no-effect",
            f"{definition.primary} of {variant} is not told from that of {control}; keep "
            f"{control}, or say why {variant} is adopted anyway",
        )


BETTER_WHEN_LESS = frozenset({"refunds"})
"""Metrics that get worse by rising."""


def is_worse(finding: Finding) -> bool:
    """Tell whether a metric got worse, beyond chance."""
    return finding.is_claim and not is_better(finding)


def is_better(finding: Finding) -> bool:
    """Tell whether a metric got better, beyond chance.

    Args:
        finding: What the readout says of the metric and a variant.

    Returns:
        True when it is told from control and changed the good way.

    Example:
        >>> fewer = Finding("refunds", "new", 2.0, 1.0, -1.0, -1.5, -0.5, 0.01, 0.01, True, False)
        >>> is_better(fewer), is_worse(fewer)
        (True, False)
    """
    rises = finding.effect > 0
    return finding.is_claim and rises != (finding.metric in BETTER_WHEN_LESS)


def conclusion_from(
    definition: Definition,
    shown: Shown,
    decision: Decision,
    variant: str,
    *,
    says: str,
    actor: str,
    at: str,
    anyway: str = "",
) -> Conclusion:
    """Put a conclusion together, as `require_conclusion` lets it."""
    used = require_conclusion(definition, shown, decision, variant, says=says, anyway=anyway)
    others = list(definition.design)[1:]
    if decision is Decision.ADOPT:
        is_claim = any(is_better(one) for one in _primary_of(definition, shown, used))
    else:
        is_claim = any(
            one.is_claim for other in others for one in _primary_of(definition, shown, other)
        )
    return Conclusion(
        definition.id,
        definition.name,
        definition.hypothesis,
        decision,
        used,
        says.strip(),
        is_claim,
        shown.counts,
        shown.findings,
        shown.refusals,
        actor,
        at,
        "" if is_claim or decision is not Decision.ADOPT else anyway.strip(),
    )
