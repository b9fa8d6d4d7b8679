"""What a tag is: a name, a kind, what it asks for, whose it is and how long it lasts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.records import TABLES
from regulars.unify.tags.rules import Rule, asked, read_rule

NAME = re.compile(r"[^\s/][^/\n\r\t]{0,62}[^\s/]|[^\s/]")
_TRAIT = re.compile(r"[A-Za-z0-9_]{1,64}(\.[A-Za-z0-9_]{1,64}){0,3}")
_SCORES = ("float64", "int64", "money")


class TagKind(StrEnum):
    """Where the members of a tag come from."""

    RULE = "rule"
    MODEL = "model"
    MANUAL = "manual"
    SOURCE = "source"


@dataclass(frozen=True)
class Tag:
    """One version of a tag.

    Attributes:
        name: 1 to 64 characters, no slash; what everybody calls it.
        kind: Where its members come from.
        definition: What it asks for. Rule: {"rule": ...}. Model: {"table", "column" and
            "at_least" or "at_most"}. Source: {"trait"} and perhaps "value". Manual: {}.
        description: What it is for, in words.
        owner: Who answers for it.
        expires_on: Last day it has members; None for no end.
        keep_days: Days a customer keeps it from entering; None for as long as it holds.
        version: 1 for the first; every edit adds one.
    """

    name: str
    kind: TagKind
    definition: Mapping[str, Any]
    description: str = ""
    owner: str = ""
    expires_on: date | None = None
    keep_days: int | None = None
    version: int = 1

    @property
    def rule(self) -> Rule | None:
        """What a tag of kind rule asks for, read; None for the other kinds."""
        if self.kind is not TagKind.RULE:
            return None
        return read_rule(self.definition["rule"])


def scores() -> dict[str, tuple[str, ...]]:
    """Name the tables and columns a model tag may take its score from.

    Returns:
        Columns by table: those that hold one number per customer and turn.

    Example:
        >>> "p_alive" in scores()["customer_values"]
        True
    """
    return {
        table.name: tuple(c.name for c in table.columns[2:] if c.type in _SCORES)
        for table in TABLES.values()
        if table.station == "understand" and table.key == ("turn", "customer_id")
    }


def checked(tag: Tag) -> Tag:
    """Check a tag before it is kept.

    Args:
        tag: As somebody wrote it.

    Returns:
        The same tag.

    Raises:
        InputError: A part of it cannot be used; the message says which and what is wanted.
        UnknownName: It names a table or column there is none of.
    """
    if not NAME.fullmatch(tag.name):
        raise InputError(
            f"tag name is {tag.name!r}, must be 1 to 64 characters without a slash or line end"
        )
    if len(tag.description) > 500 or len(tag.owner) > 64:
        raise InputError("the description must be at most 500 characters, the owner at most 64")
    if tag.keep_days is not None and not 1 <= tag.keep_days <= 3660:
        raise InputError(f"keep_days is {tag.keep_days}, must be from 1 to 3660, or left out")
    wanted = {
        TagKind.RULE: {"rule"},
        TagKind.MODEL: {"table", "column", "at_least", "at_most"},
        TagKind.MANUAL: set(),
        TagKind.SOURCE: {"trait", "value"},
    }[tag.kind]
    odd = sorted(set(tag.definition) - wanted)
    if odd:
        raise InputError(
            f"definition of a {tag.kind} tag has {odd[0]!r}; known: {', '.join(sorted(wanted))}"
        )
    _CHECKS[tag.kind](tag.definition)
    return tag


def lineage(tag: Tag) -> list[str]:
    """Tell what a tag is read from.

    Returns:
        "table.column", each once, in order; for counted events "events: name".

    Example:
        >>> rule = {"rule": {"field": "orders", "is": ">", "value": 2}}
        >>> lineage(Tag("regular", TagKind.RULE, rule))
        ['profiles.orders']
    """
    if tag.rule:
        found = {
            f"profiles.{one.field}" if one.field else f"events: {one.event}"
            for one in asked(tag.rule)
        }
        return sorted(found)
    if tag.kind is TagKind.MODEL:
        return [f"{tag.definition['table']}.{tag.definition['column']}"]
    if tag.kind is TagKind.SOURCE:
        return [f"events: traits.{tag.definition['trait']}"]
    return []


def _check_rule(definition: Mapping[str, Any]) -> None:
    if "rule" not in definition:
        raise InputError("definition of a rule tag has no rule; give one")
    read_rule(definition["rule"])


def _check_model(definition: Mapping[str, Any]) -> None:
    known = scores()
    table, column = definition.get("table"), definition.get("column")
    if table not in known:
        raise UnknownName("table of scores", str(table), known)
    if column not in known[table]:
        raise UnknownName(f"score of {table}", str(column), known[table])
    limits = [definition[name] for name in ("at_least", "at_most") if name in definition]
    if not limits:
        raise InputError("a model tag needs at_least or at_most, or both; give a number")
    for limit in limits:
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise InputError(f"the threshold of a model tag is {limit!r}, must be a number")


def _check_source(definition: Mapping[str, Any]) -> None:
    trait, value = definition.get("trait"), definition.get("value")
    if not isinstance(trait, str) or not _TRAIT.fullmatch(trait):
        raise InputError(
            f"trait is {trait!r}, must be the key of a trait: letters, digits and _, with dots"
        )
    if value is not None and not isinstance(value, str):
        raise InputError(f"value is {value!r}, must be a text, or left out for any value")


_CHECKS = {
    TagKind.RULE: _check_rule,
    TagKind.MODEL: _check_model,
    TagKind.MANUAL: lambda definition: None,
    TagKind.SOURCE: _check_source,
}
