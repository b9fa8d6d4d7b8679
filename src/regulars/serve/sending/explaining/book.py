"""The words explanations are made of, in both languages."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files


def words_of(part: str, code: str) -> Sequence[str]:
    """Give the words of a code.

    Args:
        part: Table of `sentences.toml`: fates, reasons, channels, phases, called, sentence.
        code: The code.

    Returns:
        In Chinese, then in English; a code nobody named stands for itself.

    Example:
        >>> words_of("channels", "sms"), words_of("channels", "pigeon")
        (['短信', 'SMS'], ('pigeon', 'pigeon'))
    """
    found: Sequence[str] = _book()[part].get(code, (code, code))
    return found


@cache
def _book() -> dict[str, dict[str, list[str]]]:
    text = files(__package__).joinpath("sentences.toml").read_text(encoding="utf-8")
    book: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    return book
