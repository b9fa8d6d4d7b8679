"""A human decision about one finding, and when it may be used again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from regulars.govern.copycheck.findings import Considered, Finding, Severity


class Verdict(StrEnum):
    """What somebody decided."""

    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision; it counts for exactly this and nothing near it.

    Attributes:
        span_text: The words, as they were written.
        product: The product; "" for copy about none.
        evidence_id: Evidence that was on file; "" for none.
        rule: The rule.
        rule_version: Its fingerprint then.
        verdict: allow or refuse.
        reason: Why.
        actor: Who decided.
        decided_at: When, ISO 8601.
    """

    span_text: str
    product: str
    evidence_id: str
    rule: str
    rule_version: str
    verdict: Verdict
    reason: str
    actor: str
    decided_at: str

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What it counts for."""
        return (self.span_text, self.product, self.evidence_id, self.rule, self.rule_version)


def by_key(decisions: Iterable[Decision]) -> dict[tuple[str, ...], Decision]:
    """Give decisions by what they count for."""
    return {one.key: one for one in decisions}


def after_decisions(
    findings: Sequence[Finding], product: str, decisions: Mapping[tuple[str, ...], Decision]
) -> tuple[list[Finding], list[Finding]]:
    """Use decisions on the findings of one copy.

    Args:
        findings: The findings.
        product: Product of the copy.
        decisions: Decisions by key.

    Returns:
        Findings that stand, and those somebody allowed. A refused one blocks.
    """
    standing: list[Finding] = []
    allowed: list[Finding] = []
    for one in findings:
        key = (one.text, product, one.evidence_id, one.rule, one.rule_version)
        said = decisions.get(key) if one.text else None
        if said is None:
            standing.append(one)
            continue
        is_allowed = said.verdict is Verdict.ALLOW
        seen = Considered("decision", f"{said.actor} {said.decided_at}", is_allowed, said.reason)
        marked = replace(one, exemption_considered=(*one.exemption_considered, seen))
        if is_allowed:
            allowed.append(marked)
        else:
            standing.append(replace(marked, severity=Severity.BLOCK))
    return standing, allowed
