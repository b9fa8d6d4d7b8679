"""Read the rules from their TOML files, and refuse what could not be relied on."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.copycheck.findings import Severity
from regulars.govern.copycheck.rulebook.linting import compiled
from regulars.govern.copycheck.rulebook.records import Exemption, Form, Law, Rule, Rulebook
from regulars.govern.copycheck.text.normalise import normalise

GUIDELINE = "absolute_terms_guideline"
_ROOM = "regulars.govern.copycheck.rules"
_KNOWN = {
    "id", "severity", "zh", "en", "law", "article", "effective_from", "effective_to", "terms",
    "heads", "tails", "form", "pair", "spelled", "exempt", "lifted_by", "cited_by", "only_with",
    "satisfied_by", "requires", "channels", "only_categories", "except_categories", "markets",
    "machine_made", "suggestion_zh", "suggestion_en", "source",
}  # fmt: skip


_UNRULED = frozenset({"app", "web_push", "wecom", "wechat", "webhook", "onsite", "call", "letter"})
"""Channels for which no rule asks something of its own."""


@cache
def rulebook() -> Rulebook:
    """Give the rules this package ships, read once.

    Returns:
        All of them, in force or not.

    Example:
        >>> len(rulebook().rules) > 50
        True
    """
    room = files(_ROOM)
    texts = {
        path.name.removesuffix(".toml"): path.read_text("utf-8")
        for path in sorted(room.iterdir(), key=lambda one: one.name)
        if path.name.endswith(".toml")
    }
    return read_rulebook(texts)


@cache
def vocabulary() -> dict[str, frozenset[str]]:
    """Give the words rules know, so that a mistyped one is not taken for "no rule applies".

    Returns:
        Channels, categories, markets and kinds of evidence, by these names.

    Example:
        >>> "sms" in vocabulary()["channel"], "smss" in vocabulary()["channel"]
        (True, False)
    """
    rules = rulebook().rules
    return {
        "channel": _UNRULED | {one for rule in rules for one in rule.when_channels},
        "category": frozenset(
            one for rule in rules for one in (*rule.only_categories, *rule.except_categories)
        ),
        "market": frozenset({"cn", "eu"}) | {one for rule in rules for one in rule.markets},
        "kind of evidence": frozenset(one for rule in rules for one in rule.lifted_by),
    }


def require_known(**given: str) -> None:
    """Refuse a word no rule knows.

    Args:
        **given: Words by what they are: channel, category, market, kind_of_evidence; "" passes.

    Raises:
        UnknownName: A word is not known.
    """
    for name, word in given.items():
        what = name.replace("_", " ")
        if word and word not in vocabulary()[what]:
            raise UnknownName(what, word, vocabulary()[what])


def read_rulebook(texts: Mapping[str, str]) -> Rulebook:
    """Read rules.

    Args:
        texts: TOML by family; "laws" holds the laws, every other one the rules of its family.

    Returns:
        The rules, checked.

    Raises:
        InputError: A rule cannot be relied on; the message says which and why.
        UnknownName: A rule cites a law that is not there.
    """
    laws = {
        law_id: Law(
            law_id,
            {"zh": read["zh"], "en": read["en"]},
            read["effective_from"],
            read["source"],
        )
        for law_id, read in tomllib.loads(texts["laws"]).items()
    }
    rules: list[Rule] = []
    for family, text in texts.items():
        if family == "laws":
            continue
        read = tomllib.loads(text)
        shared = read.get("shared", {})
        rules += [_rule(family, one, laws, shared) for one in read.get("rule", ())]
    seen: set[str] = set()
    for rule in rules:
        if rule.rule_id in seen:
            raise InputError(f"two rules are called {rule.rule_id}; give each a name of its own")
        seen.add(rule.rule_id)
    return Rulebook(tuple(rules), laws)


def _rule(
    family: str, read: Mapping[str, Any], laws: Mapping[str, Law], shared: Mapping[str, Any]
) -> Rule:
    name = str(read.get("id", "a rule without id"))
    odd = sorted(set(read) - _KNOWN)
    if odd:
        raise InputError(f"{name} has {odd[0]!r}; known: {', '.join(sorted(_KNOWN))}")
    if read["law"] not in laws:
        raise UnknownName("law", read["law"], laws)
    law = laws[read["law"]]
    severity = Severity(read["severity"])
    if read.get("satisfied_by") and severity.blocks:
        raise InputError(f"{name} blocks, so nothing elsewhere in the text may settle it")
    exempt = [*read.get("exempt", ())]
    return Rule(
        rule_id=name,
        family=family,
        severity=severity,
        title={"zh": read["zh"], "en": read["en"]},
        law=law,
        article=str(read["article"]),
        effective_from=read.get("effective_from", law.effective_from),
        effective_to=read.get("effective_to"),
        terms=_terms(name, read),
        forms=_forms(name, read),
        is_spelled=bool(read.get("spelled", False)),
        exemptions=tuple(_exemption(name, one, laws, shared) for one in exempt),
        lifted_by=frozenset(read.get("lifted_by", ())),
        cited_by=_patterns(name, _named(read.get("cited_by", ()), shared)),
        only_with=_patterns(name, read.get("only_with", ())),
        satisfied_by=_patterns(name, read.get("satisfied_by", ())),
        requires=tuple(_patterns(name, group) for group in read.get("requires", ())),
        when_channels=frozenset(read.get("channels", ())),
        only_categories=frozenset(read.get("only_categories", ())),
        except_categories=frozenset(read.get("except_categories", ())),
        markets=frozenset(read.get("markets", ())),
        only_machine_made=bool(read.get("machine_made", False)),
        suggestion={"zh": read["suggestion_zh"], "en": read["suggestion_en"]},
        source=read.get("source", law.source),
        version=_fingerprint(read, shared),
    )


def _terms(name: str, read: Mapping[str, Any]) -> tuple[str, ...]:
    terms = [
        *read.get("terms", ()),
        *(head + tail for head in read.get("heads", ()) for tail in read.get("tails", ())),
    ]
    for term in terms:
        if normalise(term).text != term:
            raise InputError(
                f"{name}: term {term!r} is not in normal form; write {normalise(term).text!r}"
            )
    return tuple(dict.fromkeys(terms))


def _forms(name: str, read: Mapping[str, Any]) -> tuple[Form, ...]:
    forms = [
        Form(tuple(one["when"]), compiled(one["pattern"], name), int(one.get("reach", 0)))
        for one in read.get("form", ())
    ]
    for one in read.get("pair", ()):
        first, second = (
            "|".join(map(re.escape, one["first"])),
            "|".join(map(re.escape, one["second"])),
        )
        gap = rf"[^,.!?;:、。\n]{{0,{int(one.get('gap', 6))}}}?"
        forms.append(Form(tuple(one["first"]), compiled(f"(?:{first}){gap}(?:{second})", name)))
        if one.get("either_order", False):
            forms.append(
                Form(tuple(one["second"]), compiled(f"(?:{second}){gap}(?:{first})", name))
            )
    return tuple(forms)


def _exemption(
    name: str, read: Any, laws: Mapping[str, Law], shared: Mapping[str, Any]
) -> Exemption:
    if isinstance(read, str):
        if read not in shared:
            raise UnknownName("shared exemption", read, shared)
        read = {"id": read, **shared[read]}
    law = laws[read.get("law", "advertising_law")]
    where = f"{name} exemption {read['id']}"
    start: date = read.get("effective_from", law.effective_from)
    basis = f"{law.title['en']} {read['basis']}".strip() if "law" in read else str(read["basis"])
    return Exemption(read["id"], compiled(read["pattern"], where), basis, start)


def _named(given: Sequence[str], shared: Mapping[str, Any]) -> list[str]:
    return [shared[one]["pattern"] if one in shared else one for one in given]


def _patterns(name: str, given: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(compiled(one, name) for one in given)


def _fingerprint(read: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    text = json.dumps([read, shared], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
