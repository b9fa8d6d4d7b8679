"""Tells a reader why something was refused.

Errors are written in English where they are raised, with the values in them, because the command
line and the log show them as they are. A page finds the sentence again by its fixed words and says
it in the reader's language; a value that is a sentence or a code of its own is said so, too.
What people typed stands in the sentence as it is: so figures are found only where a figure stands,
fields only by their names, and what is longer than any sentence is not looked for at all.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from markupsafe import Markup
from pydantic import ValidationError

from regulars.serve.console import words
from regulars.serve.console.catalogue import translations
from regulars.serve.console.refusing import deciding, governing, measuring
from regulars.serve.console.words.naming import N_, word

AS_IT_IS = N_("Refused. The reason, in English:")
BETWEEN = N_("; ")
_PLACE = re.compile(r"%\((\w+)\)s")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})[\d:.]*\+00:00")
_SENTENCES = (*deciding.SENTENCES, *governing.SENTENCES, *measuring.SENTENCES)
_FRAGMENTS = deciding.FRAGMENTS
LONGEST = 500
"""Characters of a line beyond which no sentence is looked for in it."""
MOST_LINES = 20
"""Lines beyond which no sentence is looked for in any of them."""
DEEPEST = 3
"""How many sentences may stand one within another."""
_AGAIN = frozenset({"why", "says"})
_FIGURE = r"[-+]?(?:[0-9][0-9.,]*(?:e[-+]?[0-9]+)?|inf|nan) ?%?"
_CODES: Mapping[str, Mapping[str, str]] = {
    "channel": words.CHANNELS,
    "done": words.EXPERIMENT_VERBS,
    "family": words.MODEL_FAMILIES,
    "how": words.EXPORTS,
    "field": words.FORM_FIELDS,
    "kind": words.KINDS_OF_NAMES,
    "measure": words.ABILITIES,
    "metric": words.EXPERIMENT_METRICS,
    "recipe": words.RECIPES,
    "campaign_state": words.CAMPAIGN_STATES,
    "request_state": words.REQUEST_STATES,
    "rights_state": words.RIGHTS_STATES,
    "role": words.ROLES,
    "rights_kind": words.REQUEST_KINDS,
    "stage": words.POLICY_STAGES,
    "stand": words.EXPERIMENT_STANDS,
    "verdict": words.MODEL_VERDICTS,
}
"""Codes that stand for words, by the place they stand at, or by the end of its name."""


_FORMS: Mapping[str, str] = {
    "field": "|".join(
        re.escape(one)
        for one in sorted({*words.FORM_FIELDS, *words.FORM_FIELDS.values()}, key=len, reverse=True)
    ),
    "gain": _FIGURE,
    "interval": rf"{_FIGURE}|\[{_FIGURE}, {_FIGURE}\]",
    "least": _FIGURE,
    "most": _FIGURE,
}
"""What may stand at a place, by its name; at the others any text may."""


class _Known(NamedTuple):
    sentence: str
    pattern: re.Pattern[str]
    fixed: tuple[str, ...]
    is_fragment: bool

    def found_in(self, text: str) -> Mapping[str, str] | None:
        """Give the values of a sentence; None where a text is another one."""
        at = 0
        for part in self.fixed:
            at = text.find(part, at)
            if at < 0:
                return None
            at += len(part)
        found = self.pattern.fullmatch(text)
        return found.groupdict() if found else None


def reason_of(error: Exception) -> str:
    """Say what an error says, one line for each thing that is wrong.

    Args:
        error: What was raised: by regulars, by a form that was checked, or by reading a number.

    Returns:
        English lines; a page says them by `refusal`.

    Example:
        >>> reason_of(ValueError("the log is empty; wait until something was decided"))
        'the log is empty; wait until something was decided'
    """
    if not isinstance(error, ValidationError):
        return str(error)
    return "\n".join(
        _of_field(one["type"], word(words.FORM_FIELDS, str([*one["loc"], ""][0])), one)
        for one in error.errors()
    )


def refusal(text: str, locale: str) -> str:
    """Say a refusal in a language.

    Args:
        text: What the error says, as `reason_of` gives it.
        locale: "en" or "zh-CN".

    Returns:
        The sentence; in another language than English one that nobody translated is shown as it
        is, and marked as English.

    Example:
        >>> refusal("greedy is live; there is no stage to go on to", "zh-CN")
        'greedy 的状态是服务全部顾客，没有下一阶段'
        >>> refusal("greedy is live; there is no stage to go on to", "en")
        'greedy is live; there is no stage to go on to'
    """
    say = translations(locale).gettext
    if say("Customers") == "Customers":
        return text.replace("\n", BETWEEN)
    parts = text.split("\n")
    lines: list[str | None] = (
        [_line(one, say) for one in parts] if len(parts) <= MOST_LINES else [None]
    )
    if all(line is not None for line in lines):
        return say(BETWEEN).join(line for line in lines if line)
    shown = BETWEEN.join(_shortened(one) for one in parts[:MOST_LINES])
    if len(parts) > MOST_LINES:
        shown += BETWEEN + "…"
    return Markup('{} <code lang="en">{}</code>').format(say(AS_IT_IS), shown)


def is_known(text: str) -> bool:
    """Tell whether a sentence is among those a page can say in every language."""
    return any(one.found_in(text) is not None for one in _known() if not one.is_fragment)


def _shortened(text: str) -> str:
    """Leave out the middle of what is too long: the end says what to do."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"


def _line(text: str, say: Callable[[str], str], depth: int = 0) -> str | None:
    """Say one sentence; None where nobody translated it, or one within it."""
    if len(text) > LONGEST or depth > DEEPEST:
        return None
    for one in _known():
        if one.is_fragment and not depth:
            continue
        values = one.found_in(text)
        if values is not None and (said := _filled(say(one.sentence), values, say, depth)):
            return said
    return None


def _filled(
    sentence: str, texts: Mapping[str, str], say: Callable[[str], str], depth: int
) -> str | None:
    values = {}
    for name, text in texts.items():
        said = _line(text, say, depth + 1) if name in _AGAIN else _value(name, text, say)
        if said is None:
            return None
        values[name] = said
    return _PLACE.sub(lambda place: values[place[1]], sentence)


def _value(name: str, text: str, say: Callable[[str], str]) -> str:
    if moment := _MOMENT.fullmatch(text):
        return f"{moment[1]} {moment[2]} UTC"
    codes = next((_CODES[end] for end in _ends(name) if end in _CODES), None)
    return say(word(codes, text)) if codes else text


def _ends(name: str) -> list[str]:
    """Give a name, then what is left of it without its first words."""
    parts = name.split("_")
    return ["_".join(parts[start:]) for start in range(len(parts))]


@cache
def _known() -> tuple[_Known, ...]:
    """Give every sentence with what finds it; those with most fixed words are tried first."""
    found = [_known_by(one, is_fragment=False) for one in _SENTENCES]
    found += [_known_by(one, is_fragment=True) for one in _FRAGMENTS]
    return tuple(sorted(found, key=lambda one: -sum(map(len, one.fixed))))


def _known_by(sentence: str, *, is_fragment: bool) -> _Known:
    split = _PLACE.split(sentence)
    parts = [
        f"(?P<{part}>{_FORMS.get(part, '.*?')})" if number % 2 else re.escape(part)
        for number, part in enumerate(split)
    ]
    return _Known(sentence, re.compile("".join(parts)), tuple(split[::2]), is_fragment)


def _of_field(kind: str, name: str, one: Mapping[str, object]) -> str:
    """Say what is wrong with one field of a form."""
    given, limits = one.get("input"), one.get("ctx")
    limit = next(iter(limits.values()), "") if isinstance(limits, Mapping) else ""
    limit = f"{limit:g}" if isinstance(limit, float) else limit
    if kind == "missing" or given in {"", None}:
        return f"{name} is missing"
    if kind == "string_too_long":
        return f"{name} has {len(str(given))} characters, must have {limit} at most"
    if kind == "greater_than_equal":
        return f"{name} is {given}, must be {limit} or more"
    if kind in {"greater_than", "less_than"}:
        side = "above" if kind == "greater_than" else "below"
        return f"{name} is {given}, must be {side} {limit}"
    return f"{name} is {given}, which cannot be read"
