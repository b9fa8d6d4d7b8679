"""A notice as data: its version, its words in both languages, the purposes it is about."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError

_VERSION = re.compile(r"[A-Za-z0-9][\w.-]{0,39}")
_FIELDS = {"version", "effective_from", "purposes", "asks_again", "zh", "en"}


@dataclass(frozen=True)
class Notice:
    """One version of what customers are told.

    Attributes:
        version: Its name, as words of consent carry it.
        effective_from: First moment it is shown, aware.
        purposes: Purposes it tells of.
        zh: The text in Chinese.
        en: The same in English.
        asks_again: Purposes that mean something else than before: grants resting on an earlier
            notice hold no longer. None: every purpose an earlier notice told of already.
    """

    version: str
    effective_from: datetime
    purposes: tuple[str, ...]
    zh: str
    en: str
    asks_again: tuple[str, ...] | None = None

    @property
    def stamp(self) -> str:
        """The moment as it is kept."""
        return self.effective_from.astimezone(UTC).isoformat(timespec="microseconds")

    @property
    def text_hash(self) -> str:
        """SHA-256 of both texts."""
        return hashlib.sha256(f"{self.zh}\0{self.en}".encode()).hexdigest()


def read_notice(given: str | Mapping[str, Any]) -> Notice:
    r"""Read a notice.

    Args:
        given: TOML text, or the same as a mapping: version, effective_from, purposes, zh, en;
            asks_again when wanted.

    Returns:
        The notice.

    Raises:
        InputError: It is none.

    Example:
        >>> text = 'version = "1"\neffective_from = 2026-03-01T00:00:00+08:00\n'
        >>> text += 'purposes = ["marketing"]\nzh = "..."\nen = "..."'
        >>> read_notice(text).purposes
        ('marketing',)
    """
    parts = dict(given) if isinstance(given, Mapping) else _parsed(given)
    if wrong := sorted(set(parts) - _FIELDS):
        raise InputError(f"the notice says {wrong[0]}; it may say {', '.join(sorted(_FIELDS))}")
    if missing := sorted(_FIELDS - {"asks_again"} - set(parts)):
        raise InputError(f"the notice lacks {missing[0]}; add it")
    if not _VERSION.fullmatch(str(parts["version"])):
        raise InputError(f"version is {parts['version']!r}, must be 1 to 40 letters or digits")
    zh, en = (str(parts[name]).strip() for name in ("zh", "en"))
    if not zh or not en:
        raise InputError("a notice needs its text in both languages: zh and en")
    asked = parts.get("asks_again")
    return Notice(
        str(parts["version"]),
        _moment(parts["effective_from"]),
        _names(parts["purposes"], "purposes"),
        zh,
        en,
        asks_again=None if asked is None else _names(asked, "asks_again"),
    )


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise InputError(f"the notice is no TOML: {error}; mend it") from error


def _names(given: Any, name: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InputError(f"{name} is {given!r}, must be a list of names")
    return tuple(given)


def _moment(given: Any) -> datetime:
    try:
        found = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(
            f"effective_from is {given}, must be a moment with its zone, such as "
            "2026-03-01T00:00:00+08:00"
        )
    return found
