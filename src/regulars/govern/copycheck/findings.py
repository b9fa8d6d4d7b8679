"""What is reviewed and what a review says of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How a finding is to be taken."""

    BLOCK = "block"
    EVIDENCE = "evidence"
    REVIEW = "review"
    NOTICE = "notice"

    @property
    def blocks(self) -> bool:
        """Whether a message with it must not go out as it is."""
        return self in {Severity.BLOCK, Severity.EVIDENCE}


@dataclass(frozen=True, slots=True)
class Copy:
    """One text as a customer would read it, after everything was filled in.

    Attributes:
        text: The rendered text.
        line: Which one it is, for whoever reads the findings.
        channel: sms, email...; what a channel must carry is only asked for where it is named.
        category: What is sold: health_food, medical_device, otc, drug...; "" for not known.
        product: Product id; a human decision is used again for the same one only.
        market: Whose law: "cn", "eu"...
        is_marketing: False for order and service messages.
        is_machine_made: True when a machine wrote it.
    """

    text: str
    line: int = 1
    channel: str = ""
    category: str = ""
    product: str = ""
    market: str = "cn"
    is_marketing: bool = True
    is_machine_made: bool = False


@dataclass(frozen=True, slots=True)
class Considered:
    """An exemption that was looked at for a finding.

    Attributes:
        exemption: Its id in the rule, or the kind of evidence.
        basis: What allows it: article of the guideline, name in the catalogue...
        holds: Whether it held.
        why: Why it did or did not.
    """

    exemption: str
    basis: str
    holds: bool
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a text that a rule speaks about.

    Attributes:
        line: The copy it is in.
        span: Start and end in the original text; both at its end when something is missing.
        text: The original text there, as it was written.
        rule: Id of the rule.
        family: Its family.
        law: The law, by its name.
        article: Article of the law.
        effective_from: Since when the rule is in force.
        severity: How it is to be taken.
        exemption_considered: Exemptions looked at; empty when the rule has none for this place.
        evidence_id: Evidence that was looked at; "" for none.
        suggestion: What to write instead, or what to add, in Chinese and English.
        rule_version: Fingerprint of the rule; a changed rule asks people again.
    """

    line: int
    span: tuple[int, int]
    text: str
    rule: str
    family: str
    law: str
    article: str
    effective_from: date
    severity: Severity
    exemption_considered: tuple[Considered, ...] = ()
    evidence_id: str = ""
    suggestion: Mapping[str, str] = field(default_factory=dict)
    rule_version: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, in this order."""
        return asdict(self) | {
            "span": list(self.span),
            "effective_from": self.effective_from.isoformat(),
            "severity": self.severity.value,
            "exemption_considered": [asdict(one) for one in self.exemption_considered],
            "suggestion": dict(self.suggestion),
        }
