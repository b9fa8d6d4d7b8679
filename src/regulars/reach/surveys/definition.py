"""A survey: one question as data, in every language it is asked in."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from regulars.errors import InputError

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MOST_LETTERS = 300
MOST_HOURS = 24 * 31


class Kind(StrEnum):
    """What is asked: would they recommend us (0 to 10), are they satisfied (1 to 5)."""

    NPS = "nps"
    CSAT = "csat"


SCORES = {Kind.NPS: range(11), Kind.CSAT: range(1, 6)}
"""Scores that can be given, by kind."""

GROUPS = {
    Kind.NPS: {"detractor": range(7), "passive": range(7, 9), "promoter": range(9, 11)},
    Kind.CSAT: {"dissatisfied": range(1, 3), "neutral": range(3, 4), "satisfied": range(4, 6)},
}
"""Groups of customers by what they answered, by kind."""


@dataclass(frozen=True)
class Words:
    """What a survey says in one language; empty parts have words of their own.

    Attributes:
        question: What is asked.
        comment: What is asked beside the score.
        thanks: What is said afterwards.
    """

    question: str = ""
    comment: str = ""
    thanks: str = ""


@dataclass(frozen=True)
class Survey:
    """One version of a survey.

    Attributes:
        id: 1 to 64 lower-case letters, digits, dots and dashes.
        kind: What is asked.
        words: What it says, by locale.
        service_below: A score below it opens a task for customer service; 0 for none.
        window_hours: Hours after the first answer in which another one replaces it.
        tags: Tag given to a customer by group of answers, such as promoter.
        closes_at: Moment after which nobody may answer, ISO 8601; "" for no end.
        version: 1 for the first; 0 before it is kept.
    """

    id: str
    kind: Kind
    words: Mapping[str, Words] = field(default_factory=dict)
    service_below: int = 0
    window_hours: int = 24
    tags: Mapping[str, str] = field(default_factory=dict)
    closes_at: str = ""
    version: int = 0

    def group(self, score: int) -> str:
        """Give the group a score belongs to.

        Returns:
            Such as "promoter".

        Example:
            >>> Survey("a", Kind.NPS).group(9), Survey("b", Kind.CSAT).group(2)
            ('promoter', 'dissatisfied')
        """
        return next(name for name, scores in GROUPS[self.kind].items() if score in scores)


def survey_from(given: Mapping[str, Any], where: str) -> Survey:
    """Read a survey from what TOML or JSON held.

    Args:
        given: id, kind, service_below, window_hours, closes_at, tags and locales.
        where: What it is, for messages.

    Returns:
        The survey, checked.

    Raises:
        InputError: A part cannot be used; the message says which and what is wanted.

    Example:
        >>> survey_from({"id": "nps-2026", "kind": "nps", "service_below": 7}, "a").window_hours
        24
    """
    known = {"id", "kind", "service_below", "window_hours", "tags", "closes_at", "locales"}
    odd = sorted(set(given) - known)
    if odd:
        raise InputError(f"{where} has {odd[0]!r}; known: {', '.join(sorted(known))}")
    name, kind = given.get("id"), given.get("kind")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise InputError(
            f"{where}: id is {name!r}, must be 1 to 64 lower-case letters, digits, . _ or -"
        )
    if kind not in list(Kind):
        raise InputError(f"{where}: kind is {kind!r}, must be nps or csat")
    words = {
        locale: _words(part, f"{where}: {locale}")
        for locale, part in _mapping(given.get("locales", {}), f"{where}: locales").items()
    }
    tags = _mapping(given.get("tags", {}), f"{where}: tags")
    for group, tag in tags.items():
        if group not in GROUPS[Kind(kind)] or not isinstance(tag, str):
            raise InputError(
                f"{where}: tags has {group!r} = {tag!r}; give the name of a tag for "
                f"{', '.join(GROUPS[Kind(kind)])}"
            )
    return Survey(
        name,
        Kind(kind),
        words,
        _whole(given, "service_below", 0, (0, 11), where),
        _whole(given, "window_hours", 24, (1, MOST_HOURS), where),
        dict(tags),
        str(given.get("closes_at", "")),
    )


def read_survey(path: Path) -> Survey:
    """Read a survey from a TOML file.

    Returns:
        The survey, checked.

    Raises:
        InputError: The file cannot be read, or a part of it cannot be used.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable TOML: {error}; mend the line it names") from error
    return survey_from(given, str(path))


def _words(given: Any, where: str) -> Words:
    part = _mapping(given, where)
    odd = sorted(set(part) - {"question", "comment", "thanks"})
    if odd:
        raise InputError(f"{where} has {odd[0]!r}; known: comment, question, thanks")
    for name, text in part.items():
        if not isinstance(text, str) or len(text) > MOST_LETTERS:
            raise InputError(f"{where}: {name} must be a text of at most {MOST_LETTERS} letters")
    return Words(**part)


def _whole(
    given: Mapping[str, Any], name: str, usual: int, within: tuple[int, int], where: str
) -> int:
    value = given.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not within[0] <= value <= within[1]:
        raise InputError(
            f"{where}: {name} is {value!r}, must be a whole number from {within[0]} to {within[1]}"
        )
    return value


def _mapping(given: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InputError(f"{where} is {given!r}, must be a table")
    return given
