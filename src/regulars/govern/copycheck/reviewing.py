"""Review one text: where rules speak, what makes a place permitted, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from regulars.govern.copycheck.evidence import (
    CatalogueName,
    Evidence,
    Proof,
    name_over,
    proof_of,
)
from regulars.govern.copycheck.exemptions import holding, is_cited, refused
from regulars.govern.copycheck.findings import Considered, Copy, Finding, Severity
from regulars.govern.copycheck.matching import Hit, Matcher
from regulars.govern.copycheck.rulebook.loading import rulebook
from regulars.govern.copycheck.rulebook.records import Rule, Rulebook
from regulars.govern.copycheck.text.normalise import View, normalise

_ORDER = [Severity.NOTICE, Severity.REVIEW, Severity.EVIDENCE, Severity.BLOCK]
_WIDER = 8
"""A finding inside another one goes, unless the other is longer than it by more than this."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a review found.

    Attributes:
        findings: What stands, by place.
        lifted: Places a rule speaks about that are permitted, with what permits each.
    """

    findings: tuple[Finding, ...] = ()
    lifted: tuple[Finding, ...] = ()


class Reviewer:
    """Rules in force on one day, ready for any number of texts.

    Args:
        book: The rules.
        as_of: The day; rules not in force on it do not speak.
    """

    def __init__(self, book: Rulebook, as_of: date) -> None:
        """Keep the rules in force and build the automaton."""
        rules = [rule for rule in book.rules if rule.in_force(as_of)]
        self._as_of = as_of
        self._matcher = Matcher(rules)
        self._required = [rule for rule in rules if rule.requires]

    def review(
        self,
        copy: Copy,
        *,
        evidence: Sequence[Evidence] = (),
        names: Sequence[CatalogueName] = (),
    ) -> Outcome:
        """Review one text.

        Args:
            copy: The text with where it goes and what it sells.
            evidence: Evidence on file.
            names: Names of the catalogue.

        Returns:
            What stands and what was lifted.
        """
        view = normalise(copy.text)
        hits = self._matcher.hits(view)
        if not hits and not self._required:
            return Outcome()
        findings: list[Finding] = []
        lifted: list[Finding] = []
        for hit in _outermost([one for one in hits if _applies(one.rule, copy, view)]):
            found, is_lifted = self._judged(copy, view, hit, hits, (evidence, names))
            (lifted if is_lifted else findings).append(found)
        findings += [
            _missing(rule, copy)
            for rule in self._required
            if _asked(rule, copy) and not _is_complete(rule, view)
        ]
        return Outcome(tuple(findings), tuple(lifted))

    def _judged(
        self,
        copy: Copy,
        view: View,
        hit: Hit,
        hits: Sequence[Hit],
        known: tuple[Sequence[Evidence], Sequence[CatalogueName]],
    ) -> tuple[Finding, bool]:
        """Give the finding at a place, and whether it is permitted."""
        evidence, names = known
        rule, place = hit.rule, (hit.start, hit.end)
        held = holding(hit, view.text, as_of=self._as_of)
        if held:
            return _finding(copy, view, hit, rule.severity, (held,)), True
        name = name_over(view, place, names) if names else None
        if name and name.holds:
            return _finding(copy, view, hit, rule.severity, (name,)), True
        proof = (
            proof_of(rule, copy, view, place, evidence=evidence, as_of=self._as_of)
            if evidence
            else Proof()
        )
        if proof.holds:
            return _proven(copy, view, hit, proof)
        considered = (*((name,) if name else ()), *proof.considered)
        considered += refused(hit, view.text, as_of=self._as_of)
        severity = rule.severity
        if proof.is_expired:
            severity = Severity.BLOCK
        elif is_cited(hit, view.text, others=hits):
            severity = Severity.REVIEW
            considered += (_CITED,)
        return _finding(copy, view, hit, severity, considered, proof.evidence_id), False


def _proven(copy: Copy, view: View, hit: Hit, proof: Proof) -> tuple[Finding, bool]:
    """A proven claim is permitted; where its source must be shown and is not, say so."""
    rule, wanted = hit.rule, hit.rule.cited_by[:1]
    found = _finding(copy, view, hit, rule.severity, proof.considered, proof.evidence_id)
    must_show = rule.law.law_id == "advertising_law" and bool(wanted)
    if must_show and not wanted[0].search(view.text):
        return replace(found, severity=Severity.NOTICE), False
    return found, True


_CITED = Considered(
    "cited", "Art. 11, 广告法", True, "source and period are named: a person compares them"
)


@lru_cache(maxsize=8)
def reviewer(as_of: date) -> Reviewer:
    """Give the reviewer of a day over the rules this package ships, built once."""
    return Reviewer(rulebook(), as_of)


def _applies(rule: Rule, copy: Copy, view: View) -> bool:
    if not _asked(rule, copy) or rule.requires:
        return False
    if rule.only_with and not any(one.search(view.text) for one in rule.only_with):
        return False
    return not any(one.search(view.text) for one in rule.satisfied_by)


def _asked(rule: Rule, copy: Copy) -> bool:
    """Whether a rule is for this channel, category, market and kind of text."""
    if rule.when_channels and not (copy.is_marketing and copy.channel in rule.when_channels):
        return False
    if rule.only_categories and copy.category not in rule.only_categories:
        return False
    if copy.category in rule.except_categories:
        return False
    if rule.markets and copy.market not in rule.markets:
        return False
    return copy.is_machine_made or not rule.only_machine_made


def _is_complete(rule: Rule, view: View) -> bool:
    return all(any(one.search(view.text) for one in group) for group in rule.requires)


def _outermost(hits: Sequence[Hit]) -> list[Hit]:
    """Leave out places that lie inside a place at least as grave."""
    kept: list[Hit] = []
    for hit in hits:
        inside = any(
            other is not hit
            and other.start <= hit.start
            and hit.end <= other.end
            and 0 < (other.end - other.start) - (hit.end - hit.start) <= _WIDER
            and _ORDER.index(other.rule.severity) >= _ORDER.index(hit.rule.severity)
            for other in hits
        )
        if not inside:
            kept.append(hit)
    return kept


def _finding(
    copy: Copy,
    view: View,
    hit: Hit,
    severity: Severity,
    considered: tuple[Considered, ...],
    evidence_id: str = "",
) -> Finding:
    start, end = view.span(hit.start, hit.end)
    found = _of_rule(hit.rule)
    return Finding(
        line=copy.line,
        span=(start, end),
        text=copy.text[start:end],
        severity=severity,
        exemption_considered=considered,
        evidence_id=evidence_id,
        **found,
    )


def _missing(rule: Rule, copy: Copy) -> Finding:
    end = len(copy.text)
    return Finding(
        line=copy.line, span=(end, end), text="", severity=rule.severity, **_of_rule(rule)
    )


def _of_rule(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.rule_id,
        "family": rule.family,
        "law": rule.law.title["zh"],
        "article": rule.article,
        "effective_from": rule.effective_from,
        "suggestion": rule.suggestion,
        "rule_version": rule.version,
    }
