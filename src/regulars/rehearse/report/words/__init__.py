"""The words of the report, one file per language; every language has the same keys."""

import tomllib
from importlib.resources import files

from regulars.errors import UnknownName

Words = dict[str, str]
"""Sentence by key; `{name}` in a sentence is filled by the page."""

LOCALES = ("en", "zh-CN")


def words_in(locale: str) -> Words:
    """Read the words of a language.

    Args:
        locale: "zh-CN" or "en".

    Returns:
        Sentence by key.

    Raises:
        UnknownName: There are no words in this language.

    Example:
        >>> words_in("zh-CN")["turn"]
        '轮次'
    """
    if locale not in LOCALES:
        raise UnknownName("report language", locale, LOCALES)
    text = (files(__package__) / f"{locale}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
