"""The templates of this package, read from their files."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from regulars.errors import UnknownName

NAMES = (
    "welcome",
    "birthday",
    "points-expiring",
    "abandoned-cart",
    "win-back",
    "replenishment",
    "price-drop",
    "survey",
)
"""Templates in the order they are shown."""


class Takes(StrEnum):
    """Whether a template carries an offer."""

    NONE = "none"
    OPTIONAL = "optional"
    NEEDED = "needed"


@dataclass(frozen=True)
class Need:
    """Something a template rests on.

    Attributes:
        kind: event, field, profiles, points or survey.
        name: Event, field of customers or profiles, or survey.
        words: What it is for, by language: zh and en.
        is_optional: True when the journey works without it.
    """

    kind: str
    name: str
    words: Mapping[str, str]
    is_optional: bool = False


@dataclass(frozen=True)
class Draft:
    """What one message says, for every channel.

    Attributes:
        subject: Subject by language; channels without subjects leave it out.
        text: Text by language, with Liquid.
        survey: Survey it leads to; "" for none.
    """

    subject: Mapping[str, str]
    text: Mapping[str, str]
    survey: str = ""


@dataclass(frozen=True)
class Template:
    """A journey ready to use.

    Attributes:
        name: Its name; also the id of the journey it becomes.
        title: What people call it, by language.
        about: What it does, in plain words, by language.
        takes: Whether it carries an offer.
        needs: What it rests on.
        journey: The journey as a file says it, except that messages name drafts.
        drafts: What its messages say.
    """

    name: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    takes: Takes
    needs: tuple[Need, ...]
    journey: Mapping[str, Any]
    drafts: Mapping[str, Draft]


def list_templates() -> list[Template]:
    """Give every template, in the order they are shown.

    Returns:
        The templates.

    Example:
        >>> [one.name for one in list_templates()][:2]
        ['welcome', 'birthday']
    """
    return [_read(name) for name in NAMES]


def find_template(name: str) -> Template:
    """Give one template.

    Args:
        name: Its name.

    Returns:
        The template.

    Raises:
        UnknownName: There is no such template.

    Example:
        >>> find_template("birthday").title["zh"]
        '生日礼券'
    """
    if name not in NAMES:
        raise UnknownName("template", name, NAMES)
    return _read(name)


@cache
def _read(name: str) -> Template:
    place = files(__package__).joinpath("packaged", f"{name}.toml")
    given = tomllib.loads(place.read_text(encoding="utf-8"))
    return Template(
        name,
        _words(given),
        _words(given, "about_"),
        Takes(given["offer"]),
        tuple(
            Need(one["kind"], one["name"], _words(one), one.get("is_optional", False))
            for one in given["needs"]
        ),
        given["journey"],
        {
            draft: Draft(_words(one, "subject_"), _words(one, "text_"), one.get("survey", ""))
            for draft, one in given["drafts"].items()
        },
    )


def _words(given: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    return {language: given[prefix + language] for language in ("zh", "en")}
