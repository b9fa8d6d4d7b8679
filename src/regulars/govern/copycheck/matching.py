"""Find where rules speak: all words at once, patterns only near the words that trigger them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ahocorasick_rs

from regulars.govern.copycheck.rulebook.records import Form, Rule
from regulars.govern.copycheck.text.normalise import HARD, View, normalise
from regulars.govern.copycheck.text.spelling import is_tight, spellings

REACH = 60
"""Most characters of a clause looked at on each side of a trigger."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a rule speaks.

    Attributes:
        rule: The rule.
        start: Where it starts in the view.
        end: Where it ends in the view.
    """

    rule: Rule
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    rule: Rule
    form: Form | None
    is_tight: bool


class Matcher:
    """Rules made ready for matching.

    Args:
        rules: The rules to look for.

    Source: Aho and Corasick (1975), https://doi.org/10.1145/360825.360855.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Build the automaton over every word of every rule."""
        entries: dict[str, list[_Entry]] = defaultdict(list)
        for rule in rules:
            for term in rule.terms:
                entries[term].append(_Entry(rule, None, is_tight(term) and not term.isascii()))
                for other in spellings(term) if rule.is_spelled else ():
                    entries[other].append(_Entry(rule, None, is_tight(other)))
            for form in rule.forms:
                for word in form.when:
                    entries[normalise(word).text].append(_Entry(rule, form, False))
        entries.pop("", None)
        self._entries = list(entries.values())
        self._words = ahocorasick_rs.AhoCorasick(
            list(entries) or ["\0"], matchkind=ahocorasick_rs.MatchKind.Standard
        )

    def hits(self, view: View) -> list[Hit]:
        """Give every place a rule speaks about, overlapping ones of a rule as one.

        Args:
            view: The text in normal form.

        Returns:
            By start; empty for most texts.
        """
        met = self._words.find_matches_as_indexes(view.text, overlapping=True)
        if not met:
            return []
        found: dict[str, list[Hit]] = defaultdict(list)
        tried: set[tuple[int, int, int]] = set()
        rooms: dict[tuple[int, int], tuple[int, int]] = {}
        for word, start, end in met:
            for entry in self._entries[word]:
                if entry.form is None:
                    if _stands(view, start, end, is_tight=entry.is_tight):
                        found[entry.rule.rule_id].append(Hit(entry.rule, start, end))
                    continue
                if entry.form.reach:
                    low = max(0, start - entry.form.reach)
                    high = min(len(view.text), end + entry.form.reach)
                else:
                    if (start, end) not in rooms:
                        rooms[start, end] = clause(view.text, start, end)
                    low, high = rooms[start, end]
                key = (id(entry.form), low, high)
                if key not in tried:
                    tried.add(key)
                    found[entry.rule.rule_id] += _form_hits(entry, view, low, high)
        joined = [hit for hits in found.values() for hit in _joined(hits)]
        return sorted(joined, key=lambda hit: (hit.start, -hit.end, hit.rule.rule_id))


def clause(text: str, start: int, end: int) -> tuple[int, int]:
    """Give the clause around a place: up to the marks that end it.

    Returns:
        Its start and end, at most `REACH` from the place.

    Example:
        >>> clause("买就送,最好吃,快来", 4, 6)
        (4, 7)
    """
    low, high = start, end
    while low > 0 and start - low < REACH and text[low - 1] not in HARD:
        low -= 1
    while high < len(text) and high - end < REACH and text[high] not in HARD:
        high += 1
    return low, high


def _form_hits(entry: _Entry, view: View, low: int, high: int) -> Iterator[Hit]:
    assert entry.form is not None
    for match in entry.form.pattern.finditer(view.text, low, high):
        start, end = _whole_numbers(view.text, match.start(), match.end())
        if end > start and _stands(view, start, end):
            yield Hit(entry.rule, start, end)


def _whole_numbers(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a match that ends within a number to all of its digits."""
    if start < end and text[end - 1].isdigit():
        while end < len(text) and text[end].isdigit():
            end += 1
    if start < end and text[start].isdigit():
        while start > 0 and text[start - 1].isdigit():
            start -= 1
    return start, end


def _stands(view: View, start: int, end: int, *, is_tight: bool = False) -> bool:
    """Whether letters and digits at the ends of a place are whole words and numbers there."""
    text, original = view.text, view.original
    first, last = text[start], text[end - 1]
    before = original[view.starts[start] - 1 : view.starts[start]]
    after = original[view.ends[end - 1] : view.ends[end - 1] + 1]
    if first.isascii() and _joined_up(before, first):
        return False
    if last.isascii() and _joined_up(after, last):
        return False
    if is_tight:
        places = view.starts[start:end]
        if any(b - a > 1 for a, b in zip(places, places[1:], strict=False)):
            return False
        earlier = original[: view.starts[start]].rstrip(" ")[-1:]
        if first.isascii() and before == " " and earlier.isascii() and earlier.isalpha():
            return False
    return True


def _joined_up(neighbour: str, letter: str) -> bool:
    if not neighbour or not neighbour.isascii():
        plain = normalise(neighbour).text if neighbour else ""
        neighbour = plain[:1] if plain.isascii() else ""
    if letter.isdigit():
        return neighbour.isdigit()
    return letter.isalpha() and neighbour.isalpha()


def _joined(hits: list[Hit]) -> list[Hit]:
    found: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        if found and hit.start < found[-1].end:
            if hit.end > found[-1].end:
                found[-1] = Hit(hit.rule, found[-1].start, hit.end)
        else:
            found.append(hit)
    return found
