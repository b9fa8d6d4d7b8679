"""A tag while it is written: the fields of a form, and the definition they say."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from regulars.errors import InputError
from regulars.unify.tags.definitions import Tag, TagKind
from regulars.unify.tags.rules import FIELDS, ORDERED, SIGNS, UNARY

EVENT = "event"
MOST_GROUPS, MOST_ROWS = 10, 20
_WORDS = ("all", "any")
_BETWEEN = re.compile(r"[,，、;；]|\s+-\s+|~|～")


@dataclass(frozen=True)
class Row:
    """One condition.

    Attributes:
        field: A column of profiles, "event" for a count of events, or "" while none is chosen.
        sign: How it is compared.
        value: With what, as it was typed.
        event: Name of the events counted.
        days: Days back they are counted over, as it was typed.
    """

    field: str = ""
    sign: str = ">="
    value: str = ""
    event: str = ""
    days: str = "30"

    @property
    def signs(self) -> tuple[str, ...]:
        """The comparisons the field allows."""
        if self.field == EVENT:
            return tuple(sign for sign in SIGNS if sign not in UNARY)
        if self.field and not FIELDS.get(self.field, True):
            return tuple(sign for sign in SIGNS if sign not in ORDERED)
        return SIGNS

    @property
    def chosen_sign(self) -> str:
        """The comparison, or the first that the field allows."""
        return self.sign if self.sign in self.signs else self.signs[0]


@dataclass(frozen=True)
class Group:
    """Conditions joined by "all" or "any"."""

    word: str = "all"
    rows: tuple[Row, ...] = (Row(),)


@dataclass(frozen=True)
class Draft:
    """A tag as somebody writes it.

    Attributes:
        name: What everybody calls it.
        kind: rule, model, manual or source.
        description: What it is for.
        owner: Who answers for it.
        expires_on: Last day it has members, as typed.
        keep_days: Days a customer keeps it, as typed.
        word: What joins the groups: "all" or "any".
        groups: The conditions.
        text: The definition as JSON, where `is_text`.
        is_text: True where the definition is written as text.
        score: Table and column of a model tag, "customer_values.p_alive".
        at_least: Lower threshold, as typed.
        at_most: Upper threshold, as typed.
        trait: Key of the trait of a source tag.
        value: Its value; "" for any.
    """

    name: str = ""
    kind: str = TagKind.RULE.value
    description: str = ""
    owner: str = ""
    expires_on: str = ""
    keep_days: str = ""
    word: str = "all"
    groups: tuple[Group, ...] = (Group(),)
    text: str = ""
    is_text: bool = False
    score: str = ""
    at_least: str = ""
    at_most: str = ""
    trait: str = ""
    value: str = ""


_PLAIN = (
    "name", "kind", "description", "owner", "expires_on", "keep_days", "text", "score", "at_least",
    "at_most", "trait", "value",
)  # fmt: skip


def read_draft(form: Mapping[str, str]) -> Draft:
    """Read a draft from the fields of a form; what is missing is as in a new draft."""
    draft = Draft()
    plain = {name: form.get(name, getattr(draft, name))[:4000] for name in _PLAIN}
    groups: list[Group] = []
    while len(groups) < MOST_GROUPS and (at := f"g{len(groups)}.") + "word" in form:
        rows: list[Row] = []
        while len(rows) < MOST_ROWS and (place := f"{at}r{len(rows)}.") + "field" in form:
            told = {name: form.get(place + name, was)[:500] for name, was in asdict(Row()).items()}
            rows.append(Row(**told))
        groups.append(Group(_word(form[at + "word"]), tuple(rows) or (Row(),)))
    kind = plain["kind"] if plain["kind"] in list(TagKind) else TagKind.RULE.value
    return replace(
        draft,
        **(plain | {"kind": kind, "name": plain["name"].strip()}),
        word=_word(form.get("word", "all")),
        groups=tuple(groups) or (Group(),),
        is_text=form.get("is_text") == "yes",
    )


def changed(draft: Draft, what: str) -> Draft:
    """Do what a button of the editor says.

    Args:
        draft: The draft.
        what: "add:0" adds a condition to the first group, "drop:0:1" takes its second one
            away, "group" adds a group, "text" and "rows" change how it is written.

    Returns:
        The draft; unchanged for anything else.

    Raises:
        InputError: The text cannot be shown as rows.
    """
    verb, *places = what.split(":")
    at = [int(place) for place in places if place.isdecimal()]
    groups = list(draft.groups)
    if verb == "group" and len(groups) < MOST_GROUPS:
        groups.append(Group())
    elif verb == "add" and at and at[0] < len(groups) and len(groups[at[0]].rows) < MOST_ROWS:
        groups[at[0]] = replace(groups[at[0]], rows=(*groups[at[0]].rows, Row()))
    elif verb == "drop" and len(at) == 2 and at[0] < len(groups):
        rows = tuple(row for n, row in enumerate(groups[at[0]].rows) if n != at[1])
        groups[at[0]] = replace(groups[at[0]], rows=rows)
        groups = [group for group in groups if group.rows] or [Group()]
    elif verb == "text":
        text = json.dumps(definition(draft), ensure_ascii=False, indent=2)
        return replace(draft, is_text=True, text=text)
    elif verb == "rows":
        return _with_rule(replace(draft, is_text=False), definition(draft).get("rule"))
    return replace(draft, groups=tuple(groups))


def definition(draft: Draft) -> dict[str, Any]:
    """Give the definition a draft says.

    Returns:
        What `read_tag` takes as definition; values that are no number stay text.

    Raises:
        InputError: The text is no JSON object.
    """
    if draft.is_text:
        try:
            found = json.loads(draft.text)
        except ValueError as error:
            raise InputError(f"the definition is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise InputError("the definition must be a JSON object")
        return found
    if draft.kind == TagKind.RULE:
        parts = [_group(group) for group in draft.groups]
        return {"rule": parts[0] if len(parts) == 1 else {draft.word: parts}}
    if draft.kind == TagKind.MODEL:
        table, _, column = draft.score.partition(".")
        limits = {"at_least": draft.at_least, "at_most": draft.at_most}
        told = {name: number_of(text) for name, text in limits.items() if text.strip()}
        return {"table": table, "column": column} | told
    if draft.kind == TagKind.SOURCE:
        found = {"trait": draft.trait.strip()}
        return found | ({"value": draft.value} if draft.value else {})
    return {}


def written(draft: Draft) -> dict[str, Any]:
    """Give a draft as `read_tag` and the API take it.

    Returns:
        Everything but the name; what was left empty is None.

    Raises:
        InputError: A part cannot be read.
    """
    days = draft.keep_days.strip()
    return {
        "kind": draft.kind,
        "definition": definition(draft),
        "description": draft.description.strip(),
        "owner": draft.owner.strip(),
        "expires_on": draft.expires_on.strip() or None,
        "keep_days": int(days) if days.isdecimal() else days or None,
    }


def is_complete(draft: Draft) -> bool:
    """Tell whether every condition has what it needs; what it needs may still be wrong."""
    if draft.is_text:
        return bool(draft.text.strip())
    if draft.kind == TagKind.MODEL:
        return bool(draft.at_least.strip() or draft.at_most.strip())
    if draft.kind == TagKind.SOURCE:
        return bool(draft.trait.strip())
    rows = [row for group in draft.groups for row in group.rows]
    return draft.kind != TagKind.RULE or all(
        row.field
        and (row.value.strip() or row.chosen_sign in UNARY)
        and (row.field != EVENT or row.event.strip())
        for row in rows
    )


def draft_of(tag: Tag) -> Draft:
    """Give a kept tag as a draft; as text where rows cannot say it."""
    told = dict(tag.definition)
    draft = Draft(
        tag.name,
        tag.kind.value,
        tag.description,
        tag.owner,
        tag.expires_on.isoformat() if tag.expires_on else "",
        str(tag.keep_days or ""),
        score=f"{told.get('table', '')}.{told.get('column', '')}",
        at_least=typed(told.get("at_least", "")),
        at_most=typed(told.get("at_most", "")),
        trait=str(told.get("trait", "")),
        value=str(told.get("value", "")),
    )
    if tag.kind is not TagKind.RULE:
        return draft
    try:
        return _with_rule(draft, told.get("rule"))
    except InputError:
        return replace(draft, is_text=True, text=json.dumps(told, ensure_ascii=False, indent=2))


def _with_rule(draft: Draft, rule: Any) -> Draft:
    """Put a rule into rows, one level of groups at most."""
    if isinstance(rule, dict) and (word := _joins(rule)):
        parts = rule[word]
        if all(_joins(part) == "" for part in parts):
            rows = tuple(_row(part) for part in parts)
            return replace(draft, word="all", groups=(Group(word, rows),))
        return replace(draft, word=word, groups=tuple(_read_group(part) for part in parts))
    return replace(draft, word="all", groups=(_read_group(rule),))


def _read_group(given: Any) -> Group:
    word = _joins(given)
    return Group(word, tuple(_row(p) for p in given[word])) if word else Group(rows=(_row(given),))


def _joins(given: Any) -> str:
    if not isinstance(given, dict):
        return ""
    return next((word for word in _WORDS if isinstance(given.get(word), list)), "")


def _row(given: Any) -> Row:
    if not isinstance(given, dict) or not {"field", "event"} & set(given):
        raise InputError("the rule is too deep for rows; edit it as text")
    value = given.get("value", "")
    if "event" in given:
        days = str(given.get("days", ""))
        return Row(EVENT, str(given.get("is")), typed(value), str(given["event"]), days)
    return Row(str(given["field"]), str(given.get("is")), typed(value))


def _group(group: Group) -> dict[str, Any]:
    parts = [_condition(row) for row in group.rows]
    return parts[0] if len(parts) == 1 else {group.word: parts}


def _condition(row: Row) -> dict[str, Any]:
    sign = row.chosen_sign
    told: dict[str, Any] = {"is": sign}
    if row.field == EVENT:
        days = row.days.strip()
        told |= {"event": row.event.strip(), "days": int(days) if days.isdecimal() else days}
    else:
        told["field"] = row.field
    if sign not in UNARY:
        is_number = row.field == EVENT or FIELDS.get(row.field, True)
        told["value"] = value_of(row.value, sign, is_number=is_number)
    return told


def value_of(text: str, sign: str, *, is_number: bool) -> Any:
    """Read what a condition compares with, as it was typed.

    Args:
        text: One value, or several between commas where the sign takes several.
        sign: The comparison.
        is_number: True when it is to be a number.

    Returns:
        The value or values; what should be a number and is none stays text.
    """
    read = number_of if is_number else str.strip
    if sign in {"in", "between"}:
        return [read(part) for part in _BETWEEN.split(text) if part.strip()]
    return read(text)


def number_of(text: str) -> Any:
    """Read a number, or a share in per cent; text that is none stays text."""
    plain = text.strip().removesuffix("%").removesuffix("％")  # noqa: RUF001
    try:
        found = float(plain)
    except ValueError:
        return text
    found = found / 100 if plain != text.strip() else found
    return int(found) if found.is_integer() else found


def typed(value: Any) -> str:
    """Write a value as somebody would type it; several between commas."""
    if isinstance(value, list):
        return ", ".join(map(typed, value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _word(text: str) -> str:
    return text if text in _WORDS else _WORDS[0]
