"""Reading a programme: TOML to records, every part checked, the law of draws asked."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from regulars.errors import InputError, NotAllowed
from regulars.reach.loyalty.ledger.records import Policy, Shortfall
from regulars.reach.loyalty.programme.definition import (
    DOWNGRADES,
    MEASURES,
    METHODS,
    Badge,
    Draw,
    Earning,
    Expiry,
    Prize,
    Programme,
    Referral,
    Reward,
    Task,
    Tier,
    Tiers,
)
from regulars.unify.tags.rules import read_rule

MOST_POINTS = 10_000_000
MOST_BYTES = 64 << 10
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
Made = TypeVar("Made")


def read_programme(text: str, where: str = "programme", *, currency: str = "CNY") -> Programme:
    r"""Read a programme from TOML.

    Args:
        text: The TOML.
        where: What it is, for messages.
        currency: ISO 4217 code prizes are valued in.

    Returns:
        The programme, checked.

    Raises:
        InputError: A part cannot be used; the message says which and what is wanted.
        NotAllowed: The law does not allow the draw.

    Example:
        >>> read_programme('name = "points"\nstarts_on = 2026-01-01\npoint_value = "0.01"').expiry
        Expiry(method='days', after=365)
    """
    if len(text.encode()) > MOST_BYTES:
        raise InputError(f"{where} is longer than {MOST_BYTES} bytes; leave parts out")
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is not readable TOML: {error}; mend the line it names") from None
    part = _Part(given, where)
    starts_on = part.take("starts_on")
    if type(starts_on) is not date:
        raise part.wrong("starts_on", starts_on, "a day such as 2026-01-01")
    made = Programme(
        part.text("name"),
        starts_on,
        part.money("point_value", least=Decimal(0)),
        _policy(part.table("ledger")),
        _earning(part.table("earning")),
        _expiry(part.table("expiry")),
        _tiers(part.table("tiers")),
        tuple(_badge(one) for one in part.tables("badges")),
        _referral(part.table("referral")) if "referral" in given else None,
        _check_ins(part),
        tuple(_task(one) for one in part.tables("tasks")),
        tuple(_reward(one) for one in part.tables("rewards")),
        _draw(part.table("draw")) if "draw" in given else None,
    )
    part.end()
    for kind in (made.badges, made.tasks, made.rewards):
        _each_once([one.id for one in kind], where)
    if made.draw:
        check_law(made.draw, currency=currency)
    return made


@cache
def law() -> tuple[dict[str, Any], ...]:
    """Give what the law says of draws: code, law, article, day in force, words, source."""
    text = files(__package__).joinpath("law.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["rules"])


def check_law(draw: Draw, *, currency: str) -> None:
    """Refuse a draw the law does not allow.

    Args:
        draw: The draw.
        currency: ISO 4217 code of the values of its prizes.

    Raises:
        NotAllowed: A prize is worth more than the law lets one be.
    """
    [cap] = [one for one in law() if "most_cny" in one]
    for prize in draw.prizes:
        if currency == "CNY" and prize.value > Decimal(cap["most_cny"]):
            raise NotAllowed(
                cap["code"],
                f"prize {prize.id} is worth {prize.value} CNY; {cap['law']}{cap['article']}: "
                f"{cap['says']}; give a smaller prize",
            )


class _Part:
    """One table of the TOML; everything in it must be asked for."""

    def __init__(self, given: Any, where: str) -> None:
        if not isinstance(given, Mapping):
            raise InputError(f"{where} is {given!r}, must be a table")
        self._given, self.where, self._asked = dict(given), where, set[str]()

    def take(self, name: str, usual: Any = None) -> Any:
        self._asked.add(name)
        return self._given.get(name, usual)

    def wrong(self, name: str, value: Any, wanted: str) -> InputError:
        return InputError(f"{self.where}: {name} is {value!r}, must be {wanted}")

    def text(self, name: str, usual: str | None = None) -> str:
        value = self.take(name, usual)
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= 100:
            if value == usual == "":
                return ""
            raise self.wrong(name, value, "a text of 1 to 100 letters")
        return value.strip()

    def id(self) -> str:
        value = self.take("id")
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise self.wrong("id", value, "1 to 64 lower-case letters, digits, . _ or -")
        return value

    def whole(
        self, name: str, usual: int | None = None, *, least: int = 0, most: int = MOST_POINTS
    ) -> int:
        value = self.take(name, usual)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, value, f"a whole number from {least} to {most:,}")
        return value

    def money(self, name: str, usual: str | None = None, *, least: Decimal = Decimal(0)) -> Decimal:
        value = self.take(name, usual)
        try:
            made = Decimal(str(value))
        except InvalidOperation:
            made = Decimal("NaN")
        fits = made.is_finite() and least <= made <= MOST_POINTS
        if isinstance(value, bool) or not fits or int(made.as_tuple().exponent) < -4:
            raise self.wrong(name, value, f"a number from {least} with at most 4 decimals")
        return made

    def choice(self, name: str, usual: str, known: tuple[str, ...]) -> str:
        value = self.take(name, usual)
        if value not in known:
            raise self.wrong(name, value, f"one of {', '.join(known)}")
        return str(value)

    def table(self, name: str) -> "_Part":
        return _Part(self.take(name, {}), f"{self.where}: {name}")

    def tables(self, name: str) -> "list[_Part]":
        value = self.take(name, [])
        if not isinstance(value, list):
            raise self.wrong(name, value, f"tables, each begun with [[{name}]]")
        return [_Part(one, f"{self.where}: {name} {at}") for at, one in enumerate(value, 1)]

    def made(self, make: Callable[[], Made]) -> Made:
        """End the part after making something of it."""
        found = make()
        self.end()
        return found

    def end(self) -> None:
        odd = sorted(set(self._given) - self._asked)
        if odd:
            known = ", ".join(sorted(self._asked))
            raise InputError(f"{self.where} has {odd[0]!r}; known: {known}")


def _policy(part: _Part) -> Policy:
    return part.made(
        lambda: Policy(
            Shortfall(part.choice("shortfall", "owe", tuple(Shortfall))),
            part.whole("restored_days", 0, most=366),
        )
    )


def _earning(part: _Part) -> Earning:
    per_unit = part.money("per_unit", "1")
    lock_days = part.whole("lock_days", 14, most=366)
    inner = part.table("categories")
    names = list(part.take("categories", {}))
    multipliers = {name: inner.money(name) for name in names}
    part.end()
    return Earning(per_unit, lock_days, multipliers)


def _expiry(part: _Part) -> Expiry:
    method = part.choice("method", "days", METHODS)
    usual = {"days": 365, "month_end": 12, "year_end": 1, "never": 0}[method]
    least = 1 if method == "days" else 0
    return part.made(lambda: Expiry(method, part.whole("after", usual, least=least, most=3660)))


def _tiers(part: _Part) -> Tiers:
    levels = tuple(map(_tier, part.tables("levels")))
    review = part.take("review", "")
    if not isinstance(review, str) or not re.fullmatch(
        r"|(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", review
    ):
        raise part.wrong("review", review, "a month and day such as 01-01, the day up to 28")
    made = part.made(
        lambda: Tiers(
            levels,
            part.choice("measure", "spend", MEASURES),
            part.whole("period_days", 365, least=1, most=3660),
            review,
            part.choice("downgrade", "earned", DOWNGRADES),
        )
    )
    if list(levels) != sorted(levels, key=lambda one: one.threshold):
        raise InputError(f"{part.where}: levels must be in the order of their thresholds")
    _each_once([one.name for one in levels], part.where)
    return made


def _tier(part: _Part) -> Tier:
    return part.made(
        lambda: Tier(part.text("name"), part.money("threshold"), part.money("multiplier", "1"))
    )


def _badge(part: _Part) -> Badge:
    name, rule = part.id(), part.take("rule")
    read_rule(rule, f"{part.where}: rule")
    return part.made(lambda: Badge(name, part.text("title", name), rule, part.whole("points", 0)))


def _referral(part: _Part) -> Referral:
    return part.made(
        lambda: Referral(
            part.whole("referrer_points", least=0),
            part.whole("friend_points", 0),
            part.whole("most", 10, least=1),
            part.whole("return_days", 14, most=366),
            part.money("min_order", "0"),
        )
    )


def _check_ins(part: _Part) -> tuple[int, ...]:
    inner = part.table("check_in")
    value = inner.take("points", [])
    inner.end()
    if not isinstance(value, list) or len(value) > 366:
        raise inner.wrong("points", value, "a list of whole numbers, one per day of a streak")
    for one in value:
        if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one <= MOST_POINTS:
            raise inner.wrong("points", one, f"whole numbers from 0 to {MOST_POINTS:,}")
    return tuple(value)


def _task(part: _Part) -> Task:
    name = part.id()
    return part.made(
        lambda: Task(
            name,
            part.text("title", name),
            part.whole("points", least=1),
            part.whole("times", 1, least=1),
        )
    )


def _reward(part: _Part) -> Reward:
    name = part.id()
    return part.made(
        lambda: Reward(
            name, part.text("title", name), part.text("offer_id"), part.whole("points", least=1)
        )
    )


def _draw(part: _Part) -> Draw:
    prizes = tuple(_prize(one) for one in part.tables("prizes"))
    made = part.made(
        lambda: Draw(
            part.id(),
            part.whole("cost", 0),
            part.whole("per_day", 1, least=1, most=1_000),
            prizes,
            part.text("gone"),
        )
    )
    _each_once([one.id for one in prizes], part.where)
    total = sum((one.share for one in prizes), Fraction(0))
    if total != 1:
        raise InputError(
            f"{part.where}: shares of the prizes sum to {float(total):.6g}, must sum to 1 exactly; "
            "add a prize for those who win nothing, with the rest"
        )
    if made.gone not in {one.id for one in prizes if one.stock is None}:
        raise part.wrong("gone", made.gone, "a prize without stock, given when another is used up")
    return made


def _prize(part: _Part) -> Prize:
    name, share = part.id(), part.take("share")
    try:
        exact = Fraction(str(share))
    except (ValueError, ZeroDivisionError):
        exact = Fraction(-1)
    if isinstance(share, bool) or not 0 <= exact <= 1:
        raise part.wrong("share", share, 'a probability from 0 to 1, such as "1/500" or 0.002')
    made = part.made(
        lambda: Prize(
            name,
            part.text("title", name),
            exact,
            part.whole("points", 0),
            part.text("offer_id", ""),
            part.money("value", "0"),
            part.whole("stock", -1, least=-1),
        )
    )
    return replace(made, stock=None) if made.stock == -1 else made


def _each_once(names: list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{where}: {twice[0]!r} is there twice; give each a name of its own")
