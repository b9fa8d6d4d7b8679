"""Rules of audiences: the language of tags, with events, scores, tags, consents and sequences."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from regulars.errors import InputError
from regulars.govern.consent.rule import Status
from regulars.records import TABLES
from regulars.unify.tags.rules import (
    MOST_DAYS,
    UNARY,
    Asks,
    Joined,
    near,
    read_asks,
    read_name,
    read_sign,
    read_tree,
)

MOST_HOURS = 24 * MOST_DAYS
MOST_STEPS = 5
STANDINGS = ("inside", "entered", "done")
HAPPENINGS = {
    "$order": ("orders", "ordered_at"),
    "$visit": ("visits", "started_at"),
    "$review": ("reviews", "reviewed_at"),
}
"""Things that happen which are no events: the table, and the column with the moment."""
_NUMBERS = frozenset({"int64", "float64", "money"})
_TURNED = ("turn", "customer_id")


@dataclass(frozen=True)
class Window:
    """When something must have happened; exactly one part is given.

    Attributes:
        days: Days back in the workspace's zone, today included; 0 when it is no such window.
        hours: Hours back from the moment, 60 minutes each; 0 when it is no such window.
        first: First day, included; None when it is no such window.
        last: Last day, included.
    """

    days: int = 0
    hours: int = 0
    first: date | None = None
    last: date | None = None

    def __str__(self) -> str:
        """Say it in short: 30d, 48h or the two days."""
        if self.first:
            return f"{self.first}..{self.last}"
        return f"{self.days}d" if self.days else f"{self.hours}h"


@dataclass(frozen=True)
class Happened:
    """A condition on how often something happened.

    Attributes:
        event: Name of an event, or one of `HAPPENINGS`.
        window: When it counts.
        sign: One of `SIGNS` but exists and missing.
        value: The number it is compared with, or two, or several.
    """

    event: str
    window: Window
    sign: str
    value: Any

    @property
    def column(self) -> str:
        """The column its value stands in."""
        return f"{self.event} ({self.window})"


@dataclass(frozen=True)
class Scored:
    """A condition on a score of the newest turn.

    Attributes:
        table: Table of scores.
        name: Its column.
        sign: One of `SIGNS`.
        value: What it is compared with.
    """

    table: str
    name: str
    sign: str
    value: Any

    @property
    def column(self) -> str:
        """The column its value stands in."""
        return f"{self.table}.{self.name}"


@dataclass(frozen=True)
class Included:
    """A condition that is met by whoever is in a set of customers: its value is 1 there, else 0.

    Attributes:
        kind: "tag", "audience", "journey" or "consent".
        name: The tag, audience or journey, or the purpose of the consent.
        channel: Channel of the consent; "" for the others.
        standing: Status of the consent, or where in the journey; "" for the others.
    """

    kind: str
    name: str
    channel: str = ""
    standing: str = ""

    @property
    def sign(self) -> str:
        """It is equal."""
        return "="

    @property
    def value(self) -> float:
        """To 1; to 0 for whoever said nothing about a consent."""
        return 0.0 if self.kind == "consent" and self.standing == Status.NONE else 1.0

    @property
    def column(self) -> str:
        """The column its value stands in."""
        return f"{self.kind} {self.name}/{self.channel}/{self.standing}"


@dataclass(frozen=True)
class Step:
    """One step of a sequence.

    Attributes:
        event: What happened, or did not.
        within_hours: Hours after the step before, at most; 0 for the first step.
        is_absent: True when it must not have happened in that time, and the time is over.
    """

    event: str
    within_hours: int = 0
    is_absent: bool = False


@dataclass(frozen=True)
class Followed:
    """A condition that one thing followed another: 1 when it did, else 0.

    Attributes:
        steps: In order, two or more; each after the one before, not at the same moment.
        days: Days back the first step may lie, today included.
    """

    steps: tuple[Step, ...]
    days: int

    @property
    def sign(self) -> str:
        """It is equal."""
        return "="

    @property
    def value(self) -> float:
        """To 1."""
        return 1.0

    @property
    def column(self) -> str:
        """The column its value stands in."""
        words = [
            f"{'no ' if step.is_absent else ''}{step.event} {step.within_hours}h"
            for step in self.steps
        ]
        return f"{' > '.join(words)} ({self.days}d)"


Clause = Asks | Happened | Scored | Included | Followed
AudienceRule = Joined[Clause] | Clause


def score_fields() -> dict[str, bool]:
    """Name the scores a rule may ask about.

    Returns:
        Whether each is a number, by table and column.

    Example:
        >>> score_fields()["customer_values.p_alive"], score_fields()["rfm_scores.segment"]
        (True, False)
    """
    return {
        f"{table.name}.{column.name}": column.type in _NUMBERS
        for table in TABLES.values()
        if table.station == "understand" and table.key == _TURNED
        for column in table.columns
        if column.name not in _TURNED and column.type in _NUMBERS | {"string"}
    }


def read_rule(given: Any, where: str = "rule") -> AudienceRule:
    """Read the rule of an audience from JSON.

    Args:
        given: The tree: {"all": [...]}, {"any": [...]}, {"not": ...} and conditions, each told
            by its key: field, event, score, tag, audience, consent, journey or sequence.
        where: Place within the definition, for messages.

    Returns:
        The rule.

    Raises:
        InputError: It cannot be read; the message says where and what is wanted.

    Example:
        >>> steps = [{"event": "Product Viewed"}, {"without": "Order Completed", "within_days": 3}]
        >>> read_rule({"sequence": steps, "days": 30}).column
        'Product Viewed 0h > no Order Completed 72h (30d)'
    """
    return read_tree(given, _READERS, where)


def _happened(given: Mapping[str, Any], where: str) -> Happened:
    _only(given, {"event", "days", "hours", "from", "to", "is", "value"}, where)
    event = _event(given["event"], f"{where}.event")
    if given.get("is") in UNARY:
        raise InputError(f"{where}.is is {given['is']!r}; compare a count with a number")
    sign, value = read_sign(given, is_number=True, where=where)
    return Happened(event, _window(given, where), sign, value)


def _window(given: Mapping[str, Any], where: str) -> Window:
    parts = [part for part in ("days", "hours", "from") if part in given]
    if len(parts) != 1 or ("to" in given) != ("from" in given):
        raise InputError(
            f"{where} has {' and '.join(parts) or 'no window'}; give days, or hours, "
            "or both from and to"
        )
    if parts == ["days"]:
        return Window(days=_whole(given, "days", MOST_DAYS, where))
    if parts == ["hours"]:
        return Window(hours=_whole(given, "hours", MOST_HOURS, where))
    first, last = _day(given["from"], f"{where}.from"), _day(given["to"], f"{where}.to")
    if first > last:
        raise InputError(f"{where}.from is {first}, must not be after to, {last}")
    return Window(first=first, last=last)


def _scored(given: Mapping[str, Any], where: str) -> Scored:
    known = score_fields()
    name = given["score"]
    short = [one for one in known if one.partition(".")[2] == name]
    full = name if name in known else short[0] if len(short) == 1 else ""
    if not full:
        found = (
            f"is in {len(short)} tables; say which" if short else f"is unknown{near(name, known)}"
        )
        raise InputError(f"{where}.score {name!r} {found}; known: {', '.join(sorted(known))}")
    sign = given.get("is")
    _only(given, {"score", "is"} | (set() if sign in UNARY else {"value"}), where)
    sign, value = read_sign(given, is_number=known[full], where=where)
    table, _, column = full.partition(".")
    return Scored(table, column, sign, value)


def _named(kind: str) -> Callable[[Mapping[str, Any], str], Included]:
    def read(given: Mapping[str, Any], where: str) -> Included:
        _only(given, {kind}, where)
        return Included(kind, read_name(given[kind], f"{where}.{kind}"))

    return read


def _consent(given: Mapping[str, Any], where: str) -> Included:
    _only(given, {"consent", "channel", "is"}, where)
    status = given.get("is", Status.GRANTED.value)
    if status not in list(Status):
        known = ", ".join(one.value for one in Status)
        raise InputError(f"{where}.is is {status!r}, must be one of: {known}")
    channel = read_name(given.get("channel", "*"), f"{where}.channel")
    return Included("consent", read_name(given["consent"], f"{where}.consent"), channel, status)


def _journey(given: Mapping[str, Any], where: str) -> Included:
    _only(given, {"journey", "is"}, where)
    standing = given.get("is", STANDINGS[0])
    if standing not in STANDINGS:
        raise InputError(f"{where}.is is {standing!r}, must be one of: {', '.join(STANDINGS)}")
    return Included("journey", read_name(given["journey"], f"{where}.journey"), "", standing)


def _sequence(given: Mapping[str, Any], where: str) -> Followed:
    _only(given, {"sequence", "days"}, where)
    listed = given["sequence"]
    if not isinstance(listed, list) or not 2 <= len(listed) <= MOST_STEPS:
        raise InputError(
            f"{where}.sequence is {listed!r}, must be a list of 2 to {MOST_STEPS} steps"
        )
    steps = [_step(one, f"{where}.sequence[{n}]", n) for n, one in enumerate(listed)]
    if any(step.is_absent for step in steps[:-1]):
        raise InputError(
            f"{where}.sequence has 'without' before its end; only the last step may be absent"
        )
    return Followed(tuple(steps), _whole(given, "days", MOST_DAYS, where))


def _step(given: Any, where: str, place: int) -> Step:
    if not isinstance(given, Mapping) or ("event" in given) == ("without" in given):
        raise InputError(f"{where} is {given!r}, must have event, or without, and not both")
    word = "event" if "event" in given else "without"
    event = _event(given[word], f"{where}.{word}")
    if place == 0:
        _only(given, {"event"}, where)
        return Step(event)
    _only(given, {word, "within_days", "within_hours"}, where)
    parts = [part for part in ("within_days", "within_hours") if part in given]
    if len(parts) != 1:
        raise InputError(f"{where} must have within_days or within_hours, one of them")
    most = MOST_DAYS if parts == ["within_days"] else MOST_HOURS
    hours = _whole(given, parts[0], most, where) * (24 if parts == ["within_days"] else 1)
    return Step(event, hours, word == "without")


def _event(given: Any, where: str) -> str:
    name = read_name(given, where)
    types = {"$page", "$screen", "$identify", "$track", "$group", "$alias"}
    if name.startswith("$") and name not in HAPPENINGS.keys() | types:
        known = sorted(HAPPENINGS.keys() | types)
        raise InputError(
            f"{where} is {name!r}{near(name, known)}; with a $ there are: {', '.join(known)}"
        )
    return name


def _only(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for odd in sorted(set(given) - known):
        raise InputError(
            f"{where} has {odd!r}{near(odd, known)}; it may have: {', '.join(sorted(known))}"
        )


def _whole(given: Mapping[str, Any], name: str, most: int, where: str) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InputError(f"{where}.{name} is {value!r}, must be a whole number from 1 to {most}")
    return value


def _day(given: Any, where: str) -> date:
    try:
        return given if type(given) is date else date.fromisoformat(str(given))
    except ValueError as error:
        raise InputError(f"{where} is {given!r}, must be a day such as 2026-12-31") from error


_READERS: dict[str, Callable[[Mapping[str, Any], str], Clause]] = {
    "field": read_asks,
    "event": _happened,
    "score": _scored,
    "tag": _named("tag"),
    "audience": _named("audience"),
    "consent": _consent,
    "journey": _journey,
    "sequence": _sequence,
}
