"""What consent can be asked for: purposes and topics as data, in both languages."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from regulars.errors import InputError, UnknownName

FILE = "consent.toml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAMED = re.compile(r"[\w.-]{1,60}")

_Kind = TypeVar("_Kind", "Purpose", "Topic")


@dataclass(frozen=True)
class Purpose:
    """One purpose personal data is used for.

    Attributes:
        name: Its name; one with `names` is said with a second part: "share:acme".
        zh: What customers read, in Chinese.
        en: The same in English.
        gives_zh: What the customer gets in return, in Chinese.
        gives_en: The same in English.
        taxonomy: Data use of the Fides taxonomy it falls under.
        by_channel: True when each channel is allowed by itself; the taxonomy's data use then
            ends with the channel.
        is_optional: False for what an order cannot do without; nobody can withdraw it.
        is_separate: True when the law asks for a consent of its own (PIPL Art. 23, 29, 39).
        names: What the second part of its name says: "partner"; "" for none.
    """

    name: str
    zh: str
    en: str
    gives_zh: str = ""
    gives_en: str = ""
    taxonomy: str = ""
    by_channel: bool = False
    is_optional: bool = True
    is_separate: bool = False
    names: str = ""


@dataclass(frozen=True)
class Topic:
    """What marketing messages can be about.

    Attributes:
        name: Its name, as contents carry it.
        zh: What customers read, in Chinese.
        en: The same in English.
        gives_zh: What the customer gets, in Chinese.
        gives_en: The same in English.
    """

    name: str
    zh: str
    en: str
    gives_zh: str = ""
    gives_en: str = ""


@dataclass(frozen=True)
class Declared:
    """The purposes and topics of one workspace.

    Attributes:
        purposes: By name.
        topics: By name, in the order they are shown.
    """

    purposes: Mapping[str, Purpose]
    topics: Mapping[str, Topic]

    def purpose(self, name: str) -> Purpose:
        """Find a purpose, also one said with a second part.

        Returns:
            The purpose.

        Raises:
            UnknownName: There is none of this name.
            InputError: Its second part is missing, or is one too many.

        Example:
            >>> found = read_declared()
            >>> found.purpose("marketing").by_channel, found.purpose("share:acme").is_separate
            (True, True)
        """
        head, colon, second = name.partition(":")
        if head not in self.purposes:
            raise UnknownName("purpose", head, self.purposes)
        found = self.purposes[head]
        if bool(found.names) != bool(colon):
            wanted = f"{head}:{found.names.upper()}" if found.names else head
            raise InputError(f"purpose is {name!r}, must be written {wanted}")
        if colon and not _NAMED.fullmatch(second):
            raise InputError(
                f"purpose is {name!r}, the part after : must be 1 to 60 letters, digits, . or -"
            )
        return found


def read_declared(folder: Path | None = None) -> Declared:
    """Read what the package declares and what the workspace says instead of it.

    Args:
        folder: The workspace folder, whose `consent.toml` changes or adds purposes and topics;
            None for the package's own.

    Returns:
        Purposes and topics.

    Raises:
        InputError: The workspace's file cannot be used.

    Example:
        >>> list(read_declared().topics)
        ['offers', 'news', 'membership', 'events', 'surveys']
    """
    given = _shipped()
    path = folder / FILE if folder else None
    own: dict[str, Any] = {}
    if path is not None and path.is_file():
        try:
            own = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read: {error}; mend it") from error
    where = str(path) if path else "declared.toml"
    unknown = set(own) - {"purposes", "topics", "hide_topics"}
    if unknown:
        raise InputError(f"{where} says {sorted(unknown)[0]}; it may say purposes, topics")
    hidden = set(own.get("hide_topics", ()))
    topics = _merged(given["topics"], own.get("topics", {}))
    return Declared(
        _each(Purpose, _merged(given["purposes"], own.get("purposes", {})), where),
        _each(Topic, {n: part for n, part in topics.items() if n not in hidden}, where),
    )


@cache
def _shipped() -> dict[str, Any]:
    text = files(__package__).joinpath("declared.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _merged(given: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: dict(given.get(name, {})) | dict(own.get(name, {}))
        for name in (*given, *(n for n in own if n not in given))
    }


def _each(kind: type[_Kind], parts: Mapping[str, dict[str, Any]], where: str) -> dict[str, _Kind]:
    known = {field.name for field in fields(kind)}
    found = {}
    for name, part in parts.items():
        wrong = sorted(set(part) - known)
        if wrong or not NAME.fullmatch(name) or not {"zh", "en"} <= set(part):
            raise InputError(
                f"{where}: {name} says {wrong or sorted(part)}, must have a name in lower case, "
                f"zh and en, and may say {', '.join(sorted(known - {'name'}))}"
            )
        found[name] = kind(name=name, **part)
    return found
