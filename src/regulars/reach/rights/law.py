"""What the law says of requests, as dated data: by when to answer, and what may be kept."""

import calendar
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from regulars.errors import InputError, UnknownName


@dataclass(frozen=True)
class Clock:
    """How soon a request must be answered.

    Attributes:
        law: "cn" or "eu".
        days: How many.
        counts: "days" or "months".
        article: Where it says so.
        note: How it is counted here.
        effective_from: First day it counts.
    """

    law: str
    days: int
    counts: str
    article: str
    note: str
    effective_from: date

    def due_on(self, asked_on: date) -> date:
        """Give the last day to answer on."""
        if self.counts == "days":
            return asked_on + timedelta(days=self.days)
        month = asked_on.month - 1 + self.days
        year, month = asked_on.year + month // 12, month % 12 + 1
        return date(year, month, min(asked_on.day, calendar.monthrange(year, month)[1]))


@dataclass(frozen=True)
class Kept:
    """Why rows are kept when a customer is erased.

    Attributes:
        name: What tables call it by.
        article: Where it is allowed, or asked for.
        why: Why, in English.
        why_zh: Why, in Chinese.
        effective_from: First day it may be relied on.
    """

    name: str
    article: str
    why: str
    why_zh: str
    effective_from: date


@dataclass(frozen=True)
class Law:
    """Everything `law.toml` says.

    Attributes:
        clocks: How soon to answer.
        article_by_kind: The right a kind of request rests on.
        kept_by_name: Why rows may be kept.
    """

    clocks: tuple[Clock, ...]
    article_by_kind: Mapping[str, str]
    kept_by_name: Mapping[str, Kept]


@cache
def read_law() -> Law:
    """Read what the package ships: law.toml.

    Returns:
        Clocks, rights and reasons.

    Example:
        >>> sorted(read_law().kept_by_name)
        ['audit', 'consent', 'refusal', 'request']
    """
    given = tomllib.loads(files(__package__).joinpath("law.toml").read_text(encoding="utf-8"))
    return Law(
        tuple(Clock(**one) for one in given["clocks"]),
        {one["kind"]: one["article"] for one in given["rights"]},
        {one["name"]: Kept(**one) for one in given["kept"]},
    )


def answer_by(law: str, asked_on: date) -> tuple[date, Clock]:
    """Tell by when a request must be answered: the strictest rule in force that day.

    Args:
        law: "cn" or "eu".
        asked_on: The day it came, in the retailer's zone.

    Returns:
        The last day, and the rule that says so.

    Raises:
        UnknownName: There is no such law.
        InputError: No rule of it was in force that day.

    Source:
        `law.toml`; of several rules the strictest is ours, because it keeps all of them.

    Example:
        >>> answer_by("cn", date(2026, 11, 30))[0].isoformat()
        '2026-12-15'
        >>> answer_by("eu", date(2026, 1, 31))[0].isoformat()
        '2026-02-28'
    """
    own = [clock for clock in read_law().clocks if clock.law == law]
    if not own:
        raise UnknownName("law", law, sorted({clock.law for clock in read_law().clocks}))
    in_force = [clock for clock in own if clock.effective_from <= asked_on]
    if not in_force:
        raise InputError(f"no rule of {law} was in force on {asked_on}; give a later day")
    clock = min(in_force, key=lambda one: one.due_on(asked_on))
    return clock.due_on(asked_on), clock
