"""The 15 static tags: where an event says each, and which saying survives."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from regulars.govern.masking import mask_name

MOST_LETTERS = 200
AGE_BANDS = (18, 25, 35, 45, 55, 65)

_TOKEN = re.compile(r"tok_[a-z]+_[0-9a-f]{32}")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")


@dataclass(frozen=True)
class StaticTag:
    """One static tag of a profile.

    Attributes:
        name: Its name; a column of `profiles` too, but for the name of the customer.
        paths: Where an event may say it, the first that says something counts.
        keeps: "latest": the newest saying that is not empty survives; "earliest": the first.
        finish: What is shown for what was said, as of a day; None shows nothing.
    """

    name: str
    paths: tuple[str, ...]
    keeps: str = "latest"
    finish: Callable[[str, date], str | None] = lambda said, as_of: said


def age_group(said: str, as_of: date) -> str | None:
    """Give the age band of an age, a birthday, or a band as it was given.

    Args:
        said: "34", "1990-05-04" or "35-44".
        as_of: Day the age is told for.

    Returns:
        The band; anything unreadable stays as given; None for an age nobody has.

    Example:
        >>> said = "34", "1990-05-04", "65+", "1826-01-01"
        >>> [age_group(text, date(2026, 5, 3)) for text in said]
        ['25-34', '35-44', '65+', None]
    """
    born = _DAY.fullmatch(said)
    if born:
        year, month, day = map(int, born.groups())
        age = as_of.year - year - ((as_of.month, as_of.day) < (month, day))
    elif said.isascii() and said.isdigit() and len(said) <= 3:
        age = int(said)
    else:
        return said
    if not 0 <= age <= 120:
        return None
    for low, high in pairwise((0, *AGE_BANDS)):
        if age < high:
            return f"{low}-{high - 1}"
    return f"{AGE_BANDS[-1]}+"


def masked(said: str, _as_of: date) -> str:
    """Cover a name; of a token nothing can be shown."""
    return "***" if _TOKEN.fullmatch(said) else mask_name(said)


def day_only(said: str, _as_of: date) -> str | None:
    """Keep the day of a date or a moment.

    Returns:
        The day as YYYY-MM-DD; None for what is no date.

    Example:
        >>> day_only("2025-03-01T08:00:00Z", date(2026, 1, 1)), day_only("soon", date(2026, 1, 1))
        ('2025-03-01', None)
    """
    found = _DAY.fullmatch(said)
    try:
        return date(*map(int, found.groups())).isoformat() if found else None
    except ValueError:
        return None


def _traits(*names: str) -> tuple[str, ...]:
    return tuple(f"{place}.{name}" for place in ("traits", "context.traits") for name in names)


STATIC_TAGS: tuple[StaticTag, ...] = (
    StaticTag("name", _traits("name", "firstName"), finish=masked),
    StaticTag("gender", _traits("gender")),
    StaticTag("age_group", _traits("age_group", "ageGroup", "birthday", "age"), finish=age_group),
    StaticTag("city", _traits("city", "address.city")),
    StaticTag("province", _traits("province", "address.state")),
    StaticTag("member_level", _traits("member_level", "memberLevel", "plan")),
    StaticTag("joined_on", _traits("joined_on", "createdAt"), finish=day_only),
    StaticTag("language", (*_traits("language"), "context.locale")),
    StaticTag("marital_status", _traits("marital_status", "maritalStatus")),
    StaticTag("household_size", _traits("household_size", "householdSize")),
    StaticTag("kids_count", _traits("kids_count", "kidsCount")),
    StaticTag("home_ownership", _traits("home_ownership", "homeOwnership")),
    StaticTag("income_group", _traits("income_group", "incomeGroup")),
    StaticTag("device_platform", ("context.device.type", "context.os.name")),
    StaticTag(
        "acquisition_source", ("context.campaign.source", "context.referrer.type"), "earliest"
    ),
)
PATHS: tuple[str, ...] = tuple(path for tag in STATIC_TAGS for path in tag.paths)
TEXT_TYPES = frozenset({"VARCHAR", "UBIGINT", "BIGINT"})
"""JSON types a tag is read from: text, and whole numbers as text."""


def finished(said: Iterable[tuple[str, str | None]], as_of: date) -> dict[str, str]:
    """Finish what was said of one customer.

    Args:
        said: Tag and what survived of it.
        as_of: Day looked from.

    Returns:
        What is shown by tag, in the order of `STATIC_TAGS`; tags nothing is known of are left out.
    """
    by_name = dict(said)
    shown = {}
    for tag in STATIC_TAGS:
        text = by_name.get(tag.name)
        value = tag.finish(text, as_of) if text else None
        if value:
            shown[tag.name] = value
    return shown


def columns() -> tuple[str, ...]:
    """Name the static tags that are columns of `profiles`: all but the customer's name."""
    return tuple(tag.name for tag in STATIC_TAGS if tag.name not in {"name", "joined_on"})
