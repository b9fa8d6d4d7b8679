"""Review one text: where rules speak, what makes a place permitted, what is missing."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
        rules = {hit.rule.rule_id: hit.rule for hit in hits}
        speaking = {name for name, rule in rules.items() if _applies(rule, copy, view)}
        reading = _Reading(copy, view, tuple(evidence), tuple(names), self._as_of)
        for hit in hits:
            reading.starts[hit.rule.rule_id].append(hit.start)
        findings: list[Finding] = []
        lifted: list[Finding] = []
        for hit in _outermost([one for one in hits if one.rule.rule_id in speaking]):
            found, is_lifted = _judged(reading, hit)
            (lifted if is_lifted else findings).append(found)
        findings += [
            _missing(rule, copy)
            for rule in self._required
            if _asked(rule, copy) and not _is_complete(rule, view)
        ]
        return Outcome(tuple(findings), tuple(lifted))


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text being reviewed, with what is known and what was worked out once per rule."""

    copy: Copy
    view: View
    evidence: tuple[Evidence, ...]
    names: tuple[CatalogueName, ...]
    as_of: date
    starts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    refusals: dict[str, tuple[Considered, ...]] = field(default_factory=dict)

    def refused(self, rule: Rule) -> tuple[Considered, ...]:
        """Why no exemption of a rule holds; the same for all its places."""
        if rule.rule_id not in self.refusals:
            self.refusals[rule.rule_id] = refused(rule, self.view.text, as_of=self.as_of)
        return self.refusals[rule.rule_id]


def _judged(reading: _Reading, hit: Hit) -> tuple[Finding, bool]:
    """Give the finding at a place, and whether it is permitted."""
    copy, view, rule = reading.copy, reading.view, hit.rule
    place, as_of = (hit.start, hit.end), reading.as_of
    held = holding(hit, view.text, as_of=as_of)
    if held:
        return _finding(copy, view, hit, rule.severity, (held,)), True
    name = name_over(view, place, reading.names)
    if name and name.holds:
        return _finding(copy, view, hit, rule.severity, (name,)), True
    proof = proof_of(rule, copy, view, place, evidence=reading.evidence, as_of=as_of)
    if proof.holds:
        return _proven(copy, view, hit, proof)
    considered = (*((name,) if name else ()), *proof.considered, *reading.refused(rule))
    severity = rule.severity
    if proof.is_expired:
        severity = Severity.BLOCK
    elif is_cited(hit, view.text, starts=reading.starts[rule.rule_id]):
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
    """Leave out places that lie inside a place at least as grave; `hits` come by start."""
    starts = [hit.start for hit in hits]
    kept: list[Hit] = []
    for hit in hits:
        near = hits[bisect_left(starts, hit.start - _WIDER) : bisect_right(starts, hit.start)]
        if not any(_is_around(other, hit) for other in near):
            kept.append(hit)
    return kept


def _is_around(other: Hit, hit: Hit) -> bool:
    longer = (other.end - other.start) - (hit.end - hit.start)
    return (
        0 < longer <= _WIDER
        and other.start <= hit.start
        and hit.end <= other.end
        and _ORDER.index(other.rule.severity) >= _ORDER.index(hit.rule.severity)
    )


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
