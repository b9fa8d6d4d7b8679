"""What an audience is: a name, a rule, what it is for and whose it is."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.understand.segments.audiences.rules import (
    AudienceRule,
    Clause,
    Followed,
    Happened,
    Included,
    Scored,
    read_rule,
)
from regulars.unify.tags.definitions import NAME
from regulars.unify.tags.rules import MOST_CONDITIONS, Joined, asked


@dataclass(frozen=True)
class Audience:
    """One version of an audience.

    Attributes:
        name: 1 to 64 characters, no slash; what everybody calls it.
        given: Its rule as JSON.
        description: What it is for, in words.
        owner: Who answers for it.
        version: 1 for the first; every edit adds one.
    """

    name: str
    given: Mapping[str, Any]
    description: str = ""
    owner: str = ""
    version: int = 1

    @property
    def rule(self) -> AudienceRule:
        """Its rule, read; it may name other audiences."""
        return read_rule(self.given)


def read_audience(name: str, given: Mapping[str, Any]) -> Audience:
    """Read an audience from the values of a TOML or JSON file.

    Args:
        name: Its name.
        given: Either a rule alone, or rule and perhaps description and owner.

    Returns:
        The audience, checked.

    Raises:
        InputError: A part cannot be used; the message says which and what is wanted.

    Example:
        >>> read_audience("regulars", {"field": "orders", "is": ">", "value": 4}).rule.column
        'orders'
    """
    whole = given if "rule" in given else {"rule": given}
    odd = sorted(set(whole) - {"rule", "name", "description", "owner"})
    if odd:
        raise InputError(f"audience has {odd[0]!r}; known: rule, description, owner")
    description, owner = _text(whole, "description", 500), _text(whole, "owner", 64)
    rule = json.loads(json.dumps(whole["rule"], default=_plain))
    return checked(Audience(name, rule, description, owner))


def checked(audience: Audience) -> Audience:
    """Check an audience before it is kept.

    Returns:
        The same audience.

    Raises:
        InputError: Its name or its rule cannot be used.
    """
    if not NAME.fullmatch(audience.name):
        raise InputError(
            f"audience name is {audience.name!r}, must be 1 to 64 characters without a slash "
            "or line end"
        )
    _ = audience.rule
    return audience


def expanded(
    rule: AudienceRule, rules: Mapping[str, AudienceRule], *, within: tuple[str, ...] = ()
) -> AudienceRule:
    """Put the rules of other audiences in the place of their names.

    Args:
        rule: The rule.
        rules: Rules of the audiences there are, by name.
        within: Audiences the rule stands in, the outermost first.

    Returns:
        A rule that names no audience.

    Raises:
        UnknownName: It names an audience there is none of.
        InputError: An audience names itself, by way of others perhaps, or it became too long.
    """
    found = _expanded(rule, rules, within)
    count = sum(1 for _ in asked(found))
    if count > MOST_CONDITIONS:
        raise InputError(
            f"the rule has {count} conditions with those of the audiences it names, must have at "
            f"most {MOST_CONDITIONS}; name fewer of them"
        )
    return found


def _expanded(
    rule: AudienceRule, rules: Mapping[str, AudienceRule], within: tuple[str, ...]
) -> AudienceRule:
    if isinstance(rule, Joined):
        return replace(rule, parts=tuple(_expanded(part, rules, within) for part in rule.parts))
    if not isinstance(rule, Included) or rule.kind != "audience":
        return rule
    way = (*within, rule.name)
    if rule.name in within:
        raise InputError(f"an audience names itself: {' > '.join(way)}; take one of them out")
    if rule.name not in rules:
        raise UnknownName("audience", rule.name, rules)
    return _expanded(rules[rule.name], rules, way)


def lineage(rule: AudienceRule) -> list[str]:
    """Tell what a rule is read from.

    Returns:
        "table.column", "events: name", "consent: purpose"..., each once, in order.

    Example:
        >>> lineage(read_rule({"score": "p_alive", "is": ">", "value": 0.5}))
        ['customer_values.p_alive']
    """
    return sorted({word for one in asked(rule) for word in _read_from(one)})


def _read_from(clause: Clause) -> Iterable[str]:
    if isinstance(clause, Happened):
        return [f"events: {clause.event}"]
    if isinstance(clause, Followed):
        return [f"events: {step.event}" for step in clause.steps]
    if isinstance(clause, Included):
        return [f"{clause.kind}: {clause.name}"]
    return [clause.column if isinstance(clause, Scored) else f"profiles.{clause.field}"]


def _text(given: Mapping[str, Any], part: str, most: int) -> str:
    text = given.get(part) or ""
    if not isinstance(text, str) or len(text) > most:
        raise InputError(f"{part} is {text!r}, must be a text of at most {most} characters")
    return text


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise InputError(f"the rule holds {value!r}, must hold texts, numbers, days and lists")
