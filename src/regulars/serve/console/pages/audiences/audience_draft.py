"""An audience while it is written: nested groups as form fields, and the rule they say.

A node of the tree is named by its path: "0" is the outermost group, "0.1" its second part. The
field "n0.1.what" holds what the condition there asks about; a node with "n0.1.word" is a group.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from regulars.errors import InputError
from regulars.serve.console.pages.tags.tag_draft import number_of, typed, value_of
from regulars.understand.segments.audiences.definition import Audience
from regulars.understand.segments.audiences.rules import score_fields
from regulars.unify.tags.rules import FIELDS, ORDERED, SIGNS, UNARY

MOST_PARTS, MOST_DEPTH = 20, 5
WORDS = ("all", "any", "none")
WINDOWS = ("days", "hours", "between")
_PLACE = re.compile(r"n((?:\d{1,2}\.){0,9}\d{1,2})\.([a-z_]{1,12})")
_NAMED = ("tag", "audience")


@dataclass(frozen=True)
class Row:
    """One condition, as it was typed.

    Attributes:
        what: "field:orders", "score:rfm_scores.segment", "event", "sequence", "tag", "audience",
            "consent"; "" while nothing is chosen.
        sign: How it is compared.
        value: With what.
        event: What happened; of a sequence what happened first.
        window: One of `WINDOWS`.
        number: Days or hours of the window; of a sequence days back.
        first: First day, for "between".
        last: Last day.
        then: "event" when the second thing of a sequence happened, "without" when it did not.
        second: The second thing of a sequence.
        within: Days after the first in which.
        name: Tag, audience, or purpose of a consent.
        channel: Channel of a consent.
        status: Status of a consent.
    """

    what: str = ""
    sign: str = ">="
    value: str = ""
    event: str = ""
    window: str = "days"
    number: str = "30"
    first: str = ""
    last: str = ""
    then: str = "without"
    second: str = ""
    within: str = "3"
    name: str = ""
    channel: str = "*"
    status: str = "granted"

    @property
    def kind(self) -> str:
        """What comes before the colon: field, score, event..."""
        return self.what.partition(":")[0]

    @property
    def is_number(self) -> bool:
        """True when its value is a number."""
        name = self.what.partition(":")[2]
        return {"field": FIELDS, "score": score_fields()}.get(self.kind, {}).get(name, True)

    @property
    def signs(self) -> tuple[str, ...]:
        """The comparisons it allows."""
        if self.kind == "event":
            return tuple(sign for sign in SIGNS if sign not in UNARY)
        return SIGNS if self.is_number else tuple(sign for sign in SIGNS if sign not in ORDERED)

    @property
    def chosen_sign(self) -> str:
        """The comparison, or the first it allows."""
        return self.sign if self.sign in self.signs else self.signs[0]

    @property
    def is_complete(self) -> bool:
        """True when it has all it needs; what it has may still be wrong."""
        needs_value = self.kind in {"field", "score", "event"} and self.chosen_sign not in UNARY
        asked = {
            "event": [self.event, *([self.first, self.last] if self.window == "between" else [])],
            "sequence": [self.event, self.second, self.within],
            "tag": [self.name],
            "audience": [self.name],
            "consent": [self.name],
        }.get(self.kind, [self.what])
        return all(one.strip() for one in [*asked, *([self.value] if needs_value else [])])


@dataclass(frozen=True)
class Group:
    """Conditions and groups joined by "all", "any" or "none"."""

    word: str = "all"
    parts: tuple["Group | Row", ...] = (Row(),)


@dataclass(frozen=True)
class Draft:
    """An audience as somebody writes it.

    Attributes:
        name: What everybody calls it.
        description: What it is for.
        owner: Who answers for it.
        tree: The conditions.
        text: The rule as JSON, where `is_text`.
        is_text: True where the rule is written as text.
    """

    name: str = ""
    description: str = ""
    owner: str = ""
    tree: Group = Group()
    text: str = ""
    is_text: bool = False

    @property
    def is_complete(self) -> bool:
        """True when every condition has what it needs."""
        if self.is_text:
            return bool(self.text.strip())
        return all(row.is_complete for row in _rows(self.tree))


def read_draft(form: Mapping[str, str]) -> Draft:
    """Read a draft from the fields of a form; what is missing is as in a new draft."""
    nodes: dict[tuple[int, ...], dict[str, str]] = {}
    for key, text in form.items():
        place = _PLACE.fullmatch(key)
        if place:
            path = tuple(int(step) for step in place[1].split("."))
            nodes.setdefault(path, {})[place[2]] = text[:500]
    tree = _node(nodes, (0,)) if (0,) in nodes else Group()
    return Draft(
        form.get("name", "").strip()[:64],
        form.get("description", "")[:500],
        form.get("owner", "")[:64],
        tree if isinstance(tree, Group) else Group(parts=(tree,)),
        form.get("text", "")[:20_000],
        form.get("is_text") == "yes",
    )


def changed(draft: Draft, what: str) -> Draft:
    """Do what a button of the editor says.

    Args:
        draft: The draft.
        what: "add:0.1" adds a condition to the group there, "group:0" a group, "drop:0.2" takes a
            part away, "text" and "rows" change how the rule is written.

    Returns:
        The draft; unchanged for anything else.

    Raises:
        InputError: The text cannot be shown as rows.
    """
    verb, _, place = what.partition(":")
    path = tuple(int(step) for step in place.split(".") if step.isdecimal())
    if verb in {"add", "group"} and path:
        part: Group | Row = Group(word="any") if verb == "group" else Row()
        return replace(draft, tree=_with(draft.tree, path[1:], part))
    if verb == "drop" and len(path) > 1:
        return replace(draft, tree=_without(draft.tree, path[1:]))
    if verb == "text":
        text = json.dumps(rule_of(draft), ensure_ascii=False, indent=2)
        return replace(draft, is_text=True, text=text)
    if verb == "rows":
        return replace(draft, is_text=False, tree=tree_of(rule_of(draft)))
    return draft


def rule_of(draft: Draft) -> dict[str, Any]:
    """Give the rule a draft says.

    Returns:
        The rule as JSON; values that are no number stay text.

    Raises:
        InputError: The text is no JSON object.
    """
    if not draft.is_text:
        return _said(draft.tree)
    try:
        found = json.loads(draft.text)
    except ValueError as error:
        raise InputError(f"the rule is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError("the rule must be a JSON object")
    return found


def draft_of(audience: Audience) -> Draft:
    """Give a kept audience as a draft; as text where rows cannot say it."""
    draft = Draft(audience.name, audience.description, audience.owner)
    return with_rule(draft, dict(audience.given))


def with_rule(draft: Draft, rule: Mapping[str, Any]) -> Draft:
    """Put a rule into a draft; as text where rows cannot say it."""
    try:
        return replace(draft, tree=tree_of(rule), is_text=False)
    except InputError:
        text = json.dumps(rule, ensure_ascii=False, indent=2)
        return replace(draft, is_text=True, text=text)


def tree_of(rule: Any) -> Group:
    """Give a rule as nested groups.

    Returns:
        The outermost group.

    Raises:
        InputError: A part of it is more than rows can say.
    """
    found = _shown(rule)
    return found if isinstance(found, Group) else Group(parts=(found,))


def _node(nodes: Mapping[tuple[int, ...], Mapping[str, str]], path: tuple[int, ...]) -> Group | Row:
    told = nodes[path]
    if "word" not in told:
        known = {one.name for one in fields(Row)}
        return Row(**{name: text for name, text in told.items() if name in known})
    inside = sorted({one[: len(path) + 1] for one in nodes if one[: len(path)] == path != one})
    inside = [one for one in inside if one in nodes][:MOST_PARTS]
    parts = tuple(_node(nodes, one) for one in inside) if len(path) <= MOST_DEPTH else ()
    return Group(told["word"] if told["word"] in WORDS else WORDS[0], parts or (Row(),))


def _with(group: Group, path: tuple[int, ...], part: Group | Row) -> Group:
    if not path:
        return replace(group, parts=(*group.parts, part)[:MOST_PARTS])
    inner = group.parts[path[0]] if path[0] < len(group.parts) else None
    if not isinstance(inner, Group):
        return group
    parts = (*group.parts[: path[0]], _with(inner, path[1:], part), *group.parts[path[0] + 1 :])
    return replace(group, parts=parts)


def _without(group: Group, path: tuple[int, ...]) -> Group:
    at, *rest = path
    if at >= len(group.parts):
        return group
    inner = group.parts[at]
    kept: tuple[Group | Row, ...] = ()
    if rest and isinstance(inner, Group):
        kept = (_without(inner, tuple(rest)),)
    return replace(group, parts=(*group.parts[:at], *kept, *group.parts[at + 1 :]) or (Row(),))


def _rows(group: Group) -> list[Row]:
    return [
        row for part in group.parts for row in (_rows(part) if isinstance(part, Group) else [part])
    ]


def _said(part: Group | Row) -> dict[str, Any]:
    if isinstance(part, Row):
        return _condition(part)
    listed = [_said(one) for one in part.parts]
    if part.word == "none":
        return {"not": listed[0] if len(listed) == 1 else {"any": listed}}
    return listed[0] if len(listed) == 1 else {part.word: listed}


def _condition(row: Row) -> dict[str, Any]:
    kind, _, name = row.what.partition(":")
    if kind in _NAMED:
        return {kind: row.name}
    if kind == "consent":
        return {"consent": row.name, "channel": row.channel or "*", "is": row.status}
    if kind == "sequence":
        second = {row.then: row.second.strip(), "within_days": number_of(row.within)}
        steps = [{"event": row.event.strip()}, second]
        return {"sequence": steps, "days": number_of(row.number)}
    told: dict[str, Any] = {kind or "field": row.event.strip() if kind == "event" else name}
    if kind == "event":
        told |= (
            {"from": row.first, "to": row.last}
            if row.window == "between"
            else {row.window: number_of(row.number)}
        )
    told["is"] = row.chosen_sign
    if row.chosen_sign not in UNARY:
        told["value"] = value_of(row.value, row.chosen_sign, is_number=row.is_number)
    return told


def _shown(rule: Any) -> Group | Row:
    if not isinstance(rule, Mapping):
        raise InputError("a part of the rule is no object; edit it as text")
    for word in ("all", "any"):
        if isinstance(rule.get(word), list):
            return Group(word, tuple(_shown(part) for part in rule[word]))
    if "not" in rule:
        inner = rule["not"]
        is_any = isinstance(inner, Mapping) and isinstance(inner.get("any"), list)
        listed = inner["any"] if is_any else [inner]
        return Group("none", tuple(_shown(part) for part in listed))
    return _row(rule)


def _row(given: Mapping[str, Any]) -> Row:
    sign, value = str(given.get("is", ">=")), typed(given.get("value", ""))
    if "field" in given:
        return Row(f"field:{given['field']}", sign, value)
    if "score" in given:
        whole = [n for n in score_fields() if given["score"] in {n, n.partition(".")[2]}]
        return Row(f"score:{whole[0] if len(whole) == 1 else given['score']}", sign, value)
    for kind in _NAMED:
        if kind in given:
            return Row(kind, name=str(given[kind]))
    if "consent" in given:
        channel, status = str(given.get("channel", "*")), str(given.get("is", "granted"))
        return Row("consent", name=str(given["consent"]), channel=channel, status=status)
    if "event" in given:
        window = "between" if "from" in given else "hours" if "hours" in given else "days"
        number = str(given.get(window, "30"))
        first, last = str(given.get("from", "")), str(given.get("to", ""))
        return Row("event", sign, value, str(given["event"]), window, number, first, last)
    steps = given.get("sequence")
    if not isinstance(steps, list) or len(steps) != 2 or "within_days" not in steps[1]:
        raise InputError("the rule says more than rows can; edit it as text")
    then = "without" if "without" in steps[1] else "event"
    return Row(
        "sequence",
        event=str(steps[0].get("event", "")),
        number=str(given.get("days", "")),
        then=then,
        second=str(steps[1][then]),
        within=str(steps[1]["within_days"]),
    )
