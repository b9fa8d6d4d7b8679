"""Whether the words around one place make it permitted; words elsewhere never do."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date

from regulars.govern.copycheck.findings import Considered
from regulars.govern.copycheck.matching import Hit, clause
from regulars.govern.copycheck.rulebook.records import Exemption, Rule
from regulars.govern.copycheck.text.normalise import HARD

NEAR = 40
"""How far around a place an exemption may reach."""

_ELSEWHERE = 2000


def holding(hit: Hit, text: str, *, as_of: date) -> Considered | None:
    """Give the exemption that covers a place.

    Args:
        hit: The place.
        text: The whole text in normal form.
        as_of: The day asked about; an exemption counts from the day of what allows it.

    Returns:
        What held; None when none does.
    """
    for one in hit.rule.exemptions:
        if one.effective_from <= as_of and (words := _over(one, hit, text)):
            return Considered(one.exemption_id, one.basis, True, f"covers the place: {words}")
    return None


def refused(rule: Rule, text: str, *, as_of: date) -> tuple[Considered, ...]:
    """Say for the findings of a rule why no exemption of it held.

    Returns:
        The exemptions whose words stand elsewhere in the text or came into force later; one
        line for all the others.
    """
    found: list[Considered] = []
    rest: list[str] = []
    for one in rule.exemptions:
        if one.effective_from > as_of:
            found.append(_not(one, f"may be relied on from {one.effective_from} only"))
        elif match := one.pattern.search(text, 0, _ELSEWHERE):
            found.append(_not(one, f"{match.group()!r} does not cover this place"))
        else:
            rest.append(one.exemption_id)
    if rest:
        names = ", ".join(rest)
        found.append(Considered("others", "", False, f"nothing of it stands here: {names}"))
    return tuple(found)


def is_cited(hit: Hit, text: str, *, starts: Sequence[int]) -> bool:
    """Whether all the rule wants cited stands in the clause of a place or next to it.

    Args:
        hit: The place.
        text: The whole text in normal form.
        starts: Where every place of the rule starts, in order; a citation behind another place
            is that one's.

    Returns:
        True when a person can compare the claim with what it cites.
    """
    if not hit.rule.cited_by:
        return False
    low, high = clause(text, hit.start, hit.end)
    near = [text[low:high], text[slice(*_clause_after(text, high))]]
    before = _clause_before(text, low)
    earlier = _clause_before(text, before[0])
    if bisect_left(starts, earlier[0]) == bisect_left(starts, low):
        near.append(text[slice(*before)])
    return all(any(wanted.search(part) for part in near) for wanted in hit.rule.cited_by)


def _clause_before(text: str, end: int) -> tuple[int, int]:
    while end > 0 and text[end - 1] in HARD:
        end -= 1
    return clause(text, end, end)


def _clause_after(text: str, start: int) -> tuple[int, int]:
    while start < len(text) and text[start] in HARD:
        start += 1
    return clause(text, start, start)


def _over(one: Exemption, hit: Hit, text: str) -> str:
    """Words of the text the exemption matches over the whole place; "" when there are none."""
    for match in _matches(one, text, max(0, hit.start - NEAR), hit.start, hit.end + NEAR):
        if match.start() <= hit.start and hit.end <= match.end():
            return match.group()
    return ""


def _matches(one: Exemption, text: str, low: int, last: int, high: int) -> Iterator[re.Match[str]]:
    place = low
    while place <= last:
        match = one.pattern.search(text, place, high)
        if match is None or match.start() > last:
            return
        yield match
        place = match.start() + 1


def _not(one: Exemption, why: str) -> Considered:
    return Considered(one.exemption_id, one.basis, False, why)
